"""How pictures are spoilt: at random to train, by degrees to measure.

What is measured is spoilt as a picture would be: a thing before a part hides it from
the body's crop too, and a blurred picture is blurred for all. In training the parts'
crops are spoilt once more, each by chance of its own, so that the moderators see every
combination of a good and a bad expert: this is what they have to learn from.
"""

from dataclasses import dataclass, replace

import numpy as np

from pixie_runtime.types import UInt8
from pixie_train.data.pictures.augmentation import (
    Jitter,
    gaussian_blur,
    low_resolution,
    motion_blur,
    occluded,
    recoloured,
)
from pixie_train.data.pictures.occluders import draw_occluder, put_before
from pixie_train.data.pictures.sample import Sample

Range = tuple[float, float]
_PARTS = 3
_STILL = Jitter(scale=(1.0, 1.0), shift=0.0)
_STILL_HEAD = Jitter(scale=(2.0, 2.0), shift=0.0)
_STILL_HAND = Jitter(scale=(2.4, 2.4), shift=0.0)


@dataclass(frozen=True)
class Degradation:
    """What happens to a picture of a person, and to the crops of the parts."""

    covered: float = 0.0
    """Chance of each part that a thing is put before it."""
    share: Range = (0.2, 1.2)
    """About how much of the part the thing covers, of its extent."""
    blurred: float = 0.0
    """Chance that the whole picture is out of focus, smeared or coarse."""
    sigma_px: Range = (0.5, 4.0)
    """Out of focus, in pixels of the picture at a side of 320; likewise below."""
    motion_px: Range = (3.0, 15.0)
    """Length of the smear."""
    resolution: Range = (0.15, 0.5)
    """Share of the pixels along an axis that is left."""
    part_blurred: float = 0.0
    """Chance of each part that its crop alone is spoilt likewise."""
    part_covered: float = 0.0
    """Chance of each part that a thing is before its crop alone."""
    misplaced: float = 0.0
    """Chance of each part that its square is up to its extent away from it."""
    coloured: float = 0.0
    """Chance of another exposure, contrast and noise."""
    body: Jitter = _STILL
    """Of the body's square."""
    head: Jitter = _STILL_HEAD
    """Of the head's square."""
    hand: Jitter = _STILL_HAND
    """Of the hands' squares."""


TRAINING = Degradation(
    covered=0.3,
    blurred=0.3,
    part_blurred=0.3,
    part_covered=0.15,
    misplaced=0.1,
    coloured=0.5,
    body=Jitter(scale=(0.95, 1.1), shift=0.05),
    head=Jitter(scale=(1.8, 2.2), shift=0.15),
    hand=Jitter(scale=(2.2, 2.6), shift=0.2),
)
"""Three in ten parts are hidden and as many blurred, whatever the others are."""
DIFFICULTIES = {
    "clean": Degradation(),
    "mild": Degradation(
        covered=0.5,
        share=(0.2, 0.7),
        blurred=0.5,
        sigma_px=(0.5, 2.0),
        motion_px=(3.0, 7.0),
        resolution=(0.4, 0.8),
    ),
    "heavy": Degradation(
        covered=0.75,
        share=(0.6, 1.2),
        blurred=1.0,
        sigma_px=(1.5, 4.0),
        motion_px=(7.0, 15.0),
        resolution=(0.15, 0.4),
    ),
    "sweep": Degradation(covered=1.0, share=(0.0, 1.2)),
}
"""By name; `sweep` covers every part by a share of its own and blurs nothing."""


def spoilt(sample: Sample, how: Degradation, random: np.random.Generator) -> Sample:
    """Return a person's picture as chance spoils all of it."""
    for part in range(_PARTS):
        if random.random() < how.covered:
            sample = occluded(sample, part, float(random.uniform(*how.share)), random)
    picture = sample.picture
    if random.random() < how.blurred:
        picture = blurred(picture, how, sample.size / 320, random)
    if random.random() < how.coloured:
        picture = recoloured(picture, random)
    return replace(sample, picture=picture)


def spoilt_crop(crop: UInt8, how: Degradation, random: np.random.Generator) -> UInt8:
    """Return a part's crop (P, P, 3) as chance spoils it alone."""
    P = len(crop)
    if random.random() < how.part_covered:
        low, high = (np.full(2, P * end, np.float32) for end in (0.25, 0.75))
        share = float(random.uniform(*how.share))
        crop, _ = put_before(crop, draw_occluder(random, low, high, share))
    if random.random() < how.part_blurred:
        # A crop of 64 pixels shows about as many of a picture of 320.
        crop = blurred(crop, how, P / 64, random)
    return crop


def blurred(
    picture: UInt8, how: Degradation, scale: float, random: np.random.Generator
) -> UInt8:
    """Return a picture out of focus (twice as often), smeared, or coarse."""
    kind = random.choice(["low", "gaussian", "gaussian", "motion"])
    if kind == "low":
        return low_resolution(picture, random.uniform(*how.resolution))
    if kind == "gaussian":
        return gaussian_blur(picture, random.uniform(*how.sigma_px) * scale)
    length = max(random.uniform(*how.motion_px) * scale, 2.0)
    return motion_blur(picture, length, random.uniform(-90, 90))
