import csv
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from pixie_runtime.smplx import JOINT_NAMES
from pixie_runtime.takes.csv import write_csv
from pixie_runtime.takes.take import Take
from pixie_runtime.types import PARTS, Float64


def read(path: Path) -> dict[str, Float64]:
    with path.open(newline="", encoding="ascii") as file:
        names, *rows = csv.reader(file)
    assert len(set(names)) == len(names)
    table = np.array(rows, np.float64)
    return {name: table[:, column] for column, name in enumerate(names)}


def stacked(read: dict[str, Float64], *names: str) -> Float64:
    return np.stack([read[name] for name in names], axis=-1)


def test_every_column_holds_what_its_name_says(demo_take: Take, tmp_path: Path) -> None:
    write_csv(demo_take, tmp_path / "take.csv")
    found = read(tmp_path / "take.csv")
    np.testing.assert_array_equal(found["frame"], demo_take.frames)
    np.testing.assert_allclose(found["time_s"], demo_take.timestamps_s, atol=1e-6)
    for column, part in enumerate(PARTS):
        confidences = demo_take.confidences[:, column]
        np.testing.assert_allclose(found[f"confidence_{part}"], confidences, atol=1e-6)
    transl = stacked(found, "transl_x", "transl_y", "transl_z")
    np.testing.assert_allclose(transl, demo_take.trans, atol=1e-6)
    for index, joint in enumerate(JOINT_NAMES):
        place = stacked(found, *(f"{joint}_{axis}" for axis in "xyz"))
        ours = demo_take.world_joints()[:, index]
        np.testing.assert_allclose(place, ours, atol=1e-6)
        wxyz = stacked(found, *(f"{joint}_q{axis}" for axis in "wxyz"))
        recorded = Rotation.from_rotvec(demo_take.poses[:, 3 * index : 3 * index + 3])
        turned = Rotation.from_quat(wxyz, scalar_first=True).inv() * recorded
        assert turned.magnitude().max() < 1e-5
    for name, values in (
        ("beta", demo_take.betas_per_frame),
        ("expression", demo_take.expression),
    ):
        columns = stacked(found, *(f"{name}_{i}" for i in range(values.shape[1])))
        np.testing.assert_allclose(columns, values, atol=1e-6)
    assert len(found) == 2 + 4 + 3 + 55 * 7 + 16 + 43


def test_lines_are_one_per_frame_and_a_header(demo_take: Take, tmp_path: Path) -> None:
    write_csv(demo_take, tmp_path / "take.csv")
    assert (tmp_path / "take.csv").read_bytes().count(b"\r\n") == len(demo_take) + 1
