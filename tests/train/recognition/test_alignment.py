import pytest
import torch
from torch import Tensor

from pixie_train.losses.choices import Choices
from pixie_train.losses.identity import identity
from pixie_train.predictions import RenderedFace
from pixie_train.recognition.alignment import (
    EYE_CORNERS_AND_NOSE,
    aligned,
    similarity,
)
from pixie_train.recognition.embedding import AlignedEmbedding

TURN = torch.tensor([[0.36, -0.48], [0.48, 0.36]])
"""0.6 times a rotation."""
SHIFT = torch.tensor([0.1, -0.2])


def landmarks(turn: Tensor = TURN, shift: Tensor = SHIFT) -> Tensor:
    """Return a face as dlib's template has it, moved; 66 places are of no matter."""
    flat = [(0.74, 0.31), (0.6, 0.32), (0.25, 0.31), (0.39, 0.32), (0.493, 0.585)]
    points = torch.zeros(1, 68, 2)
    square = torch.tensor(flat) * 2 - 1
    points[0, list(EYE_CORNERS_AND_NOSE)] = square @ turn.T + shift
    return points


def test_a_turned_and_moved_face_is_found_again() -> None:
    M = similarity(landmarks())[0]
    torch.testing.assert_close(M[:, :2], TURN, atol=0.01, rtol=0)
    torch.testing.assert_close(M[:, 2], SHIFT, atol=0.01, rtol=0)


@pytest.mark.parametrize("side", [64, 200, 403])
def test_faces_come_out_alike_whatever_their_size_and_place(side: int) -> None:
    """A picture that is a function of the face's own axes, at several finenesses."""
    at = (torch.arange(side) + 0.5) / side * 2 - 1
    place = torch.stack([at.expand(side, side), at[:, None].expand(side, side)], -1)
    own = (place - SHIFT) @ torch.linalg.inv(TURN).T
    picture = (0.5 + 0.4 * torch.sin(own * 4)).permute(2, 0, 1)[None]
    chip = aligned(picture, landmarks(), size=32)

    inner = (torch.arange(32) + 0.5) / 32 * 2 - 1
    expected = 0.5 + 0.4 * torch.sin(inner * 4)
    middle = slice(8, 24)
    across, down = chip[0, 0, middle, middle], chip[0, 1, middle, middle]
    assert (across - expected[middle]).abs().max() < 0.04
    assert (down - expected[middle, None]).abs().max() < 0.04


def test_gradients_reach_the_rendered_face_through_the_alignment() -> None:
    g = torch.Generator().manual_seed(0)
    picture = torch.rand(1, 3, 12, 12, generator=g, dtype=torch.float64)
    image = torch.rand(1, 3, 12, 12, generator=g, dtype=torch.float64)
    whole = torch.ones(1, 1, 12, 12)
    weights = torch.randn(3 * 16, 5, generator=g, dtype=torch.float64)
    embed = AlignedEmbedding(lambda x: (x.flatten(1) @ weights).tanh(), size=4)

    def cost(image: Tensor) -> Tensor:
        rendered = RenderedFace(image, whole)
        at = landmarks().double()
        return identity(embed, rendered, picture, whole, at, Choices()).value

    assert torch.autograd.gradcheck(cost, image.requires_grad_())
