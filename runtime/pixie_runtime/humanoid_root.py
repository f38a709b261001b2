"""Where a humanoid's movement through the world is kept: its root, its hips, or both.

Whatever the mode, root and hips together put the hips where the person's pelvis is.
"""

from dataclasses import dataclass, replace

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.humanoid import BONE_NAMES, HumanoidPose
from pixie_runtime.types import Float32, Float64
from pixie_runtime.vmc_settings import RootMode

SOLE_BELOW_TOES = 0.01
"""Metres from the joint at which toes begin to the ground, standing."""
SOLE_BELOW_ANKLE = 0.075
"""Likewise from the ankle; both measured on the body model that ships."""

_LEGS = tuple(
    tuple(BONE_NAMES.index(side + bone) for bone in ("UpperLeg", "LowerLeg", "Foot"))
    for side in ("Left", "Right")
)


@dataclass(frozen=True, slots=True, eq=False)
class RootedPose:
    """A humanoid's bones below a root."""

    root_position: Float32
    """(3,), metres, in the world."""
    root_rotation: Float32
    """(4,), xyzw, relative to the world."""
    bones: HumanoidPose
    """Its hips are relative to the root."""


def rooted(pose: HumanoidPose, mode: RootMode) -> RootedPose:
    """Return the pose with its movement where `mode` wants it."""
    hips = pose.positions[0].astype(np.float64)
    turn = np.roll(pose.rotations[0].astype(np.float64), 1)
    heading = rotations.identity().astype(np.float64)
    if mode == "hips":
        place = np.zeros(3)
    elif mode == "root":
        place = hips - [0, standing_height(pose), 0]
    else:
        place = hips * [1, 0, 1]
        heading = _heading(turn)
    back = rotations.inverse(heading)
    positions, turns = pose.positions.copy(), pose.rotations.copy()
    positions[0] = rotations.apply(back, hips - place)
    turns[0] = np.roll(rotations.multiply(back, turn), -1)
    return RootedPose(
        place.astype(np.float32),
        np.roll(heading, -1).astype(np.float32),
        replace(pose, positions=positions, rotations=turns),
    )


def standing_height(pose: HumanoidPose) -> float:
    """Return how high the hips are when the person stands straight, metres."""
    legs = [-pose.positions[list(leg), 1].sum() for leg in _LEGS]
    return float(np.mean(legs)) + SOLE_BELOW_ANKLE


def _heading(wxyz: Float64) -> Float64:
    """Return the part of a rotation that turns about the vertical, wxyz (4,)."""
    about_y = wxyz * [1, 0, 1, 0]
    length = np.linalg.norm(about_y)
    if length < 1e-3:
        # Head over heels: there is no saying which way that faces.
        return np.array([1.0, 0.0, 0.0, 0.0])
    return np.asarray(about_y / length)
