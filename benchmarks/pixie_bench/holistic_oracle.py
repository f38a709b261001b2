"""MediaPipe Holistic over a clip, in an environment of its own.

Run with the Python that has mediapipe 0.10.21; needs numpy, OpenCV and mediapipe only.
Usage: `python holistic_oracle.py CLIP OUT.npz`, or without OUT.npz to be asked for runs
as `pixie_bench.worker` is.

OUT.npz: pose (T, 33, 4) x, y, z in pixels and visibility; world (T, 33, 3) metres;
left_hand, right_hand (T, 21, 3) and face (T, 468, 3) pixels; NaN where nothing was
found; milliseconds (T,) on the clock; cpu_ms, of all threads, for a frame on average.
"""

import json
import os
import sys
import time
from itertools import cycle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
_POINTS = {"pose": 33, "world": 33, "left_hand": 21, "right_hand": 21, "face": 468}
_FIELDS = {
    "pose": "pose_landmarks",
    "world": "pose_world_landmarks",
    "left_hand": "left_hand_landmarks",
    "right_hand": "right_hand_landmarks",
    "face": "face_landmarks",
}


def read_frames(clip: Path) -> list[npt.NDArray[np.uint8]]:
    """Return all pictures of a video or the one of a picture file, RGB; or none."""
    if clip.suffix in (".png", ".jpg"):
        picture = cv2.imread(str(clip))
        if picture is None:
            return []
        return [np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)]
    capture = cv2.VideoCapture(str(clip))
    frames: list[npt.NDArray[np.uint8]] = []
    while True:
        more, picture = capture.read()
        if not more or picture is None:
            return frames
        frames.append(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8))


def main(clip: Path, output: Path) -> None:
    """Run Holistic (complexity 1, tracking, no smoothing) and write what it found."""
    from mediapipe.python.solutions.holistic import Holistic

    frames = read_frames(clip)
    found = {
        part: np.full((len(frames), n, 4 if part == "pose" else 3), np.nan, np.float32)
        for part, n in _POINTS.items()
    }
    milliseconds = np.zeros(len(frames))
    cpu_begin = 0.0
    with Holistic(model_complexity=1, smooth_landmarks=False) as holistic:
        for index, frame in enumerate(frames):
            if index == 1:
                cpu_begin = time.process_time()
            begin = time.perf_counter()
            result = holistic.process(frame)
            milliseconds[index] = (time.perf_counter() - begin) * 1e3
            height, width = frame.shape[:2]
            scale = np.array([width, height, width], np.float32)
            for part, field in _FIELDS.items():
                landmarks = getattr(result, field)
                if landmarks:
                    _store(
                        found[part][index], landmarks, 1 if part == "world" else scale
                    )
        cpu_s = time.process_time() - cpu_begin
    cpu_ms = np.array(cpu_s * 1e3 / max(len(frames) - 1, 1))
    arrays: dict[str, Any] = {"milliseconds": milliseconds, "cpu_ms": cpu_ms, **found}
    np.savez(output, **arrays)


def serve(clip: Path) -> None:
    """Run Holistic frame by frame, again and again over the clip, as often as asked."""
    # The library prints; the answers must stay alone on their line.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(answer: Any) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    began_s = time.perf_counter()
    try:
        from mediapipe import __version__ as version
        from mediapipe.python.solutions.holistic import Holistic
    except ImportError as error:
        say({"error": f"the other Python lacks a package: {error}"})
        return
    frames = cycle(read_frames(clip))
    with Holistic(model_complexity=1, smooth_landmarks=True) as holistic:
        holistic.process(next(frames))
        opened_s = time.perf_counter() - began_s
        say({"description": f"MediaPipe Holistic {version}", "opened_s": opened_s})
        for line in sys.stdin:
            wanted = json.loads(line)
            milliseconds = []
            for index in range(wanted["skip"] + wanted["runs"]):
                frame = next(frames)
                began_s = time.perf_counter()
                holistic.process(frame)
                if index >= wanted["skip"]:
                    milliseconds.append((time.perf_counter() - began_s) * 1e3)
            say({"milliseconds": milliseconds, "resident_mb": None})


def _store(row: Float32, landmarks: Any, scale: Float32 | int) -> None:
    points = landmarks.landmark[: len(row)]
    row[:, :3] = np.array([[p.x, p.y, p.z] for p in points]) * scale
    if row.shape[1] == 4:
        row[:, 3] = [p.visibility for p in points]


if __name__ == "__main__":
    if len(sys.argv) > 2:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        serve(Path(sys.argv[1]))
