"""Body models for the skinning cases: files that our code and `smplx` both read."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.smplx import JOINT_COUNT, PARENTS

Arrays = dict[str, npt.NDArray[Any]]

_VERTICES, _FACES = 10_475, 20_908
_BETAS, _EXPRESSIONS = 300, 100
_INFLUENCES = 4


def write_embedded(path: Path) -> None:
    """Write the embedded body in the layout of a user's SMPL-X file (.npz)."""
    model = embedded_body_model()
    shapedirs = np.zeros((model.vertex_count, 3, _BETAS + _EXPRESSIONS), np.float32)
    shapedirs[:, :, : model.n_betas] = model.shapedirs
    shapedirs[:, :, _BETAS : _BETAS + model.n_expression] = model.expressiondirs
    arrays = {
        "v_template": model.v_template,
        "f": model.faces.astype(np.uint32),
        "shapedirs": shapedirs,
        "posedirs": model.posedirs,
        "weights": model.weights,
        "J_regressor": model.J_regressor,
        **_face_tables(model),
        **_constants(),
    }
    np.savez(path, allow_pickle=True, **arrays)


def write_dense(path: Path) -> None:
    """Write random arrays of the licensed file's sizes, correctives at every vertex.

    Four joints move each vertex. The face's landmarks are the embedded body's, moved
    to triangles that exist.
    """
    rng = np.random.default_rng(0)

    def noise(metres: float, *shape: int) -> npt.NDArray[np.float32]:
        return rng.standard_normal(shape, np.float32) * np.float32(metres)

    rows = np.arange(_VERTICES)
    weights = np.zeros((_VERTICES, JOINT_COUNT), np.float32)
    for _ in range(_INFLUENCES):
        weights[rows, rng.integers(0, JOINT_COUNT, _VERTICES)] += rng.random(_VERTICES)
    regressor = np.zeros((JOINT_COUNT, _VERTICES), np.float32)
    for row in regressor:
        row[rng.integers(0, _VERTICES, 20)] = rng.random(20)
    arrays = {
        "v_template": noise(0.4, _VERTICES, 3),
        "f": rng.integers(0, _VERTICES, (_FACES, 3)).astype(np.uint32),
        "shapedirs": noise(0.005, _VERTICES, 3, _BETAS + _EXPRESSIONS),
        "posedirs": noise(0.002, _VERTICES, 3, 9 * (JOINT_COUNT - 1)),
        "weights": weights / weights.sum(axis=1, keepdims=True),
        "J_regressor": regressor / regressor.sum(axis=1, keepdims=True),
        **_face_tables(embedded_body_model()),
        **_constants(),
    }
    for name in ("lmk_faces_idx", "dynamic_lmk_faces_idx"):
        arrays[name] = arrays[name] % _FACES
    np.savez(path, allow_pickle=True, **arrays)


def _face_tables(model: BodyModel) -> Arrays:
    tables = {
        name: getattr(model, name)
        for name in (
            "lmk_faces_idx",
            "lmk_bary_coords",
            "dynamic_lmk_faces_idx",
            "dynamic_lmk_bary_coords",
        )
    }
    return {
        name: table.astype(np.int64) if name.endswith("idx") else table
        for name, table in tables.items()
    }


def _constants() -> Arrays:
    """Return the skeleton, and hands that are flat."""
    tree = np.array([PARENTS, range(JOINT_COUNT)], np.int64)
    arrays: Arrays = {"kintree_table": (tree % 2**32).astype(np.uint32)}
    for side in "lr":
        arrays[f"hands_mean{side}"] = np.zeros(45)
        arrays[f"hands_components{side}"] = np.eye(45)
        arrays[f"hands_coeffs{side}"] = np.zeros((10, 45))
    return arrays
