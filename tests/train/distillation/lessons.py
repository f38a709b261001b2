"""Lessons of a teacher that knows the truth about synthetic people."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixie_runtime.types import Float32, UInt8
from pixie_train.data.pictures.augmentation import Cut
from pixie_train.data.pictures.dataset import cut_out
from pixie_train.data.pictures.sample import PART_POINTS, Sample
from pixie_train.distillation.lesson import Lesson, LessonSizes
from pixie_train.distillation.store import LessonFolder, Lessons

SIZES = LessonSizes(crop=64, features=24, n_betas=8, n_expression=5)


def lesson_of(sample: Sample, random: np.random.Generator) -> Lesson:
    """Return what a teacher who is always right says of a body's sample."""
    square = Cut(sample.size / 2, sample.size / 2, float(sample.size))
    cuts = [square, *(_about(sample.pixels[points]) for points in PART_POINTS)]
    crops = [cut_out(sample.picture, cut, SIZES.crop) for cut in cuts]
    crops[2] = crops[2][:, ::-1]
    return Lesson(
        crops=_planes(crops),
        present=np.asarray(sample.covered < 0.9, np.float32),
        features=random.normal(0, 1, (4, SIZES.features)).astype(np.float32),
        rotations=sample.rotations,
        betas=sample.betas[: SIZES.n_betas],
        expression=sample.expression[: SIZES.n_expression],
        camera=_camera(sample, square),
        weights=random.uniform(0, 1, 3).astype(np.float32),
    )


def _about(points: Float32) -> Cut:
    low, high = points.min(0), points.max(0)
    x, y = ((low + high) / 2).tolist()
    return Cut(x, y, max(2.0 * float((high - low).max()), 4.0))


def _planes(crops: Sequence[UInt8]) -> UInt8:
    return np.ascontiguousarray(np.stack(crops).transpose(0, 3, 1, 2))


def _camera(sample: Sample, square: Cut) -> Float32:
    """Return the weak perspective that fits the key points best."""
    xy = square.projected(sample.pixels, SIZES.crop).astype(np.float64)
    flat = sample.xyz[:, :2].astype(np.float64) - sample.xyz[:1, :2]
    ours, theirs = flat - flat.mean(0), xy - xy.mean(0)
    s = float((ours * theirs).sum() / np.square(ours).sum())
    shift = (xy.mean(0) / s - flat.mean(0)).tolist()
    return np.array([s, *shift], np.float32)


def kept(lessons: Sequence[Lesson], folder: Path) -> Lessons:
    """Return lessons as they come off the disk."""
    store = LessonFolder(folder, {"teacher": "truth", "teacher_sha256": "0"}, SIZES)
    store.write("synthetic", 0, list(lessons))
    return Lessons.of([folder / "synthetic"], SIZES)
