"""The graphs of an image bundle: PIXIE cut where the runtime has something to do.

    body ----> coarse --(boxes)--> crops --> head, hand --> fuse --> rotations, betas...

With crops known beforehand, `whole` is all of it in one. `head_alone` and `hand_alone`
are the experts on a picture of nothing else; `skinning` is the body model. Every graph
takes any number of people; `traced` outputs are for comparisons with the official
network and are not in bundles.
"""

import torch
from torch import Tensor, nn

from pixie_export import body_graphs
from pixie_export.coarse_graph import coarse
from pixie_export.fuse_graph import Fuse, fuse
from pixie_export.graph import Graph, OneResult
from pixie_export.image_tensors import (
    conditions,
    feature,
    fused_outputs,
    picture,
    tensor,
)
from pixie_export.part_graphs import part_graphs
from pixie_runtime.body import BodyModel
from pixie_runtime.bundle import CropSpec, TensorSpec
from pixie_train.albedo import Albedo
from pixie_train.key_points import KeyPointTables, Viewer
from pixie_train.networks.hrnet import HighResolutionNet
from pixie_train.networks.image_pixie import ImageCrops, ImagePixie, feature_and_maps
from pixie_train.networks.repvgg import merge_branches

_MAP_CHANNELS, _MAP_SIDES = (1, 2, 4, 8), (4, 8, 16, 32)


def image_graphs(
    network: ImagePixie,
    model: BodyModel,
    tables: KeyPointTables,
    albedo: Albedo | None = None,
    crops: CropSpec | None = None,
    *,
    viewer: Viewer = "release",
) -> tuple[Graph, ...]:
    """Return the graphs of one network on one body model.

    Args:
        network: trained weights, in evaluation mode; branches of layers that only
            training needs are merged in it.
        model: the body model that the network speaks of.
        tables: where its key points lie.
        albedo: the face's texture space, if the user has one.
        crops: how the crops are cut; default: the paper's way.
        viewer: who sees the jaw line, `key_points.contour_row`: the official network's
            numbers need the release's, networks trained here the camera's.
    """
    crops = crops or CropSpec()
    merge_branches(network)
    core, side = network.config.core, crops.size
    graphs = [
        *_encoders(network, side),
        coarse(network, model, tables, crops, viewer),
        fuse(network),
        _whole(network, side),
        *part_graphs(network),
        body_graphs.skinning(core, model, tables, viewer),
    ]
    if albedo is not None:
        graphs.append(body_graphs.albedo(core, albedo))
    return tuple(graphs)


class _BodyEncoder(nn.Module):
    def __init__(self, network: ImagePixie) -> None:
        super().__init__()
        self.encoder = network.encode_body

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return feature_and_maps(self.encoder, image)


def _encoders(network: ImagePixie, side: int) -> list[Graph]:
    core = network.config.core
    maps: list[TensorSpec] = []
    backbone = network.encode_body.encoder
    if isinstance(backbone, HighResolutionNet):
        for level, (times, part) in enumerate(
            zip(_MAP_CHANNELS, _MAP_SIDES, strict=True), start=1
        ):
            shape = (times * backbone.width, side // part, side // part)
            maps.append(tensor(f"map{level}", shape, f"HRNet's map at 1/{part}"))
    return [
        Graph(
            "body",
            _BodyEncoder(network),
            (picture("image", side, "body crop"),),
            (feature("F_b", core, "the body's feature"),),
            tuple(maps),
        ),
        Graph(
            "head",
            OneResult(network.encode_head),
            (picture("image", side, "head crop"),),
            (feature("F_f", core, "the head's feature"),),
        ),
        Graph(
            "hand",
            OneResult(network.encode_hand),
            (
                picture(
                    "image", side, "crop of a right hand, or of a mirrored left one"
                ),
            ),
            (feature("F_h", core, "the hand's feature"),),
        ),
    ]


class _Whole(nn.Module):
    """All of PIXIE for crops that are known."""

    def __init__(self, network: ImagePixie) -> None:
        super().__init__()
        self.network = network
        self.fuse = Fuse(network)

    def forward(
        self,
        image_body: Tensor,
        image_head: Tensor,
        image_left_hand: Tensor,
        image_right_hand: Tensor,
        present: Tensor,
        rules: Tensor,
    ) -> tuple[Tensor, ...]:
        hands = torch.stack([image_left_hand, image_right_hand], dim=1)
        crops = ImageCrops(image_body, image_head, hands, present)
        return self.fuse.finish(self.network.encode(crops), rules)


def _whole(network: ImagePixie, side: int) -> Graph:
    inputs = (
        picture("image_body", side, "body crop"),
        picture("image_head", side, "head crop"),
        picture("image_left_hand", side, "mirrored crop of the left hand"),
        picture("image_right_hand", side, "crop of the right hand"),
        *conditions(),
    )
    outputs = fused_outputs(network.config.core)
    return Graph("whole", _Whole(network), inputs, outputs)
