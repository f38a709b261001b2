"""Readers of data sets of hands, on miniature files of exactly their layouts."""

import json
import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import ModelFileError, SourceError, UsageError
from pixie_runtime.smplx import JOINT_INDEX, RIGHT_HAND_JOINTS
from pixie_train.batch import CropKind, join
from pixie_train.data.catalogue import open_data
from pixie_train.data.cmu_hands import CmuHands
from pixie_train.data.freihand import FreiHand, FreiHandChoices
from pixie_train.data.hand_layouts import LEFT_21, RIGHT_21
from pixie_train.data.pictures.augmentation import Augmentation
from pixie_train.data.pictures.dataset import View
from pixie_train.data.total_motion import TotalMotion, TotalMotionChoices
from pixie_train.key_points import LEFT_HAND_POINTS, RIGHT_HAND_POINTS
from tests.train.hand_files import (
    Hand,
    K,
    StudioCamera,
    points_21,
    posed_hand,
    studio_camera,
    write_freihand,
    write_picture,
    write_total_motion,
)


@pytest.fixture(scope="module")
def hands(model: BodyModel) -> list[Hand]:
    return [posed_hand(model, seed) for seed in range(3)]


@pytest.fixture(scope="module")
def freihand(tmp_path_factory: pytest.TempPathFactory, hands: list[Hand]) -> Path:
    folder = tmp_path_factory.mktemp("freihand")
    write_freihand(folder, hands)
    return folder


def test_21_points_lie_on_the_joints_of_their_names() -> None:
    for side, places, own in (
        ("left", LEFT_21, LEFT_HAND_POINTS),
        ("right", RIGHT_21, RIGHT_HAND_POINTS),
    ):
        assert sorted(places) == sorted(own)
        assert places[0] == JOINT_INDEX[f"{side}_wrist"]
        for first, finger in ((1, "thumb"), (5, "index"), (13, "ring"), (17, "pinky")):
            bones = [JOINT_INDEX[f"{side}_{finger}{k}"] for k in (1, 2, 3)]
            assert places[first : first + 3] == bones


def test_freihand_has_four_pictures_of_each_annotation(
    freihand: Path, hands: list[Hand]
) -> None:
    records = FreiHand(freihand)
    assert len(records) == 12
    for index in (0, 3, 11):
        record = records[index]
        assert record.picture == freihand / "training" / "rgb" / f"{index:08d}.jpg"
        xyz = hands[index % 3].xyz
        np.testing.assert_allclose(record.xyz.at[RIGHT_21], xyz, atol=1e-6)
        assert record.xyz.known.sum() == 21
        at = xyz @ K.T
        np.testing.assert_allclose(
            record.pixels.at[RIGHT_21], at[:, :2] / at[:, 2:], atol=1e-3
        )
    assert len(FreiHand(freihand, FreiHandChoices(versions=2))) == 6
    with pytest.raises(IndexError):
        records[12]


def test_freihands_rotations_pose_the_body_onto_its_points(
    freihand: Path, hands: list[Hand], model: BodyModel
) -> None:
    for index, hand in enumerate(hands):
        record = FreiHand(freihand)[index]
        assert record.absolute.known.tolist() == [False, False, True]
        assert np.flatnonzero(record.rotations.known).tolist() == list(
            RIGHT_HAND_JOINTS
        )
        # The wrist's absolute rotation stands for all that is above it.
        R = record.rotations.R.copy()
        R[0] = record.absolute.R[2]
        quaternions = Rotation.from_matrix(R).as_quat(scalar_first=True)
        shaped = model.shaped(np.zeros(1, np.float32), np.zeros(1, np.float32))
        posed = shaped.posed(quaternions.astype(np.float32), np.zeros(3, np.float32))
        points = points_21(model, posed.joints, posed.vertices(), "right")
        np.testing.assert_allclose(
            points - points[0], hand.xyz - hand.xyz[0], atol=1e-4
        )


def test_wrists_that_contradict_their_palm_are_not_known(
    tmp_path: Path, hands: list[Hand]
) -> None:
    turned = Rotation.from_rotvec([0, 1.0, 0]) * Rotation.from_rotvec(hands[0].wrist)
    write_freihand(tmp_path, [replace(hands[0], wrist=turned.as_rotvec())])
    record = FreiHand(tmp_path)[0]
    assert not record.absolute.known.any()
    assert record.rotations.known.sum() == 15
    without_mean = FreiHand(tmp_path, FreiHandChoices(mean_included=False))[0]
    assert not without_mean.rotations.known.any()


