from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pixie_runtime.crops import Square, projected_span, square_crop
from pixie_runtime.types import Float64, UInt8
from pixie_train.batch import CropKind
from pixie_train.data.pictures import Augmentation, Sample
from pixie_train.data.pictures.augmentation import (
    Cut,
    Jitter,
    augmented,
    centred,
    gaussian_blur,
    jittered,
    low_resolution,
    motion_blur,
    occluded,
    recoloured,
)
from pixie_train.data.pictures.dataset import cut_out
from pixie_train.data.pictures.mirroring import mirror
from pixie_train.data.pictures.sample import PART_POINTS

SIZE = 96


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture
def sample(random: np.random.Generator) -> Sample:
    """Return a grey picture with a white dot at key point 30, a joint of a hand."""
    pixels = random.uniform(0.25 * SIZE, 0.75 * SIZE, (145, 2)).astype(np.float32)
    pixels[30] = (40.5, 52.5)
    picture = np.full((SIZE, SIZE, 3), 60, np.uint8)
    picture[51:54, 39:42] = 255
    return Sample(
        picture=picture,
        skin=np.ones((SIZE, SIZE), bool),
        pixels=pixels,
        seen=np.ones(145, bool),
        xyz=np.zeros((145, 3), np.float32),
        rotations=np.tile(np.eye(3, dtype=np.float32), (55, 1, 1)),
        absolute=np.tile(np.eye(3, dtype=np.float32), (3, 1, 1)),
        betas=np.zeros(10, np.float32),
        expression=np.zeros(10, np.float32),
        covered=np.array([0.0, 0.2, 0.0], np.float32),
        gender=3,
        identity=0,
    )


def middle_of_light(picture: UInt8) -> Float64:
    """Return where the light is on average, pixels from the picture's edges."""
    bright = picture[..., 0].astype(float) - np.median(picture)
    rows, columns = np.indices(bright.shape)
    total = bright.sum()
    middle = [(bright * columns).sum() / total, (bright * rows).sum() / total]
    return np.array(middle) + 0.5


@pytest.mark.parametrize("size", [48, 96, 224])
def test_key_points_move_with_the_crop(sample: Sample, size: int) -> None:
    cut = Cut(43.0, 50.0, 60.0)
    xy = cut.projected(sample.pixels, size)[30]
    # A projection of -1 is the centre of pixel 0, and counts `size` pixels to +1.
    pixel = (xy + 1) / 2 * size + 0.5
    crop = cut_out(sample.picture, cut, size)
    np.testing.assert_allclose(middle_of_light(crop), pixel, atol=0.15)


def test_crops_are_those_of_the_runtime(
    sample: Sample, random: np.random.Generator
) -> None:
    noise = random.integers(0, 256, sample.picture.shape, dtype=np.uint8)
    picture = gaussian_blur(noise, 2.0)
    cut = Cut(30.0, 44.0, 71.0)
    ours = cut_out(picture, cut, 64)
    theirs = square_crop(picture, Square(cut.x, cut.y, cut.side), 64).image
    gap = np.abs(ours - theirs.transpose(1, 2, 0) * 255)
    assert np.median(gap) < 0.6
    # OpenCV places samples to a thirty-second of a pixel.
    assert gap.max() < 4
    span = projected_span(Square(cut.x, cut.y, cut.side), 64)
    place = (sample.pixels - (span.x, span.y)) / (span.side / 2)
    np.testing.assert_allclose(cut.projected(sample.pixels, 64), place, atol=1e-5)


