import pytest
import torch
from torch import Tensor, nn

from pixie_train.descent import Descent


class Weights:
    """Two numbers, and a loss whose gradient is asked for."""

    def __init__(self, scaler: torch.amp.GradScaler | None = None) -> None:
        self.at = nn.Parameter(torch.tensor([3.0, 4.0]))
        self.optimiser = torch.optim.AdamW([self.at])
        self.descent = Descent(self.optimiser, clip=1.0, scaler=scaler)

    def step(self, slope: float) -> dict[str, str]:
        return self.descent.step((self.at * slope).sum(), rate=0.1)

    @property
    def moments(self) -> list[Tensor]:
        return [m for one in self.optimiser.state.values() for m in one.values()]


@pytest.mark.parametrize("slope", [float("nan"), float("inf")])
def test_nothing_is_learned_from_a_gradient_that_is_no_number(slope: float) -> None:
    weights = Weights()
    assert weights.step(1.0) == {}
    before = [weights.at.detach().clone(), *(m.clone() for m in weights.moments)]
    assert weights.step(slope) == {"gradient": str(slope)}
    for then, now in zip(before, [weights.at, *weights.moments], strict=True):
        assert torch.equal(then, now)


def test_a_long_gradient_is_shortened_and_the_rate_is_the_steps() -> None:
    weights = Weights()
    assert weights.step(1000.0) == {}
    (norm,) = (one["exp_avg"].norm() / 0.1 for one in weights.optimiser.state.values())
    assert norm.item() == pytest.approx(1.0, rel=1e-4)
    assert weights.optimiser.param_groups[0]["lr"] == 0.1


def test_the_scale_of_fp16_gives_way_but_not_for_ever() -> None:
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    weights = Weights(scaler)
    before = weights.at.detach().clone()
    for left in (4.0, 2.0, 1.0):
        assert weights.step(float("inf")) == {}
        assert weights.descent.scale()["scale"] == left
    assert weights.step(float("inf")) == {"gradient": "inf"}
    assert torch.equal(weights.at, before)
