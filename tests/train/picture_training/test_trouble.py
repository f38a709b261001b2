import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pixie_runtime.errors import PixieError
from pixie_train.batch import Batch, CropKind
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.loop import train
from pixie_train.picture_training.state import load
from tests.train.picture_training.small import RUN, Noise, network


class Mislabelled(Noise):
    """From the second time on a hand's wrist is nowhere."""

    def __getitem__(self, index: int) -> Batch:
        one = super().__getitem__(index)
        if not self._epoch:
            return one
        nowhere = torch.full_like(one.targets.absolute, torch.nan)
        return replace(one, targets=replace(one.targets, absolute=nowhere))


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
    for tensor in before.weights.values():
        assert tensor.isfinite().all()
