"""What is done to samples before a network sees them; pure functions of chance.

The crops' ranges, the choice of blurs and theirs are what the official release's
training data set says of itself (spec: pixie-network, section 13); Gaussian blur, which
it names but never does, is done here. Colour and occlusion are ours.
"""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from pixie_runtime.types import Float32, UInt8
from pixie_train.batch import CropKind
from pixie_train.data.pictures.occluders import (
    Occluder,
    draw_occluder,
    mask_at,
    put_before,
)
from pixie_train.data.pictures.sample import HEAD, PART_POINTS, RIGHT, Sample


@dataclass(frozen=True)
class Jitter:
    """How a crop's square varies."""

    scale: tuple[float, float]
    """Its side over the extent of the part's points; of bodies over the picture."""
    shift: float
    """How far its middle moves at most, over that extent, along each axis."""


@dataclass(frozen=True)
class Augmentation:
    """How much is done, and to how many of the samples."""

    seed: int = 0
    """Of everything drawn here."""
    body: Jitter = Jitter(scale=(0.95, 1.1), shift=0.05)
    """The official release has none for bodies."""
    head: Jitter = Jitter(scale=(1.8, 2.2), shift=0.3)
    """Of heads."""
    hand: Jitter = Jitter(scale=(2.2, 2.6), shift=0.4)
    """Of hands."""
    blurred: float = 0.5
    """Share of the samples with one of: low resolution, Gaussian twice as often,
    motion."""
    coloured: float = 0.5
    """Share with another exposure, contrast, white and noise."""
    occluded: float = 0.2
    """Share with something put before a part."""
    low_resolution: tuple[float, float] = (0.1, 0.5)
    """Least and largest share of the pixels along an axis that are left."""
    motion_px: tuple[int, int] = field(default=(7, 17))
    """Least and largest length of motion blur, in pixels of a crop of 224."""


@dataclass(frozen=True)
class Cut:
    """A square of a picture: its middle and side in the picture's pixels."""

    x: float
    y: float
    side: float

    def projected(self, pixels: Float32, size: int) -> Float32:
        """Return where pixels (n, 2) of the picture are in this square's crop.

        In [-1, 1] as networks project: -1 is the centre of the crop's first pixel, +1
        one pixel beyond the centre of its last (spec: pixie-network, sections 6, 8.1).
        """
        start = np.array([self.x, self.y], np.float32) - self.side / 2
        share = (pixels - start) / self.side
        return np.asarray(share * (2 * (size - 1) / size) - 1, np.float32)


def centred(sample: Sample, kind: CropKind, scale: float) -> Cut:
    """Return the square that a sample's crop shows: all of a body, or its part."""
    if kind is CropKind.BODY:
        return Cut(sample.size / 2, sample.size / 2, float(sample.size))
    low, high = _extent(sample, kind)
    x, y = ((low + high) / 2).tolist()
    return Cut(x, y, max(float((high - low).max()) * scale, 1.0))


def jittered(
    sample: Sample, kind: CropKind, jitter: Jitter, random: np.random.Generator
) -> Cut:
    """Return such a square, moved and scaled."""
    scale = random.uniform(*jitter.scale)
    cut = centred(sample, kind, 1.0)
    shift = random.uniform(-jitter.shift, jitter.shift, 2) * cut.side
    return Cut(cut.x + shift[0], cut.y + shift[1], cut.side * scale)


def augmented(
    sample: Sample,
    kind: CropKind,
    how: Augmentation,
    random: np.random.Generator,
) -> tuple[Sample, Cut]:
    """Return the sample as chance changes it, and the square to show of it."""
    jitter = {CropKind.BODY: how.body, CropKind.HEAD: how.head}.get(kind, how.hand)
    cut = jittered(sample, kind, jitter, random)
    if random.random() < how.occluded:
        part = int(random.integers(3)) if kind is CropKind.BODY else _part(kind)
        share = float(random.uniform(0.2, 1.2))
        sample = occluded(sample, part, share, random)
    picture = sample.picture
    if random.random() < how.blurred:
        picture = blurred(picture, how, cut.side / 224, random)
    if random.random() < how.coloured:
        picture = recoloured(picture, random)
    return replace(sample, picture=picture), cut


