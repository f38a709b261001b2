"""FreiHAND's measures of a hand (Zimmermann et al. 2019, section 5).

Pose and mesh error are means over points, "PA" after a similarity. F-scores (Knapitsch
et al. 2017) take the vertices as clouds of points: of the estimate's, the share that
lies within a threshold of the truth is the precision, of the truth's, the share within
it of the estimate the recall, and F their harmonic mean.
"""

import numpy as np
from scipy.spatial import cKDTree

from pixie_train.evaluation.alignment import Points, align
from pixie_train.evaluation.point_errors import vertex_error

F_THRESHOLDS_M = {"F@5": 0.005, "F@15": 0.015}
"""FreiHAND's thresholds."""


def f_score(predicted: Points, true: Points, threshold: float) -> float:
    """Return the F-score, 0 to 1, of vertices (n, 3) against (m, 3)."""
    a, b = np.asarray(predicted, np.float64), np.asarray(true, np.float64)
    precision = float((cKDTree(b).query(a)[0] < threshold).mean())
    recall = float((cKDTree(a).query(b)[0] < threshold).mean())
    both = precision + recall
    return 2 * precision * recall / both if both > 0 else 0.0


def hand_errors(
    predicted_joints: Points,
    true_joints: Points,
    predicted_vertices: Points | None = None,
    true_vertices: Points | None = None,
) -> dict[str, float]:
    """Return a hand's errors after a similarity, by FreiHAND's names.

    Args:
        predicted_joints: (21, 3), metres.
        true_joints: likewise, in the same order.
        predicted_vertices: (n, 3); None: no mesh is compared.
        true_vertices: (m, 3). With as many as the estimate has they are taken to
            correspond: the mesh is aligned by itself, as the benchmark does, and has a
            PA-MPVPE. Otherwise it is aligned by the joints and has F-scores only.
    """
    errors = {"PA-MPJPE": vertex_error(predicted_joints, true_joints, "similarity")}
    if predicted_vertices is None or true_vertices is None:
        return errors
    a, b = predicted_vertices, true_vertices
    if a.shape == b.shape:
        errors["PA-MPVPE"] = vertex_error(a, b, "similarity")
        moved = align(a, b, "similarity")(a)
    else:
        moved = align(predicted_joints, true_joints, "similarity")(a)
    for name, threshold in F_THRESHOLDS_M.items():
        errors[name] = f_score(moved, b, threshold)
    return errors
