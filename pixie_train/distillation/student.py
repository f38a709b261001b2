"""The student, and the layers that only learning needs."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from pixie_train.config import ImageConfig
from pixie_train.distillation.lesson import LessonSizes
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.networks.pixie import Features, PixieOutput


class Student(nn.Module):
    """A network, and how its features are compared with longer or shorter ones."""

    def __init__(self, config: ImageConfig, teacher: LessonSizes) -> None:
        """Make a network with random weights that speaks as the teacher does.

        Args:
            config: the network.
            teacher: sizes of its lessons.
        """
        super().__init__()
        self.network = ImagePixie(student_config(config, teacher))
        D, wanted = config.core.feature_dim, teacher.features
        self.adapters = nn.ModuleList(
            nn.Identity() if wanted == D else nn.Linear(D, wanted) for _ in range(3)
        )

    def features(self, features: Features) -> Tensor:
        """Return F_b, F_f and both F_h as the teacher's would be, (B, 4, D)."""
        body, head, hand = self.adapters
        parts = features.parts
        heads = torch.stack([body(features.body), head(parts.head)], dim=1)
        return torch.cat([heads, hand(parts.hands)], dim=1)

    def forward(self, features: Features) -> PixieOutput:
        """Fuse as in training: the paper's fusion, without a head check."""
        output: PixieOutput = self.network.core(features)
        return output


def student_config(config: ImageConfig, teacher: LessonSizes) -> ImageConfig:
    """Return the network that is asked for, with the teacher's coefficients.

    It has no albedo, nor the parts' own cameras: lessons say nothing of them.
    """
    core = replace(
        config.core,
        n_betas=teacher.n_betas,
        n_expression=teacher.n_expression,
        n_texture=0,
    )
    return replace(config, core=core)
