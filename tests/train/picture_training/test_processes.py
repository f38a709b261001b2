import json
import math
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pixie_runtime.errors import ModelFileError, SourceError, UsageError
from pixie_train.batch import Batch, CropKind
from pixie_train.losses.choices import Samples
from pixie_train.losses.reduction import Cost
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.config import Machine, PartCrops
from pixie_train.picture_training.loop import train
from pixie_train.picture_training.machine import device_of
from pixie_train.picture_training.shared_norm import normalised_together
from pixie_train.picture_training.state import RunState, load
from pixie_train.processes import Processes, started
from tests.train.picture_training.small import RUN, Noise, data
from tests.train.picture_training.small import network as small_network
from tests.train.picture_training.together import Outcome, together

HANDS = replace(RUN, stage="hand", batch=4, extra_heads=0, steps=2)
SPREAD = [[0, 1, 2], [3, 4, 5, 6]]
"""Which of seven samples each of two processes has."""
WHOLE = replace(
    RUN,
    steps=2,
    extra_heads=3,
    optimisation=replace(RUN.optimisation, clip=1e9),
    parts=PartCrops(size=64),
)
"""Heads are shared two and one; over crops of 32 pixels, of which encoders make single
pixels, normalisation would make more of rounding than of pictures."""
NOISE = 0.2
"""Of the way that weights went. Adam's first steps have the same length for gradients
that are nothing but rounding; processes that normalise for themselves are 1.4 off."""


def network(seed: int = 0) -> ImagePixie:
    """Return the small network with bends in place of its kinks.

    Where a ReLU of a narrow layer is at zero, rounding says whether it lets gradients
    through, and moves those of a whole encoder by some percent.
    """
    made = small_network(seed)
    for module in list(made.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.ReLU):
                setattr(module, name, nn.SiLU())
    return made


def larger() -> dict[CropKind, Noise]:
    return {kind: Noise(kind, side=64) for kind in CropKind}


@pytest.fixture(scope="module")
def alone(
    body: TrainingBody, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, RunState]:
    """Return the folder and the end of a run of one process."""
    folder = tmp_path_factory.mktemp("alone")
    return folder, train(WHOLE, network(), larger(), body, folder)


