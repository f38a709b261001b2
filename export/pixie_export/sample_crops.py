"""Pictures of a person to compare engines on: crops out of the demo clip."""

import numpy as np

from pixie_export.chain import CROPS
from pixie_export.reference import Samples
from pixie_runtime.bundle import CropSpec
from pixie_runtime.crops import Box, Square, body_square, square_crop
from pixie_runtime.errors import SourceError
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.sources.opening import open_source
from pixie_runtime.types import Frame, PoseLandmarks, UInt8

_FRAMES = (20, 45, 70, 95)

_HEAD = list(range(11))
_LEFT_HAND, _RIGHT_HAND = [15, 17, 19, 21], [16, 18, 20, 22]
_KNUCKLES_TO_HAND = 1.6
"""The body landmarker sees wrist and knuckles of a hand, its box has finger tips."""


def demo_samples(spec: CropSpec) -> Samples:
    """Return four pictures of the demo clip's person.

    Raises:
        SourceError: the landmarker finds nobody in the clip.
    """
    people = []
    landmarker = PixieLandmarker()
    try:
        for frame in _frames():
            landmarker.reset()
            pose = landmarker.detect(frame).pose
            if pose is not None:
                people.append(_crops(frame.image, pose, spec))
    finally:
        landmarker.close()
    if not people:
        raise SourceError(
            "nobody was found in the demo clip: the installation is damaged, so "
            "install pixie-live again"
        )
    return Samples.of(
        {name: np.stack([person[name] for person in people]) for name in CROPS}
    )


def _frames() -> list[Frame]:
    source = open_source(demo=True, realtime=False)
    try:
        return [frame for frame in source if frame.index in _FRAMES]
    finally:
        source.close()


def _crops(picture: UInt8, pose: PoseLandmarks, spec: CropSpec) -> dict[str, UInt8]:
    points = pose.image[:, :2]
    low, high = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    hand_scale = spec.hand_scale * _KNUCKLES_TO_HAND
    squares = (
        (body_square(Box(*low, *high), spec.body_scale), False),
        (Square.around(points[_HEAD], spec.head_scale), False),
        (Square.around(points[_LEFT_HAND], hand_scale), True),
        (Square.around(points[_RIGHT_HAND], hand_scale), False),
    )
    return {
        name: _as_bytes(picture, square, spec.size, mirrored=mirrored)
        for name, (square, mirrored) in zip(CROPS, squares, strict=True)
    }


def _as_bytes(picture: UInt8, square: Square, size: int, *, mirrored: bool) -> UInt8:
    crop = square_crop(picture, square, size, mirrored=mirrored).image
    return np.asarray((crop * 255).round().transpose(1, 2, 0), np.uint8)
