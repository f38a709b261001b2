from typing import Literal

import pytest
import torch
from torch import Tensor

from pixie_train.losses.choices import Choices
from pixie_train.losses.identity import identity
from pixie_train.losses.photometric import photometric
from pixie_train.predictions import RenderedFace

NOWHERE = torch.zeros(1, 68, 2)
"""Landmarks for networks that do not look at them."""


def flat(picture: Tensor, landmarks: Tensor) -> Tensor:
    return picture.flatten(1)


def face(value: float, drawn: float = 1.0) -> RenderedFace:
    image = torch.full((1, 3, 2, 2), value, dtype=torch.float64)
    return RenderedFace(image, torch.full((1, 1, 2, 2), drawn))


def left_half() -> Tensor:
    skin = torch.zeros(1, 1, 2, 2)
    skin[..., 0] = 1
    return skin


def test_colours_differ_by_hand() -> None:
    """Of four pixels two are skin; each is 0.25 off in one of three colours."""
    picture = torch.full((1, 3, 2, 2), 0.5, dtype=torch.float64)
    picture[:, 0] = 0.75
    mean = photometric(face(0.5), picture, left_half())
    total = photometric(face(0.5), picture, left_half(), "sum")
    assert mean.value.item() == pytest.approx(0.25 / 3)
    assert total.value.item() == pytest.approx(2 * 0.25 / 3)


def test_only_skin_where_the_face_was_drawn_has_a_gradient() -> None:
    rendered = face(0.5)
    rendered.image.requires_grad_()
    rendered.mask[0, 0, 0, 0] = 0
    picture = torch.zeros(1, 3, 2, 2, dtype=torch.float64)
    cost = photometric(rendered, picture, left_half())
    (gradient,) = torch.autograd.grad(cost.value.sum(), rendered.image)
    assert gradient[0, 0].nonzero().tolist() == [[1, 0]]


def test_a_picture_without_skin_or_without_a_face_costs_nothing() -> None:
    picture = torch.zeros(1, 3, 2, 2, dtype=torch.float64)
    for rendered, skin in (
        (face(1.0), torch.zeros(1, 1, 2, 2)),
        (face(1.0, drawn=0.0), left_half()),
    ):
        cost = photometric(rendered, picture, skin)
        assert cost.value.item() == 0
        assert not cost.known.any()
        who = identity(flat, rendered, picture, skin, NOWHERE, Choices())
        assert who.value.item() == 0
        assert not who.known.any()


def test_gradients_are_those_of_finite_differences() -> None:
    g = torch.Generator().manual_seed(0)
    picture, image = torch.rand(2, 2, 3, 2, 3, generator=g, dtype=torch.float64)
    skin = torch.rand(2, 1, 2, 3, generator=g)
    weights = torch.randn(18, 5, generator=g, dtype=torch.float64)

    def colours(image: Tensor) -> Tensor:
        rendered = RenderedFace(image, torch.ones(2, 1, 2, 3))
        return photometric(rendered, picture, skin).value

    def who(image: Tensor) -> Tensor:
        rendered = RenderedFace(image, torch.ones(2, 1, 2, 3))
        embed = lambda x, _: (x.flatten(1) @ weights).tanh()  # noqa: E731
        return identity(embed, rendered, picture, skin, NOWHERE, Choices()).value

    assert torch.autograd.gradcheck(colours, image.requires_grad_())
    assert torch.autograd.gradcheck(who, image.requires_grad_())


@pytest.mark.parametrize("background", ["picture", "black"])
def test_the_same_face_is_the_same_person_and_its_opposite_is_not(
    background: Literal["picture", "black"],
) -> None:
    g = torch.Generator().manual_seed(0)
    picture = torch.rand(1, 3, 4, 4, generator=g)
    choices = Choices(background=background)
    drawn, skin = torch.ones(1, 1, 4, 4), torch.ones(1, 1, 4, 4)

    def centred(x: Tensor, _: Tensor) -> Tensor:
        return x.flatten(1) - 0.5

    for image, expected in ((picture, 0.0), (1 - picture, 2.0)):
        rendered = RenderedFace(image, drawn)
        cost = identity(centred, rendered, picture, skin, NOWHERE, choices)
        assert cost.value.item() == pytest.approx(expected, abs=1e-6)


def test_what_surrounds_the_face_is_the_pictures_or_black() -> None:
    seen: list[Tensor] = []

    def watch(x: Tensor, _: Tensor) -> Tensor:
        seen.append(x.detach())
        return x.flatten(1)

    picture = torch.full((1, 3, 2, 2), 0.5)
    for choices, around in (
        (Choices(background="picture"), 0.5),
        (Choices(background="black"), 0.0),
    ):
        rendered = RenderedFace(torch.ones(1, 3, 2, 2), torch.ones(1, 1, 2, 2))
        identity(watch, rendered, picture, left_half(), NOWHERE, choices)
        target, drawn = seen[-2:]
        assert target[0, 0].tolist() == [[0.5, around], [0.5, around]]
        assert drawn[0, 0].tolist() == [[1.0, around], [1.0, around]]
