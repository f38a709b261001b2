"""`python -m tools.bake_body.pictures BODY.npz FOLDER`: the pictures of docs."""

import argparse
from pathlib import Path

import numpy as np

from pixie_runtime.smplx import JOINT_INDEX
from tools.bake_body import drawing, hands, landmarks, numbering
from tools.bake_body.arrays import Float
from tools.bake_body.drawing import Picture
from tools.bake_body.face import EYES
from tools.bake_body.posing import BakedBody, Pose
from tools.bake_body.raster import View
from tools.bake_body.skeleton import FINGERS

Degrees = dict[str, tuple[float, float, float]]

ARMS_DOWN: Degrees = {
    "left_shoulder": (0, 0, -65),
    "right_shoulder": (0, 0, 65),
    "left_elbow": (0, -15, 0),
    "right_elbow": (0, 15, 0),
}
RAISED: Degrees = {
    "left_shoulder": (0, 0, 65),
    "right_shoulder": (0, 0, -65),
    "left_collar": (0, 0, 18),
    "right_collar": (0, 0, -18),
}
SQUAT: Degrees = {
    "left_hip": (-88, 0, 14),
    "right_hip": (-88, 0, -14),
    "left_knee": (105, 0, 0),
    "right_knee": (105, 0, 0),
    "left_ankle": (-18, 0, 0),
    "right_ankle": (-18, 0, 0),
    "left_shoulder": (0, -60, -15),
    "right_shoulder": (0, 60, 15),
    "spine1": (18, 0, 0),
    "spine2": (12, 0, 0),
}
RUN: Degrees = {
    "left_hip": (-80, 0, 4),
    "left_knee": (95, 0, 0),
    "right_hip": (18, 0, 0),
    "right_knee": (35, 0, 0),
    "left_shoulder": (0, 0, -62),
    "right_shoulder": (0, 0, 62),
    "left_elbow": (0, -95, 0),
    "right_elbow": (0, 95, 0),
    "spine1": (10, 0, 0),
}
TWIST: Degrees = {
    **ARMS_DOWN,
    "left_elbow": (0, -110, 0),
    "right_elbow": (0, 110, 0),
    "spine1": (0, 18, 0),
    "spine2": (0, 18, 0),
    "spine3": (0, 14, 0),
    "head": (0, -30, 0),
}
SMILE = {"mouthSmile": 1.0, "cheekSquint": 0.5}


def body_sheet(body: BakedBody) -> dict[str, Picture]:
    """Return whole-body poses."""
    poses = {
        "rest": (Pose(), 0),
        "arms down": (Pose(ARMS_DOWN), 25),
        "arms raised": (Pose(RAISED), 20),
        "squat": (Pose(SQUAT), 40),
        "run": (Pose(RUN), 60),
        "twist": (Pose(TWIST), 0),
    }
    return {
        name: _whole(body, pose, yaw=yaw, size=(360, 400))
        for name, (pose, yaw) in poses.items()
    }


def shape_sheet(body: BakedBody) -> dict[str, Picture]:
    """Return people of different shape, to one scale."""
    people = {
        "man": {"gender": 0.0},
        "woman": {"gender": 1.0},
        "tall": {"gender": 0.0, "height": 0.6},
        "short": {"gender": 1.0, "height": 0.17},
        "heavy man": {"gender": 0.0, "weight": 1.45},
        "heavy woman": {"gender": 1.0, "weight": 1.45},
        "thin": {"gender": 0.5, "weight": 0.0},
        "muscular": {"gender": 0.0, "muscle": 1.0, "weight": 0.7},
    }
    sheet = {}
    for name, values in people.items():
        betas = body.phenotype(**values)
        tall = np.ptp(body.posed(Pose(betas=betas))[:, 1])
        pose = Pose(ARMS_DOWN, betas=betas)
        label = f"{name}, {tall:.2f} m"
        sheet[label] = _whole(body, pose, yaw=25, size=(260, 400), extent=2.15)
    return sheet


def face_sheet(body: BakedBody) -> dict[str, Picture]:
    """Return faces."""
    jaw = {"jaw": (np.degrees(float(body.file["jaw_open_angle"])), 0.0, 0.0)}
    half = {"jaw": (0.5 * jaw["jaw"][0], 0.0, 0.0)}
    looks: dict[str, Degrees] = {
        "eyes down": dict.fromkeys(EYES.values(), (20, 0, 0)),
        "eyes left": dict.fromkeys(EYES.values(), (0, 25, 0)),
    }
    poses = {
        "neutral": Pose(),
        "jaw open": Pose(jaw),
        "smile": Pose(arkit=SMILE),
        "smile, jaw half open": Pose(half, SMILE),
        "blink": Pose(arkit={"eyeBlink": 1.0}),
        "pucker, brows up": Pose(
            arkit={"mouthPucker": 1.0, "browInnerUp": 1.0, "browOuterUp": 1.0}
        ),
        **{name: Pose(joints) for name, joints in looks.items()},
    }
    colours = drawing.vertex_colours(body.rest, body.group)
    head = body.joints[JOINT_INDEX["head"]]
    view = View(np.array([0, head[1] + 0.02, 0.07]), 0.30, (330, 380), yaw_deg=15)
    return {
        name: drawing.draw(body.posed(pose), body.faces, colours, view)
        for name, pose in poses.items()
    }


