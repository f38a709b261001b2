"""Synthetic people as a synthetic detector sees them: a batch and the truth behind."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pixie_runtime.smplx import JOINT_INDEX
from pixie_train import rotations
from pixie_train.body_model import PosedSkeleton
from pixie_train.data import detector
from pixie_train.data.people import People, PeopleFactory, TruePoints
from pixie_train.data.sampling import Dice
from pixie_train.networks.landmark_inputs import (
    LandmarkBatch,
    crop_rotation,
    turn_rays,
)

_HEAD = JOINT_INDEX["head"]
_TORSO = [11, 12, 24, 23]
_MID_HIP = [23, 24]


@dataclass(frozen=True, eq=False)
class Truth:
    """What the network should say of a batch, in one frame: the crop camera's axes."""

    rotations: Tensor
    """(B, 55, 3, 3), row 0 in the crop camera's axes."""
    betas: Tensor
    """(B, n_betas)."""
    expression: Tensor
    """(B, n_expression)."""
    skeleton: PosedSkeleton
    """About the pelvis, crop camera's axes, metres."""
    face_local: Tensor
    """(B, F, 3) face points from the head joint, rest axes, metres."""
    pose_xy: Tensor
    """(B, 33, 2): true landmarks in the crop camera's picture, focal length 1."""
    pose_seen: Tensor
    """(B, 33) booleans: neither hidden nor outside the picture."""
    parts_seen: Tensor
    """(B, 4) booleans: body, left hand, right hand, face."""

    def turned(self, R_frame_crop: Tensor) -> "Truth":
        """Return the same people in other axes, by a rotation (B, 3, 3)."""
        R = self.rotations.clone()
        R[:, 0] = R_frame_crop @ R[:, 0]
        skeleton = PosedSkeleton(
            self.skeleton.joints @ R_frame_crop.transpose(-1, -2),
            R_frame_crop[:, None] @ self.skeleton.R_root_joint,
        )
        return replace(self, rotations=R, skeleton=skeleton)


def draw_batch(
    factory: PeopleFactory, dice: Dice, count: int
) -> tuple[LandmarkBatch, Truth]:
    """Draw `count` people; returns what a detector saw, and the truth."""
    people = factory.draw(dice, count)
    points = factory.points(people)
    seen = _visible(dice, people, points)
    landmarks = _landmarks(dice, points, seen)
    # Seen from the true camera: a wrong focal length is the detector's error too.
    R_true = crop_rotation(_exact(landmarks, points))
    truth = Truth(
        rotations=people.rotations,
        betas=people.betas,
        expression=people.expression,
        skeleton=people.skeleton,
        face_local=people.face_local,
        pose_xy=turn_rays(_rays(points.pose), R_true),
        pose_seen=seen.pose,
        parts_seen=landmarks.present > 0,
    )
    return landmarks, truth.turned(R_true)


@dataclass(frozen=True, eq=False)
class _Seen:
    low: Tensor
    """(B, 1, 2): the corner of the picture with the smallest x and y."""
    high: Tensor
    """(B, 1, 2): the other one; a desk may come before it."""
    pose: Tensor
    hands: Tensor
    face: Tensor
    body: Tensor


def _rays(points: Tensor) -> Tensor:
    """Project camera points (..., 3) at focal length 1, (..., 2)."""
    return points[..., :2] / points[..., 2:].clamp_min(0.15)


def _visible(dice: Dice, people: People, points: TruePoints) -> _Seen:
    """Decide what the picture shows of each person."""
    count = len(people.betas)
    pose_xy = _rays(points.pose)
    low, high = -people.half_size[:, None], _above_desks(dice, people, pose_xy)
    pose = _within(pose_xy, low, high) & (points.pose[..., 2] > 0.15)
    pose &= ~_behind_torso(points.pose, pose_xy)
    covered = dice.chance(count, 1, p=0.25) & dice.chance(count, 33, p=0.25)
    pose &= ~covered
    hand_xy = _rays(points.hands)
    inside = _within(hand_xy, low[:, None], high[:, None])
    in_picture = inside.float().mean(-1) > 0.8
    wrists = pose[:, [15, 16]]
    hands = in_picture & (wrists | dice.chance(count, 2, p=0.3))
    hands &= dice.chance(count, 2, p=0.8)
    forward = people.skeleton.R_root_joint[:, _HEAD, :, 2]
    to_camera = -torch.nn.functional.normalize(points.face.mean(1), dim=-1)
    turned_to_us = (forward * to_camera).sum(-1) > dice.uniform(
        count, low=0.05, high=0.4
    )
    face_xy = _rays(points.face)
    framed = _within(face_xy, low, high).float().mean(-1) > 0.9
    face = framed & turned_to_us & dice.chance(count, p=0.85)
    body = ~(dice.chance(count, p=0.05) & (face | hands.any(-1)))
    return _Seen(low, high, pose, hands, face, body)


def _within(xy: Tensor, low: Tensor, high: Tensor) -> Tensor:
    return ((xy > low) & (xy < high)).all(-1)


def _above_desks(dice: Dice, people: People, pose_xy: Tensor) -> Tensor:
    """Return the pictures' far corners (B, 1, 2), moved up where a desk is in front.

    A desk hides what is below some height between chest and hips.
    """
    count = len(pose_xy)
    high = people.half_size[:, None].clone()
    shoulders, hips = pose_xy[:, [11, 12], 1].mean(1), pose_xy[:, _MID_HIP, 1].mean(1)
    edge = shoulders + dice.uniform(count, low=0.45, high=1.05) * (hips - shoulders)
    upright = (hips - shoulders) > 0
    sits_at_desk = people.upper & upright & dice.chance(count, p=0.4)
    high[:, 0, 1] = torch.where(
        sits_at_desk, edge.clamp_max(high[:, 0, 1]), high[:, 0, 1]
    )
    return high


