"""The graphs of an image bundle: PIXIE cut where the runtime has something to do.

    body ----> coarse --(boxes)--> crops --> head, hand --> fuse --> rotations, betas...

With crops known beforehand, `whole` is all of it in one. `head_alone` and `hand_alone`
are the experts on a picture of nothing else; `skinning` is the body model. Every graph
takes any number of people; `traced` outputs are for comparisons with the official
network and are not in bundles.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from pixie_export.graph import Graph
from pixie_runtime.body import BodyModel
from pixie_runtime.bundle import CropSpec, TensorSpec
from pixie_runtime.fusion_rules import HEAD_CHECKS
from pixie_train.albedo import Albedo
from pixie_train.body_model import TorchSurface
from pixie_train.camera import project
from pixie_train.config import CoreConfig
from pixie_train.key_points import (
    KEY_POINT_COUNT,
    KeyPoints,
    KeyPointTables,
    SurfaceKeyPoints,
)
from pixie_train.networks.decoding import (
    DecodedParams,
    decode,
    decode_hand,
    decode_head,
)
from pixie_train.networks.hrnet import HighResolutionNet
from pixie_train.networks.image_pixie import ImageCrops, ImagePixie, feature_and_maps
from pixie_train.networks.pixie import Features, PartFeatures, PixieOutput
from pixie_train.part_boxes import part_boxes

_RELEASE_CHECK = float(HEAD_CHECKS.index("release"))
_MAP_CHANNELS, _MAP_SIDES = (1, 2, 4, 8), (4, 8, 16, 32)


def _tensor(name: str, shape: tuple[int, ...], meaning: str) -> TensorSpec:
    return TensorSpec(name, ("batch", *shape), "float32", meaning)


def image_graphs(
    network: ImagePixie,
    model: BodyModel,
    tables: KeyPointTables,
    albedo: Albedo | None = None,
    crops: CropSpec | None = None,
) -> tuple[Graph, ...]:
    """Return the graphs of one network on one body model.

    Args:
        network: trained weights, in evaluation mode.
        model: the body model that the network speaks of.
        tables: where its key points lie.
        albedo: the face's texture space, if the user has one.
        crops: how the crops are cut; default: the paper's way.
    """
    crops = crops or CropSpec()
    core, side = network.config.core, crops.size
    graphs = [
        *_encoders(network, side),
        _coarse(network, model, tables, crops),
        _fuse(network),
        _whole(network, side),
        *_alone(network),
        _skinning(core, model, tables),
    ]
    if albedo is not None:
        given = _tensor("texture", (core.n_texture,), "albedo coefficients")
        picture = _tensor("albedo", (3, 256, 256), "albedo, RGB, about 0 to 1")
        graphs.append(Graph("albedo", _Tuple(albedo), (given,), (picture,)))
    return tuple(graphs)


class _Tuple(nn.Module):
    """A module whose one result is handed out as a tuple of one."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (self.module(x),)


class _BodyEncoder(nn.Module):
    def __init__(self, network: ImagePixie) -> None:
        super().__init__()
        self.encoder = network.encode_body

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return feature_and_maps(self.encoder, image)


def _picture(name: str, side: int, what: str) -> TensorSpec:
    return _tensor(name, (3, side, side), f"{what}, RGB in [0, 1]")


def _feature(name: str, core: CoreConfig, what: str) -> TensorSpec:
    return _tensor(name, (core.feature_dim,), what)


def _encoders(network: ImagePixie, side: int) -> list[Graph]:
    core = network.config.core
    maps: list[TensorSpec] = []
    backbone = network.encode_body.encoder
    if isinstance(backbone, HighResolutionNet):
        for level, (times, part) in enumerate(
            zip(_MAP_CHANNELS, _MAP_SIDES, strict=True), start=1
        ):
            shape = (times * backbone.width, side // part, side // part)
            maps.append(_tensor(f"map{level}", shape, f"HRNet's map at 1/{part}"))
    return [
        Graph(
            "body",
            _BodyEncoder(network),
            (_picture("image", side, "body crop"),),
            (_feature("F_b", core, "the body's feature"),),
            tuple(maps),
        ),
        Graph(
            "head",
            _Tuple(network.encode_head),
            (_picture("image", side, "head crop"),),
            (_feature("F_f", core, "the head's feature"),),
        ),
        Graph(
            "hand",
            _Tuple(network.encode_hand),
            (
                _picture(
                    "image", side, "crop of a right hand, or of a mirrored left one"
                ),
            ),
            (_feature("F_h", core, "the hand's feature"),),
        ),
    ]


def _params(core: CoreConfig, camera: str) -> tuple[TensorSpec, ...]:
    return (
        _tensor(
            "rotations",
            (55, 3, 3),
            "SMPL-X joints; root in axes of a camera that looks at the crop's centre "
            "(x right, y down, z forward), the others relative to the parent",
        ),
        _tensor("betas", (core.n_betas,), "shape, standard deviations"),
        _tensor("expression", (core.n_expression,), "expression, standard deviations"),
        _camera(camera),
    )


def _camera(crop: str) -> TensorSpec:
    meaning = f"s, tx, ty: (x, y) -> s (x + tx, y + ty) in [-1, 1] over the {crop} crop"
    return _tensor("camera", (3,), meaning)


def _appearance(core: CoreConfig) -> tuple[TensorSpec, ...]:
    if not core.n_texture:
        return ()
    return (
        _tensor("texture", (core.n_texture,), "albedo coefficients"),
        _tensor("light", (27,), "spherical harmonics by RGB, 9 x 3"),
    )


def _values(raw: dict[str, Tensor]) -> Tensor:
    """Return a regressor's vector as it came: names in their order are its parts."""
    return torch.cat(list(raw.values()), dim=-1)


class _Coarse(nn.Module):
    """The person from the body's feature alone, and where its parts are to be cut."""

    def __init__(
        self, network: ImagePixie, key_points: KeyPoints, crops: CropSpec
    ) -> None:
        super().__init__()
        self.core = network.core
        self.key_points = key_points
        self.crops = crops

    def forward(self, F_b: Tensor) -> tuple[Tensor, ...]:
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
            _values(raw.body),
            _values(raw.head),
            _values(raw.hands),
            params.head_unchecked,
            params.absolute,
        )


