"""PIXIE after its encoders: extract, moderate, regress (Fig. 3 of the paper).

Hands are handled as one tensor with an axis of two, left before right; left hands live
in the space of mirrored right hands until they are decoded.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pixie_train.config import CoreConfig
from pixie_train.networks.mlp import Mlp
from pixie_train.networks.moderator import Moderator
from pixie_train.networks.regressors import (
    BODY_OUTPUTS,
    HAND_OUTPUTS,
    HAND_OWN_OUTPUTS,
    Regressor,
    head_outputs,
    head_own_outputs,
)

HEAD, HANDS = slice(0, 1), slice(1, 3)
"""Where the parts are in tensors of three: head, left hand, right hand."""


@dataclass(frozen=True, eq=False)
class PartFeatures:
    """A feature for each part."""

    head: Tensor
    """(B, D)."""
    hands: Tensor
    """(B, 2, D), left (mirrored) and right."""

    def stacked(self) -> Tensor:
        """Return (B, 3, D): head, left hand, right hand."""
        return torch.cat([self.head[:, None], self.hands], dim=1)


@dataclass(frozen=True, eq=False)
class Features:
    """What the experts saw."""

    body: Tensor
    """F_b, (B, D)."""
    parts: PartFeatures
    """F_f, and F_h of the mirrored left and the right hand."""
    present: Tensor
    """(B, 3), 1 where head, left hand, right hand were seen, else 0. Nothing but zeros
    is the paper's ablation "naive body"."""


@dataclass(frozen=True, eq=False)
class RawParams:
    """The regressors' vectors for a whole person, before decoding."""

    body: dict[str, Tensor]
    """(B, size) each."""
    head: dict[str, Tensor]
    """(B, size) each."""
    hands: dict[str, Tensor]
    """(B, 2, size) each; the left one in the mirrored right hand's space."""


@dataclass(frozen=True, eq=False)
class PixieOutput:
    """Fused parameters, and everything on the way to them."""

    fused: RawParams
    """The result."""
    body_only: RawParams
    """Parts regressed from body-derived features."""
    part_only: RawParams
    """Parts regressed from the parts' own features."""
    regressed: RawParams
    """Parts regressed from fused features; `fused` before the rule `keep_local`."""
    weights: Tensor
    """The moderators' (B, 3, 2): head, left hand, right hand by body, part."""
    extracted: PartFeatures
    """Body-derived features e."""
    mixed: PartFeatures
    """What the moderators make of them."""
    features: PartFeatures
    """What is regressed from: `mixed`, after the rules."""
    update: Tensor
    """Mean L1 between body-derived and fused features of present parts, scalar: the
    paper's L_update (17)."""

    @property
    def part_weights(self) -> Tensor:
        """The moderators' weight of the part expert, (B, 3)."""
        return self.weights[..., 1]


