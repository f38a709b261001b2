"""The loop that makes a mesh: displacements, then skinning, tile by tile.

The displacements are added up by `_displace`, written as vectors of LLVM's, because its
vectoriser does not find the instruction that they are meant for (x86's `pmaddwd`;
other processors get the same sums by their own). Both are in one file: numba compiles
what it keeps anew when this file changes, and looks at no other.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from pixie_runtime.skinning.packing import GROUP

LANES = 16
"""Vertices in a tile: sixteen float32 are the widest register of a PC's processor."""

_AXES = 3 * LANES

_I16, _I32, _F32 = ir.IntType(16), ir.IntType(32), ir.FloatType()
_COUNTS = ir.VectorType(_I32, LANES)
_METRES = ir.VectorType(_F32, LANES)
_PAIRS = ir.VectorType(_I16, 2 * LANES)
_PRODUCTS = ir.VectorType(_I32, 2 * LANES)


def _displacing(
    _: Any, values: Any, pair: Any, factors: Any, metres: Any, points: Any
) -> Any:
    """Type and generate `_displace`: adds a pair of groups' displacements to a tile.

    `values` as in `PairedBody`, of which the one at `pair`; `factors` (9,) int32, the
    first group's in the lower half and the second's in the upper; `metres` of one step
    times one factor; `points` (48,) float32.
    """
    signature = types.void(values, pair, factors, metres, points)

    def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
        def start_of(index: int, kind: Any) -> Any:
            return context.make_array(kind)(context, builder, arguments[index]).data

        size = ir.Constant(arguments[1].type, GROUP * 2 * _AXES)
        start = start_of(0, values)
        start = builder.gep(start, [builder.mul(arguments[1], size)])
        factor = start_of(2, factors)
        scaling = [
            builder.sext(
                builder.bitcast(
                    _spread(builder, builder.load(builder.gep(factor, [_I32(k)]))),
                    _PAIRS,
                ),
                _PRODUCTS,
            )
            for k in range(GROUP)
        ]
        scale = _spread(builder, arguments[3])
        for axis in range(3):
            sums = ir.Constant(_COUNTS, [0] * LANES)
            for k in range(GROUP):
                at = builder.gep(start, [_I32(2 * (k * _AXES + axis * LANES))])
                steps = builder.load(builder.bitcast(at, _PAIRS.as_pointer()), align=2)
                products = builder.mul(builder.sext(steps, _PRODUCTS), scaling[k])
                sums = builder.add(sums, _neighbours_added(builder, products))
            at = builder.gep(start_of(4, points), [_I32(axis * LANES)])
            at = builder.bitcast(at, _METRES.as_pointer())
            moved = builder.fmul(builder.sitofp(sums, _METRES), scale, ("contract",))
            moved = builder.fadd(builder.load(at, align=4), moved, ("contract",))
            builder.store(moved, at, align=4)
        return context.get_dummy_value()

    return signature, generate


_displace: Any = intrinsic(_displacing)


def _spread(builder: Any, number: Any) -> Any:
    """Return the number in all lanes."""
    kind = ir.VectorType(number.type, LANES)
    nothing = ir.Constant(kind, ir.Undefined)
    alone = builder.insert_element(nothing, number, _I32(0))
    return builder.shuffle_vector(alone, nothing, ir.Constant(_COUNTS, [0] * LANES))


def _neighbours_added(builder: Any, products: Any) -> Any:
    nothing = ir.Constant(_PRODUCTS, ir.Undefined)
    even, odd = (
        ir.Constant(_COUNTS, list(range(first, 2 * LANES, 2))) for first in (0, 1)
    )
    return builder.add(
        builder.shuffle_vector(products, nothing, even),
        builder.shuffle_vector(products, nothing, odd),
    )


def skin_tiles(
    begin: int,
    end: int,
    pair_start: Any,
    groups: Any,
    steps: Any,
    values: Any,
    factors: Any,
    units: Any,
    rest: Any,
    joint_start: Any,
    joint: Any,
    weights: Any,
    motions: Any,
    out: Any,
) -> None:
    """Displace, then skin, the tiles from `begin` to `end`.

    Arrays as in `PairedBody` and its weights; further `factors` (G, 9) and `units` (G,)
    as of `whole_factors`, `rest` (T, 48), the vertices before all that, `motions`
    (55, 12), each joint's 3x4 matrix from the rest pose, and `out` (V, 3), the
    vertices.
    """
    v = np.empty(_AXES, np.float32)
    skinned = np.empty((3, LANES), np.float32)
    both = np.empty(GROUP, np.int32)
    for tile in range(begin, end):
        for lane in range(_AXES):
            v[lane] = rest[tile, lane]
        for pair in range(pair_start[tile], pair_start[tile + 1]):
            a, b = groups[pair, 0], groups[pair, 1]
            unit = max(units[a], units[b])
            if unit == 0:
                continue
            for k in range(GROUP):
                low, high = np.int32(factors[a, k]), np.int32(factors[b, k])
                both[k] = (low & np.int32(0xFFFF)) | (high << np.int32(16))
            _displace(values, pair, both, steps[pair] * unit, v)
        skinned[:] = np.float32(0)
        for row in range(joint_start[tile], joint_start[tile + 1]):
            # Moving the points by every joint and mixing the results touches a
            # quarter of the memory that mixing the matrices first would.
            m, weight = motions[joint[row]], weights[row]
            m0, m1, m2, m3 = m[0], m[1], m[2], m[3]
            m4, m5, m6, m7 = m[4], m[5], m[6], m[7]
            m8, m9, m10, m11 = m[8], m[9], m[10], m[11]
            for lane in range(LANES):
                x, y, z = v[lane], v[LANES + lane], v[2 * LANES + lane]
                w = weight[lane]
                skinned[0, lane] += w * (m0 * x + m1 * y + m2 * z + m3)
                skinned[1, lane] += w * (m4 * x + m5 * y + m6 * z + m7)
                skinned[2, lane] += w * (m8 * x + m9 * y + m10 * z + m11)
        first = tile * LANES
        for lane in range(min(LANES, out.shape[0] - first)):
            for axis in range(3):
                out[first + lane, axis] = skinned[axis, lane]
