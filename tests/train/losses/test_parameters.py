import math
from typing import Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pixie_train.losses import parameters
from pixie_train.losses.choices import Elements
from pixie_train.rotations import geodesic, matrix_from_rotvec
from tests.train.losses.samples import turns

ALL = torch.ones(1, 1, dtype=torch.bool)


def about_x(degrees: float) -> Tensor:
    return matrix_from_rotvec(torch.tensor([[[math.radians(degrees), 0, 0]]]))


def test_a_quarter_turn_costs_four() -> None:
    """Two columns turn by 90 degrees: |e1 - e2|^2 = 2 each; of the 6D form, one."""
    ways: tuple[tuple[Literal[2, 3], float], ...] = ((3, 4.0), (2, 2.0))
    for columns, expected in ways:
        cost = parameters.rotations(about_x(90), about_x(0), ALL, [0], columns=columns)
        assert cost.value.item() == pytest.approx(expected, abs=1e-6)


@given(st.integers(0, 9999))
@settings(max_examples=30, deadline=None)
def test_the_cost_is_eight_squared_sines_of_half_the_angle(seed: int) -> None:
    a, b, common = turns(torch.Generator().manual_seed(seed), 3, 1, 1)
    cost = parameters.rotations(a, b, ALL, [0]).value
    angle = geodesic(a, b)[0]
    torch.testing.assert_close(cost, 8 * (angle / 2).sin().square(), atol=1e-4, rtol=0)
    turned = parameters.rotations(common @ a, common @ b, ALL, [0]).value
    torch.testing.assert_close(turned, cost, atol=1e-5, rtol=1e-4)


def test_only_known_joints_of_the_chosen_count() -> None:
    predicted = torch.cat([about_x(90), about_x(180), about_x(90)], dim=1)
    known = torch.tensor([[True, False, True]])
    target = about_x(0).expand(1, 3, 3, 3)
    cost = parameters.rotations(predicted, target, known, [0, 1])
    assert cost.value.item() == pytest.approx(4.0, abs=1e-6)
    assert not parameters.rotations(predicted, target, known, [1]).known.any()


def test_the_joints_of_body_hands_jaw_and_absolute_parts_are_all_but_the_eyes() -> None:
    apart = [
        *parameters.ROOT_ROTATION,
        *parameters.BODY_ROTATIONS,
        *parameters.JAW_ROTATION,
        *(joint for hand in parameters.HAND_ROTATIONS for joint in hand),
    ]
    head, wrists, eyes = [15], [20, 21], [23, 24]
    assert sorted([*apart, *head, *wrists, *eyes]) == list(range(55))


def test_coefficients_by_hand() -> None:
    predicted = torch.tensor([[1.0, 2.0, 9.0]])
    target = torch.tensor([[0.0, 4.0, torch.nan]])
    known = torch.tensor([[True, True, False]])
    ways: tuple[tuple[Elements, float], ...] = (("sum", 5.0), ("mean", 2.5))
    for how, expected in ways:
        cost = parameters.coefficients(predicted, target, known, how)
        assert cost.value.item() == pytest.approx(expected)


@pytest.mark.parametrize("elements", ["mean", "sum"])
def test_gradients_are_those_of_finite_differences(elements: Elements) -> None:
    g = torch.Generator().manual_seed(0)
    target = turns(g, 2, 3).double()
    known = torch.tensor([[True, False, True], [True, True, True]])

    def pose(predicted: Tensor) -> Tensor:
        return parameters.rotations(predicted, target, known, [0, 1, 2], elements).value

    def shape(predicted: Tensor) -> Tensor:
        return parameters.coefficients(
            predicted, target[..., 0, 0], known, elements
        ).value

    assert torch.autograd.gradcheck(pose, turns(g, 2, 3).double().requires_grad_())
    assert torch.autograd.gradcheck(
        shape, turns(g, 2, 3).double()[..., 0, 0].requires_grad_()
    )