def test_an_incomplete_freihand_says_what_is_missing(
    tmp_path: Path, hands: list[Hand]
) -> None:
    with pytest.raises(SourceError, match=r"no .*absent; download FreiHAND_pub_v2"):
        FreiHand(tmp_path / "absent")
    write_freihand(tmp_path, hands, versions=3)
    with pytest.raises(SourceError, match=r"no .*00000011\.jpg; .*fewer versions"):
        FreiHand(tmp_path)
    assert len(FreiHand(tmp_path, FreiHandChoices(versions=3))) == 9
    with pytest.raises(UsageError, match="versions is 5"):
        FreiHandChoices(versions=5)
    (tmp_path / "training_mano.json").unlink()
    with pytest.raises(SourceError, match=r"there is no .*training_mano\.json"):
        FreiHand(tmp_path)
    cut = tmp_path / "training_xyz.json"
    cut.write_bytes(cut.read_bytes()[:-40])
    with pytest.raises(SourceError, match=r"training_xyz\.json is not FreiHAND's"):
        FreiHand(tmp_path)
    cut.write_text(json.dumps([[[0, 0]] * 21]))
    with pytest.raises(SourceError, match=r"expected n x 21 x 3 finite numbers"):
        FreiHand(tmp_path)


@pytest.fixture(scope="module")
def cameras() -> list[StudioCamera]:
    return [studio_camera(seed) for seed in range(3)]


@pytest.fixture(scope="module")
def studio(model: BodyModel) -> tuple[np.ndarray, np.ndarray]:
    left, right = posed_hand(model, 5, left=True), posed_hand(model, 6)
    middle = np.array([0, 0, 0.5])
    return (left.xyz - middle) * 100.0 + [10, 0, 0], (right.xyz - middle) * 100.0


@pytest.fixture(scope="module")
def total_motion(
    tmp_path_factory: pytest.TempPathFactory,
    studio: tuple[np.ndarray, np.ndarray],
    cameras: list[StudioCamera],
) -> Path:
    folder = tmp_path_factory.mktemp("mtc")
    write_total_motion(folder, *studio, cameras)
    return folder


def test_total_motion_has_a_record_for_each_camera_that_sees_a_hand(
    total_motion: Path,
) -> None:
    records = TotalMotion(total_motion)
    names = [records[index].name for index in range(len(records))]
    assert names == [
        "total-motion/171026_pose1/00001850/00/left",
        "total-motion/171026_pose1/00001850/00/right",
        "total-motion/171026_pose1/00001850/01/right",
    ]
    all_views = TotalMotion(total_motion, TotalMotionChoices(most_hidden=21))
    assert len(all_views) == 4


def test_total_motions_points_are_metres_before_a_lens(
    total_motion: Path,
    studio: tuple[np.ndarray, np.ndarray],
    cameras: list[StudioCamera],
) -> None:
    left, right = TotalMotion(total_motion)[0], TotalMotion(total_motion)[2]
    assert (left.left, right.left) == (True, False)
    for record, places, cm, camera in (
        (left, LEFT_21, studio[0], cameras[0]),
        (right, RIGHT_21, studio[1], cameras[1]),
    ):
        xyz = (camera.R @ cm.T + camera.t).T / 100
        np.testing.assert_allclose(record.xyz.at[places], xyz, atol=1e-5)
        # Brown's lens, written out.
        x, y = (xyz[:, :2] / xyz[:, 2:]).T
        k1, k2, p1, p2, k3 = camera.distortion
        r2 = x * x + y * y
        radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
        u = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
        v = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
        at = np.stack([u, v, np.ones(21)], 1) @ camera.K.T
        np.testing.assert_allclose(record.pixels.at[places], at[:, :2] + 0.5, atol=2e-2)
    assert left.pixels.confidence[LEFT_21[0]] == pytest.approx(0.3)  # occluded
    assert right.pixels.confidence[RIGHT_21[20]] == 0  # outside
    assert right.xyz.confidence[RIGHT_21].min() == 1