def hand_sheet(body: BakedBody) -> dict[str, Picture]:
    """Return the left hand flat, half curled and as a fist, and wrist and elbow."""
    wrist = body.joints[JOINT_INDEX["left_wrist"]]
    centre = wrist + np.array([0.07, -0.02, 0.01])
    poses: dict[str, tuple[Pose, float, float]] = {
        "flat": (Pose(), 0, 90),
        "half curled": (Pose(curl(body, 0.5)), -25, 25),
        "fist, from above": (Pose(curl(body, 1.0)), 0, 90),
        "fist, from the thumb": (Pose(curl(body, 1.0)), -20, 10),
        "fist, from below": (Pose(curl(body, 1.0)), 0, -90),
        "fist, knuckles": (Pose(curl(body, 1.0)), -75, 15),
        "wrist bent": (Pose({"left_wrist": (0, 0, -60)}), 0, 15),
        "wrist turned": (Pose({"left_wrist": (80, 0, 0)}), 0, 0),
    }
    colours = drawing.vertex_colours(body.rest, body.group)
    return {
        name: drawing.draw(
            body.posed(pose),
            body.faces,
            colours,
            View(centre, 0.27, (330, 330), yaw_deg=yaw, pitch_deg=pitch),
        )
        for name, (pose, yaw, pitch) in poses.items()
    }


def curl(body: BakedBody, amount: float) -> Degrees:
    """Return a left hand curled by `amount` of a fist, along its synthetic model."""
    numbers = [numbering.WELL_KNOWN[f"left_{finger}"] for finger in FINGERS]
    pose = amount * hands.fist(body.joints, body.rest[numbers]).reshape(15, 3)
    names = [n for n, k in JOINT_INDEX.items() if 25 <= k < 40]
    return dict(zip(names, map(tuple, np.degrees(pose)), strict=True))


def landmark_sheet(body: BakedBody) -> dict[str, Picture]:
    """Return the 51+17 landmarks at three head angles, and the 468."""
    colours = drawing.vertex_colours(body.rest, body.group)
    head = body.joints[JOINT_INDEX["head"]]
    sheet = {}
    for name, yaw in (("51+17, ahead", 0), ("turned right", -35), ("turned left", 35)):
        view = View(np.array([0, head[1] + 0.01, 0.07]), 0.27, (360, 420), yaw_deg=yaw)
        picture = drawing.draw(body.rest, body.faces, colours, view)
        row = -yaw if yaw <= 0 else 39 + yaw
        contour = _embedded(body, "dynamic_lmk", row)
        picture = drawing.mark(picture, view.pixels(contour), (200, 30, 30))
        inner = _embedded(body, "lmk")
        sheet[name] = drawing.mark(picture, view.pixels(inner), (20, 140, 60))
    view = View(np.array([0, head[1] + 0.01, 0.07]), 0.27, (360, 420))
    picture = drawing.draw(body.rest, body.faces, colours, view)
    points = view.pixels(_embedded(body, "mediapipe468"))
    sheet["468"] = drawing.mark(picture, points, (30, 90, 200))
    return sheet


def _embedded(body: BakedBody, kind: str, row: int | None = None) -> Float:
    faces = body.file[f"{kind}_faces_idx"]
    bary = body.file[f"{kind}_bary_coords"]
    if row is not None:
        faces, bary = faces[row], bary[row]
    found = landmarks.Embedding(
        np.asarray(faces, np.int64), np.asarray(bary, np.float64)
    )
    return found.at(body.rest, body.faces)


def _whole(
    body: BakedBody,
    pose: Pose,
    *,
    yaw: float,
    size: tuple[int, int],
    extent: float | None = None,
) -> Picture:
    vertices = body.posed(pose)
    middle = (vertices.min(0) + vertices.max(0)) / 2
    if extent is None:
        wide = View(middle, 1.0, size, yaw_deg=yaw).turn(vertices)
        aspect = size[1] / size[0]
        tall, broad = float(np.ptp(wide[:, 1])), float(np.ptp(wide[:, 0]))
        extent = 1.06 * max(tall, aspect * broad)
    else:
        middle[1] = vertices[:, 1].min() + extent * 0.48
    view = View(middle, extent, size, yaw_deg=yaw)
    colours = drawing.vertex_colours(body.rest, body.group)
    return drawing.draw(vertices, body.faces, colours, view)


def main() -> None:
    """Draw every sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("body", type=Path, help="the baked .npz")
    parser.add_argument("folder", type=Path, help="where the PNG files go")
    options = parser.parse_args()
    body = BakedBody(options.body)
    for name, sheet, columns in (
        ("poses", body_sheet(body), 3),
        ("shapes", shape_sheet(body), 4),
        ("faces", face_sheet(body), 4),
        ("hands", hand_sheet(body), 4),
        ("landmarks", landmark_sheet(body), 4),
    ):
        path = options.folder / f"body-{name}.png"
        drawing.save_sheet(path, sheet, columns=columns)


if __name__ == "__main__":
    main()