def _coarse(
    network: ImagePixie, model: BodyModel, tables: KeyPointTables, crops: CropSpec
) -> Graph:
    core = network.config.core
    key_points = KeyPoints(
        model, tables, n_betas=core.n_betas, n_expression=core.n_expression
    )
    outputs = (
        *_params(core, "body"),
        _tensor(
            "boxes",
            (3, 3),
            "head, left hand, right hand: centre x, centre y, side of the crop, in "
            f"pixels of the body's square at {crops.hd_size}",
        ),
        _tensor(
            "key_points",
            (KEY_POINT_COUNT, 2),
            "projected points of the body, in [-1, 1] over the body crop",
        ),
    )
    traced = (*_raw(core, "raw"), *_unfinished())
    given = (_feature("F_b", core, "the body's feature"),)
    return Graph("coarse", _Coarse(network, key_points, crops), given, outputs, traced)


def _raw(core: CoreConfig, name: str) -> tuple[TensorSpec, ...]:
    head = core.n_betas + core.n_expression + 9
    return (
        _tensor(f"{name}_body", (117,), "R_b's vector"),
        *_raw_parts(head, name),
    )


def _raw_parts(head: int, name: str) -> tuple[TensorSpec, ...]:
    return (
        _tensor(f"{name}_head", (head,), "shared head regressor's vector"),
        _tensor(f"{name}_hands", (2, 96), "shared hand regressor's vectors"),
    )


def _unfinished() -> tuple[TensorSpec, ...]:
    return (
        _tensor("head_unchecked", (3, 3), "head against neck before the head check"),
        _tensor("absolute", (3, 3, 3), "head, left and right wrist in camera axes"),
    )


