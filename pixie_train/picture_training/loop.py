"""The loop of a stage, top to bottom."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pixie_runtime.errors import UsageError
from pixie_train.batch import CropKind
from pixie_train.checkpoint_file import LAST
from pixie_train.divergence import diverged
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.picture_training import state as states
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.config import Machine, StageRun
from pixie_train.picture_training.learning import Learning
from pixie_train.picture_training.loading import Drawn, Sources, as_shares, batches
from pixie_train.picture_training.log import Log, Report, silent
from pixie_train.picture_training.machine import prepared
from pixie_train.picture_training.made_with import made_with
from pixie_train.picture_training.passes import FaceTerms
from pixie_train.picture_training.resuming import (
    require_same_data,
    require_same_files,
    require_same_run,
    require_same_step,
)
from pixie_train.picture_training.shared_norm import normalised_together
from pixie_train.picture_training.state import RunState
from pixie_train.picture_training.trouble import require_coefficients, suspects
from pixie_train.processes import ALONE, Processes


def train(
    run: StageRun,
    network: ImagePixie,
    data: Sources,
    body: TrainingBody,
    folder: Path,
    report: Report = silent,
    *,
    machine: Machine | None = None,
    faces: FaceTerms | None = None,
    saved: Callable[[RunState], None] | None = None,
    said_of_data: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    processes: Processes = ALONE,
) -> RunState:
    """Train a stage, or go on with the run in `folder`; returns its last state.

    What a step sees depends on the seed and its number alone: a run that was stopped
    ends with the same numbers as one that was not. Several processes, inside
    `processes.joined`, compute what one does, up to rounding.

    Args:
        run: the stage; that of an existing run in `folder` must be the same.
        network: is trained in place, where there is no run in `folder` yet from the
            weights that it has; in the end it has those of the last step.
        data: data sets of every kind that the stage needs.
        body: that targets and coefficients mean.
        folder: where `last.pt` is kept.
        report: is told every `log_every` steps, in the first process.
        machine: how it is computed; None: as torch chooses.
        faces: renderer and face recognition for head crops.
        saved: is given every state that was saved, in the first process.
        said_of_data: what `data` are, by option; a run is gone on with by the same.
        files: SHA-256 of what else it was given, by option; likewise.
        processes: who share the run; the first writes all files.

    Raises:
        UsageError: `folder` holds another run, or data are too few or do not fit.
        SinkError: the checkpoint cannot be written.
        SourceError: too many pictures in a row cannot be read.
        PixieError: the loss or its gradient is not a number.
    """
    _require_data(run, data, processes)
    device = prepared(machine or Machine(), processes)
    learning = Learning(run, network, body, faces, device, processes)
    said, given = dict(said_of_data or {}), dict(files or {})
    old = _found(learning, folder, said, given, processes)
    supplies = _supplies(run, data, learning.done, machine or Machine(), processes)
    log = Log(folder, old.history if old else [], learning.done, processes, report)
    starts = [*(old.starts if old else []), made_with(device, processes, learning.done)]
    course = _Course(learning, supplies, log, folder, processes, said, given, starts)
    with normalised_together(network, processes), log:
        learning.share()
        while learning.done < run.steps:
            course.step()
            last = learning.done == run.steps
            if learning.done % run.log_every == 0 or last:
                log.row(learning.done)
            if learning.done % run.checkpoint_every == 0 or last:
                course.save(saved)
    return course.state()


@dataclass(frozen=True, eq=False)
class _Course:
    """A run that has begun."""

    learning: Learning
    supplies: Mapping[CropKind, Iterator[Drawn]]
    log: Log
    folder: Path
    processes: Processes
    data: dict[str, str]
    files: dict[str, str]
    starts: list[dict[str, str]]

    def state(self) -> RunState:
        """Return what a checkpoint holds."""
        return self.learning.state(
            history=self.log.history,
            data=self.data,
            files=self.files,
            starts=self.starts,
        )

    def save(self, saved: Callable[[RunState], None] | None) -> None:
        """Write a checkpoint, in the first process."""
        if not self.processes.lead:
            return
        state = self.state()
        states.save(state, self.folder / LAST)
        if saved is not None:
            saved(state)

    def step(self) -> None:
        """Make one step, and note what it cost.

        Raises:
            PixieError: the loss or its gradient is not a number; the state before is
                in a file.
        """
        learning = self.learning
        given = {kind: next(supply) for kind, supply in self.supplies.items()}
        seen = {kind: drawn.batch for kind, drawn in given.items()}
        require_coefficients(seen, learning.network.core)
        cost, terms = learning.step(seen)
        if terms:
            raise diverged(
                terms,
                suspects(terms, seen),
                learning.done,
                self.folder,
                lambda path: states.save(self.state(), path),
                self.processes,
            )
        self.log.add(cost, sum(len(drawn.skipped) for drawn in given.values()))


def _found(
    learning: Learning,
    folder: Path,
    said: Mapping[str, str],
    given: Mapping[str, str],
    processes: Processes,
) -> RunState | None:
    """Go on with the folder's run, if there is one."""
    old = states.load(folder) if (folder / LAST).exists() else None
    if old is not None:
        require_same_run(
            old, learning.run, learning.network, learning.body_model, folder
        )
        require_same_data(old, said, folder)
        require_same_files(old, given, folder)
        learning.go_on(old)
    require_same_step(processes, learning.done, folder)
    return old


def _supplies(
    run: StageRun,
    data: Sources,
    start: int,
    machine: Machine,
    processes: Processes,
) -> dict[CropKind, Iterator[Drawn]]:
    return {
        kind: batches(
            as_shares(data[kind]),
            count,
            range(start, run.steps),
            seed=run.seed,
            workers=machine.workers,
            rank=processes.rank,
            world=processes.world,
        )
        for kind, count in run.counts.items()
    }


def _require_data(run: StageRun, data: Sources, processes: Processes) -> None:
    missing = [kind.value for kind in run.counts if kind not in data]
    if missing:
        raise UsageError(
            f"the stage {run.stage} was given no data of kind {', '.join(missing)}; "
            "give some"
        )
    for kind, count in run.counts.items():
        if count < processes.world:
            raise UsageError(
                f"{processes.world} processes share {count} {kind.value} crops a step; "
                "expected at least one for each, so start fewer processes or give more "
                "samples a step"
            )
