"""Blender imports what we wrote, as a user would, and poses it as we do."""

import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixie_runtime.body import embedded_body_model
from pixie_runtime.rendering.rasteriser import rasterise
from pixie_runtime.smplx import JOINT_NAMES
from pixie_runtime.takes.bvh import write_bvh
from pixie_runtime.takes.glb import write_glb
from pixie_runtime.takes.take import WORLD_FROM_CAMERA, Take
from pixie_runtime.takes.usd import write_usd
from pixie_runtime.types import Camera
from tests.receivers.blender import Arrays, Job, needs_blender, read_by_blender, run
from tests.runtime.takes.bodies import body_of_one_shape, sources

pytestmark = needs_blender

ROOT = Path(__file__).parents[3]
MODEL = embedded_body_model()
ROWS = range(0, 100, 11)
MILLIMETRE = 1e-3


@dataclass(frozen=True)
class Imported:
    """What Blender says of a take's files, and the files' folder."""

    bvh: Arrays
    glb: Arrays
    usd: Arrays
    bones: Arrays
    folder: Path


@pytest.fixture(scope="module")
def imported(
    expressive_take: Take, tmp_path_factory: pytest.TempPathFactory
) -> Imported:
    folder = tmp_path_factory.mktemp("blender")
    write_bvh(expressive_take, folder / "take.bvh")
    write_glb(expressive_take, folder / "take.glb")
    write_usd(expressive_take, folder / "take.usd")
    write_glb(expressive_take, folder / "bones.glb", mesh=False)
    files = ("take.bvh", "take.glb", "take.usd", "bones.glb")
    jobs = [Job(folder / file, ROWS) for file in files]
    bvh, glb, usd, bones = read_by_blender(folder, *jobs)
    return Imported(bvh, glb, usd, bones, folder)


@pytest.mark.parametrize("file", ["bvh", "glb", "usd", "bones"])
def test_joints_at_ten_frames_are_ours_to_a_millimetre(
    file: str, imported: Imported, expressive_take: Take
) -> None:
    found = getattr(imported, file)
    assert sorted(found["bones"]) == sorted(JOINT_NAMES)
    order = [found["bones"].tolist().index(name) for name in JOINT_NAMES]
    for heads, row in zip(found["heads"][:, order], ROWS, strict=True):
        ours = body_of_one_shape(expressive_take, row, MODEL).joints
        assert np.linalg.norm(heads - ours, axis=1).max() < MILLIMETRE


def test_blender_plays_the_bvh_at_its_frame_rate(imported: Imported) -> None:
    assert imported.bvh["fps"] == pytest.approx(60, abs=1e-4)


@pytest.mark.parametrize("file", ["glb", "usd"])
def test_mesh_that_blender_deforms_is_our_body(
    file: str, imported: Imported, expressive_take: Take
) -> None:
    found = getattr(imported, file)
    source = sources(found["rest"], expressive_take, MODEL)
    assert len(np.unique(source)) == MODEL.vertex_count
    for vertices, row in zip(found["vertices"], ROWS, strict=True):
        ours = body_of_one_shape(expressive_take, row, MODEL).vertices()[source]
        apart = np.linalg.norm(vertices - ours, axis=1)
        assert apart.mean() < 0.2 * MILLIMETRE
        assert apart.max() < 5 * MILLIMETRE


@pytest.mark.parametrize("file", ["glb", "usd"])
def test_shape_keys_are_arkits_units(
    file: str, imported: Imported, expressive_take: Take
) -> None:
    read = getattr(imported, file)
    assert MODEL.arkit_names is not None
    assert MODEL.arkit_to_expression is not None
    source = sources(read["rest"], expressive_take, MODEL)
    names = read["keys"].tolist()
    assert tuple(names[:43]) == MODEL.arkit_names
    for name in ("eyeBlinkLeft", "mouthSmileRight", "tongueOut"):
        unit = MODEL.arkit_to_expression[MODEL.arkit_names.index(name)]
        face = MODEL.shaped(np.zeros(0, np.float32), unit).vertices()
        wanted = (face - MODEL.v_template)[source]
        found = read["key_offsets"][names.index(name)]
        assert np.linalg.norm(wanted, axis=1).max() > 5 * MILLIMETRE
        np.testing.assert_allclose(found, wanted, atol=0.1 * MILLIMETRE)


def test_blenders_picture_through_the_takes_camera_is_our_overlays(
    imported: Imported, expressive_take: Take
) -> None:
    row, (width, height) = 30, (216, 384)
    picture = imported.folder / "picture.png"
    glb = imported.folder / "take.glb"
    run("render.py", glb, picture, *map(str, (row, 60, width, height, 4)))
    drawn = cv2.imread(str(picture), cv2.IMREAD_UNCHANGED)
    assert drawn is not None
    shown = drawn[:, :, 3] > 127
    focal = expressive_take.camera.focal_px * width / expressive_take.camera.size_px[0]
    camera = Camera(focal, (width / 2, height / 2), (width, height))
    world = body_of_one_shape(expressive_take, row, MODEL).vertices()
    seen = rasterise(world * WORLD_FROM_CAMERA, MODEL.faces, camera)
    ours = np.zeros((height, width), bool)
    ours.ravel()[seen.pixels] = True
    assert ours.sum() > 3000
    assert (shown & ours).sum() / (shown | ours).sum() > 0.97


def test_lines_of_the_guide_run_and_show_the_body(
    imported: Imported, tmp_path: Path
) -> None:
    for file in ("take.bvh", "take.glb", "take.usd"):
        (tmp_path / file.replace("take", "dance")).symlink_to(imported.folder / file)
    text = (ROOT / "docs" / "receivers" / "blender.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 3
    lines = ["import bpy"]
    for block in blocks:
        lines += [
            "bpy.ops.wm.read_homefile(use_factory_startup=True)",
            block,
            "(body,) = [o for o in bpy.data.objects if o.type == 'ARMATURE']",
            f"assert len(body.pose.bones) == {len(JOINT_NAMES)}",
            "assert bpy.context.scene.render.fps == 60",
        ]
    run("-c", "\n".join(lines), folder=tmp_path)
