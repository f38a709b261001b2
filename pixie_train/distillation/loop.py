"""The student's loop, top to bottom."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from torch.utils.data import DataLoader, Dataset

from pixie_runtime.fusion_rules import FusionRules
from pixie_train.checkpoint_file import LAST
from pixie_train.distillation import state as states
from pixie_train.distillation.beginning import feature_spread, some_of
from pixie_train.distillation.config import DistilConfig
from pixie_train.distillation.curves import HELD_OUT
from pixie_train.distillation.dataset import LessonDataset, split
from pixie_train.distillation.distance import distance
from pixie_train.distillation.learning import Learning, require_same
from pixie_train.distillation.lesson_batch import LessonBatch, join_lessons
from pixie_train.distillation.losses import DistilLoss
from pixie_train.distillation.state import DistilState, Lectures
from pixie_train.distillation.store import Lessons
from pixie_train.divergence import diverged
from pixie_train.key_points import KeyPoints
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.config import Machine
from pixie_train.picture_training.log import (
    BOARD,
    CSV,
    Board,
    Report,
    silent,
    write_csv,
)
from pixie_train.picture_training.machine import prepared
from pixie_train.picture_training.stream import Key, Steps, Stream

_COUNTED = 4
"""Batches of which the averaged student's statistics are counted."""


def distil(
    config: DistilConfig,
    lessons: Lessons,
    lectures: Lectures,
    body: TrainingBody,
    folder: Path,
    report: Report = silent,
    *,
    machine: Machine | None = None,
    rules: FusionRules | None = None,
    saved: Callable[[DistilState], None] | None = None,
) -> DistilState:
    """Teach a student, or go on with the run in `folder`; returns its last state.

    What a step sees depends on the seed and its number alone, so that a run that was
    stopped ends with the same numbers as one that was not.

    Args:
        config: the run; that of an existing run in `folder` must be the same.
        lessons: what the teacher said.
        lectures: who that is, and about what.
        body: the teacher's.
        folder: where `last.pt`, `log.csv` and `tensorboard/` are kept.
        report: is told every `log_every` steps, and of the distance to the teacher on
            lessons that are held out whenever a checkpoint is written.
        machine: how it is computed.
        rules: what the teacher does with the experts' features, and the student when it
            is compared with it; None: as in live use.
        saved: is told whenever a checkpoint was written.

    Raises:
        UsageError: `folder` holds another run.
        PixieError: the loss or its gradient is not a number.
        SourceError: there are too few lessons, or one is damaged.
        SinkError: the checkpoint cannot be written.
    """
    path = folder / LAST
    before = states.load(path) if path.exists() else None
    if before is not None:
        require_same(before, config, lectures, folder)
    machine = machine or Machine()
    device = prepared(machine)
    parts = split(lessons, config.held_out)
    some = some_of(lessons, parts.learned)
    spread = feature_spread(some)
    key_points = body.key_points.to(device)
    loss = DistilLoss(config.losses, key_points, body.gaussians, spread).to(device)
    learning = Learning(config, lessons.sizes, device)
    history: list[dict[str, float]] = []
    if before is None:
        learning.begin_at(some)
    else:
        learning.go_on(before)
        history = before.history
    compared = partial(
        _on_held_out, learning, lessons, parts.held_out, key_points, rules
    )
    with closing(Board(folder / BOARD, learning.done)) as board:

        def told(figures: dict[str, float]) -> None:
            history.append({"step": learning.done, **figures})
            write_csv(history, folder / CSV)
            board.add(learning.done, figures)
            report(learning.done, figures)

        if not history:
            told(compared())
        for batch in _batches(lessons, parts.learned, learning, machine):
            cost, terms = learning.step(batch, loss)
            if terms:
                names = [lessons.name(number) for number in batch.numbers.tolist()]
                keep = partial(states.save, learning.state(lectures, history))
                at = learning.done
                raise diverged(terms, names, at, folder, keep, what="lessons")
            done = learning.done
            saving = done == config.steps or done % config.checkpoint_every == 0
            if saving:
                learning.settle(_for_statistics(lessons, parts.learned, config))
            if saving or done % config.log_every == 0:
                figures = {"loss": float(cost.total.detach()), **cost.figures()}
                told(figures | (compared() if saving else {}))
            if saving:
                state = learning.state(lectures, history)
                states.save(state, path)
                if saved is not None:
                    saved(state)
    return learning.state(lectures, history)


def _on_held_out(
    learning: Learning,
    lessons: Lessons,
    numbers: range,
    key_points: KeyPoints,
    rules: FusionRules | None,
) -> dict[str, float]:
    """Return how far the averaged student is from lessons that it does not learn."""
    config = learning.config
    held = LessonDataset(lessons, numbers, config.crop_size)
    device = next(learning.average.parameters()).device
    batches = (batch.to(device) for batch in _in_order(held, config.batch))
    found = distance(learning.average, batches, key_points, rules)
    return {HELD_OUT + name: value for name, value in found.figures().items()}


def _for_statistics(
    lessons: Lessons, numbers: range, config: DistilConfig
) -> Iterator[LessonBatch]:
    """Return a few batches of learned lessons, evenly spread, as the teacher saw them.

    Every batch is spread over all of the footage.
    """
    count = _COUNTED * config.batch
    some = numbers[:: max(1, len(numbers) // count)][:count]
    batches = max(1, len(some) // config.batch)
    data = LessonDataset(lessons, some, config.crop_size)
    for first in range(batches):
        yield join_lessons([data[i] for i in range(first, len(data), batches)])


def _in_order(data: LessonDataset, size: int) -> Iterator[LessonBatch]:
    for start in range(0, len(data), size):
        stop = min(start + size, len(data))
        yield join_lessons([data[index] for index in range(start, stop)])


class _Keyed(Dataset[LessonBatch]):
    """Lessons by when they are learned."""

    def __init__(self, data: LessonDataset) -> None:
        self._data = data

    def __getitem__(self, key: Key) -> LessonBatch:
        self._data.set_epoch(key.epoch)
        return self._data[key.index]


def _batches(
    lessons: Lessons, numbers: range, learning: Learning, machine: Machine
) -> Iterator[LessonBatch]:
    """Yield the batches of the steps to come."""
    config = learning.config
    learned = LessonDataset(
        lessons, numbers, config.crop_size, config.augmentation, seed=config.seed
    )
    stream = Stream([len(learned)], [1.0], seed=config.seed)
    steps = Steps(stream, config.batch, range(learning.done, config.steps))
    join: Callable[[Sequence[LessonBatch]], LessonBatch] = join_lessons
    return iter(
        DataLoader(
            _Keyed(learned),
            batch_sampler=steps,
            collate_fn=join,
            num_workers=machine.workers,
        )
    )
