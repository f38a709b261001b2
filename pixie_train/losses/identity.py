"""Equation (12): the rendered face should be recognised as the same person."""

from collections.abc import Callable

import torch
from torch import Tensor

from pixie_train.losses.choices import Choices
from pixie_train.losses.photometric import visible_skin
from pixie_train.losses.reduction import Cost
from pixie_train.predictions import RenderedFace

FaceEmbedding = Callable[[Tensor, Tensor], Tensor]
"""A face recognition network: RGB in [0, 1] of head crops, (B, 3, S, S), and iBUG's 68
landmarks in [-1, 1] over them, (B, 68, 2), to one vector each, (B, E). It turns, cuts
and scales to its own input, differentiably (`pixie_train.recognition`)."""


def identity(
    embed: FaceEmbedding,
    rendered: RenderedFace,
    picture: Tensor,
    skin: Tensor,
    landmarks: Tensor,
    choices: Choices,
) -> Cost:
    """Equation (12): one minus the cosine between embeddings f.

        1 - f(I) . f(I_r) / (|f(I)| |f(I_r)|)

    The paper does not say what surrounds the rendered face; see `Choices.background`.
    Gradients flow through the rendering alone. A sample without visible skin costs
    nothing.

    Args:
        embed: f.
        rendered: the drawn faces.
        picture: (B, 3, H, W) RGB in [0, 1].
        skin: (B, 1, H, W), above one half where the picture shows the face's skin.
        landmarks: where the picture's face is, (B, 68, 2), in [-1, 1] over it. Both
            faces are cut out by them: the rendered one has to be in its place too.
        choices: the background.
    """
    seen = visible_skin(rendered, skin)
    surroundings = picture if choices.background == "picture" else picture * seen
    drawn = torch.where(seen, rendered.image, surroundings * ~seen)
    with torch.no_grad():
        target = embed(surroundings, landmarks)
    found = embed(drawn, landmarks)
    value = 1 - torch.nn.functional.cosine_similarity(found, target, dim=-1)
    known = seen.flatten(1).any(1)
    return Cost(torch.where(known, value, 0), known)
