"""PIXIE after its encoders: extract, moderate, regress (Fig. 3 of the paper)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pixie_train.networks.moderator import Moderator
from pixie_train.networks.regressors import (
    BODY_OUTPUTS,
    HAND_OUTPUTS,
    Regressor,
    head_outputs,
)


@dataclass(frozen=True, eq=False)
class Features:
    """What the experts saw. The left hand's is that of its mirrored picture."""

    body: Tensor
    """F_b, (B, D)."""
    head: Tensor
    """F_f, (B, D)."""
    left_hand: Tensor
    """F_h of the mirrored left hand, (B, D)."""
    right_hand: Tensor
    """F_h of the right hand, (B, D)."""
    present: Tensor
    """(B, 3), 1 where head, left hand, right hand were seen, else 0."""


@dataclass(frozen=True, eq=False)
class RawParams:
    """The regressors' vectors for a whole person, before decoding."""

    body: dict[str, Tensor]
    head: dict[str, Tensor]
    left_hand: dict[str, Tensor]
    """In the mirrored right hand's space."""
    right_hand: dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class PixieOutput:
    """Fused parameters, and what each expert says alone (for training and study)."""

    fused: RawParams
    body_only: RawParams
    """Parts regressed from body-derived features."""
    part_only: RawParams
    """Parts regressed from the parts' own features."""
    weights: Tensor
    """Moderators' weight of the part expert, (B, 3): head, left hand, right hand."""
    update: Tensor
    """Mean L1 between body-derived and fused features of present parts, scalar."""


class PixieCore(nn.Module):
    """Extractors, moderators and regressors; the encoders are the caller's.

    Equations of the paper's section 3.2: e_p = L_p(F_b); fused_p = M_p(e_p, F_p);
    parameters = R_p(fused_p), with the same R_p for body-derived, part and fused
    features and for both hands.
    """

    def __init__(
        self,
        feature_dim: int,
        *,
        regressor_width: int,
        moderator_width: int,
        n_betas: int,
        n_expression: int,
    ) -> None:
        super().__init__()
        D, width = feature_dim, regressor_width
        self.extract_head = nn.Linear(D, D)
        self.extract_left_hand = nn.Linear(D, D)
        self.extract_right_hand = nn.Linear(D, D)
        self.moderate_head = Moderator(D, moderator_width)
        self.moderate_hand = Moderator(D, moderator_width)
        self.regress_body = Regressor(D, [width], BODY_OUTPUTS)
        self.regress_head = Regressor(D, [width], head_outputs(n_betas, n_expression))
        self.regress_hand = Regressor(D, [width], HAND_OUTPUTS)

    def forward(self, features: Features) -> PixieOutput:
        """Fuse the experts' features into one person's raw parameters."""
        e_f = self.extract_head(features.body)
        e_l = self.extract_left_hand(features.body)
        e_r = self.extract_right_hand(features.body)
        has_head, has_left, has_right = features.present.unbind(-1)
        head, w_head = self.moderate_head(e_f, features.head, has_head)
        left, w_left = self.moderate_hand(e_l, features.left_hand, has_left)
        right, w_right = self.moderate_hand(e_r, features.right_hand, has_right)
        body = self.regress_body(features.body)
        gaps = torch.stack(
            [
                (e - f).abs().mean(-1)
                for e, f in ((e_f, head), (e_l, left), (e_r, right))
            ],
            dim=-1,
        )
        return PixieOutput(
            fused=self._regress(body, head, left, right),
            body_only=self._regress(body, e_f, e_l, e_r),
            part_only=self._regress(
                body, features.head, features.left_hand, features.right_hand
            ),
            weights=torch.stack([w_head[:, 1], w_left[:, 1], w_right[:, 1]], dim=-1),
            update=(gaps * features.present).mean(),
        )

    def _regress(
        self, body: dict[str, Tensor], head: Tensor, left: Tensor, right: Tensor
    ) -> RawParams:
        return RawParams(
            body=body,
            head=self.regress_head(head),
            left_hand=self.regress_hand(left),
            right_hand=self.regress_hand(right),
        )
