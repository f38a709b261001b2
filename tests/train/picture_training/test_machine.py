import pytest
import torch

from pixie_train.picture_training import machine
from pixie_train.picture_training.config import Machine
from pixie_train.picture_training.machine import prepared


@pytest.mark.parametrize(("asked", "taken"), [("cuda:1", ["cuda:1"]), ("cpu", [])])
def test_whatever_asks_for_the_current_card_gets_this_process_own(
    asked: str, taken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no card here, so that only what would be asked of CUDA is seen."""
    seen = list[str]()
    monkeypatch.setattr(machine, "device_of", lambda *_: torch.device(asked))
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: seen.append(device))
    assert prepared(Machine(device=asked)) == torch.device(asked)
    assert list(map(str, seen)) == taken
