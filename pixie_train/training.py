"""The training loop of the landmark variant, top to bottom."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch
from torch import nn

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import UsageError
from pixie_train import checkpoint, metrics
from pixie_train.checkpoint_file import LAST
from pixie_train.config import TrainConfig
from pixie_train.data.motion import MotionBank
from pixie_train.data.people import PeopleFactory
from pixie_train.data.sampling import Dice
from pixie_train.data.synthetic import Truth, draw_batch
from pixie_train.descent import Descent
from pixie_train.divergence import diverged, not_finite
from pixie_train.losses import landmark as landmark_losses
from pixie_train.networks.landmark_inputs import LandmarkBatch
from pixie_train.networks.landmark_pixie import LandmarkPixie

_EVALUATION_SEED = 2**31
_LOG_EVERY = 100
_CLIP = 1.0


def train(
    config: TrainConfig,
    model: BodyModel,
    bank: MotionBank,
    folder: Path,
    report: Callable[[int, dict[str, float]], None],
) -> Path:
    """Train, or go on with the run in `folder`; returns the last checkpoint.

    Data of step n depends on the seed and n alone, so that an interrupted run goes on
    as if it had not been.

    Args:
        config: the run; that of an existing run in `folder` must be the same.
        model: the body whose people are made.
        bank: motion to pose them with.
        folder: where `last.pt` is kept.
        report: called every 100 steps with the step and the figures logged.

    Raises:
        UsageError: `folder` holds a run of another configuration or body.
        SinkError: the checkpoint cannot be written.
        PixieError: the loss or its gradient is not a number.
    """
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    network = LandmarkPixie(config.network)
    average = LandmarkPixie(config.network)
    average.load_state_dict(network.state_dict())
    optimiser = torch.optim.AdamW(
        network.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    factory = PeopleFactory(model, bank, n_betas=config.network.core.n_betas)
    descent = Descent(optimiser, _CLIP)
    path = folder / LAST
    history: list[dict[str, float]] = []
    start = 0
    if path.exists():
        saved = checkpoint.load(path)
        _check_same_run(saved, config, model, folder)
        network.load_state_dict(saved.network)
        average.load_state_dict(saved.average)
        optimiser.load_state_dict(saved.optimiser)
        start, history = saved.step, saved.history

    def save(done: int, path: Path) -> None:
        state = checkpoint.Checkpoint(
            config=config,
            body_model_sha256=model.sha256,
            step=done,
            network=network.state_dict(),
            average=average.state_dict(),
            optimiser=optimiser.state_dict(),
            history=history,
        )
        checkpoint.save(state, path)

    # One batch ahead in a second thread: tensors free the interpreter while they work.
    with ThreadPoolExecutor(1) as maker:
        dice = Dice(config.seed)
        upcoming = maker.submit(_draw, factory, dice, config, start)
        for step in range(start, config.steps):
            landmarks, truth = upcoming.result()
            upcoming = maker.submit(_draw, factory, dice, config, step + 1)
            cost = landmark_losses.total(
                network(landmarks), truth, factory, config.losses
            )
            terms = not_finite({"total": cost.total, **cost.terms})
            terms = terms or descent.step(cost.total, _learning_rate(config, step))
            if terms:
                people = [f"of seed {config.seed} in step {step}"]
                raise diverged(
                    terms, people, step, folder, partial(save, step), what="people"
                )
            _follow(average, network, min(config.ema_decay, (step + 1) / (step + 10)))
            done = step + 1
            if done % _LOG_EVERY == 0 or done == config.steps:
                figures = {"loss": float(cost.total.detach()), **cost.terms}
                if done % config.checkpoint_every == 0 or done == config.steps:
                    figures |= _evaluate(average, factory, config)
                history.append({"step": done, **figures})
                report(done, figures)
            if done % config.checkpoint_every == 0 or done == config.steps:
                save(done, path)
    return path


@torch.no_grad()
def _draw(
    factory: PeopleFactory, dice: Dice, config: TrainConfig, step: int
) -> tuple[LandmarkBatch, Truth]:
    dice.reseed(config.seed * 1_000_003 + step)
    return draw_batch(factory, dice, config.batch)


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    for old, new in zip(average.parameters(), network.parameters(), strict=True):
        old.lerp_(new, 1 - decay)


def _learning_rate(config: TrainConfig, step: int) -> float:
    warm = min(1.0, (step + 1) / config.warm_up_steps)
    return (
        config.learning_rate
        * warm
        * 0.5
        * (1 + math.cos(math.pi * step / config.steps))
    )


def _evaluate(
    network: LandmarkPixie, factory: PeopleFactory, config: TrainConfig
) -> dict[str, float]:
    landmarks, truth = draw_batch(factory, Dice(_EVALUATION_SEED), 2048)
    return metrics.evaluate(network, factory, landmarks, truth)


def _check_same_run(
    saved: checkpoint.Checkpoint, config: TrainConfig, model: BodyModel, folder: Path
) -> None:
    then, now = asdict(saved.config), asdict(config)
    other = [name for name in now if then[name] != now[name] and name != "threads"]
    if other:
        raise UsageError(
            f"{folder} holds a run with another {', '.join(other)}; "
            "give the same options to resume it, or another --out"
        )
    if saved.body_model_sha256 != model.sha256:
        raise UsageError(
            f"{folder} holds a run made with another body model; "
            "give the same --body-model to resume it, or another --out"
        )
