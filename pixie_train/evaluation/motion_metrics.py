"""How steady an estimate is over the pictures of a video.

Joints are (T, n, 3), metres, of T pictures in a row.
"""

import numpy as np

from pixie_runtime.types import Float64
from pixie_train.evaluation.alignment import Points
from pixie_train.evaluation.point_errors import MM


def acceleration_error(predicted: Points, true: Points) -> float:
    """Return by how much accelerations differ, mean, in mm per picture squared.

    Second differences of both, the length of what lies between them (Kanazawa et al.
    2019, "Learning 3D Human Dynamics from Video"). Fewer than three pictures have none.

    Raises:
        ValueError: the two are of other sizes, or there are fewer than three pictures.
    """
    a, b = _checked(predicted, 3), _checked(true, 3)
    if a.shape != b.shape:
        raise ValueError(f"joints {a.shape} cannot be compared with {b.shape}")
    apart = np.diff(a, 2, axis=0) - np.diff(b, 2, axis=0)
    return float(np.linalg.norm(apart, axis=-1).mean() * MM)


def jitter(joints: Points, fps: float) -> float:
    """Return the mean length of the third derivative, in metres per second cubed.

    As in Yi et al. 2021, "TransPose", who print it in hundreds of that. It needs no
    truth: real people have some too.

    Raises:
        ValueError: there are fewer than four pictures.
    """
    jerk = np.diff(_checked(joints, 4), 3, axis=0) * fps**3
    return float(np.linalg.norm(jerk, axis=-1).mean())


def _checked(joints: Points, least: int) -> Float64:
    checked: Float64 = np.asarray(joints, np.float64)
    if checked.ndim != 3 or len(checked) < least:
        raise ValueError(
            f"joints have shape {joints.shape}; expected (T, n, 3) with T at least "
            f"{least}"
        )
    return checked
