"""GLB read by a reader of our own; `tests/receivers` has others read it."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixie_runtime.body import BodyModel, embedded_body_model, load_body_model
from pixie_runtime.errors import ModelFileError, SinkError
from pixie_runtime.smplx import JOINT_NAMES
from pixie_runtime.takes.glb import write_glb
from pixie_runtime.takes.take import Take
from pixie_runtime.types import Float64
from tests.runtime.body.files import in_smplx_layout, save
from tests.runtime.takes.bodies import body_of_one_shape, sources
from tests.runtime.takes.gltf_reader import Gltf

NODE = shutil.which("node")
PACKAGES = Path(__file__).parents[2] / "receivers" / "node"
MODEL = embedded_body_model()
ROWS = range(0, 100, 23)


def written(take: Take, folder: Path, **options: Any) -> Gltf:
    write_glb(take, folder / "take.glb", **options)
    return Gltf.read(folder / "take.glb")


def errors_m(gltf: Gltf, take: Take, model: BodyModel = MODEL) -> Float64:
    """Return how far every vertex of the file is from our body's, (rows, V)."""
    source = sources(gltf.attribute("POSITION"), take, model)
    ours = (body_of_one_shape(take, row, model).vertices()[source] for row in ROWS)
    return np.stack(
        [
            np.linalg.norm(gltf.vertices(row) - vertices, axis=1)
            for row, vertices in zip(ROWS, ours, strict=True)
        ]
    )


def test_joints_are_ours_to_a_hundredth_of_a_millimetre(
    demo_take: Take, tmp_path: Path
) -> None:
    gltf = written(demo_take, tmp_path)
    names = [node["name"] for node in gltf.document["nodes"]]
    assert names == [*JOINT_NAMES, "camera", "body"]
    for row in ROWS:
        joints = body_of_one_shape(demo_take, row, MODEL).joints
        found = gltf.joint_transforms(row)[:, :3, 3]
        np.testing.assert_allclose(found, joints, atol=1e-5)


def test_bones_alone_are_the_takes_own(demo_take: Take, tmp_path: Path) -> None:
    gltf = written(demo_take, tmp_path, mesh=False)
    assert "meshes" not in gltf.document
    for row in ROWS:
        joints = body_of_one_shape(demo_take, row, MODEL).joints
        found = gltf.joint_transforms(row)[:, :3, 3]
        np.testing.assert_allclose(found, joints, atol=1e-3)


def test_frames_are_where_the_takes_frame_rate_has_them(
    demo_take: Take, tmp_path: Path
) -> None:
    gltf = written(demo_take, tmp_path, mesh=False)
    np.testing.assert_allclose(gltf.times, np.arange(len(demo_take)) / 60, atol=1e-6)


def test_mesh_is_our_body_but_for_what_the_format_cannot_say(
    expressive_take: Take, tmp_path: Path
) -> None:
    plain = errors_m(written(expressive_take, tmp_path, correctives=0), expressive_take)
    usual = errors_m(written(expressive_take, tmp_path), expressive_take)
    best = errors_m(
        written(expressive_take, tmp_path, influences=8, correctives=40),
        expressive_take,
    )
    assert usual.mean() < 2e-4
    assert usual.max() < 5e-3
    assert usual.mean() < plain.mean() / 5
    assert best.max() < 1e-3


def test_seams_of_the_texture_are_the_only_vertices_that_are_there_twice(
    demo_take: Take, tmp_path: Path
) -> None:
    gltf = written(demo_take, tmp_path, correctives=0)
    assert MODEL.vt is not None
    positions = gltf.attribute("POSITION")
    assert len(positions) == len(MODEL.vt)
    assert len(np.unique(positions, axis=0)) == MODEL.vertex_count
    triangles = gltf.accessor(gltf.primitive["indices"]).reshape(-1, 3)
    rest = MODEL.shaped(demo_take.betas, np.zeros(0, np.float32)).vertices()
    np.testing.assert_array_equal(positions[triangles], rest[MODEL.faces])
    assert MODEL.ft is not None
    ours = MODEL.vt[MODEL.ft] * [1, -1] + [0, 1]
    found = gltf.attribute("TEXCOORD_0")[triangles]
    np.testing.assert_allclose(found, ours, atol=1e-6)


