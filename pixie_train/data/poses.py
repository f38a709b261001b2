"""Body poses for synthetic people: real motion, recombined and widened.

DeepMimic's clips are few, so limbs of different frames are put together, sides are
swapped, and arms and legs are also drawn from what joints allow and from what people
in front of a camera do: stand, sit, let the arms hang, hold the hands up.
"""

import torch
from torch import Tensor

from pixie_runtime.smplx import JOINT_INDEX, MIRRORED_JOINTS
from pixie_train import rotations
from pixie_train.data.motion import MotionBank
from pixie_train.data.sampling import Dice

_BODY = 22
_LEGS = [1, 2, 4, 5, 7, 8, 10, 11]
_ARMS = {"left": [13, 16, 18, 20], "right": [14, 17, 19, 21]}
_MIRRORED = list(MIRRORED_JOINTS[:_BODY])

_WOBBLE_DEG: dict[str, tuple[float, float, float]] = {
    "hip": (8, 6, 6),
    "knee": (6, 2, 2),
    "ankle": (10, 8, 6),
    "foot": (6, 2, 2),
    "spine1": (6, 5, 5),
    "spine2": (5, 5, 5),
    "spine3": (5, 5, 5),
    "neck": (12, 16, 9),
    "head": (12, 14, 9),
    "collar": (5, 7, 8),
    "shoulder": (14, 14, 14),
    "elbow": (18, 12, 6),
    "wrist": (9, 14, 26),
}
"""Standard deviation of the rotation vector added to every pose, in degrees. An arm
lies along x at rest, so x is its twist; for the wrist z is flexion, y deviation."""


def _sd(name: str) -> tuple[float, float, float]:
    return _WOBBLE_DEG.get(name.removeprefix("left_").removeprefix("right_"), (0, 0, 0))


