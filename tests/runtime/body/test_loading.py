import contextlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixie_runtime.body import embedded_body_model, load_body_model
from pixie_runtime.errors import ModelFileError
from tests.runtime.body.files import (
    LICENSED_VERTICES,
    Arrays,
    licensed_stand_in,
    save,
)


@pytest.fixture(scope="module")
def licensed() -> Arrays:
    return licensed_stand_in()


@pytest.fixture(scope="module")
def small() -> Arrays:
    """Return a file of SMPL-X's layout with few vertices: counts are the file's own."""
    return cut_to(licensed_stand_in(columns=20), 300, 200)


def cut_to(arrays: Arrays, vertices: int, faces: int) -> Arrays:
    rng = np.random.default_rng(0)
    kept = {**arrays}
    for key in ("v_template", "shapedirs", "posedirs", "weights"):
        kept[key] = arrays[key][:vertices]
    regressor = rng.random((55, vertices))
    kept["J_regressor"] = regressor / regressor.sum(axis=1, keepdims=True)
    kept["f"] = rng.integers(0, vertices, (faces, 3)).astype(np.uint32)
    kept["ft"] = arrays["ft"][:faces]
    for key in ("lmk_faces_idx", "dynamic_lmk_faces_idx"):
        kept[key] = rng.integers(0, faces, arrays[key].shape)
    return kept


def test_the_embedded_body_has_what_the_estimator_was_trained_on() -> None:
    model = embedded_body_model()

    assert model.n_betas >= 50
    assert model.n_expression >= 43
    assert model.arkit_names is not None
    assert model.arkit_to_expression is not None
    sizes = (len(model.arkit_names), model.n_expression)
    assert model.arkit_to_expression.shape == sizes
    assert model.mediapipe468_faces_idx is not None
    assert model.betas_mean_female is not None
    assert model.part.shape == (model.vertex_count,)
    assert len(model.sha256) == 64
    assert embedded_body_model() is model


def test_the_licensed_layout_is_read_past_its_pickled_keys(
    licensed: Arrays, tmp_path: Path
) -> None:
    model = load_body_model(save(tmp_path / "SMPLX_NEUTRAL.npz", licensed))

    assert model.name == "SMPLX_NEUTRAL"
    assert (model.vertex_count, model.n_betas) == (LICENSED_VERTICES, 300)
    assert model.n_expression == 100
    np.testing.assert_allclose(model.posedirs, licensed["posedirs"], atol=1e-8)
    np.testing.assert_allclose(model.weights, licensed["weights"], atol=1e-6)
    shape, expression = np.split(licensed["shapedirs"], [300], axis=2)
    np.testing.assert_allclose(model.shapedirs, shape, atol=1e-8)
    np.testing.assert_allclose(model.expressiondirs, expression, atol=1e-8)
    assert model.arkit_names is None
    assert model.mediapipe468_faces_idx is None


def test_the_short_layout_has_ten_and_ten(small: Arrays, tmp_path: Path) -> None:
    model = load_body_model(save(tmp_path / "SMPLX_MALE.npz", small))

    assert (model.vertex_count, model.n_betas, model.n_expression) == (300, 10, 10)


def test_mean_hands_are_read_where_a_file_has_them(
    small: Arrays, tmp_path: Path
) -> None:
    left, right = np.arange(90.0).reshape(2, 45)
    hands = {"hands_meanl": left, "hands_meanr": right}
    mean = load_body_model(save(tmp_path / "with.npz", small | hands)).hands_mean
    np.testing.assert_array_equal(mean, np.arange(90).reshape(30, 3))
    without = {name: a for name, a in small.items() if name not in hands}
    assert load_body_model(save(tmp_path / "without.npz", without)).hands_mean is None


def test_arrays_of_a_model_cannot_be_written(small: Arrays, tmp_path: Path) -> None:
    model = load_body_model(save(tmp_path / "m.npz", small))

    for array in (model.v_template, model.faces, model.weights, model.shapedirs):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


