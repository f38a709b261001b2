"""Wrinkles, moles and pores: how far a face's skin stands off its smooth surface.

Everything is a function of where a point is on the mean body at rest, as in `looks`,
and comes with its gradient, so that pictures show it sharp at any size, and the truth
can be written down as a map. Our own making: furrows along lines between face
landmarks, each with the low ridges of skin pushed aside, deeper on older people.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt

from pixie_runtime.body import BodyModel
from pixie_runtime.body.surface import surface_points
from pixie_runtime.errors import ModelFileError
from pixie_runtime.types import Float32
from pixie_train.data.pictures.surface_map import FACE, SKIN, SurfaceMap

_REACH = 4.0
"""In widths: farther away a furrow changes nothing that could be seen."""
_PORE_M = 3e-3
_BEHIND_M = 6e-3
_SNAP = 12
"""Vertices that say how far out the surface is at a place seen from the front."""
_R_BROW, _L_BROW = 0, 9
_R_INNER_BROW, _L_INNER_BROW = 4, 5
_R_WING, _L_WING = 14, 18
_R_OUTER_EYE, _R_INNER_EYE, _L_INNER_EYE, _L_OUTER_EYE = 19, 22, 25, 28
_R_MOUTH, _L_MOUTH, _LOWER_LIP = 31, 37, 40
"""Among iBUG's 68 without the jaw line."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Furrow:
    """A line along which skin is drawn in, or, of one point, a mole."""

    line: Float32
    """(n, 3), metres, on the mean body at rest."""
    depth_m: float
    """Negative: it stands out."""
    width_m: float
    """From its middle to where the skin is at its usual height."""


@dataclass(frozen=True, eq=False)
class Relief:
    """One person's."""

    furrows: tuple[Furrow, ...]
    pores: Float32
    """Waves, (n, 5): direction times frequency in radians a metre, phase, height in
    metres."""

    def heights(self, rest: Float32) -> tuple[Float32, Float32]:
        """Return how far out the skin is, (n,), metres, and its gradient, (n, 3).

        Args:
            rest: points on the mean body at rest, (n, 3).
        """
        height = np.zeros(len(rest), np.float32)
        slope = np.zeros((len(rest), 3), np.float32)
        for furrow in self.furrows:
            near, off = _nearby(furrow, rest)
            square = np.einsum("nk,nk->n", off, off) / furrow.width_m**2
            bell = furrow.depth_m * np.exp(-square / 2)
            # Mole: a bell. Furrow: its second derivative, ridges beside the valley.
            line = len(furrow.line) > 1
            height[near] -= bell * (1 - square) if line else bell
            steep = bell * (3 - square) if line else bell
            slope[near] += off * (steep / furrow.width_m**2)[:, None]
        for *wave, phase, tall in self.pores:
            across = rest @ np.array(wave, np.float32) + phase
            height += tall * np.sin(across)
            slope += (tall * np.cos(across))[:, None] * np.array(wave, np.float32)
        return height, slope


@dataclass(frozen=True, eq=False)
class ReliefArtist:
    """Knows a body's face and draws reliefs for it."""

    lines: dict[str, tuple[Float32, ...]]
    """Groups of lines that are deep or shallow together, (n, 3) each."""
    face: Float32
    """Vertices on which moles may be, (n, 3)."""

    @classmethod
    def of(cls, model: BodyModel, surface: SurfaceMap) -> Self:
        """Look at a model.

        Raises:
            ModelFileError: it has no face landmarks.
        """
        faces, bary = model.lmk_faces_idx, model.lmk_bary_coords
        if faces is None or bary is None:
            raise ModelFileError(
                f"the body model {model.name} has no face landmarks, which say where "
                "wrinkles are; use an unchanged SMPLX_NEUTRAL_2020.npz"
            )
        landmarks = surface_points(surface.rest, model.faces, faces, bary)
        inside = (surface.fields[:, FACE] > 0.006) & (surface.material == SKIN)
        skin = surface.rest[inside | (surface.fields[:, FACE] > -0.03)]
        lines = {
            name: tuple(_on(skin, line) for line in group)
            for name, group in _drawn(landmarks[:, :2].astype(np.float64)).items()
        }
        return cls(lines, surface.rest[inside])

    def draw(self, random: np.random.Generator, strength: float) -> Relief:
        """Draw a person's relief.

        Args:
            random: chance.
            strength: 1: as deep as skin can have it; the depths are in proportion.
        """
        age = random.uniform(0.15, 1.0)
        furrows = []
        for group in self.lines.values():
            deep = 1.4e-3 * age * random.uniform(0.0, 1.0) * strength
            width = random.uniform(1.7e-3, 2.4e-3)
            for line in group:
                own = deep * random.uniform(0.8, 1.2)
                moved = line + random.normal(0, 5e-4, 3).astype(np.float32)
                furrows.append(Furrow(moved.astype(np.float32), own, width))
        for _ in range(int(random.integers(0, 5))):
            place = self.face[random.integers(len(self.face))][None]
            tall = random.uniform(2e-4, 6e-4) * strength
            furrows.append(Furrow(place, -tall, random.uniform(1e-3, 1.8e-3)))
        waves = random.normal(0, 1, (6, 3))
        waves *= 2 * np.pi / _PORE_M / np.linalg.norm(waves, axis=1, keepdims=True)
        phases = random.uniform(0, 2 * np.pi, (6, 1))
        rough = np.full((6, 1), random.uniform(2e-6, 1e-5) * strength)
        pores = np.concatenate([waves, phases, rough], 1)
        return Relief(tuple(furrows), pores.astype(np.float32))


