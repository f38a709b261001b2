"""Which triangles meet at a vertex: the normals' table."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Adjacency:
    """For each vertex the other two corners of its triangles, in their order."""

    face_start: Int32
    """Vertex `v` owns the corners from [v] to [v + 1], (V + 1,)."""
    corner_b: Int32
    """The next corner counter-clockwise, (3 * F,)."""
    corner_c: Int32
    """The one after that, (3 * F,)."""

    @classmethod
    def of(cls, faces: npt.NDArray[np.signedinteger[Any]], vertex_count: int) -> Self:
        """Return the table of triangles (F, 3) over `vertex_count` vertices."""
        corners = np.concatenate([faces, np.roll(faces, -1, 1), np.roll(faces, -2, 1)])
        order = np.argsort(corners[:, 0], kind="stable")
        _, b, c = corners[order].T.astype(np.int32)
        counts = np.bincount(corners[:, 0], minlength=vertex_count)
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        return cls(start, np.ascontiguousarray(b), np.ascontiguousarray(c))