class Trap:
    """Unpickling it would leave a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("key", ["joint2num", "v_template"])
def test_nothing_is_ever_unpickled(small: Arrays, tmp_path: Path, key: str) -> None:
    sprung = tmp_path / "sprung"
    trap = np.array([Trap(sprung)], dtype=object)
    path = save(tmp_path / "m.npz", {**small, key: trap})

    if key == "joint2num":
        load_body_model(path)
    else:
        with pytest.raises(ModelFileError, match=f'"{key}" .* is pickled'):
            load_body_model(path)
    assert not sprung.exists()


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("v_template", None, "is missing"),
        ("kintree_table", None, "is missing"),
        ("v_template", np.zeros((300, 2)), r"has shape \(300, 2\) instead of"),
        ("posedirs", np.zeros((300, 3, 207)), r"instead of \(300, 3, 486\)"),
        ("weights", np.zeros((299, 55)), r"instead of \(300, 55\)"),
        ("shapedirs", np.zeros((300, 3, 30)), "has 30 columns; expected 400"),
        ("weights", np.ones((300, 55)), "do not add up to 1"),
        ("f", np.full((200, 3), 300), "points to number 300; expected 0 to 299"),
        ("f", np.full((200, 3), -1), "expected 0 to 299"),
        ("f", np.zeros((200, 3)), "has the unexpected type float64"),
        ("f", np.zeros((0, 3), int), "is empty"),
        ("v_template", np.full((300, 3), np.nan), "not finite"),
        ("lmk_faces_idx", np.full(51, 200), "points to number 200"),
        ("lmk_bary_coords", None, "is missing"),
        ("kintree_table", np.zeros((2, 52), int), r"instead of \(2, 55\)"),
        ("kintree_table", np.zeros((2, 55), int), "is not the skeleton of SMPL-X"),
        ("format", np.array("pixie-body-9"), 'has format "pixie-body-9"'),
    ],
)
def test_a_wrong_array_is_named_in_one_sentence(
    small: Arrays, tmp_path: Path, key: str, value: Any, says: str
) -> None:
    arrays = {**small, key: value}
    if value is None:
        del arrays[key]

    with pytest.raises(ModelFileError, match=says) as caught:
        load_body_model(save(tmp_path / "m.npz", arrays))
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "m.npz") in str(caught.value)


def test_a_size_that_the_file_cannot_hold_is_refused_before_it_is_allocated(
    small: Arrays, tmp_path: Path
) -> None:
    path = save(tmp_path / "m.npz", small)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 3)}
    )
    with (
        zipfile.ZipFile(path) as whole,
        zipfile.ZipFile(tmp_path / "b.npz", "w") as bad,
    ):
        for name in whole.namelist():
            bad.writestr(
                name,
                header.getvalue() if name == "v_template.npy" else whole.read(name),
            )

    with pytest.raises(ModelFileError, match="claims 24000000000000 bytes"):
        load_body_model(tmp_path / "b.npz")


def test_a_body_of_too_many_vertices_is_refused_before_its_fields_are_read(
    tmp_path: Path,
) -> None:
    path = save(tmp_path / "m.npz", {"v_template": np.zeros((200_001, 3), np.float32)})
    with pytest.raises(ModelFileError, match="200001 vertices; expected at most 20000"):
        load_body_model(path)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("SMPLX_NEUTRAL.pkl", b"\x80\x02}q\x00.", "is a pickle, which is never read"),
        ("renamed.npz", b"\x80\x04\x95", "is a pickle, which is never read"),
        ("text.npz", b"hello", "is no .npz archive or is cut short"),
        ("empty.npz", b"", "is no .npz archive or is cut short"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(ModelFileError, match=says):
        load_body_model(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"cannot open .*No such file"):
        load_body_model(tmp_path / "none.npz")
    with pytest.raises(ModelFileError, match=r"cannot open .*directory"):
        load_body_model(tmp_path)


def test_damage_anywhere_is_refused_or_harmless(small: Arrays, tmp_path: Path) -> None:
    light = {k: v for k, v in small.items() if k not in ("vt", "ft")}
    whole = bytearray(save(tmp_path / "m.npz", light).read_bytes())
    path = tmp_path / "damaged.npz"
    rng = np.random.default_rng(0)
    directory = whole.rfind(b"PK\x01\x02")

    for trial in range(60):
        damaged = whole.copy()
        start = directory - 3000 if trial % 2 else 0
        for place in rng.integers(start, len(whole), 3):
            damaged[place] ^= int(rng.integers(1, 256))
        path.write_bytes(
            damaged[: rng.integers(100, len(whole))] if trial % 5 == 0 else damaged
        )
        with contextlib.suppress(ModelFileError):  # and no other exception
            load_body_model(path)
