"""A body's mesh whose face is finer: each of its triangles becomes many.

New corners on an edge belong to both of its triangles. A triangle beside the face gets
the corners on their common edge too, and becomes a fan about its middle, so that a mesh
without gaps stays one.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Subdivision:
    """Which mix of a mesh's corners every new vertex is."""

    vertices: Ints
    """Of the old mesh, (N, 3)."""
    weights: Floats
    """Their weights, (N, 3); they add up to 1."""
    faces: Ints
    """Triangles of new vertices, (M, 3)."""
    source: Ints
    """The old triangle that each new one is a piece of, (M,)."""
    corner_weights: Floats
    """Where the new triangles' corners are in those, (M, 3, 3): by the new triangle's
    corner, then by the old one's."""

    @classmethod
    def of(cls, faces: npt.NDArray[Any], fine: Ints, steps: int) -> Self:
        """Divide triangles.

        Args:
            faces: of the old mesh, (F, 3).
            fine: the triangles to be divided, (n,).
            steps: into how many pieces each of their edges is cut.
        """
        faces = faces.astype(np.int64)
        lattice, pieces = _lattice(steps)
        own = faces[fine]
        count = len(lattice)
        of_fine = np.repeat(own, count, axis=0)
        shares = np.tile(lattice, (len(fine), 1))
        pieces_of = pieces[None] + count * np.arange(len(fine))[:, None, None]
        rest = np.setdiff1d(np.arange(len(faces)), fine)
        plain, fans = _beside(faces, rest, own)
        corners, corner_shares, fan_faces, fan_of = _fans(faces, fans, own, steps)
        vertices = np.concatenate([of_fine, np.repeat(faces[plain], 3, 0), corners])
        whole = np.tile(np.eye(3) * steps, (len(plain), 1))
        shares = np.concatenate([shares, whole, corner_shares])
        start = len(of_fine)
        three = start + np.arange(3 * len(plain)).reshape(-1, 3)
        divided = np.concatenate(
            [pieces_of.reshape(-1, 3), three, start + 3 * len(plain) + fan_faces]
        )
        source = np.concatenate([np.repeat(fine, steps * steps), plain, fan_of])
        weights = shares / steps
        first, place = _joined(vertices, shares)
        return cls(
            vertices[first], weights[first], place[divided], source, weights[divided]
        )

    def mixed(self, values: npt.NDArray[Any]) -> Floats:
        """Return what the new vertices have of the old ones' (V, k), (N, k)."""
        mixed = np.einsum("nk,nkc->nc", self.weights, values[self.vertices])
        return np.asarray(mixed, np.float64)

    def of_corners(self, values: npt.NDArray[Any]) -> Floats:
        """Return the same of what old corners have, (F, 3, k): by new corner (M, 3, k).

        Texture coordinates differ between triangles that have a vertex in common.
        """
        old = values[self.source]
        return np.asarray(np.einsum("mij,mjc->mic", self.corner_weights, old))


def _lattice(steps: int) -> tuple[Ints, Ints]:
    """Return places in a triangle in steps from its corners, (k, 3), and pieces."""
    places = [
        (steps - row, row - column, column)
        for row in range(steps + 1)
        for column in range(row + 1)
    ]
    number = {place[1:]: index for index, place in enumerate(places)}
    pieces = []
    for row in range(steps):
        for column in range(row + 1):
            top = number[row - column, column]
            left = number[row + 1 - column, column]
            right = number[row - column, column + 1]
            pieces.append((top, left, right))
            if column < row:
                # The triangle upside down between two of the row.
                pieces.append((top, right, number[row - column - 1, column + 1]))
    return np.array(places), np.array(pieces)


def _beside(faces: Ints, rest: Ints, own: Ints) -> tuple[Ints, Ints]:
    """Return which of the other triangles share no edge with the divided, and do."""
    count = int(faces.max()) + 1
    edges = {
        int(code)
        for a, b in ((0, 1), (1, 2), (2, 0))
        for code in own[:, a] * count + own[:, b]
    }
    shared = np.zeros(len(rest), bool)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        codes = faces[rest, b] * count + faces[rest, a]
        shared |= np.isin(codes, np.fromiter(edges, np.int64, len(edges)))
    return rest[~shared], rest[shared]


def _fans(
    faces: Ints, fans: Ints, own: Ints, steps: int
) -> tuple[Ints, Floats, Ints, Ints]:
    """Return corners (k, 3), shares (k, 3), triangles of them and their sources.

    Shares are in steps; the middle of a triangle has a third of them at each corner.
    """
    divided = {(int(t[i]), int(t[i - 2])) for t in own for i in range(3)}
    corners: list[Ints] = []
    shares: list[Floats] = []
    triangles: list[tuple[int, int, int]] = []
    sources: list[int] = []
    for number in fans:
        face = faces[number]
        ring = []
        for i in range(3):
            j = (i + 1) % 3
            cut = (int(face[j]), int(face[i])) in divided
            for step in range(steps if cut else 1):
                share = np.zeros(3)
                share[i], share[j] = steps - step, step
                ring.append(share)
        start = len(corners)
        shares += [*ring, np.full(3, steps / 3)]
        corners += [face] * (len(ring) + 1)
        middle = start + len(ring)
        for place in range(len(ring)):
            after = (place + 1) % len(ring)
            triangles.append((start + place, start + after, middle))
            sources.append(number)
    return (
        np.array(corners, np.int64).reshape(-1, 3),
        np.array(shares, np.float64).reshape(-1, 3),
        np.array(triangles, np.int64).reshape(-1, 3),
        np.array(sources, np.int64),
    )


def _joined(vertices: Ints, shares: npt.NDArray[Any]) -> tuple[Ints, Ints]:
    """Find vertices that are the same mix: the first of each, and everybody's number.

    Args:
        vertices: (n, 3).
        shares: (n, 3), in steps.
    """
    # In thousandths of a step; corners without a share do not matter.
    steps = np.round(shares * 1000).astype(np.int64)
    named = np.where(steps > 0, vertices, -1)
    order = np.argsort(named, axis=1)
    key = np.concatenate(
        [np.take_along_axis(named, order, 1), np.take_along_axis(steps, order, 1)], 1
    )
    _, first, place = np.unique(key, axis=0, return_index=True, return_inverse=True)
    return first, place.ravel()
