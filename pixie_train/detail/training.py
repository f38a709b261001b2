"""The loop that trains the detail network, top to bottom."""

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path

import torch
from torch import nn

from pixie_runtime.errors import UsageError
from pixie_train.checkpoint_file import LAST
from pixie_train.data.motion import MotionBank
from pixie_train.detail.body import DetailBody
from pixie_train.detail.heads import HELD_OUT_SEED, draw_heads
from pixie_train.detail.learning import Learning, displacement_of, photometric
from pixie_train.detail.run_config import DetailRun
from pixie_train.detail.seen_heads import SeenHeads
from pixie_train.detail.state import DetailState, load, save
from pixie_train.divergence import diverged
from pixie_train.picture_training.config import Machine
from pixie_train.picture_training.log import Log, Report, silent
from pixie_train.picture_training.machine import prepared

_OCCLUDED = 0.1
_LOG_EVERY = 20
_AT_ONCE = 8


def train(
    run: DetailRun,
    body: DetailBody,
    bank: MotionBank,
    folder: Path,
    report: Report = silent,
    drawn: Callable[[int, int], None] = lambda done, count: None,
    *,
    machine: Machine | None = None,
    saved: Callable[[DetailState], None] = lambda state: None,
) -> Path:
    """Train, or go on with the run in `folder`; returns the checkpoint.

    Which heads a step sees depends on the seed and the step alone, so that a run that
    was interrupted goes on as if it had not been.

    Args:
        run: the run; one in `folder` must be the same.
        body: whose face it is, and who says where it is.
        bank: how people move.
        folder: where `last.pt`, `log.csv` and `tensorboard/` are kept.
        report: told the step and its figures.
        drawn: told how many of the heads are there, and of how many.
        machine: how it is computed, by one process without workers; heads are drawn
            and looked at on the processor, once where `memory_mb` suffices.
        saved: is told whenever a checkpoint was written.

    Raises:
        UsageError: `folder` holds another run, or the machine cannot be used.
        SinkError: the checkpoint cannot be written.
        PixieError: the loss or its gradient is not a number.
    """
    device = prepared(_alone(machine or Machine()))
    learning, path = Learning(run, body, device), folder / LAST
    history: list[dict[str, float]] = []
    if path.exists():
        before = load(path)
        _check_same(before, run, body, folder)
        learning.go_on(before)
        history = before.history
    if learning.done >= run.steps:
        return path
    heads, held_out = _heads(run, body, bank, folder, drawn)
    with Log(folder, history, learning.done, report=report) as log:
        while learning.done < run.steps:
            faces = heads.of(_chosen(run, learning.done, len(heads))).to(device)
            cost, terms = learning.step(faces)
            if terms:
                keep = partial(save, learning.state(log.history))
                names = faces.batch.names
                raise diverged(terms, names, learning.done, folder, keep)
            log.add(cost, 0)
            done = learning.done
            saving = done % run.checkpoint_every == 0 or done == run.steps
            if done % _LOG_EVERY == 0 or saving:
                now = learning.average, learning.body
                log.row(done, compare(*now, held_out) if saving else None)
            if saving:
                state = learning.state(log.history)
                save(state, path)
                saved(state)
    return path


@torch.no_grad()
def compare(network: nn.Module, body: DetailBody, heads: SeenHeads) -> dict[str, float]:
    """Compare displacements of heads with the truth.

    Args:
        network: a `DetailNetwork` in evaluation mode.
        body: where the network is.
        heads: whom to look at.

    Returns:
        `rmse_um`: of the displacement where the face has any, micrometres;
        `zero_rmse_um`: of a smooth face; `correlation`: over all heads' texels; and
        `gap`, `zero_gap`: mean difference of picture and drawing, of 255.
    """
    found, heights, colours = [], [], []
    device = body.surface.share.device
    for first in range(0, len(heads), _AT_ONCE):
        chosen = list(range(first, min(first + _AT_ONCE, len(heads))))
        faces = heads.of(chosen).to(device)
        displacement = displacement_of(network, faces)
        found.append(body.surface.heights(displacement).cpu())
        heights.append(heads.source.heights(chosen))
        for tried in (displacement, torch.zeros_like(displacement)):
            colours.append(photometric(body, faces, tried).value.sum())
    true = torch.cat(heights)
    share = (body.surface.share.cpu() > 0.5).expand_as(true)
    z, truth = torch.cat(found)[share].double(), true[share].double()
    a, b = z - z.mean(), truth - truth.mean()
    norm = (a.square().sum() * b.square().sum()).sqrt().clamp_min(1e-20)
    per_head = 255 / len(heads)
    return {
        "rmse_um": float((z - truth).square().mean().sqrt()) * 1e6,
        "zero_rmse_um": float(truth.square().mean().sqrt()) * 1e6,
        "correlation": float((a * b).sum() / norm),
        "gap": float(torch.stack(colours[::2]).sum()) * per_head,
        "zero_gap": float(torch.stack(colours[1::2]).sum()) * per_head,
    }


def _heads(
    run: DetailRun,
    body: DetailBody,
    bank: MotionBank,
    folder: Path,
    drawn: Callable[[int, int], None],
) -> tuple[SeenHeads, SeenHeads]:
    """Draw the heads to train on, and other people's to compare with."""
    own, memory = run.pictures, run.memory_mb * 10**6
    whole = own.count + own.held_out
    held_out = draw_heads(
        body.model,
        bank,
        body.surface,
        own,
        folder / "held_out",
        seed=run.seed + HELD_OUT_SEED,
        count=own.held_out,
        occluded=0.0,
        report=lambda done, _: drawn(done, whole),
    )
    heads = draw_heads(
        body.model,
        bank,
        body.surface,
        own,
        folder / "heads",
        seed=run.seed,
        count=own.count,
        occluded=_OCCLUDED,
        report=lambda done, _: drawn(own.held_out + done, whole),
    )
    looks = body.renderer, body.coarse
    return SeenHeads(heads, *looks, memory), SeenHeads(held_out, *looks, memory // 4)


def _chosen(run: DetailRun, step: int, count: int) -> list[int]:
    """Return which of `count` heads a step sees."""
    generator = torch.Generator().manual_seed(run.seed * 1_000_003 + step)
    return torch.randint(count, (run.batch,), generator=generator).tolist()


def _alone(machine: Machine) -> Machine:
    """Refuse what this loop would not use."""
    if machine.processes != 1 or machine.workers:
        raise UsageError(
            f"--processes is {machine.processes} and --workers {machine.workers}, but "
            "detail is trained by one process without any; leave them out"
        )
    return machine


def _check_same(
    saved: DetailState, run: DetailRun, body: DetailBody, folder: Path
) -> None:
    other = [
        field.name
        for field in fields(run)
        if getattr(saved.run, field.name) != getattr(run, field.name)
    ]
    if saved.body_model_sha256 != body.model.sha256:
        other.append("body_model")
    if saved.coarse != body.coarse_name:
        other.append("head")
    if other:
        raise UsageError(
            f"{folder} holds a run with another {', '.join(other)}; give the same "
            "options to resume it, or another --out"
        )
