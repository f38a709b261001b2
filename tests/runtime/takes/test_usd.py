"""USD read by Pixar's own library: its skeleton queries, its skinning, its checks."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pxr import Usd, UsdGeom, UsdSkel, UsdValidation

from pixie_runtime.body import embedded_body_model
from pixie_runtime.errors import MissingExtraError, SinkError
from pixie_runtime.smplx import JOINT_NAMES
from pixie_runtime.takes.conversion import writer_of
from pixie_runtime.takes.take import WORLD_FROM_CAMERA, Take
from pixie_runtime.takes.usd import write_usd
from tests.runtime.full_disk import file_size_limit
from tests.runtime.takes.bodies import body_of_one_shape

MODEL = embedded_body_model()
ROWS = range(0, 100, 11)


@pytest.fixture(scope="module")
def stage(expressive_take: Take, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("usd") / "take.usd"
    write_usd(expressive_take, path)
    return Usd.Stage.Open(str(path))


def joints_of(stage: Any, frame: int) -> dict[str, list[float]]:
    """Return each joint's place in the world as UsdSkel computes it."""
    root = UsdSkel.Root.Get(stage, "/take/body")
    cache = UsdSkel.Cache()
    cache.Populate(root, Usd.TraverseInstanceProxies())
    query = cache.GetSkelQuery(UsdSkel.Skeleton.Get(stage, "/take/body/skeleton"))
    transforms = query.ComputeJointWorldTransforms(UsdGeom.XformCache(frame))
    names = [path.rsplit("/", 1)[-1] for path in query.GetJointOrder()]
    places = [list(transform.ExtractTranslation()) for transform in transforms]
    return dict(zip(names, places, strict=True))


def test_joints_at_ten_frames_are_ours_to_a_millimetre(
    stage: Any, expressive_take: Take
) -> None:
    for row in ROWS:
        found = joints_of(stage, row)
        ours = body_of_one_shape(expressive_take, row, MODEL).joints
        placed = np.array([found[name] for name in JOINT_NAMES])
        assert np.linalg.norm(placed - ours, axis=1).max() < 1e-5


def test_bones_alone_are_the_takes_own(demo_take: Take, tmp_path: Path) -> None:
    write_usd(demo_take, tmp_path / "bones.usda", mesh=False)
    assert (tmp_path / "bones.usda").read_bytes().startswith(b"#usda 1.0")
    stage = Usd.Stage.Open(str(tmp_path / "bones.usda"))
    assert not stage.GetPrimAtPath("/take/body/mesh")
    for row in ROWS:
        found = joints_of(stage, row)
        ours = body_of_one_shape(demo_take, row, MODEL).joints
        placed = np.array([found[name] for name in JOINT_NAMES])
        assert np.linalg.norm(placed - ours, axis=1).max() < 1e-3


def test_stage_says_its_axes_units_and_rate(stage: Any) -> None:
    assert UsdGeom.GetStageUpAxis(stage) == "Y"
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1
    assert stage.GetTimeCodesPerSecond() == 60
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (0, 99)
    assert stage.GetDefaultPrim().GetPath() == "/take"


def test_mesh_skinned_by_usd_is_our_body(expressive_take: Take, tmp_path: Path) -> None:
    write_usd(expressive_take, tmp_path / "take.usdc")
    stage = Usd.Stage.Open(str(tmp_path / "take.usdc"))
    assert UsdSkel.BakeSkinning(stage.Traverse())
    points = UsdGeom.Mesh.Get(stage, "/take/body/mesh").GetPointsAttr()
    box = UsdGeom.Boundable.Get(stage, "/take/body").GetExtentAttr().Get()
    for row in ROWS:
        ours = body_of_one_shape(expressive_take, row, MODEL).vertices()
        found = np.array(points.Get(row))
        apart = np.linalg.norm(found - ours, axis=1)
        assert apart.mean() < 2e-4
        assert apart.max() < 4e-3
        assert (np.array(box[0]) <= found).all()
        assert (found <= np.array(box[1])).all()


def test_camera_sees_what_the_takes_camera_saw(demo_take: Take, tmp_path: Path) -> None:
    aside = replace(demo_take.camera, centre_px=(500.0, 1000.0))
    write_usd(replace(demo_take, camera=aside), tmp_path / "take.usd", mesh=False)
    stage = Usd.Stage.Open(str(tmp_path / "take.usd"))
    camera = UsdGeom.Camera.Get(stage, "/take/camera").GetCamera(0)
    to_screen = np.array(camera.frustum.ComputeProjectionMatrix())
    world = demo_take.world_joints()[40]
    clip = np.concatenate([world, np.ones((55, 1))], axis=1) @ to_screen
    screen = clip[:, :2] / clip[:, 3:]
    found = (screen * [1, -1] + 1) / 2 * aside.size_px
    seen = aside.project(world * WORLD_FROM_CAMERA)
    np.testing.assert_allclose(found, seen, atol=1e-2)


def test_body_without_a_face_or_correctives_is_written_too(
    demo_take: Take, tmp_path: Path
) -> None:
    faceless = replace(demo_take, expression=np.zeros((100, 0), np.float32))
    model = replace(MODEL, arkit_names=None, arkit_to_expression=None)
    write_usd(faceless, tmp_path / "take.usd", model=model, correctives=0)
    stage = Usd.Stage.Open(str(tmp_path / "take.usd"))
    animation = UsdSkel.Animation.Get(stage, "/take/body/skeleton/animation")
    assert not animation.GetBlendShapesAttr().HasAuthoredValue()
    assert UsdSkel.BakeSkinning(stage.Traverse())


def test_usds_own_checks_find_nothing(stage: Any) -> None:
    checks = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    names = [check.GetMetadata().name for check in checks]
    assert "usdSkelValidators:SkelBindingApiValidator" in names
    problems = UsdValidation.ValidationContext(checks).Validate(stage)
    assert [problem.GetMessage() for problem in problems] == []


@pytest.mark.parametrize("name", ["take.usd", "take.usda"])
def test_full_disk_is_one_sentence_and_leaves_the_older_file(
    name: str, demo_take: Take, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(b"older")
    with (
        pytest.raises(SinkError, match=rf"cannot write .*{name}: .*File too large"),
        file_size_limit(50_000),
    ):
        write_usd(demo_take, tmp_path / name, mesh=False)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"older"


def test_folder_that_is_not_there_is_one_sentence(
    demo_take: Take, tmp_path: Path
) -> None:
    with pytest.raises(SinkError, match=r"cannot write .*No such file"):
        write_usd(demo_take, tmp_path / "none" / "take.usd", mesh=False)


def test_missing_extra_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("usd", "usd_stage"):
        monkeypatch.delitem(sys.modules, f"pixie_runtime.takes.{name}")
    monkeypatch.setitem(sys.modules, "pxr", None)
    with pytest.raises(MissingExtraError, match=r'pip install "pixie-live\[usd\]"'):
        writer_of("usd")
