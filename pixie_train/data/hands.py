"""Finger poses for synthetic hands: curls, spread and thumb, joint by joint.

No recorded hands: each finger bends about the axis that its own bones and the palm
give, with amplitudes of a healthy hand, jointly (a hand opens and closes) and finger
by finger (pointing, counting).
"""

import numpy as np
import torch
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JOINT_INDEX
from pixie_train import rotations
from pixie_train.data.sampling import Dice

_FINGERS = ("index", "middle", "pinky", "ring", "thumb")
_FLEX_DEG = {"finger": (80.0, 100.0, 66.0), "thumb": (26.0, 30.0, 55.0)}
_SPREAD_DEG = {"index": 7.0, "middle": 1.0, "ring": -5.0, "pinky": -10.0}
_PALM = (0.0, -1.0, 0.0)
_THUMB_CLOSES = (-0.35, -0.75, -0.55)
"""Where the palm, and where the thumb's tip goes when it bends, for a left hand."""


def _bend_axes(model: BodyModel) -> Tensor:
    """Return unit axes (15, 3) about which the left hand's joints flex, rest frame."""
    joints = model.J_template
    axes = []
    for finger in _FINGERS:
        towards = np.array(_THUMB_CLOSES if finger == "thumb" else _PALM)
        for bone in (1, 2, 3):
            near = JOINT_INDEX[f"left_{finger}{min(bone, 2)}"]
            far = JOINT_INDEX[f"left_{finger}{min(bone, 2) + 1}"]
            direction = joints[far] - joints[near]
            axis = np.cross(direction, towards)
            axes.append(axis / np.linalg.norm(axis))
    return torch.from_numpy(np.array(axes, np.float32))


class HandSampler:
    """Draws the 15 finger rotations of left and right hands."""

    def __init__(self, model: BodyModel) -> None:
        self._axes = _bend_axes(model)
        flex = [_FLEX_DEG["thumb" if f == "thumb" else "finger"] for f in _FINGERS]
        self._flex = torch.deg2rad(torch.tensor(flex))
        spread = [_SPREAD_DEG.get(finger, 0.0) for finger in _FINGERS]
        self._spread = torch.deg2rad(torch.tensor(spread))

    def sample(self, dice: Dice, count: int) -> Tensor:
        """Return finger rotations (count, 30, 3, 3): left 15, right 15."""
        left = self._left(dice, count)
        right = rotations.mirror(self._left(dice, count))
        return torch.cat([left, right], dim=1)

    def _left(self, dice: Dice, count: int) -> Tensor:
        curl = dice.uniform(count, 1, low=-0.1, high=1.05)
        relaxed = dice.normal(count, 1, sd=0.1, mean=0.22)
        curl = torch.where(dice.chance(count, 1, p=0.4), relaxed, curl)
        own = dice.uniform(count, 5, low=-0.1, high=1.05)
        sorted_out = dice.chance(count, 1, p=0.4) & dice.chance(count, 5, p=0.5)
        curl = torch.where(sorted_out, own, curl + dice.normal(count, 5, sd=0.1))
        bend = curl[..., None] + dice.normal(count, 5, 3, sd=0.09)
        angle = bend.clamp(-0.15, 1.1) * self._flex
        rotvec = angle.flatten(1)[..., None] * self._axes
        # Straight fingers spread, closed ones cannot.
        spread = dice.normal(count, 1, sd=0.8, mean=0.3) * (1 - curl.clamp(0, 1))
        sideways = spread * self._spread + torch.deg2rad(dice.normal(count, 5, sd=2.5))
        rotvec = rotvec.reshape(count, 5, 3, 3).clone()
        rotvec[:, :, 0, 1] += sideways
        rotvec[:, 4, 0] += dice.angles(count, sd_deg=(14, 14, 14))
        rotvec[:, 4, 1] += dice.angles(count, sd_deg=(5, 5, 5))
        return rotations.matrix_from_rotvec(rotvec.flatten(1, 2))
