import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime.errors import ModelFileError
from pixie_train.frame_pickle import read_frame
from tests.train.frame_files import write_frame

FRAMES = Path(__file__).parents[1] / "golden" / "frames"
PLAIN = {
    "imgPath": ["ag_1.png", "ag_2.png"],
    "X": [[1.5, 1.5], [1.5]],
    "camX": [0.25, 0.25],
    "camYaw": [10, 20],
    "isValid": [[True, False], [True]],
    "gender": [["female", "male"], ["female"]],
    "gt_path_smplx": [
        ["smplx_gt/trainset/0.obj", "smplx_gt/trainset/1.obj"],
        ["smplx_gt/trainset/0.obj"],
    ],
}


@pytest.mark.parametrize("path", sorted(FRAMES.glob("*.pkl")), ids=lambda p: p.stem)
def test_frames_of_several_pandas_are_read_cell_by_cell(path: Path) -> None:
    found = read_frame(path, [*PLAIN, "gt_joints_2d", "gt_joints_3d"])
    random = np.random.RandomState(0)
    for row, count in enumerate((2, 1)):
        for name, width, kind in (("2d", 2, np.float32), ("3d", 3, np.float64)):
            for array in found[f"gt_joints_{name}"][row]:
                assert array.dtype == kind
                expected = random.rand(3, width).astype(kind)
                np.testing.assert_array_equal(array, expected)
            assert len(found[f"gt_joints_{name}"][row]) == count
    assert {name: found[name] for name in PLAIN} == PLAIN


def test_the_frames_of_these_tests_are_laid_out_as_pandas_lays_them_out(
    tmp_path: Path,
) -> None:
    real = FRAMES / "pandas-1.1.5.pkl"
    names = ["imgPath", "X", "isValid", "gender", "gt_joints_2d"]
    columns = read_frame(real, names)
    made = write_frame(tmp_path / "made.pkl", columns)
    again = read_frame(made, names)
    assert again["X"] == columns["X"]
    assert set(pandas_names(made)) <= set(pandas_names(real))


def pandas_names(path: Path) -> list[str]:
    """Return what a pickle names of pandas."""

    class Named(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> object:
            found.extend([f"{module}.{name}"] * module.startswith("pandas"))
            return Anything

    class Anything:
        def __new__(cls, *_: object) -> "Anything":
            return super().__new__(cls)

        def __init__(self, *_: object) -> None:
            pass

        def __setstate__(self, state: object) -> None:
            pass

    found: list[str] = []
    with path.open("rb") as stream:
        Named(stream).load()
    return found


def test_a_frame_that_would_run_a_program_runs_nothing(tmp_path: Path) -> None:
    class Runs:
        def __reduce__(self) -> object:  # type: ignore[override]
            return os.system, (f"touch {tmp_path / 'mark'}",)

    path = write_frame(tmp_path / "bad.pkl", {"imgPath": ["a"], "X": [[Runs()]]})
    with pytest.raises(ModelFileError, match=r"wants to run (posix|nt)\.system"):
        read_frame(path, ["imgPath"])
    assert not (tmp_path / "mark").exists()


def test_what_is_no_frame_or_lacks_a_column_is_refused(tmp_path: Path) -> None:
    path = write_frame(tmp_path / "a.pkl", {"imgPath": ["a"]})
    with pytest.raises(ModelFileError, match="has no column X"):
        read_frame(path, ["imgPath", "X"])
    path.write_bytes(pickle.dumps({"imgPath": ["a"]}))
    with pytest.raises(ModelFileError, match="not a pickled pandas frame"):
        read_frame(path, ["imgPath"])
    with pytest.raises(ModelFileError, match="cannot open"):
        read_frame(tmp_path / "none.pkl", ["imgPath"])


def test_every_truncation_of_a_frame_is_refused(tmp_path: Path) -> None:
    whole = (FRAMES / "pandas-2.2.3.pkl").read_bytes()
    path = tmp_path / "cut.pkl"
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            read_frame(path, ["imgPath"])