class PixieCore(nn.Module):
    """Extractors, moderators and regressors; the encoders are the caller's.

    Equations of the paper's section 3.2: e_p = L_p(F_b); fused_p = M_p(e_p, F_p);
    parameters = R_p(fused_p), with the same R_p for body-derived, part and fused
    features and for both hands.
    """

    def __init__(self, config: CoreConfig) -> None:
        super().__init__()
        D, width = config.feature_dim, config.regressor_width
        body_widths = [width] * config.body_regressor_layers
        part_widths = [width] * config.part_regressor_layers
        head = head_outputs(config.n_betas, config.n_expression)
        self.config = config
        self.extract_head = Mlp([D, D])
        self.extract_left_hand = Mlp([D, D])
        self.extract_right_hand = Mlp([D, D])
        self.moderate_head, self.moderate_hand = (
            Moderator(D, config.moderator_width, layers=config.moderator_layers)
            for _ in range(2)
        )
        self.regress_body = Regressor(D, body_widths, BODY_OUTPUTS)
        self.regress_head = Regressor(D, part_widths, head)
        self.regress_hand = Regressor(D, part_widths, HAND_OUTPUTS)
        if config.n_texture:
            own = head_own_outputs(config.n_texture)
            self.regress_head_own = Regressor(D, [width], own)
            self.regress_hand_own = Regressor(D, [width], HAND_OWN_OUTPUTS)

    def extract(self, F_b: Tensor) -> PartFeatures:
        """Return e_p = L_p(F_b): what the body's feature says about the parts."""
        left, right = self.extract_left_hand(F_b), self.extract_right_hand(F_b)
        return PartFeatures(self.extract_head(F_b), torch.stack([left, right], dim=1))

    def coarse(self, F_b: Tensor) -> RawParams:
        """Regress everything from the body's feature (B, D)."""
        return self._regress(self.regress_body(F_b), self.extract(F_b))[0]

    def forward(self, features: Features, rules: Tensor | None = None) -> PixieOutput:
        """Fuse the experts' features into one person's raw parameters.

        Args:
            features: what the experts saw.
            rules: `FusionRules.row` of each person, (B, 4); None: the paper's fusion.
        """
        e, F = self.extract(features.body), features.parts
        head = self.moderate_head(e.head, F.head, features.present[:, 0])
        hands = self.moderate_hand(e.hands, F.hands, features.present[:, HANDS])
        weights = torch.cat([head[:, None], hands], dim=1)
        mixed = _mix(e, F, weights[..., 1:])
        trust = weights[..., 1]
        if rules is not None:
            trust = _trust(trust, features.present, rules)
        fused = _mix(e, F, trust[..., None])
        body = self.regress_body(features.body)
        body_only, part_only, regressed = self._regress(body, e, F, fused)
        result = regressed
        if rules is not None:
            local = rules[:, 2:3] * features.present
            result = _localised(regressed, part_only, local)
        gaps = (e.stacked() - fused.stacked()).abs().mean(-1)
        return PixieOutput(
            fused=result,
            body_only=body_only,
            part_only=part_only,
            regressed=regressed,
            weights=weights,
            extracted=e,
            mixed=mixed,
            features=fused,
            update=(gaps * features.present).mean(),
        )

    def _regress(
        self, body: dict[str, Tensor], *parts: PartFeatures
    ) -> tuple[RawParams, ...]:
        """Regress the parts from several features; one pass through each network."""
        heads = self.regress_head(torch.stack([p.head for p in parts], dim=1))
        hands = self.regress_hand(torch.stack([p.hands for p in parts], dim=1))
        return tuple(
            RawParams(
                body=body,
                head={name: values[:, i] for name, values in heads.items()},
                hands={name: values[:, i] for name, values in hands.items()},
            )
            for i in range(len(parts))
        )


def _mix(e: PartFeatures, F: PartFeatures, weight: Tensor) -> PartFeatures:
    """Return (1 - w) e + w F with the parts' weights (B, 3, 1)."""
    # Under autocasting a softmax is float32 and features are not.
    weight = weight.to(e.head.dtype)
    return PartFeatures(
        torch.lerp(e.head, F.head, weight[:, 0]),
        torch.lerp(e.hands, F.hands, weight[:, HANDS]),
    )


def _trust(weights: Tensor, present: Tensor, rules: Tensor) -> Tensor:
    """Return how much of the parts' features is taken, (B, 3) (pixie-network, 1).

    A hand's weight above the rule's limit becomes 1, and all do if features are pasted.
    """
    copy_paste, takeover = rules[:, 0:1], rules[:, 1:2]
    taken = torch.where(weights > takeover, 1.0, weights)
    weights = torch.cat([weights[:, HEAD], taken[:, HANDS]], dim=1)
    return torch.where(copy_paste > 0, present, weights)


def _localised(fused: RawParams, part: RawParams, local: Tensor) -> RawParams:
    """Return `fused` with expression and fingers of the parts (B, 3) that are local."""

    def chosen(mine: Tensor, own: Tensor, where: Tensor) -> Tensor:
        return torch.where(where > 0, own, mine)

    expression = chosen(fused.head["exp"], part.head["exp"], local[:, HEAD])
    fingers = chosen(
        fused.hands["right_hand_pose"],
        part.hands["right_hand_pose"],
        local[:, HANDS, None],
    )
    return RawParams(
        body=fused.body,
        head=fused.head | {"exp": expression},
        hands=fused.hands | {"right_hand_pose": fingers},
    )
