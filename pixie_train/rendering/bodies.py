"""Whole bodies drawn in clay, to lay over pictures; differentiable as well.

The lamps are those of `pixie_runtime.rendering`, on tensors and for batches.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pixie_runtime.body import BodyModel
from pixie_runtime.rendering.mesh import CLAY
from pixie_runtime.rendering.shading import AMBIENT, HEADLIGHT, LAMP, TO_LAMP
from pixie_runtime.types import Camera
from pixie_train.rendering.faces import pixels
from pixie_train.rendering.normals import unit, vertex_normals
from pixie_train.rendering.seen import Seen, look


@dataclass(frozen=True, eq=False)
class Layer:
    """Something drawn, to be laid over pictures."""

    image: Tensor
    """(B, 3, H, W) RGB in [0, 1], 0 outside the mask."""
    mask: Tensor
    """(B, 1, H, W), 0 or 1."""

    def over(self, picture: Tensor, opacity: float = 1.0) -> Tensor:
        """Return pictures (B, 3, H, W), in [0, 1], with the layer before them."""
        share = self.mask * opacity
        return picture * (1 - share) + self.image * share


class BodyRasteriser(nn.Module):
    """Draws meshes of one body model."""

    def __init__(
        self, model: BodyModel, *, colour: tuple[int, int, int] = CLAY
    ) -> None:
        """Take a body's triangles and its colour, RGB up to 255."""
        super().__init__()
        faces = torch.from_numpy(model.faces.astype(np.int64))
        self.register_buffer("faces", faces, persistent=False)
        for name, values in (("colour", np.array(colour) / 255), ("lamp", TO_LAMP)):
            tensor = torch.from_numpy(values.astype(np.float32))
            self.register_buffer(name, tensor, persistent=False)

    def forward(self, vertices: Tensor, camera: Tensor, size: int) -> Layer:
        """Draw bodies over their crops.

        Args:
            vertices: (B, V, 3), metres, camera axes.
            camera: weak perspective of the crops, (B, 3), for `camera.project`.
            size: side of the crops, pixels.
        """
        points = pixels(vertices, camera, size)
        seen = look(points, self.get_buffer("faces"), (size, size))
        return self._lit(vertices, seen)

    def through_pinhole(self, vertices: Tensor, camera: Camera) -> Layer:
        """Draw bodies as a pinhole camera sees them.

        Args:
            vertices: (B, V, 3), metres, camera frame, all before the camera.
            camera: of the picture.
        """
        width, height = camera.size_px
        centre = vertices.new_tensor(camera.centre_px)
        depth = vertices[..., 2:]
        # Pictures have pixel centres at a half, the rasteriser at integers.
        flat = vertices[..., :2] / depth * camera.focal_px + centre - 0.5
        points = torch.cat([flat, depth], -1)
        faces = self.get_buffer("faces")
        return self._lit(vertices, look(points, faces, (height, width), pinhole=True))

    def _lit(self, vertices: Tensor, seen: Seen) -> Layer:
        normals = vertex_normals(vertices, self.get_buffer("faces"))
        there = unit(seen.of_vertices(normals))
        lamp = (there @ self.get_buffer("lamp")).clamp_min(0)
        light = AMBIENT + LAMP * lamp + HEADLIGHT * (-there[:, 2]).clamp_min(0)
        colour = light[:, None] * self.get_buffer("colour")
        return Layer(seen.picture(colour.clamp_max(1)), seen.mask())
