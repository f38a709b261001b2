"""The loop that trains the detail network, top to bottom."""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import UsageError
from pixie_train.batch import unit_range
from pixie_train.checkpoint_file import LAST
from pixie_train.data.motion import MotionBank
from pixie_train.descent import Descent
from pixie_train.detail import losses
from pixie_train.detail.coarse import CoarseNetwork, TrueFaces
from pixie_train.detail.drawing import DetailRenderer
from pixie_train.detail.heads import HELD_OUT_SEED, draw_heads
from pixie_train.detail.network import DetailNetwork
from pixie_train.detail.run_config import DetailRun
from pixie_train.detail.seen_heads import SeenFaces, SeenHeads
from pixie_train.detail.state import DetailState, load, save
from pixie_train.detail.surface import DetailSurface
from pixie_train.divergence import diverged, not_finite
from pixie_train.losses.reduction import Cost

_OCCLUDED = 0.1
_LOG_EVERY = 20
_AT_ONCE = 8

Report = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True, eq=False)
class DetailBody:
    """What of a body a run needs."""

    model: BodyModel
    surface: DetailSurface
    renderer: DetailRenderer
    coarse: CoarseNetwork
    coarse_name: str = "truth"
    """The SHA-256 of the coarse network's file."""

    @classmethod
    def of(
        cls,
        run: DetailRun,
        model: BodyModel,
        coarse: CoarseNetwork | None = None,
        coarse_name: str = "truth",
    ) -> "DetailBody":
        """Prepare a body; without a coarse network faces are where they truly are."""
        surface = DetailSurface(model, size=run.network.map_size)
        renderer = DetailRenderer(model, surface, colour_blur=run.colour_blur)
        return cls(model, surface, renderer, coarse or TrueFaces(model), coarse_name)


def train(
    run: DetailRun,
    body: DetailBody,
    bank: MotionBank,
    folder: Path,
    report: Report = lambda step, figures: None,
    drawn: Callable[[int, int], None] = lambda done, count: None,
) -> Path:
    """Train, or go on with the run in `folder`; returns the checkpoint.

    Which heads a step sees depends on the seed and the step alone, so that a run that
    was interrupted goes on as if it had not been.

    Args:
        run: the run; one in `folder` must be the same.
        body: whose face it is, and who says where it is.
        bank: how people move.
        folder: where `last.pt` is kept.
        report: told the step and its figures.
        drawn: told how many of the heads are there, and of how many.

    Raises:
        UsageError: `folder` holds another run.
        SinkError: the checkpoint cannot be written.
        PixieError: the loss or its gradient is not a number.
    """
    torch.set_num_threads(run.threads)
    torch.manual_seed(run.seed)
    network = DetailNetwork(run.network)
    optimiser = torch.optim.Adam(network.parameters(), run.learning_rate)
    path, start, history = folder / LAST, 0, list[dict[str, float]]()
    if path.exists():
        saved = load(path)
        _check_same(saved, run, body, folder)
        network.load_state_dict(saved.weights)
        optimiser.load_state_dict(saved.optimiser)
        start, history = saved.step, saved.history
    if start >= run.steps:
        return path

    def keep(done: int, path: Path) -> None:
        state = DetailState(
            run=run,
            body_model_sha256=body.model.sha256,
            coarse=body.coarse_name,
            step=done,
            weights=network.state_dict(),
            optimiser=optimiser.state_dict(),
            history=history,
        )
        save(state, path)

    descent = Descent(optimiser, run.clip)
    heads, held_out = _heads(run, body, bank, folder, drawn)
    network.train()
    for step in range(start, run.steps):
        generator = torch.Generator().manual_seed(run.seed * 1_000_003 + step)
        chosen = torch.randint(len(heads), (run.batch,), generator=generator).tolist()
        faces = heads.of(chosen)
        costs = _costs(run, body, network, faces)
        total = torch.stack(list(costs.values())).sum()
        terms = not_finite({"total": total, **costs})
        if terms := terms or descent.step(total, _rate(run, step)):
            names = faces.batch.names
            raise diverged(terms, names, step, folder, partial(keep, step))
        done = step + 1
        last = done % run.checkpoint_every == 0 or done == run.steps
        if done % _LOG_EVERY == 0 or last:
            figures = {name: float(cost.detach()) for name, cost in costs.items()}
            if last:
                figures |= compare(network, body, held_out)
                network.train()
            history.append({"step": done, **figures})
            report(done, figures)
        if last:
            keep(done, path)
    return path


@torch.no_grad()
def compare(
    network: DetailNetwork, body: DetailBody, heads: SeenHeads
) -> dict[str, float]:
    """Compare displacements of heads with the truth; leaves the network evaluating.

    Returns:
        `rmse_um`: of the displacement where the face has any, micrometres;
        `zero_rmse_um`: of a smooth face; `correlation`: over all heads' texels; and
        `gap`, `zero_gap`: mean difference of picture and drawing, of 255.
    """
    network.eval()
    found, heights, colours = [], [], []
    for first in range(0, len(heads), _AT_ONCE):
        chosen = list(range(first, min(first + _AT_ONCE, len(heads))))
        faces = heads.of(chosen)
        displacement = _displacement(network, faces)
        found.append(body.surface.heights(displacement))
        heights.append(heads.source.heights(chosen))
        for tried in (displacement, torch.zeros_like(displacement)):
            colours.append(_photometric(body, faces, tried).value.sum())
    true = torch.cat(heights)
    share = (body.surface.share > 0.5).expand_as(true)
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


def _costs(
    run: DetailRun, body: DetailBody, network: DetailNetwork, faces: SeenFaces
) -> dict[str, Tensor]:
    """Return the weighted terms of a step."""
    displacement = _displacement(network, faces)
    weights, share = run.weights, body.surface.share
    in_units = displacement / weights.unit_m
    terms = {
        "photometric": _photometric(body, faces, displacement),
        "symmetry": losses.soft_symmetry(in_units, share),
        "size": losses.smallness(in_units, share),
    }
    return {n: getattr(weights, n) * cost.over("all") for n, cost in terms.items()}


def _displacement(network: DetailNetwork, faces: SeenFaces) -> Tensor:
    picture = unit_range(faces.batch.pictures.image)
    displacement: Tensor = network(picture, faces.jaw, faces.expression)
    return displacement


def _photometric(body: DetailBody, faces: SeenFaces, displacement: Tensor) -> Cost:
    drawn = body.renderer(faces.lit, displacement)
    picture = unit_range(faces.batch.pictures.image)
    return losses.photometric_detail(drawn, picture, faces.lit.mask)


def _rate(run: DetailRun, step: int) -> float:
    return run.learning_rate * 0.5 * (1 + math.cos(math.pi * step / run.steps))


def _check_same(
    saved: DetailState, run: DetailRun, body: DetailBody, folder: Path
) -> None:
    other = [
        field.name
        for field in fields(run)
        if field.name != "threads"
        and getattr(saved.run, field.name) != getattr(run, field.name)
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
