"""A face model that knows nothing of ARKit, seen through one that does.

The expressions of SMPL-X files (FLAME's) are principal components of scans; no table
says how they relate to ARKit's units. But the file says where 51 landmarks of the face
lie, and so does the embedded body. A warp takes those of the one onto those of the
other; with them go 468 more points, which then correspond to vertices of the user's
model. At these points the units' displacements are compared with the expressions'.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.face.displacements import (
    Displacements,
    jaw_displacements,
    mean_face,
    own_displacements,
    with_jaw,
)
from pixie_runtime.rendering.shading import vertex_normals
from pixie_runtime.smplx import JAW, JOINT_INDEX
from pixie_runtime.types import Float32, Float64

_NOT_THERE = "tongueOut"
"""SMPL-X has no tongue."""
_EDGES = slice(19, 51)
"""The landmarks of lids and lips among the 51: edges, where a vertex of the other lid
or lip may be the nearest."""
_CLEARANCE = 0.004
"""Metres from them within which only the landmarks themselves are compared."""
_REACH = 0.01
"""Metres from a warped point beyond which a vertex does not correspond to it."""
_FACING = 0.7
"""Least cosine of the normals of points that correspond."""
_OPENINGS = np.linspace(0.1, 0.9, 9)
"""Radians by which the jaw is opened to find what `jawOpen` = 1 is."""

Integers = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """P points of a mesh, each within a triangle."""

    corners: Integers
    """(P, 3)"""
    shares: Float64
    """(P, 3)"""

    @classmethod
    def of(cls, faces: npt.NDArray[np.int32], index: Integers, bary: Float32) -> Self:
        return cls(faces[index].astype(np.intp), bary.astype(np.float64))

    @classmethod
    def at_vertices(cls, vertices: Integers) -> Self:
        shares = np.zeros((len(vertices), 3))
        shares[:, 0] = 1
        return cls(np.repeat(vertices[:, None], 3, axis=1), shares)

    def __getitem__(self, which: npt.NDArray[np.bool_]) -> "_Points":
        return _Points(self.corners[which], self.shares[which])

    def __add__(self, more: "_Points") -> "_Points":
        return _Points(
            np.concatenate([self.corners, more.corners]),
            np.concatenate([self.shares, more.shares]),
        )

    def of_field(self, field: npt.NDArray[np.floating]) -> Float64:
        """Return what a field (k, 3, V) is at the points, (k, P, 3)."""
        seen = np.einsum("kcpt,pt->kpc", field[:, :, self.corners], self.shares)
        return np.asarray(seen, np.float64)

    def of_mesh(self, vertices: npt.NDArray[np.floating]) -> Float64:
        """Return the places (P, 3) of the points of a mesh (V, 3)."""
        places = np.einsum("ptc,pt->pc", vertices[self.corners], self.shares)
        return np.asarray(places, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Similarity:
    """x -> linear x + shift: a rotation times a scale, and a shift."""

    linear: Float64
    shift: Float64

    @classmethod
    def between(cls, source: Float64, target: Float64) -> Self:
        """Return the one that takes points (P, 3) nearest to others (Umeyama 1991)."""
        a, b = source - source.mean(0), target - target.mean(0)
        U, stretch, Vt = np.linalg.svd(b.T @ a)
        turn = np.diag([1.0, 1.0, np.sign(np.linalg.det(U @ Vt))])
        scale = (stretch * turn.diagonal()).sum() / np.square(a).sum()
        linear = scale * U @ turn @ Vt
        return cls(linear, target.mean(0) - linear @ source.mean(0))

    def places(self, points: npt.NDArray[np.floating]) -> Float64:
        """Move points (..., 3)."""
        return np.asarray(points @ self.linear.T + self.shift)

    def vectors(self, moved: npt.NDArray[np.floating]) -> Float64:
        """Turn and scale displacements (..., 3)."""
        return np.asarray(moved @ self.linear.T)


def can_be_fitted(model: BodyModel) -> bool:
    """Return whether the model's file says where the 51 landmarks lie."""
    return model.lmk_faces_idx is not None and model.lmk_bary_coords is not None