def test_jitter_stays_in_its_range(sample: Sample, random: np.random.Generator) -> None:
    still = centred(sample, CropKind.HEAD, 1.0)
    jitter = Jitter(scale=(1.8, 2.2), shift=0.3)
    cuts = [jittered(sample, CropKind.HEAD, jitter, random) for _ in range(200)]
    scales = np.array([cut.side for cut in cuts]) / still.side
    shifts = np.array([(cut.x - still.x, cut.y - still.y) for cut in cuts]) / still.side
    assert 1.8 <= scales.min() < 1.85
    assert 2.15 < scales.max() <= 2.2
    assert 0.25 < np.abs(shifts).max() <= 0.3 + 1e-6
    assert centred(sample, CropKind.BODY, 1.0) == Cut(SIZE / 2, SIZE / 2, SIZE)


def test_in_a_mirror_the_light_and_its_point_go_to_the_other_hand(
    sample: Sample,
) -> None:
    other = mirror(sample)
    assert 30 in PART_POINTS[1]
    np.testing.assert_allclose(
        other.pixels[45], middle_of_light(other.picture), atol=0.01
    )
    np.testing.assert_array_equal(other.covered, sample.covered[[0, 2, 1]])


def sharpness(picture: UInt8) -> float:
    return float(np.abs(np.diff(picture.astype(float), axis=1)).max())


@pytest.mark.parametrize(
    "blur",
    [
        lambda picture: low_resolution(picture, 0.5),
        lambda picture: gaussian_blur(picture, 2.0),
        lambda picture: motion_blur(picture, 9.0, 25.0),
    ],
    ids=["low", "gaussian", "motion"],
)
def test_blurs_soften_and_move_nothing(
    sample: Sample, blur: Callable[[UInt8], UInt8]
) -> None:
    picture = sample.picture
    blurred = blur(picture)
    assert blurred.shape == picture.shape
    assert sharpness(blurred) < 0.75 * sharpness(picture)
    gap = middle_of_light(blurred) - middle_of_light(picture)
    assert np.abs(gap).max() < 1.0
    even = np.full_like(picture, 77)
    assert np.abs(blur(even).astype(int) - 77).max() <= 1


def test_motion_blur_goes_along_its_angle() -> None:
    dot = np.zeros((33, 33, 3), np.uint8)
    dot[16, 16] = 255
    level, steep = motion_blur(dot, 11, 0.0), motion_blur(dot, 11, 90.0)
    assert (level[16] > 0).any(-1).sum() == 11
    assert (steep[:, 16] > 0).any(-1).sum() == 11


def test_colours_change_and_keep_their_order(
    sample: Sample, random: np.random.Generator
) -> None:
    for _ in range(5):
        changed = recoloured(sample.picture, random)
        assert changed[52, 40].mean() > changed[5, 5].mean() + 40


def test_what_hides_a_part_is_counted(
    sample: Sample, random: np.random.Generator
) -> None:
    # Parts that lie apart, the head around the middle.
    pixels = sample.pixels.copy()
    for part, corner in enumerate(((48, 48), (12, 12), (84, 84))):
        points = PART_POINTS[part]
        pixels[points] = corner + random.uniform(-8, 8, (len(points), 2))
    sample = replace(sample, pixels=pixels)
    shares = (0.2, 0.5, 1.2)
    covered = [
        np.mean([occluded(sample, 0, s, random).covered[0] for _ in range(40)])
        for s in shares
    ]
    assert 0.05 < covered[0] < covered[1] < covered[2]
    hidden = occluded(sample, 0, 1.2, random)
    seen = hidden.seen[PART_POINTS[0]].mean()
    assert hidden.covered[0] == pytest.approx(1 - seen, abs=1e-6)
    changed = (hidden.picture != sample.picture).any(-1)
    assert changed[~hidden.skin].mean() > 0.9


def test_augmentation_is_decided_by_its_chance_alone(sample: Sample) -> None:
    how = Augmentation(blurred=1.0, coloured=1.0, occluded=1.0)
    first, again, other = (
        augmented(sample, CropKind.HAND, how, np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    assert first[1] == again[1] != other[1]
    np.testing.assert_array_equal(first[0].picture, again[0].picture)
    assert (first[0].picture != other[0].picture).any()
    assert (sample.picture[5, 5] == 60).all()
