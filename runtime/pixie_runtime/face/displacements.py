"""What moves a face, as displacements at points of it: units, expressions, the jaw.

Two ways to the same arrays: of a model that was made of ARKit's units, every vertex
tells (`own_displacements`); of another model, points of the face that both it and the
embedded one have (`fitted.fitted_displacements`).
"""

from dataclasses import dataclass

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.body import BodyModel, ShapedBody
from pixie_runtime.smplx import JAW, JOINT_COUNT
from pixie_runtime.types import Float32, Float64

_PROBE = 0.05
"""Radians by which the jaw is turned to see what it moves."""


@dataclass(frozen=True, slots=True, eq=False)
class Displacements:
    """Displacements at P points of one face, metres, flattened to 3 P numbers."""

    names: tuple[str, ...]
    """ARKit's names of the u units."""
    units: Float64
    """Of each unit at weight 1, (u, 3 P)."""
    expression: Float64
    """Per unit of each expression coefficient, (n, 3 P)."""
    jaw: Float64
    """Per radian of the jaw about y and about z, (2, 3 P)."""
    jaw_open_angle: float
    """Radians of the jaw about x at which it is as open as `jawOpen` = 1."""


def own_displacements(model: BodyModel) -> Displacements:
    """Return what moves the face of a model whose expressions were made of the units.

    Raises:
        ValueError: the model says nothing about ARKit's units.
    """
    names, to_expression = model.arkit_names, model.arkit_to_expression
    if names is None or to_expression is None or model.jaw_open_angle is None:
        raise ValueError(f"the body model {model.name} has no ARKit units")
    field = model.expression_field
    expression = field.values.astype(np.float64)
    return Displacements(
        names=names,
        units=to_expression.astype(np.float64) @ expression,
        expression=expression,
        jaw=jaw_displacements(model)[:, :, field.vertices].reshape(2, -1),
        jaw_open_angle=model.jaw_open_angle,
    )


def jaw_displacements(model: BodyModel) -> Float64:
    """Return the displacement per radian of the jaw about y and z, (2, 3, V), metres.

    With the mean face in rest pose.
    """
    face = mean_face(model)
    moved = []
    for axis in (1, 2):
        turn = np.zeros(3, np.float32)
        turn[axis] = _PROBE
        there, back = with_jaw(face, turn), with_jaw(face, -turn)
        moved.append((there - back).T / (2 * _PROBE))
    return np.asarray(moved, np.float64)


def mean_face(model: BodyModel) -> ShapedBody:
    """Return the mean body with a neutral face."""
    none = np.zeros(0, np.float32)
    return model.shaped(none, none)


def with_jaw(face: ShapedBody, turn: Float32) -> Float32:
    """Return the vertices (V, 3) at rest but for the jaw, turned by a vector (3,)."""
    pose = rotations.identity(JOINT_COUNT)
    pose[JAW] = rotations.from_rotvec(turn)
    return face.posed(pose, np.zeros(3, np.float32)).vertices()
