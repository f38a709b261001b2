"""Errors of points that correspond: vertices of one mesh, joints of one skeleton.

All results are means in millimetres of what is given in metres.

- V2V, vertex to vertex, "PA" after a similarity and "TR" after a translation, of all
  vertices or of one part's, each part aligned on its own (paper, section 4.1 and Table
  1). The paper does not print what TR brings together. It is not the pelvis: with the
  pelves together PIXIE's error on EHF is 89.2 as others measured it, TR is 67.6. So it
  is the middle of the vertices here, `Alignment` "translation".
- MPJPE, mean per joint position error, of 14 joints with the hips' middle at the
  origin, or "PA" after a similarity (paper, Tables 2 and 3).
- MPVPE, mean per vertex position error, of vertices with a joint at the origin: the
  pelvis for everything, a wrist for its hand, the neck for the face (papers after
  PIXIE: Moon et al. 2022, "Hand4Whole"; Lin et al. 2023, "OSX").
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from pixie_runtime.types import Float64
from pixie_train.evaluation.alignment import Alignment, Points, about, distances

MM = 1000.0
"""Millimetres in a metre."""
HIPS_OF_14 = (2, 3)
"""Right and left hip among the 14 joints of LSP: ankle, knee, hip, hip, knee, ankle,
wrist, elbow, shoulder, shoulder, elbow, wrist, neck, head top; right to left."""


def vertex_error(predicted: Points, true: Points, how: Alignment) -> float:
    """Return V2V of vertices (n, 3): PA for "similarity", TR for "translation"."""
    return float(distances(predicted, true, how).mean() * MM)


def part_errors(
    predicted: Points,
    true: Points,
    parts: Mapping[str, npt.NDArray[np.integer]],
    how: Alignment,
) -> dict[str, float]:
    """Return V2V of each part's vertices, aligned by that part alone."""
    return {
        name: vertex_error(predicted[rows], true[rows], how)
        for name, rows in parts.items()
        if len(rows)
    }


def joint_error(
    predicted: Points, true: Points, roots: tuple[int, ...] = HIPS_OF_14
) -> float:
    """Return MPJPE of joints (n, 3), the middle of `roots` at the origin of both."""
    there = about(predicted, predicted[list(roots)])
    here = about(true, true[list(roots)])
    return float(np.linalg.norm(there - here, axis=1).mean() * MM)


def aligned_joint_error(predicted: Points, true: Points) -> float:
    """Return PA-MPJPE of joints (n, 3)."""
    return vertex_error(predicted, true, "similarity")


def rooted_vertex_error(
    predicted: Points, true: Points, predicted_root: Points, true_root: Points
) -> float:
    """Return MPVPE of vertices (n, 3), each about its own root (3,)."""
    apart = about(predicted, predicted_root) - about(true, true_root)
    return float(np.linalg.norm(apart, axis=1).mean() * MM)


def mean_of(rows: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each figure over the rows that have it."""
    names = dict.fromkeys(name for row in rows for name in row)
    means: dict[str, float] = {}
    for name in names:
        values: Float64 = np.array([row[name] for row in rows if name in row])
        means[name] = float(values.mean())
    return means
