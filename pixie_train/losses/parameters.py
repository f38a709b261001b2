"""Body model parameters against those of a fit: squared errors; (6), (7) and (8)."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor

from pixie_runtime.smplx import JAW, JOINT_INDEX, LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS
from pixie_train.losses.choices import Elements
from pixie_train.losses.reduction import Cost, gap, over_elements
from pixie_train.networks.decoding import PART_BODY_JOINTS

BODY_ROTATIONS: list[int] = sorted([*PART_BODY_JOINTS, JOINT_INDEX["neck"]])
"""Joints that R_b turns against their parents: 1-11, neck, collars to elbows."""
HAND_ROTATIONS: tuple[list[int], list[int]] = (
    list(LEFT_HAND_JOINTS),
    list(RIGHT_HAND_JOINTS),
)
"""Each hand's 15 finger joints."""
JAW_ROTATION: list[int] = [JAW]
ROOT_ROTATION: list[int] = [0]
HEAD, LEFT_WRIST, RIGHT_WRIST = 0, 1, 2
"""Their places among absolute rotations."""


def rotations(
    predicted: Tensor,
    target: Tensor,
    known: Tensor,
    joints: Sequence[int],
    elements: Elements = "mean",
    columns: Literal[2, 3] = 3,
) -> Cost:
    """Equations (6), (7) and (8): pose as squared L2 distance.

        sum over j of |R_j - R*_j|^2

    The paper does not say of what; here it is of rotation matrices (squared Frobenius
    distance, 8 sin^2 of half the angle between them), which have neither the ambiguity
    of vectors nor the free lengths of raw 6D numbers. Head and wrists are regressed as
    absolute rotations and compared as such.

    Args:
        predicted: (B, N, 3, 3).
        target: likewise.
        known: (B, N) booleans.
        joints: which of the N to compare.
        elements: sum over the joints, or mean over the known ones.
        columns: how many columns of the matrices are compared.
    """
    chosen = list(joints)
    labelled = known[:, chosen]
    difference = gap(predicted[:, chosen], target[:, chosen], labelled)
    distance = difference[..., :columns].square().sum((-2, -1))
    return over_elements(distance, labelled, elements)


def coefficients(
    predicted: Tensor, target: Tensor, known: Tensor, elements: Elements = "mean"
) -> Cost:
    """Equations (6) and (8): shape, and expression, as squared L2 distance.

        |beta - beta*|^2

    Args:
        predicted: (B, n).
        target: likewise.
        known: (B, n) booleans.
        elements: sum over the coefficients, or mean over the known ones.
    """
    return over_elements(gap(predicted, target, known).square(), known, elements)