def low_resolution(picture: UInt8, share: float) -> UInt8:
    """Return a picture (H, W, 3) as if `share` of its rows and columns were left."""
    height, width = picture.shape[:2]
    small = max(1, round(width * share)), max(1, round(height * share))
    reduced = cv2.resize(picture, small, interpolation=cv2.INTER_LINEAR)
    return np.asarray(
        cv2.resize(reduced, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8
    )


def gaussian_blur(picture: UInt8, sigma_px: float) -> UInt8:
    """Return a picture (H, W, 3) out of focus."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), max(sigma_px, 0.1)), np.uint8)


def motion_blur(picture: UInt8, length_px: float, angle_deg: float) -> UInt8:
    """Return a picture (H, W, 3) smeared along a line, its middle where it was."""
    size = max(3, int(np.ceil(length_px)) | 1)
    half = size // 2
    kernel = np.zeros((size, size), np.float32)
    along = np.radians(angle_deg)
    reach = np.array([np.cos(along), np.sin(along)]) * (length_px - 1) / 2
    # Sixteenths of a pixel, so that the line's two ends are equally far.
    ends = [
        np.round((half + sign * reach) * 16).astype(int).tolist() for sign in (1, -1)
    ]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_8, 4)
    kernel += kernel[::-1, ::-1]
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.uint8)


def recoloured(picture: UInt8, random: np.random.Generator) -> UInt8:
    """Return a picture (H, W, 3) as another camera: exposure, white, noise."""
    gain = random.uniform(0.65, 1.35) * random.uniform(0.9, 1.1, 3)
    gamma = random.uniform(0.75, 1.35)
    levels = np.linspace(0, 1, 256)[:, None] ** gamma * gain * 255
    table = np.clip(levels, 0, 255).round().astype(np.uint8)
    changed = cv2.LUT(picture, table[None])
    grey = cv2.cvtColor(changed, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    mixed = grey + (changed - grey) * random.uniform(0.6, 1.3)
    mixed += random.normal(0, random.uniform(0, 8), (*picture.shape[:2], 1))
    return np.clip(mixed, 0, 255).round().astype(np.uint8)


def occluded(
    sample: Sample, part: int, share: float, random: np.random.Generator
) -> Sample:
    """Return the sample with something before a part.

    Args:
        sample: what is changed.
        part: 0 head, 1 left hand, 2 right hand.
        share: how much of the part's extent is covered, about; above 1: all of it.
        random: chance.
    """
    points = sample.pixels[PART_POINTS[part]]
    low, high = points.min(0), points.max(0)
    thing = draw_occluder(random, low, high, share)
    return behind(sample, thing)


def behind(sample: Sample, thing: Occluder) -> Sample:
    """Return the sample with `thing` before everything."""
    picture, mask = put_before(sample.picture, thing)
    hidden = mask_at(mask, sample.pixels)
    newly = [(hidden & sample.seen)[points].mean() for points in PART_POINTS]
    before = [max(sample.seen[points].mean(), 1e-6) for points in PART_POINTS]
    # Of what could be seen of a part, the share of its points that no longer can.
    lost = np.array(newly) / np.array(before)
    covered = 1 - (1 - sample.covered) * (1 - lost)
    return replace(
        sample,
        picture=picture,
        skin=sample.skin & ~mask,
        seen=sample.seen & ~hidden,
        covered=np.asarray(covered, np.float32),
    )


def blurred(
    picture: UInt8, how: Augmentation, scale: float, random: np.random.Generator
) -> UInt8:
    """Blur in one of the release's ways; `scale`: picture's pixels to the crop's."""
    kind = random.choice(["low", "gaussian", "gaussian", "motion"])
    if kind == "low":
        share = random.uniform(*how.low_resolution) / max(scale, 1.0)
        return low_resolution(picture, share)
    if kind == "gaussian":
        return gaussian_blur(picture, random.uniform(0.5, 4.0) * scale)
    length = random.uniform(*how.motion_px) * scale
    return motion_blur(picture, max(length, 2.0), random.uniform(-90, 90))


def _part(kind: CropKind) -> int:
    return HEAD if kind is CropKind.HEAD else RIGHT


def _extent(sample: Sample, kind: CropKind) -> tuple[Float32, Float32]:
    points = sample.pixels[PART_POINTS[_part(kind)]]
    return points.min(0), points.max(0)
