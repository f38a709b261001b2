"""`pixie-take convert` makes files for other programs out of a recording."""

from pathlib import Path

import numpy as np
import pytest
from pxr import Usd

from pixie_runtime.body import embedded_body_model
from pixie_runtime.smplx import JOINT_NAMES
from pixie_runtime.takes import Take
from pixie_runtime.takes.bvh import write_bvh
from pixie_runtime.takes.cli import main
from pixie_runtime.takes.csv import write_csv
from pixie_runtime.types import Float64
from tests.runtime.takes.bodies import body_of_one_shape
from tests.runtime.takes.gltf_reader import Gltf


def convert(*words: object) -> int:
    return main(["convert", *map(str, words)])


def numbers(path: Path) -> Float64:
    return np.genfromtxt(path, delimiter="," if path.suffix == ".csv" else None)


def test_bvh_and_csv_are_what_the_functions_write(
    demo_recording: Path, demo_take: Take, tmp_path: Path
) -> None:
    assert convert(demo_recording, "--out", tmp_path / "a.csv") == 0
    write_csv(demo_take, tmp_path / "b.csv")
    one, other = (numbers(tmp_path / name) for name in ("a.csv", "b.csv"))
    np.testing.assert_allclose(one[1:], other[1:], atol=1e-5)

    assert convert(demo_recording, "--out", tmp_path / "a.bvh") == 0
    write_bvh(demo_take, tmp_path / "b.bvh")
    one_text, other_text = ((tmp_path / f"{name}.bvh").read_text() for name in "ab")
    head, _, frames = one_text.partition("MOTION")
    assert head == other_text.partition("MOTION")[0]
    assert frames.splitlines()[1:3] == ["Frames: 100", "Frame Time: 0.01666667"]


@pytest.mark.parametrize("fps", [30, 60])
def test_glb_has_the_body_at_the_frame_rate_asked_for(
    fps: int, demo_recording: Path, demo_take: Take, tmp_path: Path
) -> None:
    out = tmp_path / "a.glb"
    assert convert(demo_recording, "--out", out, "--fps", fps) == 0
    gltf = Gltf.read(out)
    np.testing.assert_allclose(np.diff(gltf.times), 1 / fps, atol=1e-6)
    ours = body_of_one_shape(demo_take, 60, embedded_body_model()).joints
    found = gltf.joint_transforms(60 * fps // 60)[:, :3, 3]
    # The shape is the median of as many frames as the rate has.
    np.testing.assert_allclose(found, ours, atol=1e-3)


def test_usd_is_written_in_the_form_that_its_name_asks_for(
    demo_recording: Path, tmp_path: Path
) -> None:
    for name, start in (("a.usd", b"PXR-USDC"), ("a.usda", b"#usda 1.0")):
        assert convert(demo_recording, "--out", tmp_path / name) == 0
        assert (tmp_path / name).read_bytes().startswith(start)
        stage = Usd.Stage.Open(str(tmp_path / name))
        assert stage.GetPrimAtPath("/take/body/mesh").IsValid()


def test_bones_alone_need_no_body_model(
    demo_recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.glb"
    nowhere = tmp_path / "none.npz"
    assert convert(demo_recording, "--out", out, "--body-model", nowhere) == 4
    assert convert(demo_recording, "--out", out, "--no-mesh") == 0
    document = Gltf.read(out).document
    assert "meshes" not in document
    assert len(document["skins"][0]["joints"]) == len(JOINT_NAMES)
    capsys.readouterr()
    assert convert(demo_recording, "--to", "bvh", "--no-mesh") == 2
    assert "--no-mesh: a bvh has no mesh anyway" in capsys.readouterr().err
