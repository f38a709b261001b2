"""Meshes that the tests know everything about."""

import numpy as np
import numpy.typing as npt

from pixie_runtime.types import Float32


def sphere(
    rings: int, centre: tuple[float, float, float], radius: float
) -> tuple[Float32, npt.NDArray[np.int64]]:
    """Return vertices and faces, counter-clockwise from outside."""
    polar, around = np.meshgrid(
        np.linspace(0, np.pi, rings + 1),
        np.linspace(0, 2 * np.pi, 2 * rings, endpoint=False),
        indexing="ij",
    )
    points = [np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around)]
    vertices = np.stack([*points, np.cos(polar)], -1).reshape(-1, 3) * radius
    ring, place = np.divmod(np.arange(rings * 2 * rings), 2 * rings)
    after = (place + 1) % (2 * rings)
    a, b = ring * 2 * rings + place, ring * 2 * rings + after
    c, d = a + 2 * rings, b + 2 * rings
    faces = np.concatenate([np.stack([a, c, d], 1), np.stack([a, d, b], 1)])
    return (vertices + centre).astype(np.float32), faces