def _nearby(furrow: Furrow, rest: Float32) -> tuple[npt.NDArray[np.intp], Float32]:
    """Return which points a furrow reaches, and how far they are off it, (n, 3)."""
    reach = _REACH * furrow.width_m
    low, high = furrow.line.min(0) - reach, furrow.line.max(0) + reach
    near = np.flatnonzero(((rest > low) & (rest < high)).all(1))
    points = rest[near]
    if len(furrow.line) == 1:
        return near, points - furrow.line
    off = np.full((len(near), 3), np.inf, np.float32)
    best = np.full(len(near), np.inf, np.float32)
    for a, b in pairwise(furrow.line):
        along = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        away = points - a - along[:, None] * (b - a)
        square = np.einsum("nk,nk->n", away, away)
        nearer = square < best
        best[nearer], off[nearer] = square[nearer], away[nearer]
    within = best < reach**2
    return near[within], off[within]


def _drawn(mark: Floats) -> dict[str, list[Floats]]:
    """Return lines seen from the front, (n, 2) each, metres, by group.

    Args:
        mark: the 51 inner landmarks, (51, 2).
    """
    span = float(mark[_L_OUTER_EYE, 0] - mark[_R_OUTER_EYE, 0]) / 0.09
    mm = span * 1e-3
    """The unit, on a face whose eyes are 90 mm apart from corner to corner."""
    brow = float(mark[[_R_BROW, _R_INNER_BROW, _L_INNER_BROW, _L_BROW], 1].mean())
    middle = float((mark[_R_INNER_BROW, 0] + mark[_L_INNER_BROW, 0]) / 2)
    t = np.linspace(-1, 1, 9)

    def both(right: Floats) -> list[Floats]:
        """Return a line on the person's right and its mirror image."""
        other = right.copy()
        other[:, 0] = 2 * middle - other[:, 0]
        return [right, other]

    forehead = [
        np.stack([middle + wide * mm * t, brow + (up - 3 * t**2) * mm], 1)
        for up, wide in ((15, 34), (24, 37), (33, 32))
    ]
    frown = np.stack([middle - (5 - t[:5]) * mm, brow + (t[:5] + 1) * 14 * mm], 1)
    outer = mark[_R_OUTER_EYE]
    rays = [
        outer + mm * np.array([[-reach, reach * lift] for reach in (7, 12, 17, 21)])
        for lift in (-0.45, 0.0, 0.45)
    ]
    wing, corner = mark[_R_WING], mark[_R_MOUTH]
    outer_eye, inner_eye = mark[_R_OUTER_EYE], mark[_R_INNER_EYE]

    def off(point: Floats, x: float, y: float) -> Floats:
        """Return a place so many of the unit to the right of a point and above it."""
        return np.asarray(point + np.array([x, y]) * mm)

    fold = _through(off(wing, -7, 3), off(wing, -15, -14), off(corner, -9, -2))
    droop = _through(off(corner, -3, -6), off(corner, -5, -14), off(corner, -4, -22))
    below = off((outer_eye + inner_eye) / 2, 0, -14)
    bag = _through(off(outer_eye, 2, -8), below, off(inner_eye, 0, -8))
    chin = mark[_LOWER_LIP] + np.stack([14 * mm * t, (-11 - 3 * t**2) * mm], 1)
    return {
        "forehead": forehead,
        "frown": both(frown),
        "crow's feet": [line for ray in rays for line in both(ray)],
        "folds beside the nose": both(fold),
        "folds below the mouth": both(droop),
        "bags below the eyes": both(bag),
        "chin": [chin],
    }


def _through(first: Floats, middle: Floats, last: Floats) -> Floats:
    """Return a parabola that goes from one point near another to a third."""
    t = np.linspace(0, 1, 9)[:, None]
    return (1 - t) ** 2 * first + 2 * t * (1 - t) * middle + t**2 * last


def _on(skin: Float32, line: Floats) -> Float32:
    """Lay a line that was drawn as seen from the front onto the skin, (n, 3)."""
    out = np.empty(len(line))
    for number, place in enumerate(line):
        apart = np.square(skin[:, :2] - place).sum(1)
        near = np.argsort(apart)[:_SNAP]
        # Lips, lids and nostrils have skin behind what is seen.
        near = near[skin[near, 2] > skin[near, 2].max() - _BEHIND_M]
        weights = 1 / (apart[near] + 1e-7)
        out[number] = weights @ skin[near, 2] / weights.sum()
    return np.concatenate([line, out[:, None]], 1).astype(np.float32)
