"""Data sets of bodies, as miniature folders of the layouts that readers state."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixie_runtime import rotations
from pixie_runtime.errors import SourceError
from pixie_runtime.smplx import JAW, JOINT_INDEX
from pixie_train.batch import CropKind
from pixie_train.data import catalogue
from pixie_train.data.amass import load_smplx_motion
from pixie_train.data.body_layouts import key_point
from pixie_train.data.pictures import View
from pixie_train.data.record import Fit, Record
from pixie_train.data.record_dataset import RecordDataset
from pixie_train.gender import Gender
from pixie_train.key_points import FACE_POINTS
from tests.train.body_files import (
    MAKERS,
    POSE,
    agora,
    bedlam,
    coco,
    curated,
    ehf,
    threedpw,
)

UNKNOWN = {
    "coco-wholebody": set(range(23, 55)),
    "agora": {0, *range(23, 55)},
    "ehf": set(range(55)),
    "3dpw": {*range(22, 55)},
}


@pytest.mark.parametrize("name", MAKERS)
def test_poses_are_where_smplx_has_them(name: str, tmp_path: Path) -> None:
    records = catalogue.open_records(name, MAKERS[name](tmp_path), CropKind.BODY)
    assert len(records) == 1
    turns = records[0].rotations
    expected = rotations.to_matrix(rotations.from_rotvec(POSE))
    if name == "3dpw":  # its root stands in the world, and the camera is turned
        camera = rotations.to_matrix(rotations.from_rotvec(np.array([0.5, -1, 2])))
        expected[0] = camera @ expected[0]
    joints = np.flatnonzero(turns.known)
    np.testing.assert_allclose(turns.R[joints], expected[joints], atol=1e-6)
    assert set(range(55)) - set(joints.tolist()) == UNKNOWN.get(name, set())


@pytest.mark.parametrize("name", MAKERS)
def test_records_become_batches(name: str, tmp_path: Path) -> None:
    records = catalogue.open_records(name, MAKERS[name](tmp_path), CropKind.BODY)
    batch = RecordDataset(records, View(32, 64, n_betas=12, n_expression=12))[0]
    assert batch.names[0].startswith(name)
    assert not batch.targets.betas_known.any()
    assert not batch.targets.expression_known.any()
    assert batch.targets.rotations_known.any() == (name != "ehf")
    rooted = name not in ("agora", "ehf")
    assert batch.targets.absolute_known[0].tolist() == [rooted] * 3
    assert batch.targets.xyz_confidence.any() == (name in ("agora", "3dpw"))
    assert (batch.targets.xy_confidence > 0.1).sum() > 5


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("curated-fits", [True, True, True]),
        ("bedlam", [False, True, True]),
        ("coco-wholebody", [True, True, False]),
        ("agora", [True, True, True]),
        ("ehf", [True, True, True]),
        ("3dpw", [False, False, False]),
    ],
)
def test_parts_are_seen_where_half_of_their_points_are_known(
    name: str, seen: list[bool], tmp_path: Path
) -> None:
    records = catalogue.open_records(name, MAKERS[name](tmp_path), CropKind.BODY)
    pictures = RecordDataset(records, View(32, 64))[0].pictures
    assert pictures.parts_seen is not None
    assert pictures.parts_seen[0].tolist() == seen


def test_openpose_points_are_found_by_name(tmp_path: Path) -> None:
    points = catalogue.open_records("curated-fits", curated(tmp_path), CropKind.BODY)[
        0
    ].pixels
    nose, tip = key_point("nose"), key_point("left_thumb")
    np.testing.assert_array_equal(points.at[[nose, tip]], [[11, 22], [33, 44]])
    np.testing.assert_array_equal(points.confidence[[nose, tip]], [0.75, 0.5])
    assert points.known[55:106].all()
    assert not points.known[106:123].any()


def test_coco_s_points_keep_what_is_valid(tmp_path: Path) -> None:
    record = catalogue.open_records("coco-wholebody", coco(tmp_path), CropKind.BODY)[0]
    points, tip = record.pixels, key_point("left_thumb")
    np.testing.assert_array_equal(points.at[tip], [33, 44])
    np.testing.assert_allclose(points.confidence[[key_point("nose"), tip]], [0.5, 0.7])
    np.testing.assert_allclose(points.at[106], [1, 2])
    assert not points.known[[key_point("left_heel"), key_point("right_thumb")]].any()
    assert record.box is not None
    assert record.box.tolist() == [10, 20, 70, 70]
    assert record.camera is not None
    assert (record.camera.focal_px, record.camera.centre_px) == (305, (40, 45))
    hands = catalogue.open_records("coco-wholebody", tmp_path, CropKind.HAND)
    assert [hands[i].left for i in range(len(hands))] == [True]


def rewritten(path: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_coco_s_fits_follow_the_annotation_s_flags_unless_they_have_their_own(
    tmp_path: Path,
) -> None:
    notes = coco(tmp_path) / "annotations"
    rewritten(
        notes / "coco_wholebody_train_v1.0.json",
        lambda content: content["annotations"][1].update(face_valid=False),
    )

    def read() -> Record:
        return catalogue.open_records("coco-wholebody", tmp_path, CropKind.BODY)[0]

    def hands_known(fit: Fit | None) -> list[bool]:
        assert fit is not None
        assert fit.fingers is not None
        known = np.isfinite(fit.fingers).reshape(2, 45)
        return [bool(known[side].all()) for side in (0, 1)]

    plain = read()
    assert plain.fit is not None
    assert hands_known(plain.fit) == [True, False]
    assert not plain.rotations.known[JAW]
    assert not len(plain.fit.expression)
    flags = {"lhand_valid": False, "rhand_valid": True, "face_valid": True}
    fits = notes / "MSCOCO_train_SMPLX_all_NeuralAnnot.json"
    rewritten(fits, lambda content: content["7"]["smplx_param"].update(flags))
    flagged = read()
    assert hands_known(flagged.fit) == [False, True]
    assert flagged.rotations.known[JAW]


def test_coco_s_cameras_are_optional_but_must_be_cameras(tmp_path: Path) -> None:
    fits = coco(tmp_path) / "annotations" / "MSCOCO_train_SMPLX_all_NeuralAnnot.json"

    def read() -> Record:
        return catalogue.open_records("coco-wholebody", tmp_path, CropKind.BODY)[0]

    rewritten(fits, lambda content: content["7"]["cam_param"].update(focal=[0, 0]))
    with pytest.raises(SourceError, match=r"person 7 lacks a camera.*\[0.0, 0.0\]"):
        read()
    rewritten(fits, lambda content: content["7"].pop("cam_param"))
    assert read().camera is None


def test_bedlam_s_boxes_and_joints(tmp_path: Path) -> None:
    record = catalogue.open_records("bedlam", bedlam(tmp_path), CropKind.BODY)[0]
    assert record.box is not None
    assert record.box.tolist() == [20, 10, 100, 90]
    thumb, elbow = JOINT_INDEX["left_thumb2"], JOINT_INDEX["left_elbow"]
    np.testing.assert_array_equal(record.pixels.at[thumb], [33, 44])
    assert record.pixels.known[elbow]


def test_bedlam_s_cameras_where_labels_have_them(tmp_path: Path) -> None:
    folder = bedlam(tmp_path)
    labels = folder / "labels" / "street.npz"
    with np.load(labels) as archive:
        arrays = dict(archive)
    plain = catalogue.open_records("bedlam", folder, CropKind.BODY)
    assert plain[0].camera is None
    before = RecordDataset(plain, View(crop_size=32, hd_size=64))[0].targets
    K = np.array([[[200.0, 0, 64], [0, 200, 48], [0, 0, 1]]])
    np.savez(labels, **arrays, cam_int=K)
    records = catalogue.open_records("bedlam", folder, CropKind.BODY)
    camera = records[0].camera
    assert camera is not None
    assert (camera.focal_px, camera.centre_px) == (200, (64, 48))
    after = RecordDataset(records, View(crop_size=32, hd_size=64))[0].targets
    turn = after.rotations[0, 0] @ before.rotations[0, 0].T
    # What is in the middle of the box is straight ahead, whichever way it was before.
    ray = turn.numpy() @ np.array([(60 - 64) / 200, (50 - 48) / 200, 1])
    np.testing.assert_allclose(ray[:2], 0, atol=1e-6)
    np.testing.assert_array_equal(after.rotations[0, 1:], before.rotations[0, 1:])
    np.savez(labels, **arrays, cam_int=K * 0)
    with pytest.raises(SourceError, match=r"bedlam/street/0 .*focal.*cam_int"):
        catalogue.open_records("bedlam", folder, CropKind.BODY)[0]


def test_bedlam_s_points_of_other_layouts_are_refused(tmp_path: Path) -> None:
    labels = bedlam(tmp_path) / "labels" / "street.npz"
    with np.load(labels) as archive:
        arrays = dict(archive)
    np.savez(labels, **arrays | {"gtkps": arrays["gtkps"][:, :24]})
    with pytest.raises(SourceError, match=r'street\.npz .*"gtkps" has .*55 points'):
        catalogue.open_records("bedlam", tmp_path, CropKind.BODY)


def test_agora_s_people_in_pictures_of_another_size(tmp_path: Path) -> None:
    record = catalogue.open_records("agora", agora(tmp_path), CropKind.BODY)[0]
    places = [JOINT_INDEX["left_thumb2"], key_point("left_thumb")]
    scale = 128 / 3840
    np.testing.assert_allclose(
        record.pixels.at[places], np.array([[33, 44], [12, 15]]) * scale, rtol=1e-6
    )
    assert record.name == "agora/train_0/1"
    assert record.gender is Gender.FEMALE
    assert record.pixels.known.sum() == 127
    shutil.rmtree(tmp_path / "smplx_gt")
    again = catalogue.open_records("agora", tmp_path, CropKind.BODY)[0]
    assert not again.rotations.known.any()


def test_ehf_s_points_are_openpose_s(tmp_path: Path) -> None:
    points = catalogue.open_records("ehf", ehf(tmp_path), CropKind.BODY)[0].pixels
    np.testing.assert_array_equal(points.at[key_point("left_thumb")], [33, 44])
    assert points.known[FACE_POINTS].all()


def test_3dpw_s_people_stand_before_their_camera(tmp_path: Path) -> None:
    records = catalogue.open_records("3dpw", threedpw(tmp_path), CropKind.BODY)
    assert len(records) == 1
    record = records[0]
    assert record.name == "3dpw/courtyard_box_00/0/1"
    elbow, nose = JOINT_INDEX["left_elbow"], key_point("nose")
    x, y, z = record.xyz.at[elbow]
    seen = [90 * x / z + 64, 90 * y / z + 48]
    np.testing.assert_allclose(record.pixels.at[elbow], seen, rtol=1e-4)
    np.testing.assert_array_equal(record.pixels.at[nose], [33, 44])
    assert record.pixels.confidence[nose] == 0.5
    assert not record.xyz.known[[JOINT_INDEX["left_hip"], JOINT_INDEX["neck"]]].any()
    assert record.gender is Gender.FEMALE


@pytest.mark.parametrize(
    ("name", "broken", "says"),
    [
        ("curated-fits", "train.npz", "train.npz"),
        ("curated-fits", "images", "images"),
        ("bedlam", "labels", "labels"),
        ("bedlam", "images", "images"),
        ("coco-wholebody", "train2017", "train2017"),
        ("coco-wholebody", "annotations", "SMPLX"),
        ("agora", "train_0", "ag_trainset_1.png"),
        ("ehf", "EHF/01_img.jpg", "01_img.jpg"),
        ("3dpw", "imageFiles", "imageFiles"),
        ("3dpw", "sequenceFiles", "sequenceFiles.train"),
    ],
)
def test_what_is_missing_is_named(
    name: str, broken: str, says: str, tmp_path: Path
) -> None:
    folder = MAKERS[name](tmp_path / "set" if name == "bedlam" else tmp_path)
    (folder / broken).rename(tmp_path.parent / f"{tmp_path.name}-elsewhere")
    with pytest.raises(SourceError, match=rf"incomplete: there is no .*{says}"):
        catalogue.open_records(name, folder, CropKind.BODY)


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        ("jointPositions", lambda a: a[:1]),
        ("poses", lambda a: a[:, :66]),
        ("poses2D", lambda a: a[:1]),
        ("poses2D", lambda a: a[..., :17]),
        ("poses2D", lambda a: np.float64(1)),
    ],
)
def test_3dpw_s_lists_of_other_lengths_are_refused_when_it_is_opened(
    name: str, cut: Callable[[Any], Any], tmp_path: Path
) -> None:
    (path,) = (threedpw(tmp_path) / "sequenceFiles" / "train").glob("*.pkl")
    values = pickle.loads(path.read_bytes())
    values[name] = [cut(of_person) for of_person in values[name]]
    path.write_bytes(pickle.dumps(values, protocol=2))
    with pytest.raises(SourceError, match=rf'{path.name} .*"{name}" has shape .*2 x '):
        catalogue.open_records("3dpw", tmp_path, CropKind.BODY)


def test_damaged_archives_are_refused_without_unpickling(tmp_path: Path) -> None:
    folder = curated(tmp_path)
    with np.load(folder / "train.npz") as archive:
        arrays: dict[str, Any] = dict(archive)
    np.savez(folder / "train.npz", **arrays | {"img_fns": np.array([object()])})
    with pytest.raises(SourceError, match=r"train\.npz is not ExPose's"):
        catalogue.open_records("curated-fits", folder, CropKind.BODY)
    np.savez(folder / "train.npz", **arrays | {"pose": POSE[None, :20]})
    with pytest.raises(SourceError, match="expected 55 x 3"):
        catalogue.open_records("curated-fits", folder, CropKind.BODY)
    np.savez(folder / "train.npz", **arrays | {"img_fns": np.array(["../x.jpg"])})
    with pytest.raises(SourceError, match="outside"):
        catalogue.open_records("curated-fits", folder, CropKind.BODY)[0]


def test_motion_with_z_up_stands_upright(tmp_path: Path) -> None:
    stands = np.zeros((5, 165))
    stands[:, 0] = np.pi / 2  # y of the body to z of the world
    (tmp_path / "CMU").mkdir()
    np.savez(
        tmp_path / "CMU" / "walk_stageii.npz", poses=stands, trans=np.zeros((5, 3))
    )
    np.savez(tmp_path / "CMU" / "shape.npz", betas=np.zeros(16))
    np.savez(
        tmp_path / "other.npz", root_orient=stands[:, :3], pose_body=stands[:, 3:66]
    )
    bank = load_smplx_motion(tmp_path, every=5)
    np.testing.assert_allclose(bank.body, np.tile(np.eye(3), (2, 22, 1, 1)), atol=1e-12)
    assert load_smplx_motion(tmp_path, every=1).origin != bank.origin != ""
    (tmp_path / "broken.npz").write_bytes(b"nothing")
    with pytest.raises(SourceError, match=r"broken\.npz"):
        load_smplx_motion(tmp_path)
    with pytest.raises(SourceError, match="holds no SMPL-X motion"):
        load_smplx_motion(tmp_path / "CMU" / "none")
