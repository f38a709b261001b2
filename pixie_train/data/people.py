"""Synthetic people before synthetic cameras: parameters and true landmarks."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JAW, JOINT_INDEX, PARENTS
from pixie_train.body_model import FacePoints, PosedSkeleton, TorchBody
from pixie_train.data.hands import HandSampler
from pixie_train.data.landmark_points import hand_points, pose_points
from pixie_train.data.motion import MotionBank
from pixie_train.data.poses import PoseSampler
from pixie_train.data.sampling import Dice
from pixie_train.data.traits import Traits
from pixie_train.data.views import draw_framing, draw_view, place
from pixie_train.networks.landmark_inputs import FACE_POINTS

_HEAD = JOINT_INDEX["head"]
_PROPORTIONS = (
    ([1, 2, 3, 6, 9, 12, 13, 14, 16, 17], 0.05),
    ([4, 5, 7, 8], 0.08),
    ([4, 5], 0.04),
    ([18, 19, 20, 21], 0.05),
)
"""Bones by the joint at their end (trunk, legs, thighs, arms) and how much their
length differs from what the shape coefficients say (logarithm's standard deviation)."""


@dataclass(frozen=True, eq=False)
class People:
    """A batch of people as they are, in camera axes, metres."""

    rotations: Tensor
    """(B, 55, 3, 3): row 0 in camera axes, the others relative to the parent."""
    betas: Tensor
    """(B, n_betas)."""
    expression: Tensor
    """(B, n_expression)."""
    rest_joints: Tensor
    """(B, 55, 3)."""
    skeleton: PosedSkeleton
    """About the pelvis."""
    transl: Tensor
    """(B, 3): where the pelvis is."""
    face_local: Tensor
    """(B, F, 3) face points from the head joint, rest axes."""
    half_size: Tensor
    """(B, 2): half width and height of the picture at focal length 1."""
    upper: Tensor
    """(B,) booleans: the picture is meant to show no legs."""


@dataclass(frozen=True, eq=False)
class TruePoints:
    """True landmarks (camera axes, metres, from the camera)."""

    pose: Tensor
    """(B, 33, 3)."""
    hands: Tensor
    """(B, 2, 21, 3)."""
    face: Tensor
    """(B, F, 3)."""


class PeopleFactory:
    """Draws people and says where their landmarks are."""

    def __init__(self, model: BodyModel, bank: MotionBank, *, n_betas: int) -> None:
        self.body = TorchBody(model, n_betas=n_betas)
        self.face = FacePoints(model, list(FACE_POINTS), n_betas=n_betas)
        self.pose_points = pose_points()
        self.hand_points = (hand_points(model, "left"), hand_points(model, "right"))
        self._poses = PoseSampler(bank)
        self._hands = HandSampler(model)
        self._traits = Traits(model, n_betas=n_betas)

    def draw(self, dice: Dice, count: int) -> People:
        """Draw `count` people, each before a camera."""
        framing, view = draw_framing(dice, count), draw_view(dice, count)
        betas, _ = self._traits.shapes(dice, count)
        expression = self._traits.expressions(dice, count)
        body = self._poses.sample(dice, count, legs_seen=framing.full)
        body[:, 0] = view.R_camera_world @ body[:, 0]
        eyes = torch.eye(3).expand(count, 2, 3, 3)
        jaw, fingers = self._traits.jaws(dice, count), self._hands.sample(dice, count)
        R = torch.cat([body, jaw, eyes, fingers], dim=1)
        rest = self._with_own_proportions(dice, self.body.rest_joints(betas))
        skeleton = self.body.pose(rest, R)
        return People(
            rotations=R,
            betas=betas,
            expression=expression,
            rest_joints=rest,
            skeleton=skeleton,
            transl=place(dice, view, framing, skeleton.joints),
            face_local=self.face_points(betas, expression, R, rest),
            half_size=view.half_size,
            upper=~framing.full,
        )

    def face_points(
        self, betas: Tensor, expression: Tensor, R: Tensor, rest: Tensor
    ) -> Tensor:
        """Return face points (B, F, 3) from the head joint, in its rest axes."""
        head_to_jaw = rest[:, JAW] - rest[:, _HEAD]
        points: Tensor = self.face(betas, expression, R[:, JAW], head_to_jaw)
        return points

    def points(self, people: People) -> TruePoints:
        """Return where the landmarks truly are."""
        skeleton, at = people.skeleton, people.transl[:, None]
        hands = [skeleton.attached(p.joint, p.offset) for p in self.hand_points]
        face = people.face_local @ skeleton.R_root_joint[:, _HEAD].transpose(-1, -2)
        return TruePoints(
            pose=skeleton.attached(self.pose_points.joint, self.pose_points.offset)
            + at,
            hands=torch.stack(hands, dim=1) + at[:, None],
            face=face + skeleton.joints[:, _HEAD, None] + at,
        )

    def _with_own_proportions(self, dice: Dice, rest: Tensor) -> Tensor:
        """Lengthen and shorten trunk, legs and arms, as no shape coefficient does.

        Otherwise the network reads every unusual proportion as foreshortening, and
        leans people with short legs towards the camera.
        """
        count = len(rest)
        parents = [max(parent, 0) for parent in PARENTS]
        bones = rest - rest[:, parents]
        for joints, sd in _PROPORTIONS:
            bones[:, joints] *= torch.exp(dice.normal(count, 1, 1, sd=sd))
        placed = [rest[:, 0]]
        for joint in range(1, len(PARENTS)):
            placed.append(placed[PARENTS[joint]] + bones[:, joint])
        return torch.stack(placed, dim=1)
