"""A body as other programs know it: a mesh of one shape, bound to joints."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import ModelFileError
from pixie_runtime.rendering.shading import vertex_normals
from pixie_runtime.smplx import JOINT_COUNT, PARENTS
from pixie_runtime.takes.morphs import Morph, corrective_morphs, expression_morphs
from pixie_runtime.takes.take import Take
from pixie_runtime.types import Float32, UInt8

CORRECTIVES = 16
"""Morphs that say what pose correctives do, by default: millimetres remain."""
_MISFIT_M = 0.01
"""A bone of the take that differs more from the model's is another model's: bones of
one model differ by what the take's shape changed from frame to frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Skin:
    """A body model in the take's one shape, in rest pose: metres, body axes."""

    model: BodyModel
    rest_joints: Float32
    """(55, 3)"""
    vertices: Float32
    """(V, 3)"""
    normals: Float32
    """(V, 3)"""
    joints: UInt8
    """The joints that move each vertex, the heaviest first, (V, influences)."""
    weights: Float32
    """How much, (V, influences); a row adds up to 1, places without use are 0."""
    morphs: tuple[Morph, ...]
    """The expression's, then the correctives'."""

    @classmethod
    def of(
        cls, take: Take, model: BodyModel, *, influences: int, correctives: int
    ) -> Self:
        """Return the skin of a take that was recorded with this body model.

        Args:
            take: Gives the shape.
            model: What the take's coefficients mean.
            influences: Joints per vertex. Of more the heaviest are kept and rescaled.
            correctives: How many morphs say what pose correctives do.

        Raises:
            ModelFileError: the take was recorded with another body model.
        """
        _check_model(take, model)
        shaped = model.shaped(take.betas, np.zeros(0, np.float32))
        vertices = shaped.vertices()
        joints = np.argsort(-model.weights, axis=1, kind="stable")[:, :influences]
        weights = np.take_along_axis(model.weights, joints, axis=1)
        weights /= weights.sum(axis=1, keepdims=True)
        return cls(
            model=model,
            rest_joints=shaped.joints,
            vertices=vertices,
            normals=vertex_normals(vertices, model.faces),
            # glTF wants 0 where a place is not in use.
            joints=np.where(weights > 0, joints, 0).astype(np.uint8),
            weights=weights,
            morphs=(
                *expression_morphs(take, model),
                *corrective_morphs(take, model, correctives),
            ),
        )


def local_offsets(rest_joints: Float32) -> Float32:
    """Return each joint's rest place relative to its parent's, (55, 3)."""
    offsets = rest_joints.copy()
    offsets[1:] -= rest_joints[list(PARENTS[1:])]
    return offsets


def joints_at(offsets: Float32) -> Float32:
    """Return rest joints (55, 3) of their offsets from their parents."""
    joints = offsets.copy()
    for joint in range(1, JOINT_COUNT):
        joints[joint] += joints[PARENTS[joint]]
    return joints


def _check_model(take: Take, model: BodyModel) -> None:
    wanted = f"the take was recorded with another body model than {model.name}"
    for what, found, limit in (
        ("shape", len(take.betas), model.n_betas),
        ("expression", take.expression.shape[1], model.n_expression),
    ):
        if found > limit:
            raise ModelFileError(
                f"{wanted}: it has {found} {what} coefficients, the model {limit}; "
                "give the file that it was recorded with"
            )
    shaped = model.shaped(take.betas, np.zeros(0, np.float32))
    bones = take.rest_offsets() - local_offsets(shaped.joints)
    apart = float(np.linalg.norm(bones[1:], axis=1).max())
    if apart > _MISFIT_M:
        raise ModelFileError(
            f"{wanted}: a bone differs by {1000 * apart:.0f} mm; give the file that it "
            "was recorded with"
        )
