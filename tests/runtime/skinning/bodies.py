"""Bodies for the skinning tests: the embedded one, and small ones with every trap."""

from dataclasses import replace

import numpy as np

from pixie_runtime import rotations as rot
from pixie_runtime.body import BodyModel, PosedBody
from pixie_runtime.body.directions import Directions
from pixie_runtime.smplx import JOINT_COUNT, JOINT_INDEX
from pixie_runtime.types import Float32


def cut(model: BodyModel, vertex_count: int) -> BodyModel:
    """Return the first vertices of a model with the faces among them.

    Joints stay where they are: the body is the same, less of it is seen.
    """
    return replace(
        model,
        sha256=f"{vertex_count:064}",
        v_template=model.v_template[:vertex_count],
        faces=model.faces[(model.faces < vertex_count).all(axis=1)],
        shape_field=np.ascontiguousarray(model.shape_field[:, :, :vertex_count]),
        expression_field=_cut_field(model.expression_field, vertex_count),
        pose_fields=tuple(_cut_field(f, vertex_count) for f in model.pose_fields),
        weights_by_joint=np.ascontiguousarray(model.weights_by_joint[:, :vertex_count]),
        part=model.part[:vertex_count],
    )


def dense(model: BodyModel, *, metres: float = 0.002, seed: int = 0) -> BodyModel:
    """Return the model with random correctives at every vertex, `metres` large."""
    rng = np.random.default_rng(seed)

    def field(k: int) -> Directions:
        values = rng.normal(0, metres, (k, 3, model.vertex_count))
        return Directions.from_dense(values)

    return replace(
        model,
        sha256="1" * 64,
        pose_fields=tuple(field(9) for _ in model.pose_fields),
        expression_field=field(model.n_expression),
    )


def posed(model: BodyModel, seed: int, *, seated: bool = False) -> PosedBody:
    """Return a random person in a random pose, with an expression."""
    rng = np.random.default_rng(seed)
    rotvecs = rng.normal(0, 0.6, (JOINT_COUNT, 3))
    rotvecs[0] = rng.normal(0, 1.5, 3)
    if seated:
        rotvecs[[JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"]], 0] = -1.5
    return model.shaped(random(rng, model.n_betas), random(rng, 10)).posed(
        rot.from_rotvec(rotvecs).astype(np.float32), random(rng, 3)
    )


def random(rng: np.random.Generator, count: int) -> Float32:
    """Return normally distributed numbers, (count,)."""
    return rng.normal(0, 1, count).astype(np.float32)


def worst_m(found: Float32, expected: Float32) -> float:
    """Return the largest distance between points (..., 3)."""
    return float(np.linalg.norm(found - expected, axis=-1).max())


def _cut_field(field: Directions, vertex_count: int) -> Directions:
    return Directions.from_dense(field.dense()[:, :, :vertex_count])
