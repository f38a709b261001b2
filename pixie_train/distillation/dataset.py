"""Lessons as batches of one, for a torch DataLoader."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from pixie_runtime.errors import SourceError
from pixie_runtime.types import Float32
from pixie_train.distillation.augmentation import (
    NO_AUGMENTATION,
    StudentAugmentation,
    mirrored_crops,
    seen_by_student,
)
from pixie_train.distillation.lesson import Lesson
from pixie_train.distillation.lesson_batch import LessonBatch
from pixie_train.distillation.store import Lessons


class LessonDataset(Dataset[LessonBatch]):
    """Some of a store's lessons; `lesson_batch.join_lessons` is the `collate_fn`.

    What chance does to a lesson depends on the seed, the epoch and the lesson's number,
    on nothing else.
    """

    def __init__(
        self,
        lessons: Lessons,
        numbers: range,
        crop_size: int,
        augmentation: StudentAugmentation = NO_AUGMENTATION,
        *,
        seed: int = 0,
    ) -> None:
        """Take the lessons of these numbers, for a student's crops of this size."""
        self._lessons, self._numbers = lessons, numbers
        self._size, self._how, self._seed = crop_size, augmentation, seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Draw other augmentations; before the loader starts its workers."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Return how many lessons there are."""
        return len(self._numbers)

    def __iter__(self) -> Iterator[LessonBatch]:
        """Yield every lesson once."""
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> LessonBatch:
        """Return a batch of one."""
        number = self._numbers[index]
        random = np.random.default_rng((self._seed, self._epoch, number))
        lesson = self._lessons[number]
        mirrored = bool(random.random() < self._how.mirrored)
        return _as_batch(
            number, lesson, self._size, self._how, random, mirrored=mirrored
        )


@dataclass(frozen=True)
class Split:
    """Which lessons are learned, and which only tell how well."""

    learned: range
    held_out: range


def split(lessons: Lessons, share: float) -> Split:
    """Hold out the last `share` of the lessons.

    They come in the footage's order: neighbouring pictures are much alike, so what is
    held out has to be elsewhere in time.

    Raises:
        SourceError: there are too few.
    """
    count = len(lessons)
    held = max(1, round(count * share))
    if count - held < 1:
        raise SourceError(
            f"the teacher found {count} people in the footage, which is too few to "
            "learn from; give more footage, or look at more of it with --every 1"
        )
    return Split(range(count - held), range(count - held, count))


def _as_batch(
    number: int,
    lesson: Lesson,
    size: int,
    how: StudentAugmentation,
    random: np.random.Generator,
    *,
    mirrored: bool,
) -> LessonBatch:
    crops, present = lesson.crops, lesson.present
    if mirrored:
        crops, present = mirrored_crops(crops), present[[0, 2, 1]]
    teachers = crops.shape[-1]
    return LessonBatch(
        numbers=torch.tensor([number]),
        crops=torch.from_numpy(seen_by_student(crops, size, how, random))[None],
        present=_one(present),
        mirrored=torch.tensor([mirrored]),
        features=_one(lesson.features),
        rotations=_one(lesson.rotations),
        betas=_one(lesson.betas),
        expression=_one(lesson.expression),
        camera=_one(camera_for(lesson.camera, teachers, size)),
        weights=_one(lesson.weights),
    )


def camera_for(camera: Float32, teachers: int, students: int) -> Float32:
    """Return a camera (3,) of a crop of `teachers` pixels for one of `students` pixels.

    Both show the same square, but projections span one pixel more than that
    (`crops.projected_span`), and pixels differ.
    """
    k = teachers / (teachers - 1) * (students - 1) / students
    s, tx, ty = camera.tolist()
    shift = (k - 1) / (k * s) if s else 0.0
    return np.array([k * s, tx + shift, ty + shift], np.float32)


def _one(array: Float32) -> Tensor:
    return torch.from_numpy(np.array(array, np.float32))[None]
