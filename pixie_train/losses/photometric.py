"""Equation (11): the rendered face against the picture."""

from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from pixie_train.body_model import TorchSurface
from pixie_train.full_precision import full_precision
from pixie_train.losses.choices import Elements
from pixie_train.losses.reduction import Cost, gap, over_elements
from pixie_train.predictions import Predictions, RenderedFace


class FaceRenderer(Protocol):
    """Draws faces differentiably; knows the body's triangles and its albedo space."""

    def __call__(
        self, vertices: Tensor, camera: Tensor, texture: Tensor, light: Tensor
    ) -> RenderedFace:
        """Draw B faces over their crops.

        Gradients reach all four arguments through the image, none through the mask.

        Args:
            vertices: posed bodies, (B, V, 3), metres, camera axes (x right, y down, z
                away from us), as `TorchSurface` gives them.
            camera: weak perspective of the crops, (B, 3), for `camera.project`.
            texture: albedo coefficients, (B, n_texture).
            light: (B, 9, 3), spherical harmonics bands by RGB.
        """
        ...


def with_faces(
    said: Predictions, surface: TorchSurface, render: FaceRenderer
) -> Predictions:
    """Return what was said of heads together with their faces as drawn.

    Args:
        said: heads, with texture and light.
        surface: all vertices of the body that `render` knows the triangles of.
        render: draws them.
    """
    if said.texture is None or said.light is None:
        raise ValueError(
            "only heads have the texture and light that faces are drawn by"
        )
    with full_precision(said.betas):
        vertices = surface(said.betas, said.expression, said.rotations).vertices
        drawn = render(vertices, said.camera, said.texture, said.light)
    return replace(said, rendered=drawn)


def photometric(
    rendered: RenderedFace,
    picture: Tensor,
    skin: Tensor,
    elements: Elements = "mean",
) -> Cost:
    """Equation (11): masked L1 between picture and rendering.

        |M * (I - I_r)|_1,1

    M is the skin of the face where the face was drawn. The paper does not say by how
    many pixels the sum is divided: by those in M, so that small faces count as much as
    large ones. A sample with nothing in M costs nothing.

    Args:
        rendered: the drawn faces.
        picture: (B, 3, H, W) RGB in [0, 1].
        skin: (B, 1, H, W), above one half where the picture shows the face's skin.
        elements: sum over pixels, or mean over those in M; colours are averaged.
    """
    seen = visible_skin(rendered, skin)
    known = seen.flatten(1)
    ours = rendered.image.flatten(2).transpose(1, 2)
    theirs = picture.flatten(2).transpose(1, 2)
    return over_elements(gap(ours, theirs, known).abs().mean(-1), known, elements)


def visible_skin(rendered: RenderedFace, skin: Tensor) -> Tensor:
    """Return M, (B, 1, H, W) booleans: skin in the picture and in the rendering."""
    return torch.logical_and(skin > 0.5, rendered.mask > 0.5)
