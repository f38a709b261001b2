"""The mesh that ships: what stays of the base mesh, and how it hangs together."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from tools.bake_body.arrays import Bool, Float, Int
from tools.bake_body.source import Source

GROUPS = (
    "body",
    "helper-l-eye",
    "helper-r-eye",
    "helper-upper-teeth",
    "helper-lower-teeth",
    "helper-tongue",
)
"""Kept groups; the index is the value of the file's `group`."""

_NIPPLES = frozenset([*range(1778, 1794), *range(8450, 8466)])
# fmt: off
_CAPS = (
    (8437, 8438, 8439, 8440), (8436, 8437, 8440, 8441), (8435, 8436, 8441, 8442),
    (8434, 8435, 8442, 8443), (8449, 8434, 8443, 8444), (8448, 8449, 8444, 8445),
    (8447, 8448, 8445, 8446), (1762, 1771, 1770, 1763), (1763, 1770, 1769, 1764),
    (1764, 1769, 1768, 1765), (1765, 1768, 1767, 1766), (1762, 1777, 1772, 1771),
    (1777, 1776, 1773, 1772), (1776, 1775, 1774, 1773),
)
# fmt: on
"""Quads that close the chest where the nipples' faces were dropped."""


@dataclass(frozen=True, slots=True, eq=False)
class Topology:
    """Kept vertices and their neighbourhood."""

    source_vertex: Int
    """(V,) numbers in the base mesh."""
    triangles: Int
    """(F, 3)"""
    triangles_uv: Int
    """(F, 3) rows of `uv`."""
    uv: Float
    """(T, 2)"""
    group: Int
    """(V,) index in GROUPS."""
    mirror: Int
    """(V,) the vertex on the other side."""
    average: sp.csr_matrix
    """(V, V) replaces each value by the mean of its neighbours'."""

    @property
    def body(self) -> Bool:
        """(V,) skin: neither eye, tooth nor tongue."""
        return np.asarray(self.group == 0)

    def smoothed(self, values: Float, passes: int, strength: Float | float) -> Float:
        """Diffuse per-vertex values (V, ...) over the mesh; `strength` may be (V,)."""
        flat = values.reshape(len(values), -1)
        share = np.asarray(strength).reshape(-1, 1)
        for _ in range(passes):
            flat = flat + share * (self.average @ flat - flat)
        return np.asarray(flat).reshape(values.shape)


def build(source: Source) -> Topology:
    """Pick the kept groups, drop and cap the nipples, and number what is left."""
    mesh = source.mesh
    uv_of: dict[int, int] = {}
    quads, quads_uv = [], []
    for quad, quad_uv, group in zip(
        mesh.quads.tolist(), mesh.quad_uv.tolist(), mesh.quad_group, strict=True
    ):
        for corner, corner_uv in zip(quad, quad_uv, strict=True):
            uv_of.setdefault(corner, corner_uv)
        if group in GROUPS and not _NIPPLES.intersection(quad):
            quads.append(quad)
            quads_uv.append(quad_uv)
    for cap in _CAPS:
        quads.append(list(cap))
        quads_uv.append([uv_of[corner] for corner in cap])
    old = np.array(quads)
    source_vertex, flat = np.unique(old, return_inverse=True)
    new = flat.reshape(old.shape)
    uv_rows, flat_uv = np.unique(np.array(quads_uv), return_inverse=True)
    number = np.full(len(mesh.vertices), -1)
    number[source_vertex] = np.arange(len(source_vertex))
    group_of = np.zeros(len(source_vertex), np.int64)
    for k, name in enumerate(GROUPS):
        group_of[np.isin(source_vertex, mesh.groups[name])] = k
    return Topology(
        source_vertex=source_vertex,
        triangles=_split(new),
        triangles_uv=_split(flat_uv.reshape(old.shape)),
        uv=mesh.uv[uv_rows],
        group=group_of,
        mirror=number[source.mirror[source_vertex]],
        average=_averaging(new, len(source_vertex)),
    )


def _split(quads: Int) -> Int:
    return np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], 1).reshape(-1, 3)


def _averaging(quads: Int, count: int) -> sp.csr_matrix:
    a = np.concatenate([quads[:, k] for k in range(4)])
    b = np.concatenate([quads[:, (k + 1) % 4] for k in range(4)])
    ones = np.ones(2 * len(a))
    linked = sp.csr_matrix((ones, (np.r_[a, b], np.r_[b, a])), shape=(count, count))
    linked.data[:] = 1.0
    degree = np.asarray(linked.sum(1)).ravel()
    return sp.csr_matrix(sp.diags(1.0 / degree) @ linked)
