"""A body model's fields in tiles of neighbouring vertices, as the kernels read them.

Making a mesh is reading memory: a dense set of pose correctives has 61 MB in float32.
Two things make it small. Displacements are int16 steps, the step chosen for each tile
and coefficient, so that the largest value of a tile takes the whole range (0.3
micrometres for a centimetre). And a tile keeps only the joints that move it: a finger's
correctives reach a hundred vertices.

All numbers of one coordinate lie together, vertex by vertex, so that a vector register
of a processor or a warp of a graphics card takes them at once.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime.body import BodyModel
from pixie_runtime.body.directions import Directions
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.types import Float32

Int16 = npt.NDArray[np.int16]
Int32 = npt.NDArray[np.int32]

GROUP = 9
"""Coefficients that come and go together: a joint's R - I, or nine expressions."""

_STEPS = 32767
_NEGLIGIBLE_M = 5e-7
"""What a group may move a vertex by and yet be left out, in metres at most: with 54
joints, half a hundredth of a millimetre if all of them were left out at once."""
_LARGEST_ENTRY = 2.0
"""Of R - I."""


@dataclass(frozen=True, slots=True, eq=False)
class TileWeights:
    """What the vertices of each tile hang on; the arrays are read-only."""

    start: Int32
    """Tile `t` owns the rows from [t] to [t + 1], (T + 1,)."""
    joint: Int32
    """The joint that a row of weights belongs to, (M,)."""
    values: Float32
    """How much each vertex of the tile follows that joint, (M, lanes)."""


@dataclass(frozen=True, slots=True, eq=False)
class PackedBody:
    """One body model in T tiles of `lanes` vertices; the last is padded.

    Vertex `v` is lane `v % lanes` of tile `v // lanes`. The arrays are read-only.
    """

    lanes: int
    vertex_count: int
    group_count: int
    """G: 54 joints, then the expressions in nines."""
    entry_start: Int32
    """Tile `t` owns the entries from [t] to [t + 1], (T + 1,)."""
    entry_group: Int32
    """Whose coefficients an entry scales with, (N,), ascending within a tile."""
    steps: Float32
    """Metres of one step, by coefficient of the group, (N, 9)."""
    values: Int16
    """Displacements in steps, (N, 9, 3 * lanes): all x, then all y, all z."""
    weights: TileWeights

    @property
    def tile_count(self) -> int:
        """Number T of tiles."""
        return len(self.entry_start) - 1


def pack(model: BodyModel, *, lanes: int) -> PackedBody:
    """Return the model in tiles of `lanes` vertices."""
    fields = [*model.pose_fields, *_in_nines(model.expression_field)]
    joints = len(model.pose_fields)
    tiles, groups, steps, values = [], [], [], []
    for group, field in enumerate(fields):
        largest = _LARGEST_ENTRY if group < joints else None
        touched, in_steps, metres = _packed_field(field, lanes, largest)
        tiles.append(touched)
        groups.append(np.full(len(touched), group, np.int32))
        steps.append(metres)
        values.append(in_steps)
    tile = np.concatenate(tiles)
    order = np.argsort(tile, kind="stable")
    tile_count = -(-model.vertex_count // lanes)
    weights = _packed_weights(model, lanes)
    packed = PackedBody(
        lanes=lanes,
        vertex_count=model.vertex_count,
        group_count=len(fields),
        entry_start=_starts(tile, tile_count),
        entry_group=np.concatenate(groups)[order],
        steps=np.concatenate(steps)[order],
        values=np.concatenate(values)[order],
        weights=weights,
    )
    freeze(packed.entry_start, packed.entry_group, packed.steps, packed.values)
    return packed


def freeze(*arrays: npt.NDArray[Any]) -> None:
    """Make arrays read-only."""
    for array in arrays:
        array.flags.writeable = False


def tiled(rows: Float32, lanes: int) -> Float32:
    """Lay fields (..., 3, V) out in tiles of vertices, (..., T, 3 * lanes)."""
    *outer, axes, count = rows.shape
    padding = -count % lanes
    padded = np.pad(rows, [*[(0, 0)] * (rows.ndim - 1), (0, padding)], mode="edge")
    tiles = padded.reshape(*outer, axes, -1, lanes)
    return np.ascontiguousarray(np.moveaxis(tiles, -3, -2)).reshape(
        *outer, (count + padding) // lanes, axes * lanes
    )


def _in_nines(field: Directions) -> list[Directions]:
    """Split a field of k coefficients into fields of nine, the last one padded."""
    padding = -len(field.values) % GROUP
    padded = np.pad(field.values, ((0, padding), (0, 0)))
    return [
        Directions(field.vertices, rows, field.vertex_count)
        for rows in padded.reshape(-1, GROUP, padded.shape[1])
    ]


def _packed_field(
    field: Directions, lanes: int, largest: float | None
) -> tuple[Int32, Int16, Float32]:
    """Return the tiles that one group moves, its displacements there, and their steps.

    Args:
        field: Displacements of nine coefficients.
        lanes: Vertices in a tile.
        largest: Magnitude that no coefficient exceeds; None: unknown.
    """
    touched, place = np.unique(field.vertices // lanes, return_inverse=True)
    dense = np.zeros((len(touched), GROUP, 3, lanes), np.float32)
    moved = field.values.reshape(GROUP, 3, -1)
    # Indexed axes in front: (n, 9, 3) takes the values vertex by vertex.
    dense[place, :, :, field.vertices % lanes] = moved.transpose(2, 0, 1)
    peak = np.abs(dense).max(axis=(2, 3))
    if largest is not None:
        kept = peak.sum(axis=1) * largest > _NEGLIGIBLE_M
        touched, dense, peak = touched[kept], dense[kept], peak[kept]
    steps = (peak / _STEPS).astype(np.float32)
    # Below the smallest normal number a step is nothing that can be divided by.
    divisor = np.where(steps > np.finfo(np.float32).tiny, steps, np.float32(np.inf))
    dense /= divisor[:, :, None, None]
    values = np.rint(dense, out=dense).astype(np.int16)
    return (
        touched.astype(np.int32),
        values.reshape(len(touched), GROUP, 3 * lanes),
        steps,
    )


def _packed_weights(model: BodyModel, lanes: int) -> TileWeights:
    """Return each tile's joints and its vertices' weights for them."""
    padding = -model.vertex_count % lanes
    padded = np.pad(model.weights_by_joint, ((0, 0), (0, padding)), mode="edge")
    by_tile = padded.reshape(JOINT_COUNT, -1, lanes).transpose(1, 0, 2)
    tile, joint = np.nonzero(by_tile.any(axis=2))
    weights = TileWeights(
        start=_starts(tile, len(by_tile)),
        joint=joint.astype(np.int32),
        values=np.ascontiguousarray(by_tile[tile, joint]),
    )
    freeze(weights.start, weights.joint, weights.values)
    return weights


def _starts(tile: npt.NDArray[np.signedinteger], tile_count: int) -> Int32:
    """Return where each tile's entries begin among entries sorted by tile, (T + 1,)."""
    counts = np.bincount(tile, minlength=tile_count)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
