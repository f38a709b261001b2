"""Spherical harmonics light of the second order (spec: pixie-network, section 9)."""

import numpy as np

from pixie_runtime.types import Float32

_A = np.array([np.pi, *[2 * np.pi / 3] * 3, *[np.pi / 4] * 5])
"""What a matt surface's cosine does to each coefficient (Ramamoorthi and Hanrahan
2001)."""
_NORM = np.array(
    [
        np.sqrt(1 / (4 * np.pi)),
        *[np.sqrt(3 / (4 * np.pi))] * 3,
        *[3 * np.sqrt(5 / (12 * np.pi))] * 3,
        1.5 * np.sqrt(5 / (12 * np.pi)),
        0.5 * np.sqrt(5 / (4 * np.pi)),
    ]
)
FACTORS = np.concatenate([_NORM[:1], (_NORM * _A)[1:]])
"""What each term of a shading is multiplied by, (9,); the release leaves the first
one's pi out."""


def shading(normals: Float32, light: Float32) -> Float32:
    """Return how bright matt white is, (n, 3), never negative.

    Args:
        normals: unit vectors, (n, 3), camera axes.
        light: (9, 3), bands by RGB, as the head's network regresses it.
    """
    bands = (light * FACTORS[:, None]).astype(np.float32)
    return np.asarray(np.maximum(_terms(normals) @ bands, 0), np.float32)


def draw_light(random: np.random.Generator) -> Float32:
    """Draw a light, (9, 3): from all around, and one to three lamps, mostly above."""
    white = random.uniform(0.85, 1.0, 3)
    light = np.zeros((9, 3))
    light[0] = random.uniform(0.45, 0.8) * white / _NORM[0]
    for _ in range(random.integers(1, 4)):
        towards = random.normal(0, 1, 3) + np.array([0, -0.8, -1.0])
        towards /= np.linalg.norm(towards)
        strength = random.uniform(0.1, 0.65) * random.uniform(0.85, 1.0, 3)
        lobe = _NORM * _terms(towards[None].astype(np.float32))[0]
        lobe[0] *= np.pi
        light += lobe[:, None] * strength
    return light.astype(np.float32)


def _terms(normals: Float32) -> Float32:
    x, y, z = normals.T
    terms = [np.ones_like(x), x, y, z, x * y, x * z, y * z, x * x - y * y]
    return np.stack([*terms, 3 * z * z - 1], axis=1).astype(np.float32, copy=False)
