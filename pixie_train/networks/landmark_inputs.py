"""Landmarks to the encoders' input vectors, inside the exported graph.

Landmarks arrive as rays, `((x - cx) / f, (y - cy) / f)`, so that a camera's focal
length and principal point are gone. They are then seen by a *crop camera* that stands
at the same place but looks straight at the body: what the networks regress does not
depend on where in the picture the person is. Each part is centred and scaled by its
own spread.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pixie_train import rotations

POSE_POINTS, HAND_POINTS = 33, 21
_LEFT_SHOULDER, _RIGHT_SHOULDER, _LEFT_HIP, _RIGHT_HIP = 11, 12, 23, 24

# fmt: off
FACE_POINTS: tuple[int, ...] = (
    # oval
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400,
    377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67,
    109,
    # lips, outer then inner
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269,
    270, 409, 78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13,
    312, 311, 310, 415,
    # left eye, right eye
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398,
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173,
    # left brow, right brow
    276, 283, 282, 295, 285, 300, 293, 334, 296, 336,
    46, 53, 52, 65, 55, 70, 63, 105, 66, 107,
    # nose, cheeks
    1, 2, 4, 5, 6, 168, 197, 195, 98, 327, 97, 326, 48, 278, 64, 294,
    50, 280, 205, 425, 117, 346, 187, 411,
)
# fmt: on
"""Points of MediaPipe's 468 that the head encoder looks at."""

BODY_INPUTS = POSE_POINTS * 7 + 2
HAND_INPUTS = HAND_POINTS * 6 + 3
HEAD_INPUTS = len(FACE_POINTS) * 3 + 3


@dataclass(frozen=True, eq=False)
class LandmarkBatch:
    """What a detector saw of B people, as rays; absent parts are zeros."""

    pose_rays: Tensor
    """(B, 33, 3): x, y over the focal length, and depth (smaller is nearer, 0 at the
    hips) in the same unit."""
    pose_world: Tensor
    """(B, 33, 3) metres, axes of a camera that looks at the body, origin mid-hip."""
    pose_visibility: Tensor
    """(B, 33) in [0, 1]."""
    hand_rays: Tensor
    """(B, 2, 21, 3), left then right, as `pose_rays`, depth 0 at the wrist."""
    hand_world: Tensor
    """(B, 2, 21, 3) metres, axes of a camera that looks at the hand."""
    face_rays: Tensor
    """(B, 152, 3): the face mesh's points of `FACE_POINTS`."""
    present: Tensor
    """(B, 4) in {0, 1}: body, left hand, right hand, face were seen."""


@dataclass(frozen=True, eq=False)
class EncoderInputs:
    """Normalised vectors for the three encoders, and how to get back."""

    body: Tensor
    """(B, BODY_INPUTS)."""
    left_hand: Tensor
    """(B, HAND_INPUTS), mirrored."""
    right_hand: Tensor
    """(B, HAND_INPUTS)."""
    head: Tensor
    """(B, HEAD_INPUTS)."""
    R_crop_camera: Tensor
    """(B, 3, 3): turns camera axes into the crop camera's."""
    crop_scale: Tensor
    """(B,): the body's spread in the crop camera's picture, focal length 1."""
    body_points: Tensor
    """(B, 33, 2): the body's landmarks in crop sizes, what `body_cam` projects to."""


