"""The loop of a stage, top to bottom."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from pixie_runtime.errors import UsageError
from pixie_train.batch import CropKind
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.picture_training import state as states
from pixie_train.picture_training.average import copy_of, follow
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.checkpoint_file import LAST
from pixie_train.picture_training.config import Machine, Optimisation, StageRun
from pixie_train.picture_training.described import differences
from pixie_train.picture_training.loading import (
    Drawn,
    Sources,
    as_shares,
    batches,
    draws,
)
from pixie_train.picture_training.log import BOARD, CSV, Board, write_csv
from pixie_train.picture_training.machine import autocast, device_of
from pixie_train.picture_training.passes import FaceTerms, StagePass, trained
from pixie_train.picture_training.state import RunState
from pixie_train.picture_training.trouble import culprits, diverged

Report = Callable[[int, dict[str, float]], None]
"""Is told the step and the figures of every row of the log."""


def silent(step: int, figures: dict[str, float]) -> None:
    """Report nothing."""


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
) -> RunState:
    """Train a stage, or go on with the run in `folder`; returns its last state.

    What a step sees depends on the seed and its number alone, so that a run that was
    stopped ends with the same numbers as one that was not.

    Args:
        run: the stage; that of an existing run in `folder` must be the same.
        network: is trained in place, where there is no run in `folder` yet from the
            weights that it has; in the end it has those of the last step.
        data: data sets by kind; of every kind that the stage needs.
        body: that targets and coefficients mean.
        folder: where `last.pt` is kept.
        report: is told every `log_every` steps.
        machine: how it is computed; None: as torch chooses.
        faces: renderer and face recognition for head crops; None: neither.
        saved: is given every state that was saved.
        said_of_data: what `data` are, by the options that chose them; a run is gone on
            with by the same ones only.

    Raises:
        UsageError: `folder` holds another run, or data of a kind are missing.
        SinkError: the checkpoint cannot be written.
        SourceError: too many pictures in a row cannot be read.
        PixieError: the loss is not a number; terms and pictures are in a file.
    """
    machine = machine or Machine()
    if machine.threads:
        torch.set_num_threads(machine.threads)
    device = device_of(machine)
    passes = StagePass(run, network, body, faces)
    passes.to_device(device)
    parts = trained(run, network)
    _only(network, parts)
    how = run.optimisation
    parameters = [p for part in parts for p in part.parameters()]
    optimiser = torch.optim.AdamW(
        parameters, how.learning_rate, weight_decay=how.weight_decay
    )
    scaler = torch.amp.GradScaler(device.type, enabled=how.precision == "fp16")
    average = copy_of(network)
    path = folder / LAST
    history: list[dict[str, float]] = []
    said = dict(said_of_data or {})
    start = 0
    if path.exists():
        old = states.load(path)
        require_same_run(old, run, network, body, folder)
        _require_same_data(old, said, folder)
        network.load_state_dict(old.weights)
        average.load_state_dict(old.average)
        optimiser.load_state_dict(old.optimiser)
        if scaler.is_enabled():
            scaler.load_state_dict(old.scaler)
        start, history = old.step, old.history

    def now(step: int) -> RunState:
        return RunState(
            run=run,
            network=network.config,
            body_model_sha256=body.model.sha256,
            step=step,
            weights=network.state_dict(),
            average=average.state_dict(),
            optimiser=optimiser.state_dict(),
            scaler=scaler.state_dict(),
            history=history,
            data=said,
        )

    supplies = _supplies(run, data, range(start, run.steps), machine)
    sums = _Sums()
    board = Board(folder / BOARD, start)
    for step in range(start, run.steps):
        given = {kind: next(supply) for kind, supply in supplies.items()}
        seen = {kind: drawn.batch.to(device) for kind, drawn in given.items()}
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(how, step, run.steps)
        with autocast(device, how):
            cost = passes(seen, draws(run.seed, step, run.batch))
        if terms := culprits(cost):
            states.save(now(step), folder / "diverged.pt")
            raise diverged(terms, seen, step, folder)
        optimiser.zero_grad(set_to_none=True)
        scaler.scale(cost["total"]).backward()
        scaler.unscale_(optimiser)
        nn.utils.clip_grad_norm_(parameters, how.clip)
        scaler.step(optimiser)
        scaler.update()
        follow(average, network, min(how.ema_decay, (step + 1) / (step + 10)))
        sums.add(cost, sum(len(drawn.skipped) for drawn in given.values()))
        done = step + 1
        if done % run.log_every == 0 or done == run.steps:
            figures = sums.taken()
            history.append({"step": done, **figures})
            write_csv(history, folder / CSV)
            board.add(done, figures)
            report(done, figures)
        if done % run.checkpoint_every == 0 or done == run.steps:
            states.save(now(done), path)
            if saved is not None:
                saved(now(done))
    board.close()
    return now(max(start, run.steps))


def learning_rate(how: Optimisation, step: int, steps: int) -> float:
    """Return the rate of a step: a linear rise, then half a cosine down to zero."""
    warm = min(1.0, (step + 1) / max(how.warm_up_steps, 1))
    return how.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / steps))


def require_same_run(
    saved: RunState,
    run: StageRun,
    network: ImagePixie,
    body: TrainingBody,
    folder: Path,
) -> None:
    """Refuse to go on with a run as another one.

    Raises:
        UsageError: with the names of the fields that differ.
    """
    other = differences(saved.run, run) + differences(
        saved.network, network.config, "network."
    )
    if other:
        raise UsageError(
            f"{folder} holds a run with another {', '.join(other)}; give the same "
            "options to resume it, or another --out"
        )
    if saved.body_model_sha256 != body.model.sha256:
        raise UsageError(
            f"{folder} holds a run for another body model than {body.model.name}; give "
            "the same --body-model to resume it, or another --out"
        )


def _require_same_data(saved: RunState, said: dict[str, str], folder: Path) -> None:
    names = sorted(saved.data.keys() | said.keys())
    other = [name for name in names if saved.data.get(name) != said.get(name)]
    if other:
        name = other[0]
        raise UsageError(
            f"{folder} holds a run with another {', '.join(other)} ({name} was "
            f"{saved.data.get(name, 'not said')}, now {said.get(name, 'not said')}); "
            "give the same options to resume it, or another --out"
        )


class _Sums:
    """The mean of figures since the last row of the log."""

    def __init__(self) -> None:
        self._terms: dict[str, Tensor] = {}
        self._count = self._skipped = 0

    def add(self, cost: dict[str, Tensor], skipped: int) -> None:
        for name, value in cost.items():
            known = self._terms.get(name)
            value = value.detach()
            self._terms[name] = value.clone() if known is None else known + value
        self._count += 1
        self._skipped += skipped

    def taken(self) -> dict[str, float]:
        """Return the means and forget them."""
        figures = {n: float(v) / self._count for n, v in self._terms.items()}
        figures = {"loss": figures.pop("total"), **figures}
        if self._skipped:
            figures["skipped"] = float(self._skipped)
        self.__init__()  # type: ignore[misc]
        return figures


def _supplies(
    run: StageRun, data: Sources, steps: range, machine: Machine
) -> dict[CropKind, Iterator[Drawn]]:
    missing = [kind.value for kind in run.counts if kind not in data]
    if missing:
        raise UsageError(
            f"the stage {run.stage} was given no data of kind {', '.join(missing)}; "
            "give some"
        )
    return {
        kind: batches(
            as_shares(data[kind]),
            count,
            steps,
            seed=run.seed,
            workers=machine.workers,
        )
        for kind, count in run.counts.items()
    }


def _only(network: nn.Module, parts: Sequence[nn.Module]) -> None:
    """Let only these parts learn; the others keep their running statistics too."""
    network.eval().requires_grad_(False)
    for part in parts:
        part.train().requires_grad_(True)