def test_camera_of_the_file_sees_what_the_takes_camera_saw(
    demo_take: Take, tmp_path: Path
) -> None:
    gltf = written(demo_take, tmp_path, mesh=False)
    assert "translation" not in gltf.document["nodes"][len(JOINT_NAMES)]
    lens = gltf.document["cameras"][0]["perspective"]
    width, height = demo_take.camera.size_px
    for row in ROWS:
        joints = gltf.joint_transforms(row)[:, :3, 3]
        up, aspect = np.tan(lens["yfov"] / 2), lens["aspectRatio"]
        x = joints[:, 0] / -joints[:, 2] / (up * aspect) * width / 2 + width / 2
        y = height / 2 - joints[:, 1] / -joints[:, 2] / up * height / 2
        seen = demo_take.camera.project(demo_take.joints[row])
        # A few pixels are what the shape changed from frame to frame.
        np.testing.assert_allclose(np.stack([x, y], axis=1), seen, atol=12)


def test_users_own_model_is_written_like_the_embedded_one(
    expressive_take: Take, tmp_path: Path
) -> None:
    model = load_body_model(save(tmp_path / "own.npz", in_smplx_layout(MODEL)))
    gltf = written(expressive_take, tmp_path, model=model)
    assert errors_m(gltf, expressive_take, model).max() < 5e-3
    assert "TEXCOORD_0" not in gltf.primitive["attributes"]
    names = gltf.document["meshes"][0]["extras"]["targetNames"]
    assert {"expression_00_plus", "expression_00_minus"} <= set(names)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"betas": np.zeros(51, np.float32)}, "51 shape coefficients, the model 50"),
        (
            {"expression": np.zeros((100, 60), np.float32)},
            "60 expression coefficients, the model 43",
        ),
        ({"betas": np.full(16, 3, np.float32)}, r"a bone differs by \d+ mm"),
    ],
)
def test_take_of_another_body_model_is_refused(
    changes: dict[str, Any], sentence: str, demo_take: Take, tmp_path: Path
) -> None:
    with pytest.raises(ModelFileError, match=rf"another body model than .*{sentence}"):
        write_glb(replace(demo_take, **changes), tmp_path / "take.glb")
    assert not list(tmp_path.iterdir())


def test_file_that_cannot_be_written_is_one_sentence(
    demo_take: Take, tmp_path: Path
) -> None:
    with pytest.raises(SinkError, match="cannot write"):
        write_glb(demo_take, tmp_path / "no folder" / "take.glb", mesh=False)


def test_single_frame_is_a_take_too(demo_take: Take, tmp_path: Path) -> None:
    columns = ("betas_per_frame", "expression", "poses", "trans", "joints")
    more = ("confidences", "timestamps_s", "frames")
    one = replace(demo_take, **{n: getattr(demo_take, n)[:1] for n in columns + more})
    gltf = written(one, tmp_path)
    assert gltf.times.tolist() == [0]
    ours = body_of_one_shape(one, 0, MODEL).joints
    # The bones are those of the take's shape, which is the median of more frames.
    np.testing.assert_allclose(gltf.joint_transforms(0)[:, :3, 3], ours, atol=1e-5)


@pytest.mark.skipif(
    NODE is None or not (PACKAGES / "node_modules" / "gltf-validator").is_dir(),
    reason="no node with its packages here; scripts/receivers installs them",
)
def test_khronos_validator_has_nothing_to_say_against_the_files(
    expressive_take: Take, tmp_path: Path
) -> None:
    files = [tmp_path / f"{name}.glb" for name in ("usual", "exact", "bones")]
    write_glb(expressive_take, files[0])
    write_glb(expressive_take, files[1], influences=8, correctives=0)
    write_glb(expressive_take, files[2], mesh=False)
    command = [str(NODE), str(PACKAGES / "gltf_validator.js"), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert [report["info"]["animationCount"] for report in reports] == [1, 1, 1]
    assert [report["info"].get("maxInfluences") for report in reports[:2]] == [4, 8]
    for report in reports:
        issues = report["issues"]
        assert (issues["numErrors"], issues["numWarnings"]) == (0, 0)
        # Texture coordinates for textures to come; a skeleton without its mesh.
        assert {message["code"] for message in issues["messages"]} <= {"UNUSED_OBJECT"}