def normalise(landmarks: LandmarkBatch) -> EncoderInputs:
    """Turn landmarks into the encoders' inputs."""
    R = crop_rotation(landmarks)
    has_body, has_left, has_right, has_face = landmarks.present.unbind(-1)

    body_xy = turn_rays(landmarks.pose_rays[..., :2], R)
    weight = 0.1 + landmarks.pose_visibility
    square = (body_xy.square().sum(-1) * weight).sum(-1) / weight.sum(-1)
    scale = 2 * (square + 1e-8).sqrt()
    body_points = body_xy / scale[:, None, None]
    body = torch.cat(
        [
            body_points.flatten(1),
            landmarks.pose_rays[..., 2] / scale[:, None],
            landmarks.pose_world.flatten(1),
            landmarks.pose_visibility,
            scale[:, None].log(),
        ],
        dim=-1,
    )
    return EncoderInputs(
        body=torch.cat([body * has_body[:, None], has_body[:, None]], dim=-1),
        left_hand=_hand(landmarks, 0, R, has_left),
        right_hand=_hand(landmarks, 1, R, has_right),
        head=_head(landmarks.face_rays, R, has_face),
        R_crop_camera=R,
        crop_scale=scale,
        body_points=body_points,
    )


def crop_rotation(landmarks: LandmarkBatch) -> Tensor:
    """Return the rotation (B, 3, 3) from the camera's axes to the crop camera's.

    It looks at the torso; without a body, at the face or else the hands.
    """
    torso = landmarks.pose_rays[
        :, [_LEFT_SHOULDER, _RIGHT_SHOULDER, _LEFT_HIP, _RIGHT_HIP], :2
    ].mean(1)
    face = landmarks.face_rays[..., :2].mean(1)
    body_seen, left, right, face_seen = landmarks.present[..., None].unbind(1)
    hands = (
        landmarks.hand_rays[..., :2].mean(2) * landmarks.present[:, 1:3, None]
    ).sum(1)
    hands = hands / (left + right).clamp_min(1)
    else_ = face_seen * face + (1 - face_seen) * hands
    xy = body_seen * torso + (1 - body_seen) * else_
    ray = torch.cat([xy, torch.ones_like(xy[:, :1])], dim=-1)
    return rotations.look_at(ray)


def turn_rays(xy: Tensor, R: Tensor) -> Tensor:
    """Turn rays (B, P, 2) into the crop camera and put them on its picture plane."""
    rays = torch.cat([xy, torch.ones_like(xy[..., :1])], dim=-1)
    turned = rays @ R.transpose(-1, -2)
    return turned[..., :2] / turned[..., 2:].clamp_min(0.2)


def _centred(rays: Tensor, R: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return points (B, P, 3) centred and scaled, their centre (B, 2), scale (B,)."""
    xy = turn_rays(rays[..., :2], R)
    centre = xy.mean(1, keepdim=True)
    xy = xy - centre
    scale = 2 * (xy.square().sum(-1).mean(-1) + 1e-10).sqrt()
    points = torch.cat([xy, rays[..., 2:]], dim=-1) / scale[:, None, None]
    return points, centre[:, 0], scale


def _hand(landmarks: LandmarkBatch, side: int, R: Tensor, present: Tensor) -> Tensor:
    rays = landmarks.hand_rays[:, side]
    points, centre, _ = _centred(rays, R)
    ray = torch.cat([rays[..., :2].mean(1), torch.ones_like(rays[:, 0, :1])], dim=-1)
    R_hand = rotations.look_at(ray)
    world = landmarks.hand_world[:, side]
    world = world - world.mean(1, keepdim=True)
    world = world @ R_hand @ R.transpose(-1, -2)
    if side == 0:
        flip = torch.tensor([-1.0, 1.0, 1.0], device=rays.device)
        points, world, centre = points * flip, world * flip, centre * flip[:2]
    vector = torch.cat([points.flatten(1), world.flatten(1) * 10, centre], dim=-1)
    return torch.cat([vector * present[:, None], present[:, None]], dim=-1)


def _head(rays: Tensor, R: Tensor, present: Tensor) -> Tensor:
    points, centre, _ = _centred(rays, R)
    depth = points[..., 2:] - points[..., 2:].mean(1, keepdim=True)
    points = torch.cat([points[..., :2], depth], dim=-1)
    vector = torch.cat([points.flatten(1), centre], dim=-1)
    return torch.cat([vector * present[:, None], present[:, None]], dim=-1)
