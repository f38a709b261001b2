"""Frames of a video side by side, as one picture for the documents.

python -m tools.contact_sheet out/demo.mp4 docs/images/demo.jpg --frames 5 --height 640
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from pixie_runtime.sources.video import VideoFile
from pixie_runtime.types import UInt8


def contact_sheet(video: Path, *, frames: int, rows: int, height: int) -> UInt8:
    """Return `frames` pictures spread evenly over a video, in rows, (H, W, 3) RGB.

    Args:
        video: The file.
        frames: How many pictures; the first and the last frame are among them.
        rows: How many rows they are laid out in; must divide `frames`.
        height: Of each picture, pixels.
    """
    images = [frame.image for frame in VideoFile(video, realtime=False)]
    chosen = [
        images[i] for i in np.linspace(0, len(images) - 1, frames).round().astype(int)
    ]
    small = [
        cv2.resize(
            image,
            (round(image.shape[1] * height / image.shape[0]), height),
            interpolation=cv2.INTER_AREA,
        )
        for image in chosen
    ]
    columns = frames // rows
    lines = [np.hstack(small[r * columns : (r + 1) * columns]) for r in range(rows)]
    return np.asarray(np.vstack(lines), np.uint8)


def main() -> None:
    """Make the picture that the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--frames", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--height", type=int, default=640)
    given = parser.parse_args()
    sheet = contact_sheet(
        given.video, frames=given.frames, rows=given.rows, height=given.height
    )
    cv2.imwrite(str(given.picture), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    print(f"{given.picture}: {sheet.shape[1]} x {sheet.shape[0]}")


if __name__ == "__main__":
    main()
