"""The PIXIE that an ablation trains: encoders of what was seen, the paper's core."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pixie_train.ablation.eyes import BODY_SIGHT, HAND_SIGHT, HEAD_SIGHT, LOOK_SIGHT
from pixie_train.ablation.outline import OUTLINE_SIGHT
from pixie_train.ablation.plan import AblationPlan
from pixie_train.networks.landmark_encoder import LandmarkEncoder
from pixie_train.networks.pixie import Features, PartFeatures, PixieCore
from pixie_train.picture_training.beginning import begin_upright

_FAR = 6.0
"""Standard deviations from the mean beyond which nothing is told apart."""


@dataclass(frozen=True, eq=False)
class Sights:
    """What `Eyes` saw of B people."""

    body: Tensor
    """(B, BODY_SIGHT), with outlines more."""
    head: Tensor
    """(B, HEAD_SIGHT), likewise."""
    hands: Tensor
    """(B, 2, HAND_SIGHT): the left hand mirrored, the right one as it is."""


class SightEncoder(nn.Module):
    """Turns what eyes saw of one part into its feature (F_b, F_f or F_h)."""

    mean: Tensor
    spread: Tensor
    noise: Tensor

    def __init__(self, said: int, plan: AblationPlan, *, shown: int = 0) -> None:
        """Make an encoder of vectors.

        Args:
            said: how many numbers landmark networks say.
            plan: sizes, and the noise of each kind of number.
            shown: how many pixels (of outlines, of a head) come behind them.
        """
        super().__init__()
        inputs = said + shown
        noise = [plan.noise] * said + [plan.shown_noise] * shown
        self.register_buffer("noise", torch.tensor(noise), persistent=False)
        self.encoder = LandmarkEncoder(
            inputs,
            width=plan.encoder_width,
            blocks=plan.encoder_blocks,
            feature_dim=plan.network.feature_dim,
        )
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("spread", torch.ones(inputs))

    def know(self, seen: Tensor) -> None:
        """Learn what is usual from vectors (N, inputs)."""
        mean, spread = usual_of(seen)
        self.mean.copy_(mean)
        self.spread.copy_(spread)

    def forward(self, seen: Tensor) -> Tensor:
        """Map vectors (B, inputs) to features (B, D)."""
        usual = standardised(seen, self.mean, self.spread)
        if self.training:
            usual = usual + self.noise * torch.randn_like(usual)
        feature: Tensor = self.encoder(usual)
        return feature


def usual_of(seen: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and spread (I,) of what was seen, (N, I)."""
    seen = seen.float()
    return seen.mean(0), seen.std(0).clamp_min(1e-3)


def standardised(seen: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
    """Return what was seen (N, I) in its own standard deviations from the mean."""
    return ((seen.float() - mean) / spread).clamp(-_FAR, _FAR)


class AblationPixie(nn.Module):
    """Three experts and the core that picture and landmark networks share."""

    def __init__(self, plan: AblationPlan) -> None:
        """Make it untrained: it says people who stand upright."""
        super().__init__()
        outline, look = (OUTLINE_SIGHT, LOOK_SIGHT) if plan.outlines else (0, 0)
        self.encode_body = SightEncoder(BODY_SIGHT, plan, shown=outline)
        self.encode_head = SightEncoder(HEAD_SIGHT, plan, shown=look)
        self.encode_hand = SightEncoder(HAND_SIGHT, plan)
        self.core = PixieCore(plan.network)
        # From upside down, rotations' distance is flat and little is learned.
        begin_upright(self.core)

    def encode(self, sights: Sights) -> Features:
        """Return F_b, F_f and F_h; both hands go through one encoder as one batch."""
        hands = self.encode_hand(sights.hands.flatten(0, 1))
        head = self.encode_head(sights.head)
        parts = PartFeatures(head, hands.reshape(-1, 2, hands.shape[-1]))
        present = torch.ones(len(head), 3)
        return Features(self.encode_body(sights.body), parts, present)
