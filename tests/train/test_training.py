import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import BundleError, PixieError, SinkError, UsageError
from pixie_train import checkpoint
from pixie_train.config import LandmarkConfig, TrainConfig
from pixie_train.data.motion import MotionBank
from pixie_train.networks.landmark_pixie import LandmarkPixie
from pixie_train.plots import plot_history
from pixie_train.training import train
from tests.runtime.full_disk import file_size_limit
from tests.train.tiny import TINY_CORE

TINY = LandmarkConfig(
    body_width=16,
    part_width=16,
    body_blocks=1,
    part_blocks=1,
    core=TINY_CORE,
)


def config(steps: int, checkpoint_every: int = 2) -> TrainConfig:
    return TrainConfig(
        steps=steps,
        batch=8,
        threads=1,
        checkpoint_every=checkpoint_every,
        network=TINY,
    )


def silent(step: int, figures: dict[str, float]) -> None:
    pass


class FellOverError(Exception):
    pass


def test_training_makes_people_better(
    model: BodyModel, bank: MotionBank, tmp_path: Path
) -> None:
    costs: list[float] = []
    run = TrainConfig(
        steps=300, batch=32, threads=1, checkpoint_every=300, network=TINY
    )
    train(run, model, bank, tmp_path, lambda _, figures: costs.append(figures["loss"]))
    assert costs[-1] < 0.8 * costs[0]
    assert plot_history(tmp_path / "last.pt").stat().st_size > 10_000


def test_an_interrupted_run_ends_as_if_it_had_not_been(
    model: BodyModel,
    bank: MotionBank,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        folder.mkdir()
    train(config(4), model, bank, whole, silent)

    save = checkpoint.save

    def save_and_fall_over(state: checkpoint.Checkpoint, path: Path) -> None:
        save(state, path)
        raise FellOverError

    monkeypatch.setattr(checkpoint, "save", save_and_fall_over)
    with pytest.raises(FellOverError):
        train(config(4), model, bank, broken, silent)
    monkeypatch.undo()
    assert checkpoint.load(broken / "last.pt").step == 2
    train(config(4), model, bank, broken, silent)

    one, other = (checkpoint.load(f / "last.pt").average for f in (whole, broken))
    for name, tensor in one.items():
        torch.testing.assert_close(other[name], tensor, atol=0, rtol=0)


def test_another_configuration_does_not_continue_a_run(
    model: BodyModel, bank: MotionBank, tmp_path: Path
) -> None:
    train(config(2), model, bank, tmp_path, silent)
    with pytest.raises(UsageError, match="another steps"):
        train(config(4), model, bank, tmp_path, silent)


def test_a_loss_that_is_no_number_stops_the_run(
    model: BodyModel, bank: MotionBank, tmp_path: Path
) -> None:
    wild = replace(config(3, checkpoint_every=1), learning_rate=1e30)
    with pytest.raises(PixieError, match=r"is not a number: .*people of seed 0 in st"):
        train(wild, model, bank, tmp_path, silent)
    told = json.loads((tmp_path / "diverged.json").read_text())
    before = checkpoint.load(tmp_path / "diverged.pt")
    assert before.step == told["step"] == checkpoint.load(tmp_path).step > 0
    assert all(tensor.isfinite().all() for tensor in before.network.values())


def test_a_full_disk_is_one_sentence_and_costs_no_checkpoint(
    model: BodyModel, tmp_path: Path
) -> None:
    weights = LandmarkPixie(TINY).state_dict()
    state = checkpoint.Checkpoint(
        config(3), model.sha256, 1, weights, weights, optimiser={}, history=[]
    )
    for step in (1, 2):
        checkpoint.save(replace(state, step=step), tmp_path / "last.pt")
    with (
        file_size_limit(10_000),
        pytest.raises(SinkError, match=r"cannot write the checkpoint .*File too large"),
    ):
        checkpoint.save(replace(state, step=3), tmp_path / "last.pt")
    assert checkpoint.load(tmp_path).step == 2
    assert checkpoint.load(tmp_path / "previous.pt").step == 1
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_that_is_no_checkpoint_is_refused_in_one_sentence(
    tmp_path: Path,
) -> None:
    for content in (b"", b"not a checkpoint", b"\x80\x04K\x01."):
        path = tmp_path / "last.pt"
        path.write_bytes(content)
        with pytest.raises(BundleError, match=r"last\.pt is not a"):
            checkpoint.load(path)
    with pytest.raises(BundleError, match="there is no checkpoint"):
        checkpoint.load(tmp_path / "nowhere.pt")