@pytest.fixture(scope="module")
def shared(body: TrainingBody, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the same run of two processes."""
    folder = tmp_path_factory.mktemp("shared")

    def run(processes: Processes) -> list[int]:
        ours = network(seed=processes.rank)  # the first one's weights are everybody's
        rows: list[int] = []
        train(
            WHOLE,
            ours,
            larger(),
            body,
            folder,
            lambda step, _: rows.append(step),
            processes=processes,
        )
        norms = {type(m) for m in ours.modules() if isinstance(m, nn.BatchNorm2d)}
        assert norms == {nn.BatchNorm2d}
        return rows

    assert together(run) == [Outcome([1, 2]), Outcome([])]
    return folder


def apart(one: dict[Any, Tensor], other: dict[Any, Tensor], start: Any = None) -> float:
    """Return the distance of two sets of tensors over that of one from its start."""
    gap = way = 0.0
    for name, tensor in one.items():
        gap += float((tensor - other[name]).double().square().sum())
        moved = tensor if start is None else tensor - start[name]
        way += float(moved.double().square().sum())
    return math.sqrt(gap / way)


def moments(state: RunState) -> dict[Any, Tensor]:
    """Return what AdamW remembers of gradients."""
    return {n: each["exp_avg"] for n, each in state.optimiser["state"].items()}


def test_two_processes_have_the_gradients_of_one(
    alone: tuple[Path, RunState], shared: Path
) -> None:
    first, two = (load(folder / "previous.pt") for folder in (alone[0], shared))
    assert apart(moments(first), moments(two)) < 1e-3
    assert two.history[0] == pytest.approx(first.history[0], rel=1e-3)


def test_two_processes_train_to_the_weights_of_one(
    alone: tuple[Path, RunState], shared: Path
) -> None:
    two = load(shared)
    assert apart(alone[1].weights, two.weights, network().state_dict()) < NOISE
    assert two.step == alone[1].step
    assert [start["processes"] for start in two.starts] == ["2"]


def test_a_run_of_two_processes_is_gone_on_with_by_one(
    alone: tuple[Path, RunState], shared: Path, body: TrainingBody, tmp_path: Path
) -> None:
    shutil.copy(shared / "previous.pt", tmp_path / "last.pt")
    end = train(WHOLE, network(seed=7), larger(), body, tmp_path)
    assert apart(alone[1].weights, end.weights, network().state_dict()) < NOISE
    told = [(start["from_step"], start["processes"]) for start in end.starts]
    assert told == [("0", "2"), ("1", "1")]


def layer_and_samples() -> tuple[nn.Sequential, Tensor]:
    torch.manual_seed(3)
    # Far from the middle, where a variance out of sums of squares would be lost.
    samples = 1e6 + torch.randn(7, 5, 4, 3, dtype=torch.float64)
    return nn.Sequential(nn.BatchNorm2d(5)).double(), samples


def pulled(layer: nn.Sequential, x: Tensor) -> Tensor:
    """Return a loss whose gradient depends on all of the output."""
    y: Tensor = layer(x)
    return (y.sin() * torch.linspace(0, 1, 5)[:, None, None]).sum()


def gradient(tensor: Tensor) -> Tensor:
    assert tensor.grad is not None
    return tensor.grad


def values(outcomes: list[Outcome | None]) -> list[Any]:
    return [outcome.value for outcome in outcomes if outcome is not None]


def test_samples_are_normalised_by_those_of_all_processes() -> None:
    whole, samples = layer_and_samples()
    x = samples.requires_grad_()
    pulled(whole, x).backward()  # type: ignore[no-untyped-call]

    def part(processes: Processes) -> list[list[float]]:
        layer, samples = layer_and_samples()
        mine = samples[SPREAD[processes.rank]].requires_grad_()
        with normalised_together(layer, processes):
            pulled(layer, mine).backward()  # type: ignore[no-untyped-call]
        weights = [processes.total(gradient(p)) for p in layer.parameters()]
        told = [gradient(mine), *weights, *layer.buffers()]
        return [tensor.flatten().tolist() for tensor in told]

    weights = [gradient(p) for p in whole.parameters()]
    for rank, found in enumerate(values(together(part))):
        expected = [gradient(x)[SPREAD[rank]], *weights, *whole.buffers()]
        for figures, tensor in zip(found, expected, strict=True):
            assert figures == pytest.approx(
                tensor.flatten().tolist(), rel=1e-6, abs=1e-8
            )


def test_the_mean_of_what_processes_pay_is_the_price_of_the_batch() -> None:
    known = torch.tensor([1, 0, 0, 1, 1, 1, 0]).bool()
    cost = Cost(torch.arange(7.0), known)
    ways: tuple[Samples, ...] = ("all", "known")

    def part(processes: Processes) -> list[float]:
        mine = Cost(*(t[SPREAD[processes.rank]] for t in (cost.value, cost.known)))
        shares = [mine.over(samples, processes, 7) for samples in ways]
        return [float(processes.total(share)) / 2 for share in shares]

    expected = pytest.approx([float(cost.over(samples)) for samples in ways])
    assert values(together(part)) == [expected, expected]


class Broken(Noise):
    """What the second process gets does harm in some way."""

    def __init__(self, how: str):
        super().__init__(CropKind.HAND)
        self.how = how

    def __getitem__(self, index: int) -> Batch:
        one = super().__getitem__(index)
        if os.environ["RANK"] == "0":
            return one
        if self.how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "unreadable":
            raise SourceError(f"the picture {index} does not decode")
        nowhere = torch.full_like(one.targets.absolute, torch.nan)
        return replace(one, targets=replace(one.targets, absolute=nowhere))


def ends(how: str, body: TrainingBody, folder: Path) -> list[Outcome | None]:
    broken = {CropKind.HAND: Broken(how)}
    return together(
        lambda processes: train(
            HANDS, network(), broken, body, folder, processes=processes
        )
    )


def test_a_process_that_fails_ends_all_with_one_sentence(
    body: TrainingBody, tmp_path: Path
) -> None:
    first, second = ends("unreadable", body, tmp_path)
    assert second is not None
    assert second.said is not None
    assert "20 samples of a data set in a row cannot be read" in second.said
    assert first == Outcome(code=1)


def test_a_process_that_is_killed_ends_all_with_one_sentence(
    body: TrainingBody, tmp_path: Path
) -> None:
    first, second = ends("killed", body, tmp_path)
    assert second is None
    assert first is not None
    assert first.said is not None
    assert "another process of this run ended without a word" in first.said


def test_a_loss_that_is_no_number_in_one_process_stops_all(
    body: TrainingBody, tmp_path: Path
) -> None:
    outcomes = ends("mislabelled", body, tmp_path)
    (sentence,) = [end.said for end in outcomes if end is not None and end.said]
    assert "step 0 is not a number: hand/wrist_pose is nan" in sentence
    assert [end.code for end in outcomes if end is not None] == [1, 1]
    told = json.loads((tmp_path / "diverged.json").read_text())
    assert len(set(told["pictures"])) == HANDS.batch
    assert load(tmp_path / "diverged.pt").step == 0
    assert not (tmp_path / "last.pt").exists()


def test_more_processes_than_samples_or_cards_are_refused(
    body: TrainingBody, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    five = Processes(0, 5, 0, 5)
    with pytest.raises(UsageError, match="5 processes share 4 hand crops a step"):
        train(HANDS, network(), data(), body, tmp_path, processes=replace(five))
    with pytest.raises(
        UsageError, match=r"5 processes .* on the device cuda of a mach"
    ):
        device_of(Machine(device="cuda"), five)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="there is no LOCAL_RANK, MASTER_ADDR, MAST"):
        started()


def test_the_command_starts_processes_and_says_once_why_they_failed(
    tmp_path: Path,
) -> None:
    nowhere = tmp_path / "nowhere.npz"
    options = ("--processes", "2", "--body-model", str(nowhere), "--out", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "pixie_train", "expert", *options],
        capture_output=True,
        text=True,
    )
    sentence, *more = done.stderr.splitlines()
    assert sentence.startswith("pixie-train: ")
    assert str(nowhere) in sentence
    assert more == []
    assert done.returncode == ModelFileError.exit_code
    assert not done.stdout
