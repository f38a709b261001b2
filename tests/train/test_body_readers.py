"""Data sets of bodies, as miniature folders of the layouts that readers state."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
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
from tests.train.frame_files import write_frame

RNG = np.random.default_rng(0)
POSE = RNG.normal(0, 0.3, (55, 3))


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), RNG.integers(0, 255, (96, 128, 3), np.uint8))


def curated(folder: Path) -> Path:
    points = np.concatenate([RNG.uniform(20, 80, (118, 2)), np.ones((118, 1))], 1)
    points[0] = 11, 22, 0.75
    points[25 + 4] = 33, 44, 0.5  # the left thumb's tip
    picture(folder / "images" / "mpii" / "one.jpg")
    np.savez(
        folder / "train.npz",
        img_fns=np.array(["mpii/one.jpg"]),
        betas=np.full((1, 10), 0.5),
        expression=np.full((1, 10), 0.25),
        keypoints2D=points[None],
        pose=POSE[None],
    )
    return folder


def bedlam(folder: Path) -> Path:
    picture(folder / "images" / "street" / "seq_000000" / "seq_000000_0005.png")
    (folder / "labels").mkdir(parents=True)
    points = RNG.uniform(20, 80, (1, 127, 2))
    points[0, JOINT_INDEX["left_thumb2"]] = 33, 44
    np.savez(
        folder / "labels" / "street.npz",
        imgname=np.array(["seq_000000/seq_000000_0005.png"]),
        pose_cam=POSE.reshape(1, 165),
        shape=np.full((1, 11), 0.5),
        center=np.array([[60.0, 50.0]]),
        scale=np.array([0.4]),
        gtkps=points,
    )
    return folder


def coco(folder: Path) -> Path:
    picture(folder / "train2017" / "000000000009.jpg")
    face = RNG.uniform(20, 80, (68, 3))
    face[0] = 1, 2, 0.9  # the jaw line's first point
    body = RNG.uniform(20, 80, (17, 3))
    body[0] = 11, 22, 1  # a nose that is labelled, but hidden
    body[1:, 2] = 2
    hand = RNG.uniform(20, 80, (21, 3))
    hand[:, 2] = 0.7
    hand[4, :2] = 33, 44
    person = {
        "id": 7,
        "image_id": 9,
        "bbox": [10, 20, 60, 50],
        "keypoints": body.ravel().tolist(),
        "foot_kpts": [0.0] * 18,
        "face_kpts": face.ravel().tolist(),
        "lefthand_kpts": hand.ravel().tolist(),
        "righthand_kpts": [0.0] * 63,
        "face_valid": True,
        "foot_valid": False,
        "lefthand_valid": True,
        "righthand_valid": False,
    }
    fit = {
        "root_pose": POSE[0].tolist(),
        "body_pose": POSE[1:22].ravel().tolist(),
        "jaw_pose": POSE[22].tolist(),
        "lhand_pose": POSE[25:40].ravel().tolist(),
        "rhand_pose": POSE[40:].ravel().tolist(),
        "shape": [0.5] * 10,
        "expr": [0.25] * 10,
        "trans": [0.1, 0.2, 5.0],
    }
    camera = {"focal": [300.0, 310.0], "princpt": [40.0, 45.0]}
    notes = folder / "annotations"
    notes.mkdir()
    images = [{"id": 9, "file_name": "000000000009.jpg"}]
    unfitted = person | {"id": 8}
    content = {"images": images, "annotations": [unfitted, person]}
    (notes / "coco_wholebody_train_v1.0.json").write_text(json.dumps(content))
    fits = {"7": {"smplx_param": fit, "cam_param": camera}}
    (notes / "MSCOCO_train_SMPLX_all_NeuralAnnot.json").write_text(json.dumps(fits))
    return folder


def agora(folder: Path) -> Path:
    picture(folder / "train_0" / "ag_trainset_1_1280x720.png")
    points = RNG.uniform(20, 80, (127, 2))
    points[JOINT_INDEX["left_thumb2"]] = 33, 44
    points[55 + 11] = 12, 15  # the left thumb's tip
    lists: dict[str, list[Any]] = {
        "isValid": [False, True],
        "gender": ["male", "female"],
        "gt_path_smplx": ["smplx_gt/a/0.obj", "smplx_gt/a/1.obj"],
        "gt_joints_2d": [points + 1, points],
        "gt_joints_3d": [RNG.normal(size=(127, 3)).astype(np.float32)] * 2,
        "gt_verts": [np.zeros((9, 3), np.float32)] * 2,
    }
    columns = {"imgPath": ["ag_trainset_1.png"]} | {n: [v] for n, v in lists.items()}
    write_frame(folder / "SMPLX" / "train_0_withjv.pkl", columns)
    (folder / "SMPL").mkdir()
    (folder / "SMPL" / "train_0_withjv.pkl").write_bytes(b"not looked at")
    fit = {"body_pose": POSE[1:22].reshape(1, 63), "jaw_pose": POSE[22:23]}
    (folder / "smplx_gt" / "a").mkdir(parents=True)
    (folder / "smplx_gt" / "a" / "1.pkl").write_bytes(pickle.dumps(fit))
    return folder


def ehf(folder: Path) -> Path:
    picture(folder / "EHF" / "01_img.jpg")
    sizes = {"pose": 25, "hand_left": 21, "hand_right": 21, "face": 70}
    parts = {n: RNG.uniform(20, 80, (count, 3)) for n, count in sizes.items()}
    parts["hand_left"][4] = 33, 44, 0.5
    person = {f"{n}_keypoints_2d": p.ravel().tolist() for n, p in parts.items()}
    path = folder / "EHF" / "01_2Djnt.json"
    path.write_text(json.dumps({"version": 1.1, "people": [person]}))
    return folder


def threedpw(folder: Path) -> Path:
    name, count = "courtyard_box_00", 2
    cameras = np.tile(np.eye(4), (count, 1, 1))
    cameras[:, :3, :3] = rotations.to_matrix(
        rotations.from_rotvec(np.array([0.5, -1, 2]))
    )
    cameras[:, 2, 3] = 4
    found = np.zeros((count, 3, 18))
    found[:, :, 0] = 33, 44, 0.5
    turned = np.concatenate([POSE[:22], np.zeros((2, 3))])
    values = {
        "jointPositions": [RNG.normal(0, 0.3, (count, 72))],
        "poses": [np.tile(turned.ravel(), (count, 1))],
        "poses2D": [found],
        "genders": ["f"],
        "campose_valid": [np.array([False, True])],
        "cam_poses": cameras,
        "cam_intrinsics": np.array([[90.0, 0, 64], [0, 90, 48], [0, 0, 1]]),
    }
    path = folder / "sequenceFiles" / "train" / f"{name}.pkl"
    path.parent.mkdir(parents=True)
    path.write_bytes(pickle.dumps(values, protocol=2))
    picture(folder / "imageFiles" / name / "image_00001.jpg")
    return folder


MAKERS: dict[str, Callable[[Path], Path]] = {
    "curated-fits": curated,
    "bedlam": bedlam,
    "coco-wholebody": coco,
    "agora": agora,
    "ehf": ehf,
    "3dpw": threedpw,
}
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