class _Fuse(nn.Module):
    """From features to parameters: extract, moderate, regress, decode."""

    def __init__(self, network: ImagePixie) -> None:
        super().__init__()
        self.core = network.core

    def forward(
        self,
        F_b: Tensor,
        F_f: Tensor,
        F_left: Tensor,
        F_right: Tensor,
        present: Tensor,
        rules: Tensor,
    ) -> tuple[Tensor, ...]:
        parts = PartFeatures(F_f, torch.stack([F_left, F_right], dim=1))
        features = Features(F_b, parts, present)
        return self.finish(features, rules)

    def finish(self, features: Features, rules: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs and the traced tensors."""
        pixie = self.core(features, rules)
        params = decode(pixie.fused, rules[:, 3])
        own: tuple[Tensor, ...] = ()
        appearance: tuple[Tensor, ...] = ()
        if self.core.config.n_texture:
            head = self.core.regress_head_own(features.parts.head)
            hands = self.core.regress_hand_own(features.parts.hands)
            appearance = (head["tex"], head["light"])
            own = (_values(head), _values(hands))
        return (*_person(params, pixie), *appearance, *_traces(pixie, params), *own)


def _person(params: DecodedParams, pixie: PixieOutput) -> tuple[Tensor, ...]:
    return (
        params.rotations,
        params.betas,
        params.expression,
        params.camera,
        pixie.part_weights,
    )


def _traces(pixie: PixieOutput, params: DecodedParams) -> tuple[Tensor, ...]:
    return (
        pixie.extracted.stacked(),
        pixie.weights,
        pixie.mixed.stacked(),
        pixie.features.stacked(),
        _values(pixie.regressed.head),
        _values(pixie.regressed.hands),
        _values(pixie.part_only.head),
        _values(pixie.part_only.hands),
        params.head_unchecked,
        params.absolute,
    )


def _fused_outputs(core: CoreConfig) -> tuple[TensorSpec, ...]:
    weights = _tensor(
        "moderator_weights", (3,), "weight of the expert: head, left hand, right hand"
    )
    return (*_params(core, "body"), weights, *_appearance(core))


def _conditions() -> tuple[TensorSpec, ...]:
    return (
        _tensor("present", (3,), "1 or 0: head, left hand, right hand can be seen"),
        _tensor(
            "rules",
            (4,),
            "paste part features (0, 1); hand weight taken as 1 above; "
            "expression and fingers from the parts alone (0, 1); "
            "head check (0 off, 1 soft, 2 as released)",
        ),
    )


def _fuse(network: ImagePixie) -> Graph:
    core = network.config.core
    inputs = (
        _feature("F_b", core, "the body's feature"),
        _feature("F_f", core, "the head's feature"),
        _feature("F_left", core, "the mirrored left hand's feature"),
        _feature("F_right", core, "the right hand's feature"),
        *_conditions(),
    )
    head = core.n_betas + core.n_expression + 9
    traced = [
        _tensor("extracted", (3, core.feature_dim), "body-derived part features"),
        _tensor("moderators", (3, 2), "weights of body and part"),
        _tensor(
            "mixed", (3, core.feature_dim), "features as the moderators weigh them"
        ),
        _tensor("fused", (3, core.feature_dim), "features after the rules"),
        *_raw_parts(head, "regressed"),
        *_raw_parts(head, "part"),
        *_unfinished(),
    ]
    if core.n_texture:
        traced += [
            _tensor("own_head", (core.n_texture + 30,), "R_f's own vector"),
            _tensor("own_hands", (2, 3), "R_h's own vectors"),
        ]
    return Graph("fuse", _Fuse(network), inputs, _fused_outputs(core), tuple(traced))


class _Whole(nn.Module):
    """All of PIXIE for crops that are known."""

    def __init__(self, network: ImagePixie) -> None:
        super().__init__()
        self.network = network
        self.fuse = _Fuse(network)

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
        _picture("image_body", side, "body crop"),
        _picture("image_head", side, "head crop"),
        _picture("image_left_hand", side, "mirrored crop of the left hand"),
        _picture("image_right_hand", side, "crop of the right hand"),
        *_conditions(),
    )
    outputs = _fused_outputs(network.config.core)
    return Graph("whole", _Whole(network), inputs, outputs)


class _HeadAlone(nn.Module):
    def __init__(self, network: ImagePixie) -> None:
        super().__init__()
        self.core = network.core

    def forward(self, F_f: Tensor) -> tuple[Tensor, ...]:
        raw, own = self.core.regress_head(F_f), self.core.regress_head_own(F_f)
        person = (decode_head(raw), raw["shape"], raw["exp"], own["head_cam"])
        return (*person, own["tex"], own["light"], _values(own), _values(raw))


class _HandAlone(nn.Module):
    def __init__(self, network: ImagePixie) -> None:
        super().__init__()
        self.core = network.core

    def forward(self, F_h: Tensor) -> tuple[Tensor, ...]:
        raw, own = self.core.regress_hand(F_h), self.core.regress_hand_own(F_h)
        return decode_hand(raw), own["hand_cam"], _values(own), _values(raw)


def _alone(network: ImagePixie) -> list[Graph]:
    core = network.config.core
    if not core.n_texture:
        return []
    head = core.n_betas + core.n_expression + 9
    rotations, betas, expression, camera = _params(core, "head")
    return [
        Graph(
            "head_alone",
            _HeadAlone(network),
            (_feature("F_f", core, "the head's feature"),),
            (rotations, betas, expression, camera, *_appearance(core)),
            (
                _tensor("own", (core.n_texture + 30,), "R_f's own vector"),
                _tensor("raw", (head,), "shared head regressor's vector"),
            ),
        ),
        Graph(
            "hand_alone",
            _HandAlone(network),
            (_feature("F_h", core, "the hand's feature"),),
            (rotations, _camera("hand")),
            (
                _tensor("own", (3,), "R_h's own vector"),
                _tensor("raw", (96,), "shared hand regressor's vector"),
            ),
        ),
    ]


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


def _skinning(core: CoreConfig, model: BodyModel, tables: KeyPointTables) -> Graph:
    surface = TorchSurface(model, n_betas=core.n_betas, n_expression=core.n_expression)
    points = SurfaceKeyPoints(tables, np.arange(model.vertex_count))
    inputs: Sequence[TensorSpec] = (
        _tensor("betas", (core.n_betas,), "shape, standard deviations"),
        _tensor("expression", (core.n_expression,), "expression"),
        _tensor("rotations", (55, 3, 3), "as the other graphs give them"),
        _tensor("transl", (3,), "metres, added to every point"),
    )
    outputs = (
        _tensor("vertices", (model.vertex_count, 3), "metres, camera axes"),
        _tensor("joints", (55, 3), "metres, camera axes"),
        _tensor("key_points", (KEY_POINT_COUNT, 3), "metres, camera axes"),
    )
    return Graph("skinning", _Skinning(surface, points), tuple(inputs), outputs)
