"""What a mesh does beside following its bones, as displacements with animated weights.

All weights are in [0, 1]: many programs let them be nothing else, and Blender's import
cuts off what lies outside.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations
from pixie_runtime.body import BodyModel
from pixie_runtime.face.units import box_least_squares
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.takes.take import Take
from pixie_runtime.types import Float32

_NEGLIGIBLE_M = 5e-5
"""Vertices that a whole morph moves less than this are left out of it."""
_SAMPLE = 200
"""Frames out of which the principal correctives of a take are made."""
_LARGE_COEFFICIENT = 3.0
"""The expression coefficient, in standard deviations, that is a weight of 1, unless the
take has larger ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Morph:
    """A displacement of some vertices in rest pose, and how much of it in each frame.

    Called a morph target in glTF, a blend shape in USD, a shape key in Blender.
    """

    name: str
    vertices: npt.NDArray[np.intp]
    """Numbers of the vertices that move, (n,), ascending; at least one."""
    offsets: Float32
    """Metres at weight 1, body axes, (n, 3)."""
    weights: Float32
    """(T,)"""


def expression_morphs(take: Take, model: BodyModel) -> list[Morph]:
    """Return the take's expression as morphs.

    Where the model was made of ARKit's units (the embedded body is) a morph is one unit
    under ARKit's name, which programs know what to do with; the weights are those in
    [0, 1] that come nearest to the expression. Otherwise a morph is one coefficient one
    way, `expression_00_plus` or `_minus`, exactly: three standard deviations, or the
    take's largest coefficient where that is more.
    """
    count = take.expression.shape[1]
    field = model.expression_field
    if model.arkit_to_expression is None or model.arkit_names is None:
        whole = max(_LARGE_COEFFICIENT, np.abs(take.expression).max(initial=0))
        one_way = take.expression.T / np.float32(whole)
        return [
            morph
            for sign, way in ((1, "plus"), (-1, "minus"))
            for morph in _of_what_moves(
                [f"expression_{index:02}_{way}" for index in range(count)],
                field.vertices,
                np.float32(sign * whole) * field.values[:count],
                np.maximum(sign * one_way, 0),
            )
        ]
    units = model.arkit_to_expression @ field.values
    moved = units.astype(np.float64)
    gram, products = moved @ moved.T, moved @ field.values[:count].T
    weights = [box_least_squares(gram, products @ row) for row in take.expression]
    return _of_what_moves(
        model.arkit_names,
        field.vertices,
        units,
        np.stack(weights, axis=1).astype(np.float32),
    )


def corrective_morphs(take: Take, model: BodyModel, count: int) -> list[Morph]:
    """Return what pose correctives do in this take, reduced to `count` morphs.

    A body model deforms its mesh by 486 functions of the pose before the bones move it,
    which file formats cannot say. Over one take the result is a matrix of frames by
    vertices. Its `count - 1` principal components are morphs, their coefficients the
    weights; as those have both signs, the last morph is the negative sum of all, and
    its weight lifts the others above 0. The largest weight of each is 1.
    """
    R = rotations.to_matrix(take.rotations()) - np.eye(3, dtype=np.float32)
    features = R.reshape(len(take), JOINT_COUNT, 9)[:, 1:].swapaxes(0, 1)
    rows = np.linspace(0, len(take) - 1, min(len(take), _SAMPLE)).astype(int)
    moved = np.zeros((len(rows), 3, model.vertex_count), np.float32)
    for field, feature in zip(model.pose_fields, features, strict=True):
        for row, frame in zip(moved, feature[rows], strict=True):
            field.add_to(row, frame)
    axes = _principal_axes(moved.reshape(len(rows), -1), count - 1)
    if not len(axes):
        return []
    by_vertex = axes.reshape(len(axes), 3, model.vertex_count)
    weights = np.zeros((len(axes), len(take)), np.float32)
    for field, feature in zip(model.pose_fields, features, strict=True):
        on_axes = by_vertex[:, :, field.vertices].reshape(len(axes), -1)
        weights += on_axes @ field.values.T @ feature.T
    lift = np.maximum(-weights.min(axis=0), 0)
    weights = np.concatenate([weights + lift, lift[None]])
    axes = np.concatenate([axes, -axes.sum(axis=0, keepdims=True)])
    peaks = np.maximum(weights.max(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return _of_what_moves(
        [f"corrective_{index:02}" for index in range(len(axes))],
        np.arange(model.vertex_count),
        axes * peaks,
        weights / peaks,
    )


def _principal_axes(rows: Float32, count: int) -> Float32:
    """Return at most `count` orthonormal axes (k, n) that hold most of rows (m, n)."""
    squares, U = np.linalg.eigh((rows @ rows.T).astype(np.float64))
    kept = np.flatnonzero(squares > _NEGLIGIBLE_M**2)[::-1][: max(0, count)]
    return np.asarray((U[:, kept] / np.sqrt(squares[kept])).T @ rows, np.float32)


def _of_what_moves(
    names: tuple[str, ...] | list[str],
    vertices: npt.NDArray[np.intp],
    displacements: Float32,
    weights: Float32,
) -> list[Morph]:
    """Make morphs of displacements (k, 3 * n), each of the vertices that it moves."""
    morphs = []
    for name, moved, weight in zip(names, displacements, weights, strict=True):
        offsets = moved.reshape(3, -1).T
        noticeable = np.linalg.norm(offsets, axis=1) > _NEGLIGIBLE_M
        if noticeable.any():
            kept = np.ascontiguousarray(offsets[noticeable], np.float32)
            morphs.append(Morph(name, vertices[noticeable], kept, weight))
    return morphs
