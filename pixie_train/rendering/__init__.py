"""Differentiable pictures of meshes in torch, on any device. See docs/rendering.md.

seen = look(points, faces, size)                what every pixel sees
maps = UvMaps(model, FaceChart.of(model))       the same over a face laid flat
"""

from pixie_train.rendering.bodies import BodyRasteriser, Layer
from pixie_train.rendering.extraction import extracted
from pixie_train.rendering.face_chart import FaceChart
from pixie_train.rendering.faces import FaceRasteriser
from pixie_train.rendering.normals import vertex_normals
from pixie_train.rendering.seen import Seen, look
from pixie_train.rendering.uv_maps import UvGrid, UvMaps

__all__ = [
    "BodyRasteriser",
    "FaceChart",
    "FaceRasteriser",
    "Layer",
    "Seen",
    "UvGrid",
    "UvMaps",
    "extracted",
    "look",
    "vertex_normals",
]
