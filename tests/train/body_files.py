"""Writes miniature data sets of bodies in the layouts of the real ones."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pixie_runtime import rotations
from pixie_runtime.smplx import JOINT_INDEX
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
