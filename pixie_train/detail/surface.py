"""A face with detail: displaced positions and the normals that they give, as maps.

Spec: pixie-network, section 9: UV positions + z * mask * UV normals make a grid of fine
triangles; its normals are mixed with the coarse ones by the face's mask, and smoothed
by a Gaussian of 5 x 5 texels, sigma 1.3.
"""

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import ModelFileError, UsageError
from pixie_train.rendering.face_chart import FaceChart
from pixie_train.rendering.normals import unit
from pixie_train.rendering.texture import sampled
from pixie_train.rendering.uv_maps import UvGrid, UvMaps

_KERNEL = 5
_SIGMA = 1.3
_OFFICIAL_SIZE = 256
_FADE = 0.035
"""Over so much of the chart's side detail sets in from the edge of the skin."""


class DetailSurface(nn.Module):
    """Knows a body's face in its chart; no parameters."""

    share: Tensor
    """How much of a displacement the surface takes, (1, 1, S, S): 1 on the face,
    falling to 0 at the edge of its skin, so that it joins what is around it."""
    smoothing: Tensor

    def __init__(
        self, model: BodyModel, *, size: int = 256, sigma: float | None = None
    ) -> None:
        """Prepare maps of `size` x `size` texels.

        Args:
            model: the body.
            size: side of the maps.
            sigma: of the Gaussian that smooths normals, texels; None: 1.3 of 256, and
                as much of the face on smaller maps.

        Raises:
            ModelFileError: the body has no face landmarks.
            UsageError: there are no such maps.
        """
        super().__init__()
        if not 16 <= size <= 4096:
            raise UsageError(
                f"maps of {size} texels were asked for; expected 16 to 4096"
            )
        self.chart = FaceChart.of(model)
        self.maps = UvMaps(model, self.chart, size=size)
        grid = self.maps.grid()
        self.register_buffer("grid_texel", grid.texel, persistent=False)
        self.register_buffer("grid_faces", grid.faces, persistent=False)
        self.register_buffer("share", _share(self.maps.skin), persistent=False)
        if sigma is None:
            sigma = _SIGMA * size / _OFFICIAL_SIZE
        self.register_buffer("smoothing", _gaussian(sigma), persistent=False)

    @property
    def size(self) -> int:
        """Side of the maps in texels."""
        return self.maps.size

    @property
    def grid(self) -> UvGrid:
        """The fine mesh."""
        return UvGrid(self.get_buffer("grid_texel"), self.get_buffer("grid_faces"))

    def heights(self, displacement: Tensor) -> Tensor:
        """Return what the surface takes of displacements (B, 1, H, H), (B, 1, S, S)."""
        if displacement.shape[-1] != self.size:
            displacement = functional.interpolate(
                displacement, size=(self.size, self.size), mode="bilinear"
            )
        return displacement * self.share

    def from_texture(self, model: BodyModel, texture: Tensor) -> Tensor:
        """Bring maps of the body's own texture space (B, C, T, T) into the chart.

        Args:
            model: the body that this surface was made of.
            texture: rows from the top, as pictures are.

        Raises:
            ModelFileError: the body has no texture coordinates.
        """
        uv = self.maps.of_corners(texture_corners(model, self.chart))
        places = uv[0].flatten(1).T.to(texture)
        sample = torch.arange(len(texture)).repeat_interleave(len(places))
        values = sampled(texture, sample, places.repeat(len(texture), 1))
        shape = (len(texture), self.size, self.size, texture.shape[1])
        return values.reshape(shape).movedim(-1, 1) * self.maps.mask

    def positions(self, vertices: Tensor, displacement: Tensor) -> Tensor:
        """Return where the detailed surface is, (B, 3, S, S), 0 where there is none.

        Args:
            vertices: coarse bodies, (B, V, 3), metres, any right-handed frame.
            displacement: along the normals, metres, (B, 1, H, H).
        """
        outwards = self.maps.uv_normals(vertices)
        return self.maps.uv_positions(vertices) + self.heights(displacement) * outwards

    def normals(self, vertices: Tensor, displacement: Tensor) -> Tensor:
        """Return its unit normals, (B, 3, S, S), continued where there is no skin.

        Args:
            vertices: coarse bodies, (B, V, 3), metres, any right-handed frame.
            displacement: along the normals, metres, (B, 1, H, H).
        """
        positions = self.maps.uv_positions(vertices)
        coarse = self.maps.uv_normals(vertices)
        facets = self.facets(positions, coarse)
        return self.from_maps(positions, coarse, facets, displacement)

    def facets(self, positions: Tensor, coarse: Tensor) -> Tensor:
        """Return what makes a flat grid's normals smooth, (B, 3, S, S).

        The grid lies on the coarse mesh's triangles, whose edges would show in its
        normals. The release leaves them in; here a face without detail has the coarse
        normals exactly.
        """
        return coarse - self.grid.normals(positions)

    def from_maps(
        self, positions: Tensor, coarse: Tensor, facets: Tensor, displacement: Tensor
    ) -> Tensor:
        """Return the same normals of coarse maps, (B, 3, S, S) each."""
        fine = self.grid.normals(positions + self.heights(displacement) * coarse)
        fine = fine + facets
        mixed = coarse + self.share * (fine - coarse)
        filled = self.maps.filled(mixed)
        padded = functional.pad(filled, (_KERNEL // 2,) * 4, mode="replicate")
        # One Gaussian down, one across.
        kernel = self.smoothing.to(filled)
        smooth = functional.conv2d(
            padded.flatten(0, 1)[:, None], kernel[None, None, :, None]
        )
        smooth = functional.conv2d(smooth, kernel[None, None, None, :])
        smooth = smooth.reshape(filled.shape)
        return unit(smooth.movedim(1, -1)).movedim(-1, 1)


def texture_corners(model: BodyModel, chart: FaceChart) -> Tensor:
    """Return where a chart's triangles are in the body's texture, (F, 3, 2), v down.

    Raises:
        ModelFileError: the body has no texture coordinates.
    """
    if model.vt is None or model.ft is None:
        raise ModelFileError(
            f"the body model {model.name} has no texture coordinates (vt and ft), into "
            "which maps could be brought; use an unchanged SMPLX_NEUTRAL_2020.npz"
        )
    corners = np.array(model.vt[model.ft[chart.triangles]], np.float32)
    corners[..., 1] = 1 - corners[..., 1]
    return torch.from_numpy(corners)


def _share(skin: Tensor) -> Tensor:
    full = np.pad((skin[0, 0].numpy() > 0.5).astype(np.uint8), 1)
    inside = cv2.distanceTransform(full, cv2.DIST_L2, 5)[1:-1, 1:-1]
    ramp = np.clip((inside - 1) / (_FADE * len(inside)), 0, 1)
    smooth = ramp * ramp * (3 - 2 * ramp)
    return torch.from_numpy(smooth.astype(np.float32))[None, None]


def _gaussian(sigma: float) -> Tensor:
    if sigma <= 0:
        raise UsageError(f"sigma is {sigma}; expected a positive number of texels")
    at = torch.arange(_KERNEL) - _KERNEL // 2
    weights = torch.exp(-(at**2) / (2 * sigma**2))
    return weights / weights.sum()
