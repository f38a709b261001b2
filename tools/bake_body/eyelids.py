"""Eyelids that close cleanly and follow the eyeballs.

The artist-made blink was drawn for one face; on the mean face its upper lid runs past
the lower one and its edge ends up wavy. Here each lid turns about the horizontal axis
through its eyeball, by the angle that brings the upper edge onto the lower one. How
much of the turn a vertex takes part in is still read from the artist's unit.
"""

from dataclasses import dataclass

import numpy as np

from tools.bake_body.arrays import Float, Int
from tools.bake_body.geometry import smoothstep
from tools.bake_body.source import Source
from tools.bake_body.topology import Topology

# fmt: off
UPPER_EDGE = (
    6886, 6844, 6841, 6838, 6785, 6784, 6790, 6793, 6796, 6799, 6802, 6805,
)
LOWER_EDGE = (13365, 6837, 6834, 6831, 6828, 6825, 6820, 6817, 6814, 11693)
# fmt: on
"""Front edges of the left eye's lids in the base mesh, from the nose outwards."""

_CORNER_MARGIN = 0.0012
"""Metres beyond the last edge vertices where the lids meet."""
_LEAST_MOTION = 0.003
"""Metres: keeps the share of a vertex defined near the corners."""
_OVERLAP = 0.02
"""Radians that the upper edge goes beyond the lower one when the eye is shut."""
_UPPER_FOLLOW, _LOWER_FOLLOW = 0.75, 0.3
"""Of the eyeball's pitch, what the lids go along with."""
_LOWER_REACH = 0.005
"""Metres below the lower edge over which its following fades."""


@dataclass(frozen=True, slots=True, eq=False)
class Lids:
    """One eye's lids, ready to be turned."""

    arm: Float
    """(V, 3) from the eyeball's centre."""
    closing: Float
    """(V,) radians by which the upper edge must turn to close, at each vertex's x."""
    upper: Float
    """(V,) share in the upper lid's turn."""
    lower: Float
    """(V,) share in the lower lid's turn."""

    def closed(self) -> Float:
        """Return the offsets (V, 3) of the closed eye."""
        angle = self.closing * self.upper
        return _turned(self.arm, angle) - self.arm

    def following(self) -> tuple[Float, Float]:
        """Return offsets (V, 3) per sine, and per cosine minus one, of the pitch."""
        opening = self.closing / self.closing.max()
        share = opening * np.maximum(
            _UPPER_FOLLOW * self.upper, _LOWER_FOLLOW * self.lower
        )
        x, y, z = self.arm.T
        zero = np.zeros(len(x))
        first = share[:, None] * np.stack([zero, -z, y], 1)
        second = (share**2)[:, None] * np.stack([zero, y, z], 1)
        return first, second


def fit(
    source: Source,
    topology: Topology,
    mean: Float,
    centre: Float,
    side: str,
    blink: Float,
) -> Lids:
    """Measure the lids around the eyeball at `centre` (3,) of the mean body (V, 3).

    `blink` (V, 3) is the artist's unit of that eye.
    """
    arm = mean - centre
    sign = 1.0 if side == "left" else -1.0
    upper_edge, lower_edge = (
        _rows(source, topology, edge, side) for edge in (UPPER_EDGE, LOWER_EDGE)
    )
    x = sign * arm[:, 0]
    elevation = np.arctan2(arm[:, 1], arm[:, 2])
    inner = x[np.r_[upper_edge, lower_edge]].min() - _CORNER_MARGIN
    outer = x[np.r_[upper_edge, lower_edge]].max() + _CORNER_MARGIN
    gap = _along(x, x[upper_edge], elevation[upper_edge]) - _along(
        x, x[lower_edge], elevation[lower_edge]
    )
    closing = (gap + _OVERLAP) * smoothstep(x, inner, inner + 0.003)
    closing *= 1.0 - smoothstep(x, outer - 0.002, outer)
    motion = np.linalg.norm(blink, axis=1)
    edge_motion = _along(x, x[upper_edge], motion[upper_edge])
    share = np.clip(motion / np.maximum(edge_motion, _LEAST_MOTION), 0.0, 1.0)
    near = topology.body & (np.linalg.norm(arm, axis=1) < 0.03) & (arm[:, 2] > 0)
    below = _along(x, x[lower_edge], arm[lower_edge, 1]) - arm[:, 1]
    lower = np.where(near, np.exp(-0.5 * (below / _LOWER_REACH) ** 2), 0.0)
    lower *= 1.0 - share
    return Lids(arm, np.clip(closing, 0.0, None), share, lower)


def _rows(source: Source, topology: Topology, edge: tuple[int, ...], side: str) -> Int:
    number = np.full(len(source.mirror), -1)
    number[topology.source_vertex] = np.arange(len(topology.source_vertex))
    rows = number[list(edge)]
    return rows if side == "left" else topology.mirror[rows]


def _along(x: Float, at: Float, values: Float) -> Float:
    """Interpolate values known at `at` to x, as a smooth curve of degree four."""
    middle, half = (at.max() + at.min()) / 2, (at.max() - at.min()) / 2
    curve = np.polynomial.Polynomial.fit((at - middle) / half, values, 4)
    return np.asarray(curve(np.clip((x - middle) / half, -1.0, 1.0)))


def _turned(arm: Float, angle: Float) -> Float:
    """Turn points (V, 3) about x by angles (V,); positive lowers what is in front."""
    c, s = np.cos(angle), np.sin(angle)
    x, y, z = arm.T
    return np.stack([x, c * y - s * z, s * y + c * z], 1)
