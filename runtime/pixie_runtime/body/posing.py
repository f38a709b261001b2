"""A body of one shape, and that body in one pose."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pixie_runtime import rotations as rot
from pixie_runtime.body.surface import contour_row, surface_points
from pixie_runtime.smplx import GENERATIONS, JOINT_COUNT, JOINT_INDEX, PARENTS
from pixie_runtime.types import Float32

if TYPE_CHECKING:
    from pixie_runtime.body.model import BodyModel

_HEAD = JOINT_INDEX["head"]
_PARENTS = np.array(PARENTS)
_IDENTITY = np.eye(3, dtype=np.float32)
_BODY_FORWARD = np.array([0, 0, 1], np.float32)
_GENERATIONS = tuple(np.array(joints) for joints in GENERATIONS)


@dataclass(frozen=True, eq=False)
class ShapedBody:
    """A body model with one person's shape and one facial expression, in rest pose."""

    model: "BodyModel"
    betas: Float32
    """(n_betas,)"""
    expression: Float32
    """(n_expression,)"""
    joints: Float32
    """Rest joints, (55, 3), metres, body frame."""

    def posed(self, rotations: Float32, transl: Float32) -> "PosedBody":
        """Turn every joint, then move the body by `transl`; makes no vertices yet.

        Args:
            rotations: Unit quaternions wxyz relative to the parent joint, (55, 4); the
                first turns the body about its rest pelvis.
            transl: Metres, (3,), in the frame that the first rotation leads to.
        """
        if rotations.shape != (JOINT_COUNT, 4) or transl.shape != (3,):
            raise ValueError(
                f"a pose is rotations (55, 4) and transl (3,), not {rotations.shape} "
                f"and {transl.shape}"
            )
        R = rot.to_matrix(np.asarray(rotations, np.float32))
        transforms = _chain(R, self.joints, np.asarray(transl, np.float32))
        return PosedBody(self, R, transforms)

    @cached_property
    def rest(self) -> Float32:
        """Vertices before posing, (3, V), metres, body frame, coordinates first."""
        v = self.model.identity(self.betas)
        self.model.expression_field.add_to(v, self.expression)
        v.flags.writeable = False
        return v

    def vertices(self) -> Float32:
        """Return the vertices in rest pose, (V, 3), metres, body frame."""
        return np.ascontiguousarray(self.rest.T)


@dataclass(frozen=True, eq=False)
class PosedBody:
    """A shaped body in one pose; its frame is whatever the root rotation leads to."""

    shaped: ShapedBody
    R_local: Float32
    """Each joint's rotation relative to its parent, (55, 3, 3)."""
    transforms: Float32
    """T_world_joint, (55, 4, 4): joint frames to the posed frame, metres."""

    @property
    def joints(self) -> Float32:
        """Posed joints, (55, 3), metres."""
        return self.transforms[:, :3, 3]

    @property
    def motions(self) -> Float32:
        """Each joint's motion from the rest pose, (55, 3, 4): x -> R x + t, metres."""
        # x -> R (x - rest joint) + joint
        motions = self.transforms[:, :3].copy()
        motions[:, :, 3] -= np.einsum(
            "jab,jb->ja", motions[:, :, :3], self.shaped.joints, optimize=False
        )
        return motions

    def vertices(self) -> Float32:
        """Return the posed vertices, (V, 3), metres."""
        model = self.shaped.model
        v = self.shaped.rest.copy()
        features = (self.R_local - _IDENTITY).reshape(JOINT_COUNT, 9)
        for field, feature in zip(model.pose_fields, features[1:], strict=True):
            field.add_to(v, feature)
        blended = self.motions.reshape(JOINT_COUNT, 12).T @ model.weights_by_joint
        rows = blended.reshape(3, 4, -1)
        posed = np.empty((model.vertex_count, 3), np.float32)
        for axis in range(3):
            x, y, z, t = rows[axis]
            posed[:, axis] = x * v[0] + y * v[1] + z * v[2] + t
        return posed

    def landmarks68(self, to_viewer: Float32 = _BODY_FORWARD) -> Float32:
        """Return 51 face landmarks and 17 of the jaw line, (68, 3), metres.

        The jaw line is the one seen from `to_viewer`, a unit vector (3,) from the head
        to the viewer: z for a body facing along z (as in the official code, and the
        default), -z for a body in the camera's frame.

        Raises ValueError where the model file has no landmarks.
        """
        model = self.shaped.model
        if (
            model.lmk_faces_idx is None
            or model.lmk_bary_coords is None
            or model.dynamic_lmk_faces_idx is None
            or model.dynamic_lmk_bary_coords is None
        ):
            raise ValueError(f"the body model {model.name} has no face landmarks")
        row = contour_row(self.transforms[_HEAD, :3, :3], to_viewer)
        return surface_points(
            self.vertices(),
            model.faces,
            np.concatenate([model.lmk_faces_idx, model.dynamic_lmk_faces_idx[row]]),
            np.concatenate([model.lmk_bary_coords, model.dynamic_lmk_bary_coords[row]]),
        )


def _chain(R: Float32, rest: Float32, transl: Float32) -> Float32:
    """Multiply the joints' transforms from the root outwards, one generation a time."""
    T = np.zeros((JOINT_COUNT, 4, 4), np.float32)
    T[:, :3, :3] = R
    T[:, 3, 3] = 1
    T[0, :3, 3] = rest[0] + transl
    T[1:, :3, 3] = rest[1:] - rest[_PARENTS[1:]]
    for joints in _GENERATIONS:
        T[joints] = T[_PARENTS[joints]] @ T[joints]
    return T
