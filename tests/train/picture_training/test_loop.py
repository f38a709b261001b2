import multiprocessing
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch

from pixie_runtime.errors import BundleError, UsageError
from pixie_train.batch import Batch, CropKind
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.config import Precision, Stage, StageRun
from pixie_train.picture_training.loop import train
from pixie_train.picture_training.passes import TRAINED
from pixie_train.picture_training.state import RunState, load, load_image_run, save
from tests.train.picture_training.small import RUN, Noise, data, network


class FellOverError(Exception):
    pass


def falls_over(step: int, figures: dict[str, float]) -> None:
    if step == 2:
        raise FellOverError


def test_a_run_that_fell_over_ends_with_the_same_numbers(
    done: tuple[Path, RunState], body: TrainingBody, tmp_path: Path
) -> None:
    with pytest.raises(FellOverError):
        train(RUN, network(), data(), body, tmp_path, falls_over)
    assert load(tmp_path).step == 1
    end, told = network(seed=7), []
    train(RUN, end, data(), body, tmp_path, lambda step, _: told.append(step))
    expected, found = load(done[0]), load(tmp_path)
    assert told == [2, 3]
    for name in ("weights", "average"):
        for key, tensor in getattr(expected, name).items():
            assert torch.equal(tensor, getattr(found, name)[key]), key
    for number, moments in expected.optimiser["state"].items():
        for key, tensor in moments.items():
            assert torch.equal(tensor, found.optimiser["state"][number][key])
    for key, tensor in end.state_dict().items():
        assert torch.equal(tensor, expected.weights[key])
    assert expected.history[-1] == found.history[-1]


def test_a_run_killed_while_it_saves_goes_on_from_the_last_whole_checkpoint(
    done: tuple[Path, RunState], body: TrainingBody, tmp_path: Path
) -> None:
    before = replace(load(done[0] / "previous.pt"), history=[])

    def saves_on_and_on() -> None:
        while True:
            save(before, tmp_path / "last.pt")

    writer = multiprocessing.get_context("fork").Process(target=saves_on_and_on)
    writer.start()
    pid, partial, size = writer.pid or 0, tmp_path / "last.partial", 0
    while not ((tmp_path / "previous.pt").exists() and size > 0):
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.002)
        os.kill(pid, signal.SIGSTOP)
        os.waitpid(pid, os.WUNTRACED)
        size = partial.stat().st_size if partial.exists() else 0
    writer.kill()
    writer.join()
    with pytest.raises(BundleError, match="is not a readable checkpoint"):
        load(partial)
    end = train(RUN, network(seed=7), data(), body, tmp_path)
    for key, tensor in done[1].weights.items():
        assert torch.equal(tensor, end.weights[key])
    assert not partial.exists()


def test_a_run_gives_the_network_with_its_averaged_weights(
    done: tuple[Path, RunState],
) -> None:
    config, trained = load_image_run(done[0])
    assert config == trained.config
    assert not trained.training
    weights = done[1].weights
    moved = 0
    for key, tensor in trained.state_dict().items():
        assert torch.equal(tensor, done[1].average[key])
        moved += not torch.equal(tensor, weights[key])
    assert moved > 20


@pytest.mark.parametrize("stage", get_args(Stage))
def test_a_stage_moves_its_parts_and_nothing_else(
    stage: Stage, body: TrainingBody, tmp_path: Path
) -> None:
    run = replace(RUN, stage=stage, extra_heads=0, steps=1, log_every=1)
    before, after, rows = network().state_dict(), network(), list[dict[str, float]]()
    train(run, after, data(), body, tmp_path, lambda _, figures: rows.append(figures))
    moved = {
        name.removesuffix("." + name.rpartition(".")[2])
        for name, tensor in after.state_dict().items()
        if not torch.equal(tensor, before[name])
    }
    parts = TRAINED[stage]
    assert all(any(name.startswith(part) for part in parts) for name in moved)
    for part in parts:
        assert any(name.startswith(part) for name in moved), part
    assert sum(rows[0].values()) == pytest.approx(2 * rows[0]["loss"], rel=1e-4)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_costs_nearly_the_same(
    precision: Precision,
    done: tuple[Path, RunState],
    body: TrainingBody,
    tmp_path: Path,
) -> None:
    how = replace(RUN.optimisation, precision=precision)
    run = replace(RUN, steps=1, optimisation=how)
    found = train(run, network(), data(), body, tmp_path).history[0]["loss"]
    assert found == pytest.approx(done[1].history[0]["loss"], rel=0.03)


def test_another_run_is_not_continued_and_the_sentence_says_what_differs(
    done: tuple[Path, RunState], body: TrainingBody
) -> None:
    other = replace(
        RUN, batch=6, optimisation=replace(RUN.optimisation, learning_rate=0.1)
    )
    with pytest.raises(
        UsageError, match=r"another batch, optimisation\.learning_rate; give the same"
    ):
        train(other, network(), data(), body, done[0])


def test_data_that_a_stage_lacks_are_named(body: TrainingBody, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no data of kind head; give some"):
        train(RUN, network(), data([CropKind.BODY]), body, tmp_path)


class FewerBetas(Noise):
    def __getitem__(self, index: int) -> Batch:
        one = super().__getitem__(index)
        betas, known = one.targets.betas[:, :3], one.targets.betas_known[:, :3]
        return replace(
            one, targets=replace(one.targets, betas=betas, betas_known=known)
        )


def test_data_of_other_coefficients_than_the_network_are_refused(
    body: TrainingBody, tmp_path: Path
) -> None:
    run = replace(RUN, stage="hand", extra_heads=0)
    fewer = {CropKind.HAND: FewerBetas(CropKind.HAND)}
    with pytest.raises(UsageError, match=r"noise/hand/\d has 3 shape and .* regresses"):
        train(run, network(), fewer, body, tmp_path)


def test_runs_that_make_no_sense_are_refused(body: TrainingBody) -> None:
    with pytest.raises(UsageError, match="extra_heads is 2, but the stage is body"):
        StageRun(stage="body", extra_heads=2)
    with pytest.raises(UsageError, match="steps is 0; expected at least 1"):
        StageRun(steps=0)
    with pytest.raises(UsageError, match="frozen has encode_head, which the stage"):
        train(
            replace(RUN, stage="body", extra_heads=0, frozen=("encode_head",)),
            network(),
            data(),
            body,
            Path(),
        )
