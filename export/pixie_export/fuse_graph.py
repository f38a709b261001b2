"""The graph `fuse`: from the experts' features to a person's parameters."""

import torch
from torch import Tensor, nn

from pixie_export.graph import Graph
from pixie_export.image_tensors import (
    conditions,
    feature,
    fused_outputs,
    raw_parts,
    tensor,
    unfinished,
    values,
)
from pixie_train.networks.decoding import DecodedParams, decode
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.networks.pixie import Features, PartFeatures, PixieOutput


class Fuse(nn.Module):
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
        """Return the outputs and the traced tensors."""
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
            own = (values(head), values(hands))
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
        values(pixie.regressed.head),
        values(pixie.regressed.hands),
        values(pixie.part_only.head),
        values(pixie.part_only.hands),
        params.head_unchecked,
        params.absolute,
    )


def fuse(network: ImagePixie) -> Graph:
    """Return the graph: extractors, moderators, regressors, decoding."""
    core = network.config.core
    inputs = (
        feature("F_b", core, "the body's feature"),
        feature("F_f", core, "the head's feature"),
        feature("F_left", core, "the mirrored left hand's feature"),
        feature("F_right", core, "the right hand's feature"),
        *conditions(),
    )
    head = core.n_betas + core.n_expression + 9
    traced = [
        tensor("extracted", (3, core.feature_dim), "body-derived part features"),
        tensor("moderators", (3, 2), "weights of body and part"),
        tensor("mixed", (3, core.feature_dim), "features as the moderators weigh them"),
        tensor("fused", (3, core.feature_dim), "features after the rules"),
        *raw_parts(head, "regressed"),
        *raw_parts(head, "part"),
        *unfinished(),
    ]
    if core.n_texture:
        traced += [
            tensor("own_head", (core.n_texture + 30,), "R_f's own vector"),
            tensor("own_hands", (2, 3), "R_h's own vectors"),
        ]
    return Graph("fuse", Fuse(network), inputs, fused_outputs(core), tuple(traced))
