"""Benchmarks of a few pictures, in exactly the layout of their downloads."""

import json
import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import trimesh

from pixie_runtime.types import Float64
from pixie_train.data import ehf
from tests.train.frame_files import write_frame


def picture(path: Path, width: int = 64, height: int = 48) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((height, width, 3), 90, np.uint8)
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())


def mesh(path: Path, vertices: Float64, faces: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = path.suffix.removeprefix(".")
    data: Any = trimesh.Trimesh(vertices, faces, process=False).export(file_type=kind)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def make_ehf(folder: Path, camera_vertices: list[Float64], faces: Any) -> None:
    """Write pictures of meshes that are given in camera axes."""
    for number, vertices in enumerate(camera_vertices, 1):
        world = (vertices - ehf.T_CAMERA_WORLD) @ ehf.R_CAMERA_WORLD
        mesh(folder / f"{number:02d}_align.ply", world, faces)
        mesh(folder / f"{number:02d}_scan.obj", world[::25], [[0, 1, 2]])
        picture(folder / f"{number:02d}_img.jpg", 1600, 1200)


def make_3dpw(folder: Path, joints: Float64, poses: Float64, valid: list[int]) -> None:
    """Write a sequence of one person with joints (T, 24, 3) in world axes."""
    count = len(joints)
    values = {
        "sequence": "downtown_walk_00",
        "jointPositions": [joints.reshape(count, 72)],
        "cam_poses": poses,
        "cam_intrinsics": np.array([[1000.0, 0, 540], [0, 1000, 960], [0, 0, 1]]),
        "campose_valid": [np.array(valid)],
        "genders": ["m"],
        "betas": [np.zeros(10)],
        "poses": [np.zeros((count, 72))],
        "trans": [np.tile([0.0, 1, 0], (count, 1))],
    }
    path = folder / "sequenceFiles" / "test" / "downtown_walk_00.pkl"
    path.parent.mkdir(parents=True)
    path.write_bytes(pickle.dumps(values, protocol=2))
    for frame in range(count):
        name = f"image_{frame:05d}.jpg"
        picture(folder / "imageFiles" / "downtown_walk_00" / name)


def make_freihand(folder: Path, hands: Float64, meshes: Float64) -> None:
    K = np.tile([[480.0, 0, 112], [0, 480, 112], [0, 0, 1]], (len(hands), 1, 1))
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in (("K", K), ("xyz", hands), ("verts", meshes)):
        path = folder / f"evaluation_{name}.json"
        path.write_text(json.dumps(values.tolist()))
    for index in range(len(hands)):
        picture(folder / "evaluation" / "rgb" / f"{index:08d}.jpg", 224, 224)


def make_now(folder: Path, vertices: Float64, faces: Any, landmarks: Float64) -> None:
    """Write one person of two pictures with a scan, millimetres."""
    subject = "FaMoS_180424_03335_TA"
    mesh(folder / "scans" / subject / "natural.000001.obj", vertices, faces)
    points = "".join(
        f'<point x="{x:.6f}" y="{y:.6f}" z="{z:.6f}" name="{k}" active="1"/>\n'
        for k, (x, y, z) in enumerate(landmarks)
    )
    text = f"<!DOCTYPE PickedPoints>\n<PickedPoints>\n{points}</PickedPoints>\n"
    path = folder / "scans_lmks_onlypp" / subject / "natural.000001_picked_points.pp"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    names = [f"{subject}/multiview_neutral/IMG_0101.jpg", f"{subject}/selfie/IMG_7.jpg"]
    (folder / "imagepathsvalidation.txt").write_text("\n".join(names) + "\n")
    release = folder / "NoW_Dataset" / "final_release_version"
    for name in names:
        picture(release / "iphone_pictures" / name)
        box = (release / "detected_face" / name).with_suffix(".npy")
        box.parent.mkdir(parents=True, exist_ok=True)
        sides: Any = {"left": 10, "top": 5.5, "right": 50, "bottom": np.float64(40)}
        np.save(box, sides, allow_pickle=True)


def make_agora(folder: Path, people: dict[str, list[dict[str, Any]]]) -> None:
    """Write a frame of pictures with people in each."""
    columns: dict[str, list[Any]] = {
        key: [[person[key] for person in some] for some in people.values()]
        for key in ("isValid", "gt_verts", "gt_joints_3d", "gt_joints_2d")
    }
    columns["gender"] = [["male"] * len(some) for some in people.values()]
    columns["gt_path_smplx"] = [
        ["smplx_gt/a/0.obj"] * len(c) for c in columns["gender"]
    ]
    columns["imgPath"] = list(people)
    folder.mkdir(exist_ok=True)
    path = folder / "validation_SMPLX" / "SMPLX" / "validation_0_withjv.pkl"
    write_frame(path, columns)
    for name in people:
        short = name.replace(".png", "_1280x720.png")
        picture(folder / "validation_images_1280x720" / "validation" / short, 1280, 720)
