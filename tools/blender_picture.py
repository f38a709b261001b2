"""`python -m tools.blender_picture VIDEO TAKE.glb FRAME OUT.jpg`: Blender's view of it.

A frame of the video, the GLB over it as Blender draws it through the file's camera, and
the same from the side. Needs Blender in .venv-blender (scripts/receivers).
"""

import argparse
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import cv2
import numpy as np

from pixie_runtime.types import UInt8

_BLENDER = Path(".venv-blender/bin/python")
_RENDER = Path("tests/receivers/blender/render.py")
_HEIGHT, _SAMPLES, _TURN, _QUALITY = 560, 96, 70, 88
_WALL = 236


def picture_of(video: Path, frame: int) -> UInt8:
    """Return a frame of a video, BGR, of the sheet's height."""
    with av.open(str(video)) as container:
        for index, decoded in enumerate(container.decode(video=0)):
            if index == frame:
                image = decoded.to_ndarray(format="bgr24")
                width = round(image.shape[1] * _HEIGHT / image.shape[0])
                small = cv2.resize(
                    image, (width, _HEIGHT), interpolation=cv2.INTER_AREA
                )
                return np.asarray(small, np.uint8)
    raise SystemExit(f"{video} has no frame {frame}")


def drawn_over(picture: UInt8, glb: Path, *arguments: int) -> UInt8:
    """Return `picture` with the GLB in front; arguments as `render.py` takes them."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "body.png"
        command = [*map(str, (_BLENDER, _RENDER, glb, out, *arguments))]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        drawn = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)
    assert drawn is not None
    opacity = drawn[:, :, 3:] / 255
    return np.asarray(picture * (1 - opacity) + drawn[:, :, :3] * opacity, np.uint8)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("glb", type=Path)
    parser.add_argument("frame", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("--fps", type=int, default=60)
    given = parser.parse_args()
    seen = picture_of(given.video, given.frame)
    size = (seen.shape[1], seen.shape[0])
    numbers = (given.frame, given.fps, *size, _SAMPLES)
    front = drawn_over(seen, given.glb, *numbers)
    side = drawn_over(np.full_like(seen, _WALL), given.glb, *numbers, _TURN)
    quality = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    cv2.imwrite(str(given.out), np.hstack([seen, front, side]), quality)


if __name__ == "__main__":
    main()
