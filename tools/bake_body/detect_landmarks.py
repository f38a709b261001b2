"""`python -m tools.bake_body.detect_landmarks BODY.npz`: MediaPipe on the baked head.

Draws the head as the bake's landmark stage sees it, runs MediaPipe Face Mesh (package
`mediapipe`, models inside) and rewrites face_landmarks.npz beside this file. Needed
only when the mean head has changed; bake again afterwards.
"""

import argparse
from pathlib import Path

import mediapipe
import numpy as np

from pixie_runtime.smplx import JOINT_INDEX
from tools.bake_body import drawing, landmarks
from tools.bake_body.arrays import Float
from tools.bake_body.posing import BakedBody


def detect(body: BakedBody) -> Float:
    """Return the pixels (Y, 468, 2) of the views landmarks.YAWS_DEG."""
    colours = drawing.vertex_colours(body.rest, body.group)
    found = []
    with mediapipe.solutions.face_mesh.FaceMesh(
        static_image_mode=True, max_num_faces=1, min_detection_confidence=0.2
    ) as mesh:
        for yaw in landmarks.YAWS_DEG:
            view = landmarks.head_view(body.joints[JOINT_INDEX["head"]], yaw)
            picture = drawing.draw(body.rest, body.faces, colours, view)
            faces = mesh.process(picture).multi_face_landmarks
            if not faces:
                raise SystemExit(
                    f"MediaPipe finds no face in the view at {yaw} degrees"
                )
            points = [(p.x, p.y) for p in faces[0].landmark[:468]]
            found.append(np.array(points) * landmarks.PICTURE_PX)
    return np.stack(found)


def main() -> None:
    """Detect and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("body", type=Path, help="the baked .npz")
    pixels = detect(BakedBody(parser.parse_args().body)).astype(np.float32)
    np.savez_compressed(landmarks.DETECTIONS, pixels=pixels)
    print(f"{landmarks.DETECTIONS.name}: {pixels.shape}")


if __name__ == "__main__":
    main()
