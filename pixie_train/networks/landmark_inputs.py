"""Landmarks to the encoders' input vectors, inside the exported graph.

Landmarks arrive as rays, `((x - cx) / f, (y - cy) / f)`, so that a camera's focal
length and principal point are gone. They are then seen by a *crop camera* that stands
at the same place but looks straight at the body: what the networks regress does not
depend on where in the picture the person is. Positions in space are also given in the
axes of the torso, the palm and the face, in which bent limbs, fingers and faces look
the same from every side. Each part is centred and scaled by its own spread.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from pixie_train import rotations

POSE_POINTS, HAND_POINTS = 33, 21
_TORSO = _LEFT_SHOULDER, _RIGHT_SHOULDER, _LEFT_HIP, _RIGHT_HIP = 11, 12, 23, 24

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

_BONES = (
    (11, 13), (13, 15), (15, 17), (15, 19), (23, 25), (25, 27), (27, 31), (29, 31),
    (12, 14), (14, 16), (16, 18), (16, 20), (24, 26), (26, 28), (28, 32), (30, 32),
    (8, 7), (10, 2), (9, 5),
)  # fmt: skip
_FACE_AXES = tuple(FACE_POINTS.index(point) for point in (263, 33, 10, 152))
"""Outer eye corners (left, right), top of the forehead, chin."""
_FACE_FRAME = tuple(range(0, len(FACE_POINTS), 4))
"""Points that are also given as the camera sees them, to say how the head is turned."""
_PALM = (0, 5, 17)
"""Wrist, knuckles of index and little finger."""

BODY_INPUTS = POSE_POINTS * 10 + len(_BONES) * 3 + 6 + 2
HAND_INPUTS = HAND_POINTS * 9 + 6 + 3
HEAD_INPUTS = len(FACE_POINTS) * 3 + len(_FACE_FRAME) * 3 + 6 + 3


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
    """(B, F, 3): the face mesh's points of `FACE_POINTS`."""
    present: Tensor
    """(B, 4) in {0, 1}: body, left hand, right hand, face were seen."""


@dataclass(frozen=True, eq=False)
class EncoderInputs:
    """Normalised vectors for the three encoders, and how to get back."""

    body: Tensor
    """(B, BODY_INPUTS)."""
    hands: Tensor
    """(B, 2, HAND_INPUTS): left, mirrored, and right."""
    head: Tensor
    """(B, HEAD_INPUTS)."""
    R_crop_camera: Tensor
    """(B, 3, 3): turns camera axes into the crop camera's."""
    crop_scale: Tensor
    """(B,): the body's spread in the crop camera's picture, focal length 1."""


def normalise(landmarks: LandmarkBatch) -> EncoderInputs:
    """Turn landmarks into the encoders' inputs."""
    R = crop_rotation(landmarks)
    has_body, has_hands, has_face = torch.split(landmarks.present, [1, 2, 1], dim=-1)
    R_torso = _torso(landmarks.pose_world, has_body)

    xy = turn_rays(landmarks.pose_rays[..., :2], R)
    weight = 0.1 + landmarks.pose_visibility
    square = (xy.square().sum(-1) * weight).sum(-1) / weight.sum(-1)
    scale = 2 * square.sqrt().clamp_min(1e-4)
    world = landmarks.pose_world @ R_torso
    starts, ends = (_of(world, tuple(ends)) for ends in zip(*_BONES, strict=True))
    body = torch.cat(
        [
            xy.flatten(1) / scale[:, None],
            landmarks.pose_rays[..., 2] / scale[:, None],
            landmarks.pose_world.flatten(1),
            world.flatten(1),
            rotations.unit(ends - starts).flatten(1),
            rotations.matrix_to_6d(R_torso),
            landmarks.pose_visibility,
            scale[:, None].log(),
        ],
        dim=-1,
    )
    return EncoderInputs(
        body=_gated(body, has_body),
        hands=_hands(landmarks, R, has_hands[..., None]),
        head=_head(landmarks.face_rays, R, has_face),
        R_crop_camera=R,
        crop_scale=scale,
    )


def crop_rotation(landmarks: LandmarkBatch) -> Tensor:
    """Return the rotation (B, 3, 3) from the camera's axes to the crop camera's.

    It looks at the torso; without a body, at the face or else the hands.
    """
    torso = _of(landmarks.pose_rays, _TORSO)[..., :2].mean(1)
    face = landmarks.face_rays[..., :2].mean(1)
    body_seen, hands_seen, face_seen = torch.split(landmarks.present, [1, 2, 1], dim=-1)
    hands = landmarks.hand_rays[..., :2].mean(2) * hands_seen[..., None]
    hand = hands.sum(1) / hands_seen.sum(-1, keepdim=True).clamp_min(1)
    otherwise = face_seen * face + (1 - face_seen) * hand
    xy = body_seen * torso + (1 - body_seen) * otherwise
    return rotations.look_at(_ray(xy))


