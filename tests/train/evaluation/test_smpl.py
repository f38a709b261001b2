"""SMPL's joints out of a user's files, against the smplx package's own skinning."""

import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse import csc_matrix
from smplx.lbs import lbs

from pixie_runtime.errors import ModelFileError
from pixie_train.evaluation.benchmarks.threedpw import read_3dpw
from pixie_train.evaluation.smpl import SmplPoints, smpl_of
from tests.train.evaluation import miniatures

PARENTS = (
    -1,
    0,
    0,
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    9,
    9,
    12,
    13,
    14,
    16,
    17,
    18,
    19,
    20,
    21,
)
RANDOM = np.random.default_rng(0)
VERTICES = 40


def body() -> dict[str, Any]:
    weights = RANDOM.random((VERTICES, 24)) ** 8
    J = RANDOM.random((24, VERTICES)) ** 8
    return {
        "v_template": RANDOM.normal(size=(VERTICES, 3)),
        "shapedirs": RANDOM.normal(0, 0.05, (VERTICES, 3, 10)),
        "posedirs": RANDOM.normal(0, 0.01, (VERTICES, 3, 207)),
        "J_regressor": J / J.sum(1, keepdims=True),
        "weights": weights / weights.sum(1, keepdims=True),
        "kintree_table": np.array([PARENTS, range(24)], np.int64),
    }


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """Return a folder with a body as arrays and one as SMPL's own files hold it."""
    regressor = RANDOM.random((14, VERTICES)) * (RANDOM.random((14, VERTICES)) > 0.7)
    (tmp_path / "SMPL_to_J14.pkl").write_bytes(pickle.dumps(regressor, 2))
    np.savez(tmp_path / "SMPL_FEMALE.npz", **body())
    return tmp_path


def expected(arrays: dict[str, Any], pose: Any, betas: Any) -> Any:
    tensors = {n: torch.from_numpy(a) for n, a in arrays.items()}
    vertices, _ = lbs(
        torch.from_numpy(betas)[None],
        torch.from_numpy(pose).reshape(1, 72),
        tensors["v_template"][None],
        tensors["shapedirs"],
        tensors["posedirs"].reshape(-1, 207).T,
        tensors["J_regressor"],
        torch.tensor(PARENTS),
        tensors["weights"],
    )
    return vertices[0].numpy()


def test_points_are_where_the_smplx_package_puts_the_surface(assets: Path) -> None:
    with np.load(assets / "SMPL_FEMALE.npz") as archive:
        arrays = dict(archive)
    regressor = RANDOM.random((14, VERTICES)) * (RANDOM.random((14, VERTICES)) > 0.7)
    pose, betas = RANDOM.normal(0, 0.5, (24, 3)), RANDOM.normal(size=10)
    points = SmplPoints.read(assets / "SMPL_FEMALE.npz", regressor)
    found = points.posed(pose, betas, np.array([1.0, 2, 3]))
    wanted = regressor @ (expected(arrays, pose, betas) + np.array([1, 2, 3]))
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_a_models_own_pickle_is_read_without_running_it(assets: Path) -> None:
    arrays = body()
    module = ModuleType("chumpy.ch")
    chumpy = type("Ch", (), {"__module__": "chumpy.ch"})
    module.Ch = chumpy  # type: ignore[attr-defined]
    held = chumpy()
    held.x = arrays["shapedirs"]
    content = arrays | {
        "J_regressor": csc_matrix(arrays["J_regressor"]),
        "shapedirs": held,
        "bs_style": "lbs",
    }
    sys.modules |= {"chumpy": ModuleType("chumpy"), "chumpy.ch": module}
    try:
        (assets / "SMPL_MALE.pkl").write_bytes(pickle.dumps(content, protocol=2))
    finally:
        del sys.modules["chumpy"], sys.modules["chumpy.ch"]
    bodies = smpl_of(assets)
    assert bodies is not None
    np.savez(assets / "SMPL_MALE.npz", **arrays)
    again = smpl_of(assets)
    assert again is not None
    pose, betas = RANDOM.normal(0, 0.5, (24, 3)), RANDOM.normal(size=10)
    for of in (bodies, again):
        found = of["m"].posed(pose, betas, np.zeros(3))
        np.testing.assert_allclose(found, again["m"].posed(pose, betas, np.zeros(3)))


def test_3dpw_s_truth_is_regressed_where_the_files_are_there(
    assets: Path, tmp_path: Path
) -> None:
    np.savez(assets / "SMPL_MALE.npz", **body())
    poses = np.tile(np.eye(4), (2, 1, 1))
    poses[:, 2, 3] = 5
    folder = tmp_path / "3dpw"
    miniatures.make_3dpw(folder, RANDOM.normal(size=(2, 24, 3)), poses, valid=[0, 1])
    smpl = smpl_of(assets)
    assert smpl is not None
    benchmark = read_3dpw(folder, count=1, smpl=smpl)
    truth = benchmark[0].truth.joints14
    rest = smpl["m"].posed(np.zeros((24, 3)), np.zeros(10), np.array([0.0, 1, 0]))
    assert truth is not None
    np.testing.assert_allclose(truth, rest + np.array([0, 0, 5]))
    assert benchmark.notes == ()


def test_half_of_the_files_and_other_bodies_are_refused(assets: Path) -> None:
    assert smpl_of(None) is None
    with pytest.raises(ModelFileError, match=r"neither SMPL_MALE\.npz"):
        smpl_of(assets)
    np.savez(assets / "SMPL_MALE.npz", **(body() | {"weights": np.zeros((3, 24))}))
    with pytest.raises(ModelFileError, match=r'"weights" is \(3, 24\)'):
        smpl_of(assets)
    (assets / "SMPL_MALE.npz").unlink()
    (assets / "SMPL_MALE.pkl").write_bytes(pickle.dumps({"v_template": 1}))
    with pytest.raises(ModelFileError, match="not a model of SMPL"):
        smpl_of(assets)
