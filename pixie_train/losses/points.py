"""Key points: L1 in the picture and in space; (4), (5), (7), (9) and (10)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from pixie_runtime.smplx import JOINT_INDEX
from pixie_train.key_points import (
    EXTRA_POINT_NAMES,
    KEY_POINT_COUNT,
    LEFT_HAND_POINTS,
    RIGHT_HAND_POINTS,
)
from pixie_train.losses.choices import Elements
from pixie_train.losses.reduction import Cost, gap, over_elements

_FINGERS = ("index", "middle", "pinky", "ring", "thumb")
_EXTRA_START = KEY_POINT_COUNT - len(EXTRA_POINT_NAMES)

BODY_POINTS: list[int] = [
    *range(22),
    *(
        _EXTRA_START + number
        for number, name in enumerate(EXTRA_POINT_NAMES)
        if not name.endswith(_FINGERS)
    ),
]
"""Of the 145 key points the body's: 22 joints, toes, heels, head top, ears, eyes,
nose."""
HAND_POINTS: tuple[list[int], list[int]] = (LEFT_HAND_POINTS, RIGHT_HAND_POINTS)
"""Each hand's 21, the wrist first."""

_HIPS = [JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"]]
BODY_ROOTS: tuple[list[int], ...] = ([JOINT_INDEX["pelvis"]], _HIPS)
"""What bodies are compared about: the pelvis, or where a data set has none, the middle
of the hips."""


def points_2d(
    predicted: Tensor,
    target: Tensor,
    confidence: Tensor,
    points: Sequence[int],
    elements: Elements = "mean",
) -> Cost:
    """Equations (4), (7) and (9): re-projected points against those in the picture.

        sum over j of c_j |x_j - s (P X_j + t)|_1

    The paper has no confidences c_j; they are in [0, 1] and scale each point's cost.

    Args:
        predicted: projected key points, (B, 145, 2), in [-1, 1] over the picture.
        target: likewise.
        confidence: (B, 145); 0 where a point is not known.
        points: which of them to compare.
        elements: sum over the points, or mean over the known ones.
    """
    chosen = list(points)
    weight = confidence[:, chosen]
    known = weight > 0
    distance = gap(predicted[:, chosen], target[:, chosen], known).abs().sum(-1)
    return over_elements(_weighted(distance, weight, known), known, elements)


def points_3d(
    predicted: Tensor,
    target: Tensor,
    confidence: Tensor,
    points: Sequence[int],
    roots: Sequence[Sequence[int]],
    elements: Elements = "mean",
) -> Cost:
    """Equations (5) and (7): points in space, about a root.

        sum over j of c_j |(X_j - X_root) - (X*_j - X*_root)|_1

    The paper does not say about what: data sets have points in different origins, so
    both bodies are moved to a root first. A sample in which no root is known costs
    nothing.

    Args:
        predicted: key points, (B, 145, 3), metres, camera axes.
        target: likewise, any origin.
        confidence: (B, 145); 0 where a point is not known.
        points: which of them to compare.
        roots: sets of points whose mean is the root; the first that is wholly known in
            a sample is taken.
        elements: sum over the points, or mean over the known ones.
    """
    chosen = list(points)
    labelled = confidence > 0
    which, rooted = _first_known(labelled, roots)
    weight = confidence[:, chosen]
    known = labelled[:, chosen] & rooted[:, None]
    ours = predicted[:, chosen] - _root(predicted, roots, which)
    theirs = target[:, chosen] - _root(target, roots, which)
    distance = gap(ours, theirs, known).abs().sum(-1)
    return over_elements(_weighted(distance, weight, known), known, elements)


def closure(
    predicted: Tensor,
    target: Tensor,
    confidence: Tensor,
    pairs: Sequence[tuple[int, int]],
    elements: Elements = "mean",
) -> Cost:
    """Equation (10): the openings of eyes and mouth, by pairs of landmarks.

        sum over (i, j) in E of |(k_i - k_j) - s P (M_i - M_j)|_1

    Where the face is in the picture does not matter to it. A pair counts as much as the
    less certain of its landmarks.

    Args:
        predicted: projected landmarks, (B, 68, 2), in [-1, 1] over the picture
            (`key_points.face68`).
        target: likewise.
        confidence: (B, 68).
        pairs: E.
        elements: sum over the pairs, or mean over the known ones.
    """
    upper, lower = ([pair[end] for pair in pairs] for end in (0, 1))
    weight = torch.minimum(confidence[:, upper], confidence[:, lower])
    known = weight > 0
    ours = predicted[:, upper] - predicted[:, lower]
    theirs = target[:, upper] - target[:, lower]
    distance = gap(ours, theirs, known).abs().sum(-1)
    return over_elements(_weighted(distance, weight, known), known, elements)


def _weighted(distance: Tensor, confidence: Tensor, known: Tensor) -> Tensor:
    return distance * torch.where(known, confidence, 0)


def _first_known(
    labelled: Tensor, roots: Sequence[Sequence[int]]
) -> tuple[Tensor, Tensor]:
    """Return for each sample the first root that is known, (B,), and if any is."""
    each = torch.stack([labelled[:, list(root)].all(1) for root in roots], dim=1)
    return each.int().argmax(1), each.any(1)


def _root(points: Tensor, roots: Sequence[Sequence[int]], which: Tensor) -> Tensor:
    """Return the chosen roots' places, (B, 1, 3)."""
    places = torch.stack([points[:, list(root)].mean(1) for root in roots], dim=1)
    people = torch.arange(len(points), device=points.device)
    return places[people, which][:, None]
