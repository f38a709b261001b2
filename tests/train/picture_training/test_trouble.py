import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pixie_runtime.errors import PixieError
from pixie_train.batch import Batch, CropKind
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.loop import train
from pixie_train.picture_training.state import RunState, load
from tests.train.picture_training.small import RUN, Noise, network


class Mislabelled(Noise):
    """From the second time on a hand's wrist is nowhere."""

    def __getitem__(self, index: int) -> Batch:
        one = super().__getitem__(index)
        if not self._epoch:
            return one
        nowhere = torch.full_like(one.targets.absolute, torch.nan)
        return replace(one, targets=replace(one.targets, absolute=nowhere))


class Seen(Noise):
    """Remembers in which order it was looked at."""

    def __getitem__(self, index: int) -> Batch:
        one = super().__getitem__(index)
        self.names = [*getattr(self, "names", []), *one.names]
        return one


def finite(state: RunState) -> bool:
    moments = [m for one in state.optimiser["state"].values() for m in one.values()]
    tensors = [*state.weights.values(), *state.average.values(), *moments]
    return all(bool(tensor.isfinite().all()) for tensor in tensors)


def test_a_loss_that_is_no_number_stops_the_run_and_names_term_and_pictures(
    body: TrainingBody, tmp_path: Path
) -> None:
    run = replace(RUN, stage="hand", batch=3, extra_heads=0)
    data = {CropKind.HAND: Mislabelled(CropKind.HAND, 6)}
    with pytest.raises(
        PixieError, match=r"step 2 is not a number: hand/wrist_pose is nan, with the"
    ):
        train(run, network(), data, body, tmp_path)
    told = json.loads((tmp_path / "diverged.json").read_text())
    assert told["terms"] == {"hand/wrist_pose": "nan"}
    assert len(told["pictures"]) == 3
    assert all(name.startswith("noise/hand/") for name in told["pictures"])
    before, last = load(tmp_path / "diverged.pt"), load(tmp_path / "last.pt")
    assert before.step == last.step == 2
    assert finite(before)
    # And again, which costs neither of the states to go on from.
    with pytest.raises(PixieError, match="step 2 is not a number"):
        train(run, network(), data, body, tmp_path)
    assert load(tmp_path / "previous.pt").step == 1
    assert load(tmp_path / "last.pt").step == 2


def test_a_gradient_that_is_no_number_stops_the_run_at_its_own_batch(
    body: TrainingBody, tmp_path: Path
) -> None:
    """Even if it is the last, which no other loss comes after."""
    run = replace(RUN, stage="hand", batch=3, extra_heads=0, steps=2)
    spoilt, passes = network(), list[int]()

    def spoil(gradient: Tensor) -> Tensor:
        passes.append(0)
        return gradient * torch.nan if len(passes) == 2 else gradient

    weight = next(spoilt.core.regress_hand.parameters())
    weight.register_hook(spoil)  # type: ignore[no-untyped-call]
    seen = Seen(CropKind.HAND, 6)
    with pytest.raises(
        PixieError, match="gradient of step 1 is not a number: its norm is nan"
    ):
        train(run, spoilt, {CropKind.HAND: seen}, body, tmp_path)
    told = json.loads((tmp_path / "diverged.json").read_text())
    assert told["terms"] == {"gradient": "nan"}
    assert told["pictures"] == seen.names[3:]
    for name in ("last.pt", "diverged.pt"):
        assert load(tmp_path / name).step == 1
        assert finite(load(tmp_path / name))
