"""TFLite's sparse weights made dense.

A sparse tensor is a tree: each level is one dimension, in `TraversalOrder`, either
dense or compressed (CSR: `ArraySegments` and `ArrayIndices`); blocks add levels for
the inside of a block. Specification: `SparsityParameters` in TensorFlow Lite's
`schema.fbs`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

Array = npt.NDArray[Any]

_VECTORS = {1: tflite.Int32Vector, 2: tflite.Uint16Vector, 3: tflite.Uint8Vector}
_COMPRESSED = 1


def densify(sparsity: Any, shape: tuple[int, ...], values: Array) -> Array:
    """Return the dense array of `shape` whose stored values are `values`."""
    order = [sparsity.TraversalOrder(i) for i in range(sparsity.TraversalOrderLength())]
    blocked = [sparsity.BlockMap(i) for i in range(sparsity.BlockMapLength())]
    levels = [sparsity.DimMetadata(i) for i in range(sparsity.DimMetadataLength())]
    block_sizes = [level.DenseSize() for level in levels[len(shape) :]]
    outer = list(shape)
    for dimension, size in zip(blocked, block_sizes, strict=True):
        outer[dimension] //= size

    # positions[k]: for each node of the tree so far, its coordinate along dimension k
    nodes = np.zeros(1, np.int64)
    positions: dict[int, Array] = {}
    for dimension, level in zip(order, levels, strict=True):
        parents, coordinates, nodes = _children(level, nodes)
        positions = {k: p[parents] for k, p in positions.items()}
        positions[dimension] = coordinates

    dense = np.zeros((*outer, *block_sizes), values.dtype)
    dense[tuple(positions[k] for k in range(dense.ndim))] = values[nodes]
    axes: list[int] = []
    for dimension in range(len(shape)):
        axes.append(dimension)
        axes += [len(shape) + i for i, d in enumerate(blocked) if d == dimension]
    return dense.transpose(axes).reshape(shape)


def _children(level: Any, nodes: Array) -> tuple[Array, Array, Array]:
    """Return each child's parent (its row), coordinate and own number."""
    rows = np.arange(len(nodes))
    if level.Format() != _COMPRESSED:
        size = level.DenseSize()
        coordinates = np.tile(np.arange(size), len(nodes))
        return rows.repeat(size), coordinates, nodes.repeat(size) * size + coordinates
    segments = _vector(level.ArraySegments(), level.ArraySegmentsType())
    indices = _vector(level.ArrayIndices(), level.ArrayIndicesType())
    starts, ends = segments[nodes], segments[nodes + 1]
    children = np.concatenate(
        [np.arange(a, b) for a, b in zip(starts, ends, strict=True)]
    ).astype(np.int64)
    return rows.repeat(ends - starts), indices[children], children


def _vector(table: Any, kind: int) -> Array:
    vector = _VECTORS[kind]()
    vector.Init(table.Bytes, table.Pos)
    return np.asarray(vector.ValuesAsNumpy(), np.int64)
