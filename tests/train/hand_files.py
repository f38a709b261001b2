"""Writes miniature data sets of hands in the layouts of the real ones."""

import json
import pickle
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.types import Float32, Float64
from pixie_train.extra_points import extra_points
from pixie_train.key_points import EXTRA_POINT_NAMES
from pixie_train.utilities import read_utilities

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
K = np.array([[480.0, 0, 112], [0, 482.0, 112], [0, 0, 1]])


@dataclass(frozen=True, eq=False)
class Hand:
    """A hand of the embedded body before a camera."""

    xyz: Float32
    """The 21 points of OpenPose's order in camera axes, metres."""
    wrist: Float64
    """Its absolute rotation, (3,) axis-angle."""
    fingers: Float64
    """Axis-angles of index, middle, pinky, ring, thumb, three joints each, (45,)."""


def posed_hand(model: BodyModel, seed: int, *, left: bool = False) -> Hand:
    """Bend a hand and hold it half a metre before a camera."""
    random = np.random.default_rng(seed)
    side = "left" if left else "right"
    fingers = random.normal(0, 0.3, 45)
    rotations = np.zeros((55, 4), np.float32)
    rotations[:, 0] = 1
    wrist = Rotation.random(random_state=seed)
    rotations[0] = wrist.as_quat(scalar_first=True)  # all above it stay as at rest
    names = [
        f"{side}_{finger}{bone}"
        for finger in ("index", "middle", "pinky", "ring", "thumb")
        for bone in (1, 2, 3)
    ]
    for name, turn in zip(names, fingers.reshape(15, 3), strict=True):
        rotations[JOINT_INDEX[name]] = Rotation.from_rotvec(turn).as_quat(
            scalar_first=True
        )
    shaped = model.shaped(np.zeros(1, np.float32), np.zeros(1, np.float32))
    posed = shaped.posed(rotations, np.zeros(3, np.float32))
    points = points_21(model, posed.joints, posed.vertices(), side)
    points += np.array([0.01, -0.02, 0.5]) - points.mean(0)
    return Hand(points.astype(np.float32), wrist.as_rotvec(), fingers)


def points_21(
    model: BodyModel, joints: Float32, vertices: Float32, side: str
) -> Float32:
    """Return a hand's points by their names, in OpenPose's order."""
    tables, _ = read_utilities(None, model)
    tips = extra_points(model, tables.static)
    points = [joints[JOINT_INDEX[f"{side}_wrist"]]]
    for finger in FINGERS:
        points += [joints[JOINT_INDEX[f"{side}_{finger}{bone}"]] for bone in (1, 2, 3)]
        tip = EXTRA_POINT_NAMES.index(f"{side}_{finger}")
        points.append(tips.weights[tip] @ vertices[tips.corners[tip]])
    return np.array(points, np.float32)


def write_picture(path: Path, size: tuple[int, int] = (224, 224)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    cv2.imwrite(str(path), np.full((height, width, 3), 120, np.uint8))


def write_freihand(folder: Path, hands: list[Hand], versions: int = 4) -> None:
    rows = {
        "xyz": [hand.xyz.tolist() for hand in hands],
        "K": [K.tolist() for _ in hands],
        "mano": [
            [[*hand.wrist, *hand.fingers, *np.zeros(10), 110.0, 120.0, 0.4]]
            for hand in hands
        ],
        "scale": [0.03 for _ in hands],
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in rows.items():
        (folder / f"training_{name}.json").write_text(json.dumps(content))
    for index in range(versions * len(hands)):
        write_picture(folder / "training" / "rgb" / f"{index:08d}.jpg")


@dataclass(frozen=True, eq=False)
class StudioCamera:
    """A camera of the studio as `camera_data.pkl` has it; centimetres."""

    K: Float64
    R: Float64
    t: Float64
    distortion: Float64


def studio_camera(seed: int) -> StudioCamera:
    random = np.random.default_rng(seed)
    lens = np.array([[1400.0, 0, 960], [0, 1395.0, 540], [0, 0, 1]])
    turn = Rotation.from_rotvec(random.normal(0, 0.3, 3)).as_matrix()
    distortion = np.array([-0.25, 0.1, 0.001, -0.002, 0.02])
    return StudioCamera(lens, turn, np.array([[5.0], [-3.0], [200.0]]), distortion)


def write_total_motion(
    folder: Path, left_cm: Float64, right_cm: Float64, cameras: list[StudioCamera]
) -> None:
    """Write one frame of two hands; camera 1 does not see the left one."""

    def flags(camera: int, hidden: int) -> dict[str, list[int]]:
        occluded = [1] * hidden + [0] * (21 - hidden)
        return {"occluded": occluded, "insideImg": [1] * 20 + [1 - camera % 2]}

    count = len(cameras)
    frame = {
        "seqName": "171026_pose1",
        "frame_str": "00001850",
        "id": 0,
        "left_hand": {
            "landmarks": left_cm.ravel().tolist(),
            "2D": [flags(0, 15 if c == 1 else 2) for c in range(count)],
        },
        "right_hand": {
            "landmarks": right_cm.ravel().tolist(),
            "2D": [flags(c, 0) for c in range(count)],
        },
    }
    annotation = {"training_data": [frame], "testing_data": []}
    data = {
        "171026_pose1": [
            {"K": c.K, "R": c.R, "t": c.t, "distCoef": c.distortion} for c in cameras
        ]
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "annotation.pkl").write_bytes(pickle.dumps(annotation, protocol=2))
    (folder / "camera_data.pkl").write_bytes(pickle.dumps(data, protocol=2))
    there = folder / "hdImgs" / "171026_pose1" / "00001850"
    for camera in range(count - 1):  # the last one's picture is missing by design
        write_picture(there / f"00_{camera:02d}_00001850.jpg", (1920, 1080))
