"""The camera that took a picture, out of what data sets say of it or what it saw."""

from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime.types import Camera

Points = npt.NDArray[np.floating[Any]]


def camera_of_matrix(K: Points) -> Camera:
    """Return the camera of intrinsics (3, 3), finite, in pixels.

    Its focal length is the mean of both axes', and its principal point is taken for the
    picture's middle.
    """
    x, y = float(K[0, 2]), float(K[1, 2])
    size = round(2 * x), round(2 * y)
    return Camera(float((K[0, 0] + K[1, 1]) / 2), (x, y), size)


def fitted_camera(
    points: Points, pixels: Points, size_px: tuple[int, int] | None = None
) -> Camera:
    """Return the pinhole camera that has points (n, 3) at pixels (n, 2)."""
    ray = points[:, :2] / points[:, 2:]
    one, zero = np.ones(len(ray)), np.zeros(len(ray))
    A = np.concatenate(
        [np.stack([ray[:, 0], one, zero], 1), np.stack([ray[:, 1], zero, one], 1)]
    )
    b = np.concatenate([pixels[:, 0], pixels[:, 1]])
    focal, x, y = np.linalg.lstsq(A, b, rcond=None)[0].tolist()
    return Camera(focal, (x, y), size_px or (round(2 * x), round(2 * y)))
