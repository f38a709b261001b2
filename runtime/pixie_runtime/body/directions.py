"""Vertex displacements that scale with coefficients, kept only where they are not 0."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pixie_runtime.types import Float32


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """k displacement fields over a mesh, without the vertices that none of them moves.

    A finger's pose correctives touch a hundred vertices of fourteen thousand, an
    expression only the head: leaving out the rest makes them nearly free.
    """

    vertices: npt.NDArray[np.intp]
    """The vertices that move, (n,), ascending."""
    values: Float32
    """Metres per unit of each coefficient, (k, 3 * n), all x, then all y, all z."""
    vertex_count: int

    @classmethod
    def from_dense(cls, field: npt.NDArray[Any], scale: float = 1.0) -> Self:
        """Keep what is not zero of `field` (k, 3, V), any number type, times scale."""
        vertices = np.flatnonzero(field.any(axis=(0, 1)))
        kept = field if len(vertices) == field.shape[2] else field[:, :, vertices]
        values = np.asarray(kept, np.float32) * np.float32(scale)
        values = np.ascontiguousarray(values.reshape(len(field), -1))
        values.flags.writeable = vertices.flags.writeable = False
        return cls(vertices, values, field.shape[2])

    def add_to(self, points: Float32, coefficients: Float32) -> None:
        """Add the displacements at `coefficients` (k,) to `points` (3, V), in place."""
        if not len(self.vertices) or not coefficients.any():
            return
        moved = (coefficients @ self.values).reshape(3, -1)
        if len(self.vertices) == self.vertex_count:
            points += moved
        else:
            points[:, self.vertices] += moved

    def dense(self) -> Float32:
        """Return the fields over all vertices, (k, 3, V)."""
        field = np.zeros((len(self.values), 3, self.vertex_count), np.float32)
        field[:, :, self.vertices] = self.values.reshape(len(field), 3, -1)
        return field
