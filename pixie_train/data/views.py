"""Cameras for synthetic people: how far, how high, how much of a body they show."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pixie_train import rotations
from pixie_train.data.sampling import Dice

FACING_US = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
"""y-up, facing +z, to a camera's axes: the person looks into the camera."""
_ASPECTS = torch.tensor([16 / 9, 9 / 16, 4 / 3, 1.0, 3 / 4])


@dataclass(frozen=True, eq=False)
class Framing:
    """How much of each person a picture is meant to show."""

    full: Tensor
    """(B,) booleans: head to feet."""
    upper: Tensor
    """(B,) booleans: head to hips, as before a webcam; else head and shoulders."""


@dataclass(frozen=True, eq=False)
class View:
    """Where each person stands before the camera."""

    R_camera_world: Tensor
    """(B, 3, 3): from a y-up world that the person faces +z in, to camera axes."""
    half_size: Tensor
    """(B, 2): half width and height of the picture at focal length 1."""


def draw_framing(dice: Dice, count: int) -> Framing:
    """Draw framings: half full bodies, a third upper bodies, the rest close-ups."""
    kind = dice.uniform(count)
    return Framing(full=kind < 0.55, upper=(kind >= 0.55) & (kind < 0.85))


def draw_view(dice: Dice, count: int) -> View:
    """Draw camera directions and picture shapes; people mostly face the camera."""
    facing = torch.where(
        dice.chance(count, p=0.5),
        dice.normal(count, sd=40),
        dice.uniform(count, low=-180, high=180),
    )
    yaw = torch.zeros(count, 3)
    yaw[:, 1] = torch.deg2rad(facing)
    tilt = dice.turns(count, sd_deg=(14, 0, 5))
    R = tilt @ FACING_US @ rotations.matrix_from_rotvec(yaw)
    half_long = torch.tan(torch.deg2rad(dice.uniform(count, low=38, high=88)) / 2)
    aspect = _ASPECTS[dice.index(count, below=len(_ASPECTS))]
    long_side = torch.stack([aspect, torch.ones_like(aspect)], dim=-1)
    half = half_long[:, None] * long_side / long_side.amax(-1, keepdim=True)
    return View(R, half)


def place(dice: Dice, view: View, framing: Framing, joints: Tensor) -> Tensor:
    """Return each person's translation (B, 3) in metres, camera axes.

    Args:
        dice: where chance comes from.
        view: the cameras.
        framing: what each picture is meant to show.
        joints: (B, 55, 3) joints about the pelvis, camera axes.
    """
    count = len(joints)
    head, chest, pelvis = joints[:, 15], joints[:, 9], joints[:, 0]
    full, upper = framing.full[:, None], framing.upper[:, None]
    target = torch.where(full, (head + pelvis) / 2, torch.where(upper, chest, head))
    extent = torch.where(
        framing.full,
        (joints - target[:, None]).norm(dim=-1).amax(-1),
        torch.where(framing.upper, torch.tensor(0.5), torch.tensor(0.3)),
    )
    share = torch.where(
        framing.full,
        dice.uniform(count, low=0.25, high=1.0),
        dice.uniform(count, low=0.55, high=1.25),
    )
    distance = extent / (share * view.half_size.amin(-1)).clamp_min(0.05)
    distance = torch.maximum(distance, torch.tensor(0.45))
    room = (1 - share * 0.8).clamp(0.05, 0.9)
    xy = dice.uniform(count, 2, low=-1, high=1) * view.half_size * room[:, None]
    at = torch.cat([xy, torch.ones(count, 1)], dim=-1) * distance[:, None]
    return at - target