def fitted_displacements(model: BodyModel) -> Displacements:
    """Return what moves the face of a model with landmarks but without ARKit's units.

    All in the axes and at the size of the embedded body's head.
    """
    ours = embedded_body_model()
    units = own_displacements(ours)
    here, there, to_ours = _correspondence(ours, model)
    kept = [i for i, name in enumerate(units.names) if name != _NOT_THERE]
    field = ours.expression_field
    unit_field = np.zeros((len(kept), 3, ours.vertex_count))
    unit_field[:, :, field.vertices] = units.units[kept].reshape(len(kept), 3, -1)
    expression = to_ours.vectors(there.of_field(model.expression_field.dense()))
    jaw = to_ours.vectors(there.of_field(jaw_displacements(model)))
    wanted = here.of_mesh(with_jaw(mean_face(ours), _opened(units.jaw_open_angle)))
    wanted -= here.of_mesh(ours.v_template)
    return Displacements(
        names=tuple(units.names[i] for i in kept),
        units=here.of_field(unit_field).reshape(len(kept), -1),
        expression=expression.reshape(len(expression), -1),
        jaw=jaw.reshape(2, -1),
        jaw_open_angle=_opening(model, there, to_ours, wanted),
    )


def _correspondence(
    ours: BodyModel, theirs: BodyModel
) -> tuple[_Points, _Points, _Similarity]:
    """Return points of both faces that correspond, and the way from theirs to ours."""
    here, there = _landmarks(ours), _landmarks(theirs)
    inner = here.of_mesh(ours.v_template)
    to_ours = _Similarity.between(there.of_mesh(theirs.v_template), inner)
    mesh = to_ours.places(theirs.v_template)
    assert ours.mediapipe468_faces_idx is not None
    assert ours.mediapipe468_bary_coords is not None
    more = _Points.of(
        ours.faces,
        ours.mediapipe468_faces_idx.astype(np.intp),
        ours.mediapipe468_bary_coords,
    )
    places = more.of_mesh(ours.v_template)
    clear = _distances(places, inner[_EDGES]).min(axis=1) > _CLEARANCE
    more, places = more[clear], places[clear]
    warped = places + _warp(inner, there.of_mesh(mesh) - inner, places)

    head = np.flatnonzero(np.isin(theirs.part, [JAW, JOINT_INDEX["head"]]))
    if not len(head):
        return here, there, to_ours
    gaps = _distances(warped, mesh[head])
    facing = more.of_mesh(vertex_normals(ours.v_template, ours.faces))
    normals = vertex_normals(mesh.astype(np.float32), theirs.faces)[head]
    gaps[facing @ normals.T.astype(np.float64) < _FACING] = np.inf
    nearest = gaps.argmin(axis=1)
    found = gaps.min(axis=1) < _REACH
    return (
        here + more[found],
        there + _Points.at_vertices(head[nearest[found]]),
        to_ours,
    )


def _landmarks(model: BodyModel) -> _Points:
    assert model.lmk_faces_idx is not None
    assert model.lmk_bary_coords is not None
    index = model.lmk_faces_idx.astype(np.intp)
    return _Points.of(model.faces, index, model.lmk_bary_coords)


def _warp(sites: Float64, moved: Float64, points: Float64) -> Float64:
    """Return how points (P, 3) move when sites (N, 3) move by vectors (N, 3).

    The smoothest interpolation in three dimensions: a biharmonic spline, whose kernel
    is the distance, and an affine map.
    """
    count = len(sites)
    affine = np.c_[np.ones(count), sites]
    system = np.zeros((count + 4, count + 4))
    system[:count, :count] = _distances(sites, sites)
    system[:count, count:], system[count:, :count] = affine, affine.T
    solved = np.linalg.solve(system, np.r_[moved, np.zeros((4, 3))])
    basis = np.c_[_distances(points, sites), np.ones(len(points)), points]
    return np.asarray(basis @ solved)


def _opening(
    model: BodyModel, there: _Points, to_ours: _Similarity, wanted: Float64
) -> float:
    """Return the angle of the jaw that moves the points most nearly as `wanted`."""
    face, shut = mean_face(model), there.of_mesh(model.v_template)
    errors = []
    for angle in _OPENINGS.tolist():
        moved = there.of_mesh(with_jaw(face, _opened(angle))) - shut
        errors.append(np.square(to_ours.vectors(moved) - wanted).sum())
    best = int(np.clip(np.argmin(errors), 1, len(errors) - 2))
    before, at, after = errors[best - 1 : best + 2]
    step, bend = _OPENINGS[1] - _OPENINGS[0], before - 2 * at + after
    # The lowest point of the parabola through the three.
    shift = 0.5 * step * (before - after) / bend if bend > 0 else 0.0
    return float(_OPENINGS[best] + np.clip(shift, -step, step))


def _opened(angle: float) -> Float32:
    return np.array([angle, 0, 0], np.float32)


def _distances(a: Float64, b: Float64) -> Float64:
    """Return the distances (P, Q) between points (P, 3) and (Q, 3)."""
    squares = np.square(a).sum(1)[:, None] + np.square(b).sum(1) - 2 * a @ b.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))
