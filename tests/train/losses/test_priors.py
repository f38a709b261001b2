import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JAW
from pixie_train.body_model import TorchSurface
from pixie_train.losses import priors
from pixie_train.rotations import matrix_from_euler_xyz

UPRIGHT = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
"""A head that looks into the camera."""


def head(*degrees: float) -> Tensor:
    """Turn a head that looks at us about its own x, y and z, (1, 3, 3)."""
    angles = torch.deg2rad(torch.tensor([degrees]))
    return UPRIGHT @ matrix_from_euler_xyz(angles)


def test_expression_is_the_sum_of_squares() -> None:
    assert priors.expression(torch.tensor([[3.0, -4.0]])).value.tolist() == [25.0]


def test_jaws_may_open_but_neither_shut_further_nor_turn() -> None:
    angles = torch.tensor(
        [[0.4, 0.0, 0.0], [-0.4, 0.0, 0.0], [0.4, 0.1, -0.2], [-0.3, 0.1, 0.0]]
    )
    expected = torch.tensor([0.0, 0.16, 0.05, 0.10])
    torch.testing.assert_close(priors.jaw(angles).value, expected)


def test_the_axis_that_jaws_open_about_is_the_embedded_bodys(model: BodyModel) -> None:
    """A positive turn about it brings the chin down."""
    surface = TorchSurface(model, n_betas=1, n_expression=1)
    angles = torch.zeros(1, 55, 3)
    angles[0, JAW, 0] = 0.3
    zero = torch.zeros(1, 1)
    rest, opened = (
        surface(zero, zero, matrix_from_euler_xyz(a)).vertices[0]
        for a in (torch.zeros(1, 55, 3), angles)
    )
    chin = torch.from_numpy(model.weights[:, JAW].copy()) > 0.9
    moved = (opened - rest)[chin].mean(0)
    assert moved[1] < -0.005
    assert priors.jaw(angles[:, JAW]).value.item() == 0


def test_heads_may_turn_by_ninety_degrees_and_pay_for_more_alike_on_both_sides() -> (
    None
):
    for degrees in (0, 45, -89, 89):
        assert priors.yaw(head(0, degrees, 0)).value.item() == 0
    excess = math.radians(30)
    for degrees in (120, -120, 240):
        cost = priors.yaw(head(0, degrees, 0)).value.item()
        assert cost == pytest.approx(excess**2, rel=1e-4)


def test_nodding_and_tilting_cost_nothing() -> None:
    for turn in ((80, 0, 0), (-80, 0, 0), (0, 0, 170), (60, 30, 45)):
        assert priors.yaw(head(*turn)).value.item() == 0


def test_a_head_that_faces_the_sky_has_no_yaw_and_no_gradient() -> None:
    R = head(90, 0, 0).requires_grad_()
    cost = priors.yaw(R).value.sum()
    (gradient,) = torch.autograd.grad(cost, R)
    assert cost.item() == 0
    assert (gradient == 0).all()


@given(st.floats(91, 179), st.floats(-60, 60), st.sampled_from([-1, 1]))
@settings(max_examples=30, deadline=None)
def test_descending_turns_heads_back_towards_us(
    turned: float, nod: float, side: int
) -> None:
    angles = torch.deg2rad(torch.tensor([[nod, side * turned, 0.0]]))
    y = angles[:, 1].clone().requires_grad_()
    full = torch.stack([angles[:, 0], y, angles[:, 2]], dim=-1)
    # The yaw is about the picture's vertical: turn first, nod after.
    about_y = matrix_from_euler_xyz(full * torch.tensor([0.0, 1.0, 0.0]))
    about_x = matrix_from_euler_xyz(full * torch.tensor([1.0, 0.0, 0.0]))
    cost = priors.yaw(UPRIGHT @ about_y @ about_x).value.sum()
    (gradient,) = torch.autograd.grad(cost, y)
    assert side * gradient.item() > 0


def test_albedo_and_light_by_hand() -> None:
    assert priors.texture(torch.tensor([[1.0, 2.0]])).value.item() == 5
    light = torch.zeros(1, 9, 3)
    light[0, 0] = torch.tensor([1.0, 1.0, 1.0])
    assert priors.light(light).value.item() == 0
    light[0, 0] = torch.tensor([3.0, 0.0, 0.0])
    assert priors.light(light).value.item() == pytest.approx((4 + 1 + 1) / 27)


def test_gradients_are_those_of_finite_differences() -> None:
    g = torch.Generator().manual_seed(3)
    coefficients = torch.randn(3, 5, generator=g, dtype=torch.float64)
    jaws = torch.randn(4, 3, generator=g, dtype=torch.float64)
    turned = torch.tensor([[0.3, 2.0, 0.1], [0.0, -2.5, 0.2]], dtype=torch.float64)
    heads = UPRIGHT.double() @ matrix_from_euler_xyz(turned)
    lights = torch.randn(2, 9, 3, generator=g, dtype=torch.float64)
    for prior, value in (
        (priors.expression, coefficients),
        (priors.texture, coefficients),
        (priors.jaw, jaws),
        (priors.yaw, heads),
        (priors.light, lights),
    ):

        def cost(value: Tensor, prior: object = prior) -> Tensor:
            assert callable(prior)
            result: Tensor = prior(value).value
            return result

        assert torch.autograd.gradcheck(cost, value.requires_grad_())
