"""What a student is shown of a lesson, and what it is compared with."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pixie_runtime.crops import Square, square_crop
from pixie_runtime.errors import SourceError, UsageError
from pixie_train.data.pictures.augmentation import Cut
from pixie_train.data.pictures.mirroring import mirror
from pixie_train.data.pictures.sample import Sample
from pixie_train.distillation.answers import absolute_rotations, answers_of
from pixie_train.distillation.augmentation import (
    NO_AUGMENTATION,
    StudentAugmentation,
    mirrored_crops,
    seen_by_student,
)
from pixie_train.distillation.dataset import LessonDataset, camera_for, split
from pixie_train.distillation.lesson import Lesson
from pixie_train.distillation.lesson_batch import join_lessons
from pixie_train.picture_training.body import TrainingBody
from tests.train.distillation.lessons import SIZES, kept, lesson_of

S = SIZES.crop


def test_a_mirror_shows_the_teachers_crops_as_it_would_have_cut_them_there(
    samples: Sequence[Sample], lessons: Sequence[Lesson]
) -> None:
    for sample, lesson in zip(samples[:3], lessons, strict=False):
        there = lesson_of(mirror(sample), np.random.default_rng())
        gap = np.abs(mirrored_crops(lesson.crops).astype(int) - there.crops)
        assert gap.mean() < 0.5
        np.testing.assert_array_equal(lesson.present[[0, 2, 1]], there.present)


def test_answers_in_a_mirror_are_those_of_the_mirrored_person(
    samples: Sequence[Sample],
    lessons: Sequence[Lesson],
    body: TrainingBody,
    tmp_path: Path,
) -> None:
    data = LessonDataset(kept(lessons, tmp_path), range(len(lessons)), S)
    batch = join_lessons([data[index] for index in range(3)])
    straight = answers_of(batch, body.key_points)
    batch = replace(
        batch,
        mirrored=torch.ones(3, dtype=torch.bool),
        present=batch.present[:, [0, 2, 1]],
    )
    found = answers_of(batch, body.key_points)
    for index, sample in enumerate(samples[:3]):
        square = Cut(sample.size / 2, sample.size / 2, float(sample.size))
        start = np.array([square.x, square.y], np.float32) - square.side / 2
        xy = straight.whole.xy[index].numpy()
        share = (xy + 1) / 2 * S / (S - 1)
        assert np.allclose(straight.whole.absolute[index], sample.absolute, atol=1e-5)
        told = replace(
            sample,
            pixels=np.asarray(start + share * square.side, np.float32),
            xyz=straight.whole.xyz[index].numpy(),
        )
        expected = mirror(told)
        known = found.whole
        for ours, theirs in (
            (known.rotations, expected.rotations),
            (known.absolute, expected.absolute),
            (known.xyz, expected.xyz),
            (known.xy, square.projected(expected.pixels, S)),
        ):
            np.testing.assert_allclose(ours[index], theirs, atol=2e-5)
    assert not found.whole.betas_known.any()
    assert found.features_known[:, :2].sum() == 0
    torch.testing.assert_close(found.features[:, 2], straight.features[:, 3])
    torch.testing.assert_close(found.weights, straight.weights[:, [0, 2, 1]])


def test_absolute_rotations_are_the_samples_own(samples: Sequence[Sample]) -> None:
    R = torch.from_numpy(samples[0].rotations)[None]
    found = absolute_rotations(R)[0, [15, 20, 21]]
    np.testing.assert_allclose(found, samples[0].absolute, atol=1e-5)


def test_a_smaller_student_sees_what_the_runtime_would_cut_for_it(
    lessons: Sequence[Lesson],
) -> None:
    random = np.random.default_rng(0)
    # Smooth, so that interpolating twice is interpolating once.
    y, x = np.mgrid[:400, :400] / 400
    picture = np.stack([x, y, 0.5 + 0.5 * np.sin(6 * x * y)], -1)
    picture = (picture * 255).round().astype(np.uint8)
    square = Square(190.0, 210.0, 160.0)

    def cut(size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        image = square_crop(picture, square, size).image
        return np.asarray((image * 255).round(), np.uint8)

    crops = np.repeat(cut(S)[None], 4, axis=0)
    small = seen_by_student(crops, 40, NO_AUGMENTATION, random)
    assert small.shape == (4, 3, 40, 40)
    assert np.abs(small[0].astype(int) - cut(40)).max() <= 2
    same = seen_by_student(crops, S, NO_AUGMENTATION, random)
    np.testing.assert_array_equal(same, crops)


def test_a_camera_for_another_size_puts_points_where_they_are_in_the_square() -> None:
    camera = np.array([0.8, 0.1, -0.2], np.float32)
    point = np.array([0.3, -0.4])
    square = Cut(0.5, 0.5, 1.0)

    def place(camera: np.ndarray[tuple[int], np.dtype[np.float32]], size: int) -> float:
        xy = camera[0] * (point + camera[1:])
        found = (xy + 1) / 2 * size / (size - 1)
        np.testing.assert_allclose(
            square.projected(found.astype(np.float32), size), xy, atol=1e-6
        )
        return float(found.sum())

    assert place(camera_for(camera, 224, 96), 96) == pytest.approx(place(camera, 224))


def test_chance_depends_on_seed_epoch_and_lesson_alone(
    lessons: Sequence[Lesson], tmp_path: Path
) -> None:
    store = kept(lessons, tmp_path)
    how = StudentAugmentation(blurred=1, occluded=1)
    one, other = (LessonDataset(store, range(2, 8), 48, how, seed=5) for _ in range(2))
    for data in (one, other):
        data.set_epoch(3)
    first = one[4]
    assert torch.equal(first.crops, other[4].crops)
    assert not torch.equal(first.crops, one[3].crops)
    one.set_epoch(4)
    assert not torch.equal(first.crops, one[4].crops)


def test_parts_that_nobody_looked_at_show_other_peoples(
    lessons: Sequence[Lesson], tmp_path: Path
) -> None:
    data = LessonDataset(kept(lessons, tmp_path), range(8), S)
    batch = join_lessons([data[index] for index in range(4)])
    present = torch.tensor([[1.0, 0, 1], [0, 1, 1], [1, 1, 0], [0, 0, 0]])
    black = batch.crops.clone()
    black[:, 1:][present == 0] = 0
    shown = replace(batch, crops=black, present=present).pictures
    assert all(picture.any() for picture in shown.head)
    assert all(hand.any() for hand in shown.hands.flatten(0, 1))
    torch.testing.assert_close(shown.head[2] * 255, black[2, 1].float())
    torch.testing.assert_close(shown.hands[1] * 255, black[1, 2:].float())
    assert torch.equal(shown.present, present)


def test_lessons_held_out_are_the_last_ones_and_too_few_are_refused(
    lessons: Sequence[Lesson], tmp_path: Path
) -> None:
    parts = split(kept(lessons, tmp_path / "many"), 0.25)
    assert (parts.learned, parts.held_out) == (range(6), range(6, 8))
    with pytest.raises(SourceError, match=r"found 1 people.*--every 1"):
        split(kept(lessons[:1], tmp_path / "one"), 0.25)


def test_shares_that_are_none_are_refused() -> None:
    with pytest.raises(UsageError, match=r"occluded is 1\.5; expected 0 to 1"):
        StudentAugmentation(occluded=1.5)
