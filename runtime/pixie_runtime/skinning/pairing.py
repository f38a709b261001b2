"""A packed body's displacements in pairs of groups, for products of whole numbers.

Processors multiply pairs of 16-bit numbers and add the two products in one instruction,
twice as many at once as float32 numbers, and without converting what they read. So two
groups of a tile lie interleaved, in steps of one size, and what they scale with are
whole numbers too (`whole_factors.py`).
"""

from dataclasses import dataclass

import numpy as np

from pixie_runtime.skinning.packing import (
    GROUP,
    Int16,
    Int32,
    PackedBody,
    TileWeights,
    freeze,
)
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.types import Float32

JOINT_GROUPS = JOINT_COUNT - 1
_IDENTITY = np.eye(3, dtype=np.float32)
_TINY = np.finfo(np.float32).tiny


@dataclass(frozen=True, slots=True, eq=False)
class PairedBody:
    """One body model in T tiles of vertices; the arrays are read-only.

    Joints are paired with joints, expressions with expressions.
    """

    group_count: int
    """G: 54 joints, then the expressions in nines."""
    pair_start: Int32
    """Tile `t` owns the pairs from [t] to [t + 1], (T + 1,)."""
    groups: Int32
    """What scales the two, (P, 2). One without a partner has itself, with zeros."""
    steps: Float32
    """Metres of one step, (P,)."""
    values: Int16
    """Displacements in steps, (P, 9, 3 * lanes, 2): all x, then all y, all z."""
    weights: TileWeights

    @property
    def nbytes(self) -> int:
        """Bytes that one mesh reads."""
        weights = self.weights.joint.nbytes + self.weights.values.nbytes
        return self.groups.nbytes + self.steps.nbytes + self.values.nbytes + weights

    def coefficients(self, R_local: Float32, expression: Float32) -> Float32:
        """Return what the groups scale with, (G, 9).

        Args:
            R_local: Each joint's rotation relative to its parent, (55, 3, 3).
            expression: At most as many coefficients as the model has.
        """
        table = np.zeros(self.group_count * GROUP, np.float32)
        joints = GROUP * JOINT_GROUPS
        table[:joints] = (R_local[1:] - _IDENTITY).ravel()
        table[joints : joints + len(expression)] = expression
        return table.reshape(-1, GROUP)


def paired(packed: PackedBody) -> PairedBody:
    """Return the same body with its groups in pairs."""
    counts = np.diff(packed.entry_start)
    tile = np.repeat(np.arange(len(counts)), counts)
    run = 2 * tile + (packed.entry_group >= JOINT_GROUPS)  # ascending
    rank = np.arange(len(run)) - np.searchsorted(run, run)
    pair, slot = np.cumsum(rank % 2 == 0) - 1, rank % 2
    first = np.flatnonzero(slot == 0)
    groups = np.repeat(packed.entry_group[first, None], 2, axis=1)
    groups[pair, slot] = packed.entry_group
    steps = np.zeros(len(first), np.float32)
    np.maximum.at(steps, pair, packed.steps.max(axis=1))
    ratios = packed.steps / np.maximum(steps, _TINY)[pair, None]
    values = np.zeros((len(first), GROUP, 3 * packed.lanes, 2), np.int16)
    values[pair, :, :, slot] = np.rint(packed.values * ratios[:, :, None])
    of_tiles = np.arange(len(counts) + 1)
    pair_start = np.searchsorted(tile[first], of_tiles).astype(np.int32)
    freeze(pair_start, groups, steps, values)
    return PairedBody(
        group_count=packed.group_count,
        pair_start=pair_start,
        groups=groups,
        steps=steps,
        values=values,
        weights=packed.weights,
    )
