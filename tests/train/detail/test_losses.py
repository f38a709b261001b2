import pytest
import torch
from torch import Tensor

from pixie_runtime.errors import UsageError
from pixie_train.detail.losses import (
    DetailWeights,
    photometric_detail,
    smallness,
    soft_symmetry,
)


def test_colours_differ_by_hand() -> None:
    """Half of the pixels count, each 0.3 off in one of three colours."""
    drawn, picture = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    picture[:, 1] = 0.3
    mask = torch.tensor([1.0, 0.0]).expand(1, 1, 2, 2)
    assert photometric_detail(drawn, picture, mask).value.item() == pytest.approx(0.1)
    nothing = photometric_detail(drawn, picture, torch.zeros(1, 1, 2, 2))
    assert not nothing.known.any()


def test_a_face_costs_what_its_halves_differ_by() -> None:
    D = torch.tensor([[[[1.0, 5.0, 3.0], [2.0, 0.0, 2.0]]]])
    everywhere = torch.ones(1, 1, 2, 3)
    assert soft_symmetry(D, everywhere, "sum").value.item() == pytest.approx(4)
    assert soft_symmetry(D, everywhere).value.item() == pytest.approx(4 / 6)
    left_hidden = everywhere.clone()
    left_hidden[..., 0] = 0
    assert soft_symmetry(D, left_hidden).value.item() == 0


def test_size_is_the_mean_displacement_of_what_is_visible() -> None:
    D = torch.tensor([[[[1.0, -3.0], [9.0, 9.0]]]])
    visible = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]])
    assert smallness(D, visible).value.item() == pytest.approx(2)


def test_gradients_are_those_of_finite_differences() -> None:
    g = torch.Generator().manual_seed(0)
    D = torch.randn(2, 1, 2, 4, generator=g, dtype=torch.float64, requires_grad=True)
    visible = torch.rand(1, 1, 2, 4, generator=g, dtype=torch.float64)
    picture = torch.rand(2, 1, 2, 4, generator=g, dtype=torch.float64)

    def all_of_them(D: Tensor) -> Tensor:
        terms = soft_symmetry(D, visible), smallness(D, visible)
        colour = photometric_detail(D, picture, visible.expand(2, 1, 2, 4))
        return torch.stack([cost.value for cost in (*terms, colour)])

    assert torch.autograd.gradcheck(all_of_them, D)


def test_negative_weights_are_refused() -> None:
    with pytest.raises(UsageError, match="symmetry -1"):
        DetailWeights(symmetry=-1)