def turn_rays(xy: Tensor, R: Tensor) -> Tensor:
    """Turn rays (..., P, 2) into the crop camera and put them on its picture plane."""
    turned = _ray(xy) @ R.transpose(-1, -2)
    return turned[..., :2] / turned[..., 2:].clamp_min(0.2)


def _torso(world: Tensor, seen: Tensor) -> Tensor:
    """Return the torso's axes (B, 3, 3) as columns: left, up, forward.

    Landmarks expressed in them free the networks from learning every pose again for
    every direction it may be seen from. Without a body: facing the camera.
    """
    left = world[:, _LEFT_SHOULDER] + world[:, _LEFT_HIP]
    right = world[:, _RIGHT_SHOULDER] + world[:, _RIGHT_HIP]
    top = world[:, _LEFT_SHOULDER] + world[:, _RIGHT_SHOULDER]
    bottom = world[:, _LEFT_HIP] + world[:, _RIGHT_HIP]
    across = seen * (left - right) + (1 - seen) * torch.tensor([1.0, 0.0, 0.0])
    up = seen * (top - bottom) + (1 - seen) * torch.tensor([0.0, -1.0, 0.0])
    forward_last = torch.tensor([[0.0, 1, 0], [1, 0, 0], [0, 0, -1]])
    return rotations.orthonormal(up, across) @ forward_last


def _hands(landmarks: LandmarkBatch, R: Tensor, seen: Tensor) -> Tensor:
    """Return both hands' vectors; `seen` is (B, 2, 1)."""
    points, centre = _centred(landmarks.hand_rays, R[:, None])
    R_hands = rotations.look_at(_ray(landmarks.hand_rays[..., :2].mean(2)))
    world = landmarks.hand_world @ R_hands @ R[:, None].transpose(-1, -2)
    world = world - world[:, :, :1]
    flip = torch.tensor([[-1.0, 1, 1], [1, 1, 1]])
    points, world = points * flip[:, None], world * flip[:, None]
    centre = centre * flip[:, :2]
    wrist, index, little = (world[:, :, point] for point in _PALM)
    along = (index + little) / 2 - wrist + (1 - seen) * torch.tensor([1.0, 0.0, 0.0])
    across = index - little + (1 - seen) * torch.tensor([0.0, 1.0, 0.0])
    R_palm = rotations.orthonormal(along, across)
    vector = torch.cat(
        [
            points.flatten(2),
            world.flatten(2) * 10,
            (world @ R_palm).flatten(2) * 10,
            rotations.matrix_to_6d(R_palm),
            centre,
        ],
        dim=-1,
    )
    return _gated(vector, seen)


def _head(rays: Tensor, R: Tensor, seen: Tensor) -> Tensor:
    points, centre = _centred(rays, R)
    points = points - points.mean(1, keepdim=True)
    left, right, top, chin = (points[:, point] for point in _FACE_AXES)
    across = left - right + (1 - seen) * torch.tensor([1.0, 0.0, 0.0])
    up = top - chin + (1 - seen) * torch.tensor([0.0, 1.0, 0.0])
    R_face = rotations.orthonormal(across, up)
    vector = torch.cat(
        [
            (points @ R_face).flatten(1) * 3,
            _of(points, _FACE_FRAME).flatten(1) * 2,
            rotations.matrix_to_6d(R_face),
            centre,
        ],
        dim=-1,
    )
    return _gated(vector, seen)


def _centred(rays: Tensor, R: Tensor) -> tuple[Tensor, Tensor]:
    """Return points (..., P, 3), centred, scaled to their spread, and their centre."""
    xy = turn_rays(rays[..., :2], R)
    centre = xy.mean(-2, keepdim=True)
    xy = xy - centre
    square = xy.square().sum(-1, keepdim=True).mean(-2, keepdim=True)
    scale = 2 * square.sqrt().clamp_min(1e-5)
    points = torch.cat([xy, rays[..., 2:]], dim=-1) / scale
    return points, centre.squeeze(-2)


def _of(points: Tensor, which: tuple[int, ...]) -> Tensor:
    """Return some of points (B, P, ...)."""
    return points.index_select(1, torch.tensor(which))


def _ray(xy: Tensor) -> Tensor:
    """Return picture points (..., 2) at focal length 1 as directions (..., 3)."""
    return pad(xy, (0, 1), value=1.0)


def _gated(vector: Tensor, seen: Tensor) -> Tensor:
    """Return a part's vector with whether it is there; zeros where it is not."""
    return torch.cat([vector * seen, seen], dim=-1)
