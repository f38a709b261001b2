"""The graph `coarse`: the paper's body-driven attention (section 3.2)."""

import torch
from torch import Tensor, nn

from pixie_export.graph import Graph
from pixie_export.image_tensors import feature, params, raw, tensor, unfinished, values
from pixie_runtime.body import BodyModel
from pixie_runtime.bundle import CropSpec
from pixie_runtime.fusion_rules import HEAD_CHECKS
from pixie_train.camera import project
from pixie_train.key_points import KEY_POINT_COUNT, KeyPoints, KeyPointTables, Viewer
from pixie_train.networks.decoding import decode
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.part_boxes import part_boxes

_RELEASE_CHECK = float(HEAD_CHECKS.index("release"))


class Coarse(nn.Module):
    """The person from the body's feature alone, and where its parts are to be cut."""

    def __init__(
        self, network: ImagePixie, key_points: KeyPoints, crops: CropSpec
    ) -> None:
        super().__init__()
        self.core = network.core
        self.key_points = key_points
        self.crops = crops

    def forward(self, F_b: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs and the traced tensors."""
        raw = self.core.coarse(F_b)
        params = decode(raw, torch.full_like(F_b[:, 0], _RELEASE_CHECK))
        points = self.key_points(params.betas, params.expression, params.rotations)
        flat = project(points, params.camera)[..., :2]
        boxes = part_boxes(
            flat,
            hd_size=self.crops.hd_size,
            head_scale=self.crops.head_scale,
            hand_scale=self.crops.hand_scale,
        )
        return (
            params.rotations,
            params.betas,
            params.expression,
            params.camera,
            boxes,
            flat,
            values(raw.body),
            values(raw.head),
            values(raw.hands),
            params.head_unchecked,
            params.absolute,
        )


def coarse(
    network: ImagePixie,
    model: BodyModel,
    tables: KeyPointTables,
    crops: CropSpec,
    viewer: Viewer,
) -> Graph:
    """Return the graph from F_b to a coarse person and its parts' squares."""
    core = network.config.core
    key_points = KeyPoints(
        model,
        tables,
        n_betas=core.n_betas,
        n_expression=core.n_expression,
        viewer=viewer,
    )
    outputs = (
        *params(core, "body"),
        tensor(
            "boxes",
            (3, 3),
            "head, left hand, right hand: centre x, centre y, side of the crop, in "
            f"pixels of the body's square at {crops.hd_size}",
        ),
        tensor(
            "key_points",
            (KEY_POINT_COUNT, 2),
            "projected points of the body, in [-1, 1] over the body crop",
        ),
    )
    traced = (*raw(core, "raw"), *unfinished())
    given = (feature("F_b", core, "the body's feature"),)
    return Graph("coarse", Coarse(network, key_points, crops), given, outputs, traced)
