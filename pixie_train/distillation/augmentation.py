"""What is done to a lesson's crops before the student sees them.

The teacher saw them as they were: its answer stays, and the student learns to give it
for worse pictures too. Nothing here changes what is in the crops, but for the mirror,
which `LessonBatch.mirrored` tells of.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from pixie_runtime.errors import UsageError
from pixie_runtime.types import UInt8
from pixie_train.data.pictures import augmentation as pictures
from pixie_train.data.pictures.occluders import draw_occluder, put_before
from pixie_train.distillation.lesson import BODY


@dataclass(frozen=True)
class StudentAugmentation:
    """How much is done, and to how many of the lessons."""

    mirrored: float = 0.5
    """Share of the lessons seen in a mirror. Shape, expression and the features of body
    and head are then not compared: nobody asked the teacher about them."""
    shifted: float = 0.1
    """How far crops of parts are moved at most, over their side, along each axis."""
    scaled: tuple[float, float] = (0.9, 1.1)
    """Least and largest side of parts' crops, over the teacher's. The body's crop is
    left alone: the camera is about it."""
    blurred: float = 0.3
    """Share of crops with one of: low resolution, Gaussian twice as often, motion."""
    coloured: float = 0.5
    """Share of the lessons with another exposure, contrast, white and noise."""
    occluded: float = 0.15
    """Share of crops with something before them that the teacher did not see."""

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        for name in ("mirrored", "blurred", "coloured", "occluded", "shifted"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(
                    f"augmentation {name} is {getattr(self, name)}; expected 0 to 1"
                )
        low, high = self.scaled
        if not 0.5 <= low <= high <= 2:
            raise UsageError(
                f"augmentation scaled is {low} to {high}; expected 0.5 to 2, the "
                "smaller first"
            )


NO_AUGMENTATION = StudentAugmentation(
    mirrored=0.0, shifted=0.0, scaled=(1.0, 1.0), blurred=0, coloured=0, occluded=0
)
"""The crops as the teacher saw them."""


def seen_by_student(
    crops: UInt8, size: int, how: StudentAugmentation, random: np.random.Generator
) -> UInt8:
    """Return crops (4, 3, S, S) at the student's size, (4, 3, size, size).

    Sampled as the runtime would have cut them at that size: bilinear, without low-pass
    filter (spec: pixie-network, section 8).
    """
    planes = crops.transpose(0, 2, 3, 1)
    seen = np.stack(
        [_resized(crop, size, part, how, random) for part, crop in enumerate(planes)]
    )
    seen = _worsened(seen, how, random)
    if random.random() < how.coloured:
        # One camera took all four: side by side they are one picture.
        row = pictures.recoloured(np.concatenate(seen, axis=1), random)
        seen = np.stack(np.split(row, len(seen), axis=1))
    return np.ascontiguousarray(seen.transpose(0, 3, 1, 2))


def mirrored_crops(crops: UInt8) -> UInt8:
    """Return the crops (4, 3, S, S) of the person in a mirror.

    Left hands come mirrored already: in a mirror the right hand's crop is the left
    hand's, and the other way round, as they stand.
    """
    flipped = crops[[0, 1, 3, 2]].copy()
    flipped[:2] = flipped[:2, :, :, ::-1]
    return flipped


def _resized(
    crop: UInt8,
    size: int,
    part: int,
    how: StudentAugmentation,
    random: np.random.Generator,
) -> UInt8:
    S = len(crop)
    scale, shift = 1.0, np.zeros(2)
    if part != BODY:
        scale = float(random.uniform(*how.scaled))
        shift = random.uniform(-how.shifted, how.shifted, 2) * S
    elif size == S:
        return crop
    if part == BODY:
        # The outermost pixels' centres lie on the square's edges (crops.square_crop).
        step, start = (S - 1) / (size - 1), np.zeros(2)
    else:
        # Pixels tile the square (crops.part_places).
        step = scale * S / size
        start = (S / 2) * (1 - scale) + shift + 0.5 * step - 0.5
    to_source = np.array([[step, 0, start[0]], [0, step, start[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(crop, to_source, (size, size), flags=flags))


def _worsened(
    crops: UInt8, how: StudentAugmentation, random: np.random.Generator
) -> UInt8:
    """Occlude and blur some of the crops (4, S, S, 3)."""
    size = crops.shape[1]
    worse = []
    for crop in crops:
        if random.random() < how.occluded:
            low, high = (np.full(2, size * at, np.float32) for at in (0.2, 0.8))
            share = float(random.uniform(0.2, 0.7))
            crop = put_before(crop, draw_occluder(random, low, high, share))[0]
        if random.random() < how.blurred:
            crop = pictures.blurred(crop, pictures.Augmentation(), size / 224, random)
        worse.append(crop)
    return np.stack(worse)
