"""The graphs `skinning`, the body model itself, and `albedo`, its face's colours."""

import numpy as np
from torch import Tensor, nn

from pixie_export.graph import Graph, OneResult
from pixie_export.image_tensors import tensor
from pixie_runtime.body import BodyModel
from pixie_train.albedo import ALBEDO_SIZE, Albedo
from pixie_train.body_model import TorchSurface
from pixie_train.config import CoreConfig
from pixie_train.key_points import (
    KEY_POINT_COUNT,
    KeyPointTables,
    SurfaceKeyPoints,
    Viewer,
)


class _Skinning(nn.Module):
    """The body model: parameters to mesh, joints and key points."""

    def __init__(self, surface: TorchSurface, points: SurfaceKeyPoints) -> None:
        super().__init__()
        self.surface = surface
        self.points = points

    def forward(
        self, betas: Tensor, expression: Tensor, rotations: Tensor, transl: Tensor
    ) -> tuple[Tensor, ...]:
        body = self.surface(betas, expression, rotations, transl)
        return body.vertices, body.joints, self.points(body)


def skinning(
    core: CoreConfig, model: BodyModel, tables: KeyPointTables, viewer: Viewer
) -> Graph:
    """Return the graph from parameters to mesh, joints and key points."""
    surface = TorchSurface(model, n_betas=core.n_betas, n_expression=core.n_expression)
    every = np.arange(model.vertex_count)
    points = SurfaceKeyPoints(tables, every, viewer=viewer)
    inputs = (
        tensor("betas", (core.n_betas,), "shape, standard deviations"),
        tensor("expression", (core.n_expression,), "expression"),
        tensor("rotations", (55, 3, 3), "as the other graphs give them"),
        tensor("transl", (3,), "metres, added to every point"),
    )
    outputs = (
        tensor("vertices", (model.vertex_count, 3), "metres, camera axes"),
        tensor("joints", (55, 3), "metres, camera axes"),
        tensor("key_points", (KEY_POINT_COUNT, 3), "metres, camera axes"),
    )
    return Graph("skinning", _Skinning(surface, points), inputs, outputs)


def albedo(core: CoreConfig, space: Albedo) -> Graph:
    """Return the graph of the face's texture space."""
    given = tensor("texture", (core.n_texture,), "albedo coefficients")
    size = (3, ALBEDO_SIZE, ALBEDO_SIZE)
    picture = tensor("albedo", size, "albedo, RGB, about 0 to 1")
    return Graph("albedo", OneResult(space), (given,), (picture,))
