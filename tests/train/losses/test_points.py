import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pixie_runtime.smplx import JOINT_INDEX
from pixie_train.camera import project
from pixie_train.key_points import EXTRA_POINT_NAMES
from pixie_train.losses import points
from pixie_train.losses.choices import EYELID_PAIRS, LIP_PAIRS, Elements

PELVIS, KNEE, ANKLE = 0, 4, 7
HIPS = [1, 2]


def zeros(axes: int) -> tuple[Tensor, Tensor, Tensor]:
    return torch.zeros(1, 145, axes), torch.zeros(1, 145, axes), torch.zeros(1, 145)


def random(axes: int, seed: int, count: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 145, axes, generator=generator, dtype=torch.float64)


def test_the_parts_share_only_wrists_and_leave_out_only_skeleton_in_the_head() -> None:
    body, (left, right) = set(points.BODY_POINTS), map(set, points.HAND_POINTS)
    assert body & left == {JOINT_INDEX["left_wrist"]}
    assert body & right == {JOINT_INDEX["right_wrist"]}
    others = {*range(55), *range(123, 145)} - body - left - right
    assert others == {22, 23, 24}
    assert len(body) == 22 + len(EXTRA_POINT_NAMES) - 10


def test_points_in_the_picture_by_hand() -> None:
    """(|0.1| + |0.3|) c of one point, (|0.2| + 0) of another, c = 0.5 and 1."""
    predicted, target, confidence = zeros(2)
    predicted[0, KNEE] = torch.tensor([0.1, -0.3])
    target[0, ANKLE] = torch.tensor([-0.2, 0.0])
    confidence[0, [KNEE, ANKLE]] = torch.tensor([0.5, 1.0])
    ways: tuple[tuple[Elements, float], ...] = (("sum", 0.4), ("mean", 0.2))
    for how, expected in ways:
        cost = points.points_2d(predicted, target, confidence, points.BODY_POINTS, how)
        assert cost.value.item() == pytest.approx(expected)
        assert cost.known.tolist() == [True]


def test_points_in_space_by_hand() -> None:
    """The knee is 0.1, 0.2, 0.3 m off once both pelves are at the origin."""
    predicted, target, confidence = zeros(3)
    predicted[0, [PELVIS, KNEE]] = torch.tensor([[1.0, 1.0, 1.0], [1.1, 1.2, 1.3]])
    target[0, [PELVIS, KNEE]] = torch.tensor([[-5.0, 0.0, 2.0], [-5.0, 0.0, 2.0]])
    confidence[0, [PELVIS, KNEE]] = 1
    cost = points.points_3d(
        predicted, target, confidence, points.BODY_POINTS, points.BODY_ROOTS, "sum"
    )
    assert cost.value.item() == pytest.approx(0.6)


def test_without_a_pelvis_bodies_are_compared_about_the_hips_middle() -> None:
    predicted, target, confidence = zeros(3)
    predicted[0, HIPS] = torch.tensor([[0.1, 0.0, 0.0], [-0.1, 0.0, 0.0]]) + 7
    predicted[0, KNEE] = 7.5
    target[0, HIPS] = torch.tensor([[0.1, 0.0, 0.0], [-0.1, 0.0, 0.0]])
    predicted[0, PELVIS] = 100
    confidence[0, [*HIPS, KNEE]] = 1
    arguments = (predicted, target, confidence, points.BODY_POINTS)
    cost = points.points_3d(*arguments, points.BODY_ROOTS, "sum")
    assert cost.value.item() == pytest.approx(1.5)
    assert not points.points_3d(*arguments, [[PELVIS]]).known.any()


def test_a_body_without_any_root_costs_nothing() -> None:
    predicted, target, confidence = zeros(3)
    predicted[0, KNEE] = 1
    confidence[0, [KNEE, HIPS[0]]] = 1
    cost = points.points_3d(
        predicted, target, confidence, points.BODY_POINTS, points.BODY_ROOTS
    )
    assert cost.value.tolist() == [0]
    assert not cost.known.any()


numbers = st.floats(-3, 3)


@given(st.integers(0, 99), st.tuples(numbers, numbers, numbers))
@settings(max_examples=25, deadline=None)
def test_where_bodies_stand_does_not_matter_in_space(
    seed: int, away: tuple[float, float, float]
) -> None:
    predicted, target = random(3, seed), random(3, seed + 1)
    confidence = (random(1, seed + 2)[..., 0] > 0).double()
    shift = torch.tensor(away, dtype=torch.float64)
    for chosen, roots in (
        (points.BODY_POINTS, points.BODY_ROOTS),
        (points.HAND_POINTS[0], [points.HAND_POINTS[0][:1]]),
    ):
        here = points.points_3d(predicted, target, confidence, chosen, roots)
        there = points.points_3d(predicted + shift, target, confidence, chosen, roots)
        torch.testing.assert_close(there.value, here.value)


