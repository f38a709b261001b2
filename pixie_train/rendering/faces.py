"""The face drawn over its crop, for equations (11) and (12).

Only triangles of the face's chart are drawn, in weak perspective: skin up to a little
beyond the outline of jaw line and forehead, and the eyeballs between the lids. What
lies in the mouth is left empty.
"""

import numpy as np
import torch
from torch import Tensor, nn

from pixie_runtime.body import BodyModel
from pixie_train.albedo import ALBEDO_SIZE, Albedo, AlbedoSpace
from pixie_train.batch import CROP_SIZE
from pixie_train.camera import project
from pixie_train.full_precision import full_precision
from pixie_train.predictions import RenderedFace
from pixie_train.rendering.face_chart import MARGIN_M, FaceChart
from pixie_train.rendering.light import shading
from pixie_train.rendering.normals import unit, vertex_normals
from pixie_train.rendering.painted_albedo import painted_albedo
from pixie_train.rendering.seen import Seen, look
from pixie_train.rendering.texture import sampled
from pixie_train.rendering.uv_maps import UvMaps


class FaceRasteriser(nn.Module):
    """A `losses.photometric.FaceRenderer`; has no parameters of its own."""

    def __init__(
        self,
        model: BodyModel,
        *,
        albedo: AlbedoSpace | None = None,
        n_texture: int = 50,
        size: int = CROP_SIZE,
        margin_m: float = MARGIN_M,
        least_facing: float = 0.2,
    ) -> None:
        """Prepare a body's face.

        Args:
            model: the body.
            albedo: colours in the chart of this body's face; None: our own.
            n_texture: how many coefficients our own have.
            size: side of the crops, pixels.
            margin_m: how far the drawn face reaches beyond its outline; a mask of skin
                cuts it off where the picture's face ends.
            least_facing: cosine between a normal and the line of sight below which a
                pixel is not in the mask: surfaces seen edge-on have gradients as large
                as they are uncertain, and push faces about.

        Raises:
            ModelFileError: the model has no face landmarks.
        """
        super().__init__()
        self.size, self.least_facing = size, least_facing
        chart = FaceChart.of(model, margin_m=margin_m)
        self.maps = UvMaps(model, chart, size=ALBEDO_SIZE)
        if albedo is None:
            albedo = painted_albedo(model, self.maps, n_texture=n_texture)
        self.albedo = Albedo(albedo)
        self.n_texture = self.albedo.n_texture
        own = model.faces[chart.triangles]
        # Normals at the region's edge need the triangles around it as well.
        around = np.isin(model.faces, own).any(1)
        used, places = np.unique(model.faces[around], return_inverse=True)
        places = places.reshape(-1, 3)
        drawn = np.isin(np.flatnonzero(around), chart.triangles)
        for name, array in (
            ("used", used),
            ("around", places),
            ("faces", places[drawn]),
            ("uv", chart.uv),
        ):
            kind = np.float32 if array.dtype.kind == "f" else np.int64
            tensor = torch.from_numpy(array.astype(kind))
            self.register_buffer(name, tensor, persistent=False)

    def forward(
        self, vertices: Tensor, camera: Tensor, texture: Tensor, light: Tensor
    ) -> RenderedFace:
        """Draw B faces; see `losses.photometric.FaceRenderer`.

        Colours are not cut off at 0 and 1: where light makes them too bright they still
        have a gradient.
        """
        with full_precision(vertices):
            albedo = self.albedo(_at_least_float32(texture))
            return self.drawn(vertices, camera, albedo, _at_least_float32(light))

    def drawn(
        self, vertices: Tensor, camera: Tensor, albedo: Tensor, light: Tensor
    ) -> RenderedFace:
        """Draw B faces in the colours of maps over the chart, (B, 3, S, S)."""
        seen, normals = self.seen(vertices, camera)
        uv = seen.of_corners(self.get_buffer("uv"))
        colour = sampled(albedo, seen.sample, uv)
        lit = colour * shading(normals, light, seen.sample)
        facing = (-normals[:, 2:].detach() >= self.least_facing).to(lit)
        return RenderedFace(seen.picture(lit), seen.picture(facing))

    def seen(self, vertices: Tensor, camera: Tensor) -> tuple[Seen, Tensor]:
        """Return what pixels see of the chart's triangles, and its normals, (n, 3)."""
        own = vertices.index_select(1, self.get_buffer("used"))
        own, camera = _at_least_float32(own), _at_least_float32(camera)
        points = pixels(own, camera, self.size)
        faces = self.get_buffer("faces")
        seen = look(points, faces, (self.size, self.size))
        normals = vertex_normals(own, self.get_buffer("around"))
        return seen, unit(seen.of_vertices(normals))


def pixels(points: Tensor, camera: Tensor, size: int) -> Tensor:
    """Return points (B, V, 3) of a weak perspective as the rasteriser takes them.

    -1 is the centre of the first pixel, +1 one pixel beyond the centre of the last, as
    crops are cut (spec: pixie-network, sections 6, 8.1).

    Args:
        points: metres, camera axes.
        camera: (B, 3), for `camera.project`.
        size: side of the square, pixels.
    """
    flat = project(points, camera)
    return torch.cat([(flat[..., :2] * 0.5 + 0.5) * size, flat[..., 2:]], -1)


def _at_least_float32(values: Tensor) -> Tensor:
    return values.float() if values.itemsize < 4 else values
