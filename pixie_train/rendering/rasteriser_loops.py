"""The z-buffer as a loop over triangles, compiled for this processor by numba."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime.numba_code import compiled, despite_damage
from pixie_runtime.user_cache import user_cache

Draw = Callable[..., None]


@cache
def draw_loop() -> Draw:
    """Return `_draw` compiled, from the user's cache where it has been before.

    It releases Python's lock, so samples can be drawn by threads side by side. Sums
    keep their order, so that it agrees to the bit with the same sums elsewhere.
    """
    return despite_damage(_ready, user_cache() / "rasteriser")


def _ready(cache_dir: Path | None) -> Draw:
    draw: Draw = compiled(_draw, cache_dir, fastmath=False)
    nothing = np.zeros((1, 3), np.float32)
    triangle = np.zeros((1, 3), np.int64)
    for cull in (True, False):  # reading damaged machine code fails here, not later
        winner, depth = np.zeros((1, 1), np.int64), np.zeros((1, 1), np.float32)
        draw(nothing, triangle, cull, 1e-6, winner, depth)
    return draw


def _draw(
    points: Any, faces: Any, cull: Any, least_area: Any, winner: Any, depth: Any
) -> None:
    """Draw triangles into `winner` (H, W), -1 so far, and `depth` (H, W), infinite.

    Arguments as of `rasteriser.visible_triangles`, of one sample.
    """
    height, width = winner.shape
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay = np.float64(points[a, 0]), np.float64(points[a, 1])
        bx, by = np.float64(points[b, 0]), np.float64(points[b, 1])
        cx, cy = np.float64(points[c, 0]), np.float64(points[c, 1])
        az, bz, cz = points[a, 2], points[b, 2], points[c, 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if cull and area > 0:
            continue
        # Written so that what is not a number is left out as well.
        if not (abs(area) >= least_area and np.isfinite(area)):
            continue
        left = int(np.ceil(max(min(ax, bx, cx), 0.0)))
        right = int(np.floor(min(max(ax, bx, cx), width - 1.0)))
        top = int(np.ceil(max(min(ay, by, cy), 0.0)))
        bottom = int(np.floor(min(max(ay, by, cy), height - 1.0)))
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                wa = ((bx - column) * (cy - row) - (by - row) * (cx - column)) / area
                wb = ((cx - column) * (ay - row) - (cy - row) * (ax - column)) / area
                wc = ((ax - column) * (by - row) - (ay - row) * (bx - column)) / area
                if wa >= 0 and wb >= 0 and wc >= 0:
                    z = np.float32(wa * az + wb * bz + wc * cz)
                    if z < depth[row, column]:
                        depth[row, column] = z
                        winner[row, column] = f