@given(st.integers(0, 99), st.floats(0.2, 3), st.tuples(numbers, numbers))
@settings(max_examples=25, deadline=None)
def test_the_picture_sees_only_scale_times_size(
    seed: int, scale: float, shift: tuple[float, float]
) -> None:
    """A person twice as large before a camera of half the scale is the same picture."""
    person, target = random(3, seed), random(2, seed + 1)
    camera = torch.tensor([[scale, *shift]], dtype=torch.float64).expand(2, 3)
    factor = torch.tensor([0.5, 2.0, 2.0], dtype=torch.float64)
    confidence = torch.ones(2, 145, dtype=torch.float64)
    once, twice = (
        points.points_2d(
            project(*seen)[..., :2], target, confidence, points.BODY_POINTS
        )
        for seen in ((person, camera), (2 * person, factor * camera))
    )
    torch.testing.assert_close(twice.value, once.value)


def test_openings_by_hand() -> None:
    """The left eye is open by 0.10 instead of 0.06, the mouth shut as it should be."""
    predicted, target = torch.zeros(1, 68, 2), torch.zeros(1, 68, 2)
    predicted[0, [41, 40], 1] = 0.10
    target[0, [41, 40], 1] = 0.06
    ones = torch.ones(1, 68)
    eyes = points.closure(predicted, target, ones, EYELID_PAIRS, "sum")
    assert eyes.value.item() == pytest.approx(0.08)
    assert points.closure(predicted, target, ones, LIP_PAIRS).value.item() == 0


def test_a_pair_counts_as_its_less_certain_landmark_and_not_without_both() -> None:
    predicted, target = torch.zeros(1, 68, 2), torch.ones(1, 68, 2)
    target[0, [61, 62]] = 3
    confidence = torch.zeros(1, 68)
    confidence[0, [61, 67, 62]] = torch.tensor([1.0, 0.25, 1.0])
    cost = points.closure(predicted, target, confidence, LIP_PAIRS, "sum")
    assert cost.value.item() == pytest.approx(0.25 * 4)


@given(st.integers(0, 99), st.tuples(numbers, numbers))
@settings(max_examples=25, deadline=None)
def test_where_the_face_is_does_not_matter_to_its_openings(
    seed: int, away: tuple[float, float]
) -> None:
    predicted, target = random(2, seed)[:, :68], random(2, seed + 1)[:, :68]
    ones = torch.ones(2, 68, dtype=torch.float64)
    here = points.closure(predicted, target, ones, EYELID_PAIRS)
    moved = predicted + torch.tensor(away, dtype=torch.float64)
    there = points.closure(moved, target, ones, EYELID_PAIRS)
    torch.testing.assert_close(there.value, here.value)


@pytest.mark.parametrize("elements", ["mean", "sum"])
def test_gradients_are_those_of_finite_differences(elements: Elements) -> None:
    confidence = random(1, 3)[..., 0].clamp_min(0)
    confidence[:, PELVIS] = 1
    chosen = [PELVIS, KNEE, ANKLE, 20, 25]

    def in_picture(predicted: Tensor) -> Tensor:
        return points.points_2d(
            predicted, random(2, 1), confidence, chosen, elements
        ).value

    def in_space(predicted: Tensor) -> Tensor:
        return points.points_3d(
            predicted, random(3, 1), confidence, chosen, points.BODY_ROOTS, elements
        ).value

    def openings(predicted: Tensor) -> Tensor:
        return points.closure(
            predicted, random(2, 1), confidence, LIP_PAIRS, elements
        ).value

    for function, axes in ((in_picture, 2), (in_space, 3), (openings, 2)):
        assert torch.autograd.gradcheck(function, random(axes, 0).requires_grad_())


def test_the_gradient_of_points_that_are_not_known_is_zero() -> None:
    predicted = random(2, 0).requires_grad_()
    confidence = torch.zeros(2, 145, dtype=torch.float64)
    confidence[0, KNEE] = 1
    cost = points.points_2d(predicted, random(2, 1), confidence, points.BODY_POINTS)
    (gradient,) = torch.autograd.grad(cost.value.sum(), predicted)
    assert gradient.nonzero().tolist() == [[0, KNEE, 0], [0, KNEE, 1]]
