"""Faces with detail drawn over their crops, by light that the crop itself tells.

The coarse face says where each pixel is on the face; detail changes its normal and so
how light falls on it. Light and colour are not trained here: light is the spherical
harmonics fit of the coarse normals to the picture's skin, and colour what is left of
the picture once it and the coarse shading are blurred. What is finer than the blur is
for the displacement to explain.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pixie_runtime.body import BodyModel
from pixie_train.data.pictures.surface_map import BROWS, LASHES, LIPS, SurfaceMap
from pixie_train.detail.coarse import CoarseFaces
from pixie_train.detail.surface import DetailSurface
from pixie_train.rendering.light import shading
from pixie_train.rendering.normals import unit
from pixie_train.rendering.seen import Seen, look
from pixie_train.rendering.texture import sampled

_BANDS = 9
_RIDGE = 1e-3
_OUTLIER = 0.08
"""A pixel so much brighter or darker than the fit counts half in the next one."""
_FITS = 3
_CLEAR_OF_LIPS_M = 0.002
_CLEAR_OF_BROWS_M = 0.006
_CLEAR_OF_LASHES_M = 0.004
_DARKEST, _BRIGHTEST = 0.02, 4.0


@dataclass(frozen=True, eq=False)
class LitFaces:
    """B coarse faces in their crops, with what is needed to draw them anew."""

    seen: Seen
    uv: Tensor
    """Where pixels are in the chart, (n, 2)."""
    positions: Tensor
    """Coarse maps, (B, 3, S, S), metres, camera axes."""
    normals: Tensor
    """Likewise, unit vectors."""
    facets: Tensor
    """What `DetailSurface.facets` makes of them."""
    light: Tensor
    """(B, 9, 3), bands by RGB."""
    colour: Tensor
    """Of the pixels, (n, 3)."""
    mask: Tensor
    """Plain skin of picture and face, (B, 1, H, W) boolean."""

    @classmethod
    def join(cls, faces: Sequence[Self]) -> Self:
        """Put faces of equal crops together."""
        _, H, W = faces[0].seen.shape
        counts = [len(face.positions) for face in faces]
        firsts = [sum(counts[:number]) for number in range(len(faces))]
        seen = Seen(
            (sum(counts), H, W),
            *(
                torch.cat(parts)
                for parts in (
                    [
                        f.seen.pixel + n * H * W
                        for f, n in zip(faces, firsts, strict=True)
                    ],
                    [f.seen.sample + n for f, n in zip(faces, firsts, strict=True)],
                    [f.seen.triangle for f in faces],
                    [f.seen.corners for f in faces],
                    [f.seen.weights for f in faces],
                )
            ),
        )
        names = ("uv", "positions", "normals", "facets", "light", "colour", "mask")
        whole = (torch.cat([getattr(f, name) for f in faces]) for name in names)
        return cls(seen, *whole)

    def to(self, device: torch.device) -> "LitFaces":
        """Return them with their tensors on `device`."""
        moved = (getattr(self, field.name).to(device) for field in fields(self))
        return LitFaces(*moved)


class DetailRenderer(nn.Module):
    """Draws what the pictures of heads would be with detail; no parameters."""

    def __init__(
        self, model: BodyModel, surface: DetailSurface, *, colour_blur: float = 0.035
    ) -> None:
        """Prepare.

        Args:
            model: the body.
            surface: its face's chart.
            colour_blur: width of the blur behind a pixel's colour, over the crop's
                side.
        """
        super().__init__()
        self.surface, self.colour_blur = surface, colour_blur
        chart = surface.chart
        fields = torch.from_numpy(SurfaceMap.of(model).fields)
        maps = surface.maps.of_vertices(fields[None])[0]
        plain = (
            (maps[LIPS] < -_CLEAR_OF_LIPS_M)
            & (maps[BROWS] < -_CLEAR_OF_BROWS_M)
            & (maps[LASHES] < -_CLEAR_OF_LASHES_M)
            & (surface.share[0, 0] > 0)
        )
        faces = model.faces[chart.triangles].astype(np.int64)
        for name, tensor in (
            ("plain", plain.float()[None, None]),
            ("faces", torch.from_numpy(faces)),
            ("uv", torch.from_numpy(chart.uv)),
        ):
            self.register_buffer(name, tensor, persistent=False)

    @torch.no_grad()
    def lit(self, coarse: CoarseFaces, picture: Tensor, skin: Tensor) -> LitFaces:
        """See where faces are, and find light and colour.

        Args:
            coarse: the faces.
            picture: (B, 3, S, S) RGB in [0, 1].
            skin: where it shows the face's skin, (B, 1, S, S), above one half.
        """
        size = picture.shape[-1]
        flat = (coarse.points[..., :2] * 0.5 + 0.5) * size
        points = torch.cat([flat, coarse.points[..., 2:]], -1)
        seen = look(
            points, self.get_buffer("faces"), (size, size), pinhole=coarse.pinhole
        )
        uv = seen.of_corners(self.get_buffer("uv"))
        maps = self.surface.maps
        normals = maps.uv_normals(coarse.vertices)
        positions = maps.uv_positions(coarse.vertices)
        facets = self.surface.facets(positions, normals)
        at = unit(sampled(maps.filled(normals), seen.sample, uv))
        plain = sampled(self.get_buffer("plain"), torch.zeros_like(seen.sample), uv)
        inside = skin.float().flatten()[seen.pixel] > 0.5
        counts = inside & (plain[:, 0] > 0.99)
        shown = picture.movedim(1, -1).reshape(-1, 3)[seen.pixel]
        light = _light(shown, at, seen.sample, counts, len(picture))
        lit = shading(at, light, seen.sample).clamp_min(_DARKEST)
        width = self.colour_blur * size
        colour = _colour(seen, shown, lit, counts, width)
        mask = seen.picture(counts.float()[:, None]) > 0.5
        return LitFaces(seen, uv, positions, normals, facets, light, colour, mask)

    def forward(self, faces: LitFaces, displacement: Tensor) -> Tensor:
        """Draw faces, (B, 3, H, W); gradients reach the displacement.

        Args:
            faces: as `lit` has found them.
            displacement: (B, 1, H, H), metres.
        """
        normals = self.surface.from_maps(
            faces.positions, faces.normals, faces.facets, displacement
        )
        at = unit(sampled(normals, faces.seen.sample, faces.uv))
        lit = shading(at, faces.light, faces.seen.sample).clamp_min(_DARKEST)
        return faces.seen.picture(faces.colour * lit)


def _light(
    shown: Tensor, normals: Tensor, sample: Tensor, counts: Tensor, B: int
) -> Tensor:
    """Fit light to white faces, (B, 9, 3): least squares, outliers weighted down.

    Args:
        shown: the picture at n pixels, (n, 3).
        normals: there, (n, 3).
        sample: whose pixels they are, (n,), ascending.
        counts: which of them show plain skin, (n,).
        B: number of faces.
    """
    basis = _basis(normals)
    light = shown.new_zeros(B, _BANDS, 3)
    for number in range(B):
        own = (sample == number) & counts
        X, y = basis[own].double(), shown[own].double()
        if len(X) <= _BANDS:
            continue
        weight = torch.ones_like(X[:, :1])
        ridge = _RIDGE * len(X) * torch.eye(_BANDS, dtype=X.dtype, device=X.device)
        ridge[0, 0] = 0  # all around is what a face is lit by if nothing else is known
        for _ in range(_FITS):
            found = torch.linalg.solve(X.mT @ (weight * X) + ridge, X.mT @ (weight * y))
            off = (X @ found - y).mean(1, keepdim=True) / _OUTLIER
            weight = 1 / (1 + off.square())
        light[number] = found.to(light)
    return light


def _basis(normals: Tensor) -> Tensor:
    """Return how bright each band alone makes points, (n, 9)."""
    bands = torch.eye(_BANDS, dtype=normals.dtype, device=normals.device)
    sample = torch.zeros(len(normals), dtype=torch.long, device=normals.device)
    # Three bands at a time, as the three colours of one light.
    thirds = bands.reshape(_BANDS, 3, 3).unbind(1)
    return torch.cat([shading(normals, third[None], sample) for third in thirds], 1)


def _colour(
    seen: Seen, shown: Tensor, lit: Tensor, counts: Tensor, width: float
) -> Tensor:
    """Return the skin's colour at pixels, (n, 3): picture over light, both blurred."""
    share = counts.to(shown)[:, None]
    maps = seen.picture(torch.cat([shown * share, lit * share, share], 1))
    blurred = maps
    side = 2 * round(width) + 1
    for _ in range(3):  # three boxes are nearly a Gaussian
        blurred = functional.avg_pool2d(blurred, side, 1, side // 2)
    rows = blurred.movedim(1, -1).reshape(-1, maps.shape[1])[seen.pixel]
    ratio = rows[:, :3] / rows[:, 3:6].clamp_min(1e-6)
    return ratio.clamp(_DARKEST, _BRIGHTEST)
