"""The graphs `head_alone` and `hand_alone`: part experts on a picture of a part."""

from torch import Tensor, nn

from pixie_export.graph import Graph
from pixie_export.image_tensors import (
    appearance,
    camera,
    feature,
    params,
    tensor,
    values,
)
from pixie_train.networks.decoding import decode_hand, decode_head
from pixie_train.networks.image_pixie import ImagePixie


class _HeadAlone(nn.Module):
    def __init__(self, network: ImagePixie) -> None:
        super().__init__()
        self.core = network.core

    def forward(self, F_f: Tensor) -> tuple[Tensor, ...]:
        raw, own = self.core.regress_head(F_f), self.core.regress_head_own(F_f)
        person = (decode_head(raw), raw["shape"], raw["exp"], own["head_cam"])
        return (*person, own["tex"], own["light"], values(own), values(raw))


class _HandAlone(nn.Module):
    def __init__(self, network: ImagePixie) -> None:
        super().__init__()
        self.core = network.core

    def forward(self, F_h: Tensor) -> tuple[Tensor, ...]:
        raw, own = self.core.regress_hand(F_h), self.core.regress_hand_own(F_h)
        return decode_hand(raw), own["hand_cam"], values(own), values(raw)


def part_graphs(network: ImagePixie) -> list[Graph]:
    """Return both graphs; none where the experts regress no cameras of their own."""
    core = network.config.core
    if not core.n_texture:
        return []
    head = core.n_betas + core.n_expression + 9
    rotations, betas, expression, own_camera = params(core, "head")
    return [
        Graph(
            "head_alone",
            _HeadAlone(network),
            (feature("F_f", core, "the head's feature"),),
            (rotations, betas, expression, own_camera, *appearance(core)),
            (
                tensor("own", (core.n_texture + 30,), "R_f's own vector"),
                tensor("raw", (head,), "shared head regressor's vector"),
            ),
        ),
        Graph(
            "hand_alone",
            _HandAlone(network),
            (feature("F_h", core, "the hand's feature"),),
            (rotations, camera("hand")),
            (
                tensor("own", (3,), "R_h's own vector"),
                tensor("raw", (96,), "shared hand regressor's vector"),
            ),
        ),
    ]
