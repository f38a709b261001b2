"""Colours of skin and of things."""

import cv2
import numpy as np

from pixie_runtime.types import Float32

_KINDS = (0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 3)
"""Plain, striped, checked, shaded, as often as they are here."""
_PALE, _MIDDLE, _DARK = (
    np.array(rgb) for rgb in ((0.93, 0.76, 0.67), (0.70, 0.48, 0.34), (0.32, 0.2, 0.14))
)


def skin_tone(random: np.random.Generator) -> Float32:
    """Draw a colour of skin, RGB (3,) in [0, 1], from pale over brown to dark."""
    at = random.uniform(0, 2)
    tone = np.where(
        at < 1, _PALE + (_MIDDLE - _PALE) * at, _MIDDLE + (_DARK - _MIDDLE) * (at - 1)
    )
    return np.asarray(tone * random.uniform(0.94, 1.06, 3), np.float32)


def dull_colour(random: np.random.Generator) -> Float32:
    """Draw a colour of a thing, RGB (3,) in [0, 1]; few things are vivid."""
    grey = random.uniform(0.05, 0.95)
    vivid = random.uniform(0, 1, 3)
    return np.asarray(grey + (vivid - grey) * random.beta(1.1, 4), np.float32)


def texture(random: np.random.Generator, size: int, colour: Float32) -> Float32:
    """Draw a surface of about one colour, (size, size, 3) in [0, 1].

    Noise of several grains, and for some stripes, checks or a gradient.
    """
    surface = np.ones((size, size, 3), np.float32) * colour
    other = dull_colour(random)
    kind = random.choice(_KINDS)
    if kind == 1:
        surface += (other - colour) * (wave(random, size) > 0)[..., None]
    elif kind == 2:
        check = (wave(random, size) > 0) ^ (wave(random, size) > 0)
        surface += (other - colour) * check[..., None] * 0.7
    elif kind == 3:
        surface += (other - colour) * (0.5 + 0.5 * wave(random, size, 0.4))[..., None]
    surface *= 1 + cloud(random, size)[..., None] * np.float32(0.25)
    return np.asarray(surface.clip(0, 1), np.float32)


def wave(
    random: np.random.Generator, size: int, periods: float | None = None
) -> Float32:
    """Draw a plane wave over a picture, (size, size) in [-1, 1]."""
    angle, phase = random.uniform(0, 2 * np.pi, 2)
    turns = random.uniform(3, 24) if periods is None else periods
    axis = np.linspace(0, 2 * np.pi * turns, size, dtype=np.float32)
    c, s = np.cos(angle), np.sin(angle)
    across, down = np.exp(1j * c * axis), np.exp(1j * (s * axis + phase))
    # sin(a + b), without a sine for every pixel.
    return np.asarray(
        np.outer(down.imag, across.real) + np.outer(down.real, across.imag), np.float32
    )


def cloud(random: np.random.Generator, size: int) -> Float32:
    """Draw noise of several grains, (size, size), mostly in [-1, 1]."""
    total = np.zeros((size, size), np.float32)
    for cells, amount in ((3, 0.5), (9, 0.25), (32, 0.15), (size, 0.08)):
        coarse = random.normal(0, 1, (cells, cells)).astype(np.float32)
        total += amount * cv2.resize(
            coarse, (size, size), interpolation=cv2.INTER_CUBIC
        )
    return total
