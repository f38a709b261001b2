"""The camera that took a picture, where a data set only says what it saw."""

from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime.types import Camera

Points = npt.NDArray[np.floating[Any]]


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