def _behind_torso(pose: Tensor, xy: Tensor) -> Tensor:
    """Return which landmarks (B, 33) lie behind the torso as the camera sees it."""
    corners = xy[:, _TORSO]
    centre = corners.mean(1, keepdim=True)
    spread = (corners - centre).abs().amax(1, keepdim=True)
    inside = ((xy - centre).abs() < 0.8 * spread).all(-1)
    depth = pose[:, _TORSO, 2].mean(1, keepdim=True)
    return inside & (pose[..., 2] > depth + 0.10)


def _exact(landmarks: LandmarkBatch, points: TruePoints) -> LandmarkBatch:
    """Return the landmarks with true directions instead of detected ones."""
    return LandmarkBatch(
        pose_rays=_rays(points.pose),
        pose_world=landmarks.pose_world,
        pose_visibility=landmarks.pose_visibility,
        hand_rays=_rays(points.hands),
        hand_world=landmarks.hand_world,
        face_rays=_rays(points.face),
        present=landmarks.present,
    )


def _landmarks(dice: Dice, points: TruePoints, seen: _Seen) -> LandmarkBatch:
    count = len(points.pose)
    focal_error = torch.exp(dice.normal(count, 1, 1, sd=0.12))
    present = torch.stack(
        [seen.body, seen.hands[:, 0], seen.hands[:, 1], seen.face], dim=-1
    ).float()
    squeezed = detector.squeeze(dice, count)
    pose_rays = _pose_rays(dice, points.pose, seen, squeezed) * focal_error
    pose_world = _pose_world(dice, points.pose, ~seen.pose, squeezed)
    hand_rays = torch.stack(
        [_hand_rays(dice, points.hands[:, side]) * focal_error for side in (0, 1)],
        dim=1,
    )
    hand_world = torch.stack(
        [_hand_world(dice, points.hands[:, side]) for side in (0, 1)], dim=1
    )
    body, hands, face = present[:, 0], present[:, 1:3], present[:, 3]
    return LandmarkBatch(
        pose_rays=pose_rays * body[:, None, None],
        pose_world=pose_world * body[:, None, None],
        pose_visibility=detector.visibility(dice, ~seen.pose) * body[:, None],
        hand_rays=hand_rays * hands[..., None, None],
        hand_world=hand_world * hands[..., None, None],
        face_rays=_face_rays(dice, points.face) * focal_error * face[:, None, None],
        present=present,
    )


def _pose_rays(dice: Dice, pose: Tensor, seen: _Seen, squeezed: Tensor) -> Tensor:
    true = _rays(pose)
    edge = true.clamp(seen.low, seen.high)
    xy = edge + squeezed * (true - edge)
    spread = (
        2
        * (xy - xy[:, _MID_HIP].mean(1, keepdim=True)).square().sum(-1).mean(-1).sqrt()
    )
    noise = detector.image_noise(dice, (len(pose), 33), ~seen.pose)
    distance = pose[:, _MID_HIP, 2].mean(1).clamp_min(0.3)
    depth = (pose[..., 2] - distance[:, None]) / distance[:, None]
    depth = depth * dice.uniform(len(pose), 1, low=1.2, high=3.0)
    depth = depth + dice.normal(len(pose), 33, sd=0.3) * spread[:, None]
    xy = xy + noise * spread[:, None, None]
    return torch.cat([xy, depth[..., None]], dim=-1)


def _pose_world(dice: Dice, pose: Tensor, hidden: Tensor, squeezed: Tensor) -> Tensor:
    hips = pose[:, _MID_HIP].mean(1, keepdim=True)
    R = rotations.look_at(_in_front(pose[:, _TORSO].mean(1)))
    about = (pose - hips) @ R.transpose(-1, -2)
    return detector.world_pose(dice, about, hidden, squeezed)


def _hand_rays(dice: Dice, hand: Tensor) -> Tensor:
    xy = _rays(hand)
    centre = xy.mean(1, keepdim=True)
    spread = 2 * (xy - centre).square().sum(-1).mean(-1).sqrt()
    noise = detector.hand_image_noise(dice, len(hand)) * spread[:, None, None]
    distance = hand[:, :1, 2].clamp_min(0.2)
    depth = (hand[..., 2] - distance) / distance
    depth = depth * dice.uniform(len(hand), 1, low=0.6, high=1.3)
    depth = depth + dice.normal(len(hand), 21, sd=0.05) * spread[:, None]
    return torch.cat([xy + noise, depth[..., None]], dim=-1)


def _hand_world(dice: Dice, hand: Tensor) -> Tensor:
    R = rotations.look_at(_in_front(hand.mean(1)))
    about = (hand - hand.mean(1, keepdim=True)) @ R.transpose(-1, -2)
    return detector.world_hand(dice, about)


def _face_rays(dice: Dice, face: Tensor) -> Tensor:
    xy = _rays(face)
    spread = 2 * (xy - xy.mean(1, keepdim=True)).square().sum(-1).mean(-1).sqrt()
    distance = face[..., 2].mean(1, keepdim=True).clamp_min(0.2)
    depth = (face[..., 2] - distance) / distance
    depth = depth * dice.uniform(len(face), 1, low=0.85, high=1.15)
    noise = detector.face_noise(dice, len(face), face.shape[1])
    points = torch.cat([xy, depth[..., None]], dim=-1)
    return points + noise * spread[:, None, None]


def _in_front(direction: Tensor) -> Tensor:
    """Keep directions (B, 3) away from the picture plane, where no camera looks."""
    return torch.cat([direction[:, :2], direction[:, 2:].clamp_min(0.2)], dim=-1)
