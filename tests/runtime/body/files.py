"""Body model files for the tests: SMPL-X's layout with honest or random contents."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JOINT_COUNT, PARENTS

Arrays = dict[str, npt.NDArray[Any]]

LICENSED_VERTICES = 10_475
LICENSED_FACES = 20_908


def kintree() -> npt.NDArray[np.uint32]:
    table = np.array([PARENTS, range(JOINT_COUNT)], np.int64)
    return (table % 2**32).astype(np.uint32)


def in_smplx_layout(model: BodyModel) -> Arrays:
    """Return the arrays that the smplx package reads, 300 + 100 coefficients wide."""
    shapedirs = np.zeros((model.vertex_count, 3, 400), np.float32)
    shapedirs[:, :, : model.n_betas] = model.shapedirs
    shapedirs[:, :, 300 : 300 + model.n_expression] = model.expressiondirs
    assert model.lmk_faces_idx is not None
    assert model.lmk_bary_coords is not None
    assert model.dynamic_lmk_faces_idx is not None
    assert model.dynamic_lmk_bary_coords is not None
    return {
        "v_template": model.v_template,
        "f": model.faces.astype(np.uint32),
        "shapedirs": shapedirs,
        "posedirs": model.posedirs,
        "weights": model.weights,
        "J_regressor": model.J_regressor,
        "kintree_table": kintree(),
        "lmk_faces_idx": model.lmk_faces_idx.astype(np.int64),
        "lmk_bary_coords": model.lmk_bary_coords,
        "dynamic_lmk_faces_idx": model.dynamic_lmk_faces_idx.astype(np.int64),
        "dynamic_lmk_bary_coords": model.dynamic_lmk_bary_coords,
        **_hands(),
    }


def licensed_stand_in(seed: int = 0, columns: int = 400) -> Arrays:
    """Return random arrays of exactly the licensed file's keys, shapes and types."""
    rng = np.random.default_rng(seed)
    v, f = LICENSED_VERTICES, LICENSED_FACES
    weights = np.zeros((v, JOINT_COUNT))
    for _ in range(4):
        weights[np.arange(v), rng.integers(0, JOINT_COUNT, v)] += rng.random(v)
    regressor = np.zeros((JOINT_COUNT, v))
    for row in regressor:
        row[rng.integers(0, v, 20)] = rng.random(20)
    posedirs = rng.normal(0, 0.002, (v, 3, 486))
    posedirs[: v // 2, :, 200:] = 0  # fingers leave half of the body alone
    return {
        "v_template": rng.uniform(-0.9, 0.9, (v, 3)),
        "f": rng.integers(0, v, (f, 3)).astype(np.uint32),
        "shapedirs": rng.normal(0, 0.005, (v, 3, columns)),
        "posedirs": posedirs,
        "weights": weights / weights.sum(axis=1, keepdims=True),
        "J_regressor": regressor / regressor.sum(axis=1, keepdims=True),
        "kintree_table": kintree(),
        "lmk_faces_idx": rng.integers(0, f, 51),
        "lmk_bary_coords": rng.dirichlet(np.ones(3), 51),
        "dynamic_lmk_faces_idx": rng.integers(0, f, (79, 17)),
        "dynamic_lmk_bary_coords": rng.dirichlet(np.ones(3), (79, 17)),
        "vt": rng.random((11_313, 2)),
        "ft": rng.integers(0, 11_313, (f, 3)).astype(np.uint32),
        "joint2num": np.array({"Pelvis": 0}, dtype=object),
        "part2num": np.array({"Global": 0}, dtype=object),
        **_hands(),
    }


def _hands() -> Arrays:
    hands: Arrays = {}
    for side in "lr":
        hands[f"hands_mean{side}"] = np.full(45, 0.1)
        hands[f"hands_components{side}"] = np.eye(45)
        hands[f"hands_coeffs{side}"] = np.zeros((10, 45))
    return hands


def save(path: Path, arrays: Arrays) -> Path:
    np.savez(path, allow_pickle=True, **arrays)
    return path
