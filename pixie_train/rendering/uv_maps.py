"""Pictures of what is where on the face, laid out by its chart: positions, normals.

    maps = UvMaps(model, FaceChart.of(model), size=256)
    positions = maps.uv_positions(vertices)          (B, 3, 256, 256)
    normals = maps.uv_normals(vertices)
    grid = maps.grid()                               one vertex a texel

Which triangle a texel shows is found once. Texel (row, column) has its centre at u =
(column + 1/2) / size, v = (row + 1/2) / size.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from pixie_runtime.body import BodyModel
from pixie_train.rendering.face_chart import FaceChart
from pixie_train.rendering.normals import unit, vertex_normals
from pixie_train.rendering.seen import Seen, look


@dataclass(frozen=True, eq=False)
class UvGrid:
    """A fine mesh of the face with one vertex for each texel of the chart."""

    texel: Tensor
    """Where its vertices are in the maps' rows laid end to end, (N,), ascending."""
    faces: Tensor
    """(T, 3) rows of `texel`, counter-clockwise from outside."""

    def vertices(self, uv_map: Tensor) -> Tensor:
        """Return what a map (B, C, S, S) has at the vertices, (B, N, C)."""
        return uv_map.flatten(2)[:, :, self.texel].transpose(1, 2)

    def normals(self, uv_map: Tensor) -> Tensor:
        """Return the unit normals of the mesh that a position map means, as a map.

        Args:
            uv_map: positions, (B, 3, S, S), for example displaced ones.

        Returns:
            (B, 3, S, S); 0 where there is no mesh.
        """
        normals = vertex_normals(self.vertices(uv_map), self.faces)
        flat = torch.zeros_like(uv_map).flatten(2)
        return flat.index_copy(2, self.texel, normals.transpose(1, 2)).reshape(
            uv_map.shape
        )


class UvMaps(nn.Module):
    """Turns what vertices have into pictures over the chart; no parameters."""

    mask: Tensor
    """Where the chart shows something, (1, 1, S, S), 0 or 1."""
    skin: Tensor
    """Where it shows skin, no eyeball, (1, 1, S, S), 0 or 1."""

    def __init__(self, model: BodyModel, chart: FaceChart, *, size: int = 256) -> None:
        super().__init__()
        self.size = size
        faces = torch.from_numpy(model.faces.astype(np.int64))
        self.register_buffer("body_faces", faces, persistent=False)
        own = faces[torch.from_numpy(chart.triangles.astype(np.int64))]
        uv = np.concatenate([chart.uv, chart.layer[..., None]], axis=-1)
        self._register(own, torch.from_numpy(uv))
        skin = torch.from_numpy(chart.skin.astype(np.float32))
        seen = self._seen(1)
        self.register_buffer("mask", seen.mask(), persistent=False)
        of_skin = seen.picture(skin[seen.triangle][:, None])
        self.register_buffer("skin", of_skin, persistent=False)
        self.register_buffer(
            "nearest",
            torch.from_numpy(_nearest_full(self.mask[0, 0].numpy() > 0.5)),
            persistent=False,
        )

    def uv_positions(self, vertices: Tensor) -> Tensor:
        """Return where the surface is, (B, 3, S, S), 0 where the chart is empty.

        Args:
            vertices: bodies, (B, V, 3), any frame.
        """
        return self.of_vertices(vertices)

    def uv_normals(self, vertices: Tensor) -> Tensor:
        """Return smooth unit normals, (B, 3, S, S), 0 where the chart is empty.

        Args:
            vertices: bodies, (B, V, 3), any right-handed frame.
        """
        return self.of_unit_vectors(
            vertex_normals(vertices, self.get_buffer("body_faces"))
        )

    def of_unit_vectors(self, vectors: Tensor) -> Tensor:
        """Interpolate directions (B, V, 3) and make them unit vectors again."""
        seen = self._seen(len(vectors))
        return seen.picture(unit(seen.of_vertices(vectors)))

    def of_vertices(self, values: Tensor) -> Tensor:
        """Interpolate what vertices have, (B, V, C), into maps (B, C, S, S)."""
        seen = self._seen(len(values))
        return seen.picture(seen.of_vertices(values))

    def of_corners(self, values: Tensor) -> Tensor:
        """Interpolate what the chart's corners have, (F, 3, C), into (1, C, S, S)."""
        seen = self._seen(1)
        return seen.picture(seen.of_corners(values))

    def filled(self, uv_map: Tensor) -> Tensor:
        """Give empty texels of maps (B, C, S, S) what the nearest full one has.

        Bilinear sampling at an island's edge reaches over it.
        """
        return uv_map.flatten(2)[:, :, self.get_buffer("nearest")].reshape(uv_map.shape)

    def grid(self) -> UvGrid:
        """Return the mesh of all texels that show skin.

        Four texels in a square make two triangles where all of them show skin; eyes
        and mouth stay open where the chart is empty between the lids and the lips.
        """
        full = self.skin[0, 0] > 0.5
        number = torch.full(full.shape, -1, device=full.device)
        number[full] = torch.arange(int(full.sum()), device=full.device)
        a, b = number[:-1, :-1], number[:-1, 1:]
        c, d = number[1:, :-1], number[1:, 1:]
        corners = torch.stack([a, b, c, d], -1).reshape(-1, 4)
        corners = corners[(corners >= 0).all(1)]
        a, b, c, d = corners.unbind(1)
        # v runs down: this order is counter-clockwise as we see the face.
        faces = torch.cat([torch.stack([a, c, b], 1), torch.stack([b, c, d], 1)])
        return UvGrid(full.flatten().nonzero()[:, 0], faces)

    def _register(self, faces: Tensor, uv: Tensor) -> None:
        """Look at the chart (F, 3, 3) once. Its triangles may face either way."""
        points = torch.cat([uv[..., :2] * self.size - 0.5, uv[..., 2:]], -1)
        apart = torch.arange(3 * len(faces)).reshape(-1, 3)
        size = (self.size, self.size)
        seen = look(points.reshape(1, -1, 3), apart, size, cull=False)
        self.register_buffer("pixel", seen.pixel, persistent=False)
        self.register_buffer("triangle", seen.triangle, persistent=False)
        self.register_buffer("corners", faces[seen.triangle], persistent=False)
        self.register_buffer("weights", seen.weights, persistent=False)

    def _seen(self, count: int) -> Seen:
        """Return the chart's texels as seen in `count` pictures alike."""
        pixel, weights = self.get_buffer("pixel"), self.get_buffer("weights")
        sample = torch.arange(count, device=pixel.device).repeat_interleave(len(pixel))
        return Seen(
            (count, self.size, self.size),
            pixel.repeat(count) + sample * self.size**2,
            sample,
            self.get_buffer("triangle").repeat(count),
            self.get_buffer("corners").repeat(count, 1),
            weights.repeat(count, 1),
        )


def _nearest_full(full: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return for each texel of a map (H, W) the place of the nearest full one, flat."""
    empty = np.where(full, 0, 1).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(
        empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    places = np.zeros(int(labels.max()) + 1, np.int64)
    places[labels[full]] = np.flatnonzero(full.ravel())
    return np.asarray(places[labels].ravel())
