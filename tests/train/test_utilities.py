from pathlib import Path

import numpy as np
import pytest
import yaml

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import ModelFileError
from pixie_train.key_points import EXTRA_POINT_NAMES, REGRESSED_JOINTS
from pixie_train.utilities import (
    EXTRA_POINTS_FILE,
    REGRESSOR_FILE,
    read_utilities,
)
from tests.train.test_array_pickle import write_pickle

Entries = dict[str, dict[str, object]]


def entries() -> Entries:
    return {
        name: {"face": 10 * i, "bc": [0.25, 0.5, 0.25]}
        for i, name in enumerate(EXTRA_POINT_NAMES)
    }


def write_yaml(folder: Path, content: object) -> Path:
    (folder / EXTRA_POINTS_FILE).write_text(yaml.safe_dump(content, sort_keys=False))
    return folder


def regressor(model: BodyModel, rows: int = 14) -> np.ndarray:
    array = np.zeros((rows, model.vertex_count))
    array[:, :rows] = np.eye(rows)
    return array


def test_both_files_are_read_and_nothing_is_lost(
    model: BodyModel, tmp_path: Path
) -> None:
    write_yaml(tmp_path, entries())
    write_pickle(tmp_path / REGRESSOR_FILE, regressor(model))

    tables, notes = read_utilities(tmp_path, model)

    assert notes == ()
    np.testing.assert_array_equal(tables.extra.corners[3], model.faces[30])
    np.testing.assert_array_equal(tables.extra.weights[3], [0.25, 0.5, 0.25])
    np.testing.assert_array_equal(tables.regressor, regressor(model))
    assert tuple(tables.regressed_joints) == REGRESSED_JOINTS
    assert tables.static.corners.shape == (51, 3)
    assert tables.contour.corners.shape == (79, 17, 3)


@pytest.mark.parametrize("given", [False, True], ids=["no folder", "empty folder"])
def test_without_the_files_each_loss_is_said(
    model: BodyModel, tmp_path: Path, given: bool
) -> None:
    tables, (points, joints) = read_utilities(tmp_path if given else None, model)

    assert points.startswith(f"without {EXTRA_POINTS_FILE} ")
    assert joints.startswith(f"without {REGRESSOR_FILE} ")
    assert tables.extra.corners.shape == (22, 3)
    assert tables.regressor.shape == (0, model.vertex_count)
    assert len(tables.regressed_joints) == 0


def test_a_folder_that_is_not_there_is_refused(
    model: BodyModel, tmp_path: Path
) -> None:
    with pytest.raises(ModelFileError, match=r"nowhere is not a folder; expected"):
        read_utilities(tmp_path / "nowhere", model)


def test_numbers_that_yaml_takes_for_text_are_read(
    model: BodyModel, tmp_path: Path
) -> None:
    content = entries() | {"nose": {"face": 3, "bc": ["1e-05", "0.99999", 0]}}

    tables, _ = read_utilities(write_yaml(tmp_path, content), model)

    nose = EXTRA_POINT_NAMES.index("nose")
    np.testing.assert_allclose(tables.extra.weights[nose], [1e-5, 0.99999, 0])


def test_points_in_another_order_keep_the_files_order_and_are_told(
    model: BodyModel, tmp_path: Path
) -> None:
    turned = dict(reversed(entries().items()))

    tables, notes = read_utilities(write_yaml(tmp_path, turned), model)

    np.testing.assert_array_equal(tables.extra.corners[0], model.faces[210])
    assert "does not name its points as expected (right_thumb, " in notes[0]


def without(name: str) -> Entries:
    return {n: entry for n, entry in entries().items() if n != name}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (without("nose"), r"has 21 named points; expected the 22"),
        (["nose"], r"has no named points; expected the 22"),
        (entries() | {"nose": {"face": 1}}, r'"nose" of .* three weights "bc"'),
        (entries() | {"nose": {"face": "x", "bc": [1, 0, 0]}}, r'"nose" of .*"face"'),
        (entries() | {"nose": {"face": 1, "bc": [0.5, 0.5]}}, r"expected three"),
        (entries() | {"nose": {"face": 1, "bc": [1, 1, 1]}}, r"add up to 1"),
        (entries() | {"nose": {"face": 1, "bc": [".nan", 0, 1]}}, r'"bc"'),
        (entries() | {"nose": {"face": 1, "bc": ["nan", 0, 1]}}, r"add up to 1"),
        (entries() | {"nose": {"face": -1, "bc": [1, 0, 0]}}, r"lies on triangle -1"),
        (
            entries() | {"nose": {"face": 30_000, "bc": [1, 0, 0]}},
            r"lies on triangle 30000, but the body model pixie-body has 27612",
        ),
    ],
)
def test_points_that_make_no_sense_are_refused(
    model: BodyModel, tmp_path: Path, content: object, message: str
) -> None:
    write_yaml(tmp_path, content)
    with pytest.raises(ModelFileError, match=message):
        read_utilities(tmp_path, model)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nose: [1,", "is not YAML"),
        ("\x00\x01", "is not YAML"),
        ("!!python/object/apply:os.system ['true']", "is not YAML"),
        ("#" * 100_000, "is larger than"),
        ("[" * 30_000, "is not YAML"),
        ("", "has no named points"),
    ],
)
def test_files_that_are_no_such_yaml_are_refused(
    model: BodyModel, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / EXTRA_POINTS_FILE).write_text(text)
    with pytest.raises(ModelFileError, match=message):
        read_utilities(tmp_path, model)


def test_a_regressor_of_another_body_is_refused(
    model: BodyModel, tmp_path: Path
) -> None:
    write_pickle(tmp_path / REGRESSOR_FILE, np.zeros((14, 10_475), np.float32))
    with pytest.raises(
        ModelFileError,
        match=r"shape \(14, 10475\), but .* with 13854 vertices .* of one download",
    ):
        read_utilities(tmp_path, model)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a[:13], r"shape \(13, 13854\)"),
        (lambda a: a.astype(np.int32), r"holds int32"),
        (lambda a: a.T.copy(), r"shape \(13854, 14\)"),
        (lambda a: a / np.where(a == 1, 0.0, 1.0), r"not finite"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_regressor_that_makes_no_sense_is_refused(
    model: BodyModel, tmp_path: Path, change: object, message: str
) -> None:
    assert callable(change)
    write_pickle(tmp_path / REGRESSOR_FILE, change(regressor(model)))
    with pytest.raises(ModelFileError, match=message):
        read_utilities(tmp_path, model)