def test_an_incomplete_total_motion_says_what_is_missing(
    tmp_path: Path,
    studio: tuple[np.ndarray, np.ndarray],
    cameras: list[StudioCamera],
) -> None:
    with pytest.raises(SourceError, match=r"no .*annotation\.pkl; download the data"):
        TotalMotion(tmp_path)
    write_total_motion(tmp_path, *studio, cameras[:1])  # of one camera: no picture
    (tmp_path / "hdImgs").mkdir()
    with pytest.raises(SourceError, match="not one picture of its 1 training frames"):
        TotalMotion(tmp_path)
    write_total_motion(tmp_path, *studio, cameras)
    path = tmp_path / "annotation.pkl"
    whole = pickle.loads(path.read_bytes())
    whole["training_data"][0]["seqName"] = "../elsewhere"
    path.write_bytes(pickle.dumps(whole))
    with pytest.raises(SourceError, match="is no name of a folder"):
        TotalMotion(tmp_path)
    path.write_bytes(pickle.dumps({"training": []}))
    with pytest.raises(SourceError, match=r"annotation\.pkl is not Total Motion's"):
        TotalMotion(tmp_path)
    path.write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(ModelFileError, match=r"wants to run os\.system"):
        TotalMotion(tmp_path)


def write_cmu(folder: Path, points: np.ndarray) -> None:
    rows = {"manual_train/a_l": {"hand_pts": points.tolist(), "is_left": 1}}
    rows["manual_test/never"] = {"hand_pts": points.tolist(), "is_left": 0}
    for name, label in rows.items():
        path = folder / "hand_labels" / f"{name}.json"
        write_picture(path.with_suffix(".jpg"))
        path.write_text(json.dumps(label))
    studio = folder / "hand143_panopticdb"
    write_picture(studio / "imgs" / "00000000.jpg")
    row = {"img_paths": "imgs/00000000.jpg", "joint_self": points.tolist()}
    (studio / "hands_v143_14817.json").write_text(json.dumps({"root": [row]}))


def test_cmus_hands_are_points_in_pictures(tmp_path: Path) -> None:
    points = np.random.default_rng(0).uniform(30, 200, (21, 3))
    points[:, 2] = 1
    points[4, 2] = 0
    write_cmu(tmp_path, points)
    hands = CmuHands(tmp_path)
    assert len(hands) == 2
    labelled, listed = hands[0], hands[1]
    assert labelled.name == "cmu-hands/hand_labels/manual_train/a_l"
    assert (labelled.left, listed.left) == (True, False)
    for record, places in ((labelled, LEFT_21), (listed, RIGHT_21)):
        np.testing.assert_allclose(
            record.pixels.at[places], points[:, :2] + 0.5, atol=1e-4
        )
        assert record.pixels.confidence[places].tolist() == points[:, 2].tolist()
        assert not record.xyz.known.any()
        assert record.picture.is_file()


def test_incomplete_cmu_hands_say_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none of CMU's hands .*download hand_lab"):
        CmuHands(tmp_path)
    write_cmu(tmp_path, np.ones((21, 3)))
    label = tmp_path / "hand_labels" / "manual_train" / "a_l.json"
    os.remove(label.with_suffix(".jpg"))
    with pytest.raises(SourceError, match=r"there is no .*a_l\.jpg"):
        CmuHands(tmp_path)
    label.write_text('{"pts": []}')
    with pytest.raises(SourceError, match=r'a_l\.json .* has no "hand_pts"'):
        CmuHands(tmp_path)


def test_hands_of_all_data_sets_make_one_batch(
    freihand: Path, total_motion: Path, tmp_path: Path
) -> None:
    points = np.random.default_rng(0).uniform(30, 200, (21, 3))
    points[:, 2] = 1
    write_cmu(tmp_path, points)
    view = View(crop_size=32)
    folders = {
        "freihand": freihand,
        "total-motion": total_motion,
        "cmu-hands": tmp_path,
    }
    batch = join(
        [
            open_data(name, folder, CropKind.HAND, view, Augmentation())[0]
            for name, folder in folders.items()
        ]
    )
    assert batch.kind is CropKind.HAND
    targets = batch.targets
    assert targets.absolute_known.tolist() == [[False, False, True], *[[False] * 3] * 2]
    assert targets.rotations_known.sum(1).tolist() == [15, 0, 0]
    known = targets.xyz_confidence[:, RIGHT_HAND_POINTS].sum(1)
    assert known.tolist() == [21, 21, 0]
    assert not targets.betas_known.any()
    assert torch.isfinite(targets.xy).all()