class PoseSampler:
    """Draws rotations of joints 0..21; row 0 in a y-up world that faces +z."""

    def __init__(self, bank: MotionBank) -> None:
        self._bank = torch.from_numpy(bank.body).float()
        names = list(JOINT_INDEX)[:_BODY]
        self._sd_deg = torch.tensor([_sd(name) for name in names])

    def sample(self, dice: Dice, count: int, *, legs_seen: Tensor) -> Tensor:
        """Return poses (count, 22, 3, 3).

        Args:
            dice: where chance comes from.
            count: number of poses.
            legs_seen: (count,) booleans; legs that no picture shows mostly stand, so
                that the network learns to let them stand.
        """
        R = self._recombined(dice, count)
        for side in ("left", "right"):
            drawn = dice.chance(count, p=0.45)
            R = _replace(R, _ARMS[side], drawn, self._arm(dice, count, side))
        legs = self._legs(dice, count)
        drawn = torch.where(
            legs_seen, dice.chance(count, p=0.4), dice.chance(count, p=0.9)
        )
        R = _replace(R, _LEGS, drawn, legs)
        swapped = dice.chance(count, p=0.5)[:, None, None, None]
        R = torch.where(swapped, rotations.mirror(R[:, _MIRRORED]), R)
        calm = dice.uniform(count, 1, 1, low=0.2, high=1.3)
        wobble = torch.deg2rad(dice.normal(count, _BODY, 3) * self._sd_deg) * calm
        return R @ rotations.matrix_from_rotvec(wobble)

    def _recombined(self, dice: Dice, count: int) -> Tensor:
        frames = dice.index(count, below=len(self._bank))
        R = self._bank[frames].clone()
        for group in (_LEGS, _ARMS["left"], _ARMS["right"]):
            other = self._bank[dice.index(count, below=len(self._bank))]
            R = _replace(R, group, dice.chance(count, p=0.5), other[:, group])
        upright = dice.chance(count, p=0.55)[:, None, None]
        yaw = _yaw_of(R[:, 0])
        standing = yaw @ dice.turns(count, sd_deg=(9, 3, 6))
        R[:, 0] = torch.where(upright, standing, R[:, 0])
        straight = dice.chance(count, p=0.4)[:, None, None]
        for joint in (3, 6, 9):
            eye = torch.eye(3).expand(count, 3, 3)
            R[:, joint] = torch.where(straight, eye, R[:, joint])
        return R

    def _arm(self, dice: Dice, count: int, side: str) -> Tensor:
        """Draw collar, shoulder, elbow, wrist of an arm, (count, 4, 3, 3)."""
        hanging = dice.normal(count, 3, sd=0.25) + torch.tensor([0.25, -1.0, 0.1])
        raised = dice.normal(count, 3)
        raised[:, 2] = raised[:, 2].abs() * torch.where(
            dice.chance(count, p=0.85), 1.0, -0.5
        )
        raised[:, 0] = raised[:, 0].abs() * torch.where(
            dice.chance(count, p=0.75), 1.0, -0.4
        )
        aim = torch.where(dice.chance(count, p=0.35)[:, None], hanging, raised)
        aim = aim / aim.norm(dim=-1, keepdim=True)
        swing = _from_x_to(aim)
        twist = torch.zeros(count, 3)
        twist[:, 0] = torch.deg2rad(dice.normal(count, sd=38))
        shoulder = swing @ rotations.matrix_from_rotvec(twist)
        # A raised arm takes its collar along.
        lift = torch.zeros(count, 3)
        lift[:, 2] = (aim[:, 1] + 0.3).clamp_min(0) * dice.uniform(count, high=0.45)
        bend = torch.zeros(count, 3)
        straight = dice.normal(count, sd=12).abs()
        bent = dice.uniform(count, low=5, high=145)
        bend[:, 1] = -torch.deg2rad(
            torch.where(dice.chance(count, p=0.3), straight, bent)
        )
        pronation = torch.zeros(count, 3)
        pronation[:, 0] = torch.deg2rad(dice.uniform(count, low=-75, high=75))
        elbow = rotations.matrix_from_rotvec(bend) @ rotations.matrix_from_rotvec(
            pronation
        )
        wrist = dice.turns(count, sd_deg=(6, 10, 22))
        arm = torch.stack(
            [rotations.matrix_from_rotvec(lift), shoulder, elbow, wrist], dim=1
        )
        return arm if side == "left" else rotations.mirror(arm)

    def _legs(self, dice: Dice, count: int) -> Tensor:
        """Draw legs that stand, squat or sit, in the order of `_LEGS`."""
        kind = dice.uniform(count)
        sits = (kind > 0.62)[:, None]
        squats = ((kind > 0.5) & (kind <= 0.62))[:, None]
        flex = dice.normal(count, 2, sd=9).abs()
        flex = torch.where(squats, dice.uniform(count, 1, low=20, high=110), flex)
        flex = torch.where(sits, dice.normal(count, 2, sd=14, mean=85), flex)
        knee = flex + dice.normal(count, 2, sd=9)
        knee = torch.where(sits, dice.normal(count, 2, sd=22, mean=85), knee)
        spread = dice.normal(count, 2, sd=7) + torch.tensor([4.0, -4.0])
        zero = torch.zeros(count, 2)
        turn_out = dice.normal(count, 2, sd=10)
        hips = torch.stack([-flex, turn_out, spread], dim=-1)
        knees = torch.stack([knee.clamp_min(0), zero, zero], dim=-1)
        ankles = torch.stack([dice.normal(count, 2, sd=10), zero, zero], dim=-1)
        feet = torch.zeros(count, 2, 3)
        degrees = torch.cat([hips, knees, ankles, feet], dim=1)
        return rotations.matrix_from_rotvec(torch.deg2rad(degrees))


def _replace(R: Tensor, joints: list[int], where: Tensor, by: Tensor) -> Tensor:
    """Return R with the rows `joints` taken from `by` for the people in `where`."""
    R = R.clone()
    R[:, joints] = torch.where(where[:, None, None, None], by, R[:, joints])
    return R


def _yaw_of(R: Tensor) -> Tensor:
    """Return the part of rotations (N, 3, 3) that turns about the vertical."""
    angle = torch.atan2(R[:, 0, 2], R[:, 2, 2])
    rotvec = torch.zeros(len(R), 3)
    rotvec[:, 1] = angle
    return rotations.matrix_from_rotvec(rotvec)


def _from_x_to(aim: Tensor) -> Tensor:
    """Return the smallest rotations (N, 3, 3) that turn +x to unit vectors (N, 3)."""
    axis = torch.linalg.cross(torch.tensor([1.0, 0, 0]).expand_as(aim), aim)
    sine = axis.norm(dim=-1, keepdim=True)
    angle = torch.atan2(sine, aim[:, :1])
    return rotations.matrix_from_rotvec(axis / sine.clamp_min(1e-6) * angle)
