"""A student with its optimiser: one step, and what is saved of it."""

from collections.abc import Iterable
from pathlib import Path

import torch

from pixie_runtime.errors import UsageError
from pixie_train.distillation.beginning import begin_at_mean
from pixie_train.distillation.config import DistilConfig
from pixie_train.distillation.lesson import Lesson, LessonSizes
from pixie_train.distillation.lesson_batch import LessonBatch
from pixie_train.distillation.losses import DistilLoss
from pixie_train.distillation.state import DistilState, Lectures
from pixie_train.distillation.student import Student
from pixie_train.divergence import not_finite
from pixie_train.losses.stage import Loss
from pixie_train.picture_training.average import copy_of, follow, settle
from pixie_train.picture_training.described import differences
from pixie_train.picture_training.learning import descent, learning_rate
from pixie_train.picture_training.machine import autocast


class Learning:
    """A student on its way."""

    def __init__(
        self, config: DistilConfig, sizes: LessonSizes, device: torch.device
    ) -> None:
        """Begin with random weights."""
        torch.manual_seed(config.seed)
        self.config, self._sizes, self._device = config, sizes, device
        self.student = Student(config.student, sizes).to(device).train()
        copy = copy_of(self.student)
        assert isinstance(copy, Student)
        self.average = copy
        """What is evaluated and exported."""
        self._descent = descent(
            config.optimisation, list(self.student.parameters()), device
        )
        self.done = 0
        """Steps done."""

    def begin_at(self, lessons: list[Lesson]) -> None:
        """Begin at what the teacher says in these lessons on average."""
        for student in (self.student, self.average):
            begin_at_mean(student, lessons)

    def go_on(self, saved: DistilState) -> None:
        """Take everything from a checkpoint."""
        self.student.load_state_dict(saved.weights)
        self.average.load_state_dict(saved.average)
        self._descent.go_on(saved.optimiser, saved.scaler)
        self.done = saved.step

    def state(self, lectures: Lectures, history: list[dict[str, float]]) -> DistilState:
        """Return what a checkpoint holds."""
        return DistilState(
            config=self.config,
            sizes=self._sizes,
            lectures=lectures,
            step=self.done,
            weights=self.student.state_dict(),
            average=self.average.state_dict(),
            optimiser=self._descent.optimiser.state_dict(),
            scaler=self._descent.scale(),
            history=history,
        )

    def step(self, batch: LessonBatch, loss: DistilLoss) -> tuple[Loss, dict[str, str]]:
        """Learn from a batch.

        Returns:
            What it costs, and which terms of it, or the gradient, are no finite
            numbers; where there are any, nothing was learned.
        """
        config, how = self.config, self.config.optimisation
        with autocast(self._device, how.precision):
            cost = loss(self.student, batch.to(self._device))
        if terms := not_finite({"total": cost.total, **cost.terms}):
            return cost, terms
        rate = learning_rate(how, self.done, config.steps)
        if terms := self._descent.step(cost.total, rate):
            return cost, terms
        self.done += 1
        decay = min(how.ema_decay, self.done / (self.done + 9))
        follow(self.average, self.student, decay)
        return cost, {}

    def settle(self, batches: Iterable[LessonBatch]) -> None:
        """Count the averaged student's statistics on some lessons."""

        def show() -> None:
            for batch in batches:
                self.average.network.encode(batch.to(self._device).pictures)

        settle(self.average, show)


def require_same(
    saved: DistilState, config: DistilConfig, lectures: Lectures, folder: Path
) -> None:
    """Refuse to go on with a run as another one.

    Raises:
        UsageError: with what differs.
    """
    then = saved.lectures
    if then.teacher_sha256 != lectures.teacher_sha256:
        raise UsageError(
            f"{folder} holds a student of another teacher, {then.teacher}; give that "
            "bundle to go on, or another --out"
        )
    other = differences(saved.config, config)
    if other:
        raise UsageError(
            f"{folder} holds a run with another {', '.join(other)}; give the same "
            "options to resume it, or another --out"
        )
    if then != lectures:
        raise UsageError(
            f"{folder} holds a student that was taught on {then.lessons} people of "
            f"{len(then.footage)} pieces of footage, not on these {lectures.lessons} "
            f"of {len(lectures.footage)}; give the same --footage, or another --out"
        )
