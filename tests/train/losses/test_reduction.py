import pytest
import torch

from pixie_train.losses.reduction import Cost, gap, over_elements

KNOWN = torch.tensor([[True, True, False], [False, False, False]])
COSTS = torch.tensor([[1.0, 3.0, 0.0], [0.0, 0.0, 0.0]])


def test_a_samples_elements_are_added_up_or_averaged_over_what_is_known() -> None:
    mean, total = (over_elements(COSTS, KNOWN, how) for how in ("mean", "sum"))
    assert mean.value.tolist() == [2.0, 0.0]
    assert total.value.tolist() == [4.0, 0.0]
    assert mean.known.tolist() == total.known.tolist() == [True, False]


def test_samples_weigh_the_same_in_all_or_share_among_the_known() -> None:
    cost = Cost(torch.tensor([2.0, 0.0, 4.0, 0.0]), torch.tensor([1, 0, 1, 0]).bool())
    assert cost.over("all") == pytest.approx(6 / 4)
    assert cost.over("known") == pytest.approx(6 / 2)


def test_nothing_known_and_nobody_there_cost_nothing() -> None:
    for count in (0, 3):
        nothing = Cost(torch.zeros(count), torch.zeros(count, dtype=torch.bool))
        assert nothing.over("all") == 0
        assert nothing.over("known") == 0


def test_what_is_not_known_has_neither_value_nor_gradient_even_if_no_number() -> None:
    predicted = torch.ones(1, 2, 3, requires_grad=True)
    target = torch.tensor([[[0.0, 0.0, 0.0], [torch.nan, torch.inf, 0.0]]])
    difference = gap(predicted, target, torch.tensor([[True, False]]))
    difference.square().sum().sqrt().backward()  # type: ignore[no-untyped-call]
    assert difference[0].tolist() == [[1, 1, 1], [0, 0, 0]]
    assert predicted.grad is not None
    assert predicted.grad[0, 1].tolist() == [0, 0, 0]
    assert torch.isfinite(predicted.grad).all()
