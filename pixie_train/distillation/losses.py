"""How far a student is from its teacher."""

import torch
from torch import Tensor, nn

from pixie_train.batch import Batch, CropKind, Pictures, Targets
from pixie_train.distillation.answers import Answers, answers_of
from pixie_train.distillation.config import DistilLosses
from pixie_train.distillation.lesson_batch import LessonBatch
from pixie_train.distillation.student import Student
from pixie_train.key_points import KeyPoints
from pixie_train.losses.stage import Loss, StageLosses
from pixie_train.losses.weights import TermWeights
from pixie_train.networks.pixie import PixieOutput, RawParams
from pixie_train.predictions import FeaturePairs, of_person
from pixie_train.shape_gaussians import ShapeGaussians

_OF_PARTS = (
    "hand_3d",
    "wrist_pose",
    "finger_pose",
    "head_pose",
    "jaw_pose",
    "betas",
    "expression",
)
"""Terms that a part's own feature can be asked for."""
_NO_FEATURE = 1e-8
"""Spread below which a feature says nothing."""


class DistilLoss(nn.Module):
    """Adds up what a student's answers differ by; see `DistilLosses`."""

    spread: Tensor
    """What distances of features of body, head and hands are divided by, (3,)."""

    def __init__(
        self,
        losses: DistilLosses,
        key_points: KeyPoints,
        gaussians: ShapeGaussians,
        spread: Tensor,
    ) -> None:
        """Prepare the loss.

        Args:
            losses: what counts how much.
            key_points: of the teacher's body model, with as many coefficients.
            gaussians: of its shapes, should `terms` give the prior a weight.
            spread: of the teacher's features (`loop.feature_spread`).
        """
        super().__init__()
        self.losses = losses
        self.key_points = (key_points,)  # in a tuple: its constants are not weights
        self._whole = StageLosses(losses.terms, gaussians)
        of_parts = {name: getattr(losses.terms, name) for name in _OF_PARTS}
        asked = TermWeights(**of_parts)
        self._parts = StageLosses(asked, gaussians) if any(of_parts.values()) else None
        self.register_buffer("spread", spread.clamp_min(_NO_FEATURE))

    def forward(self, student: Student, batch: LessonBatch) -> Loss:
        """Return what the student's answers cost, by term."""
        answers = answers_of(batch, self.key_points[0])
        features = student.network.encode(batch.pictures)
        pixie = student(features)
        pairs = FeaturePairs.of(pixie, batch.present)
        costs = {
            "fused/": (1.0, self._compared(pixie.fused, batch, answers.whole, pairs))
        }
        if self.losses.body_only:
            loss = self._compared(pixie.body_only, batch, answers.whole, pairs)
            costs["body_only/"] = self.losses.body_only, loss
        if self.losses.part_only and self._parts is not None:
            loss = self._compared(pixie.part_only, batch, answers.parts, None)
            costs["part_only/"] = self.losses.part_only, loss
        total = torch.stack([factor * loss.total for factor, loss in costs.values()])
        terms = {
            prefix + name: factor * term
            for prefix, (factor, loss) in costs.items()
            for name, term in loss.terms.items()
        }
        own = {
            "fused/moderators": self.losses.moderators * _moderators(pixie, answers),
            "fused/features": self.losses.features
            * _features(student.features(features), answers, self.spread),
        }
        terms |= {name: cost.detach() for name, cost in own.items()}
        return Loss(total.sum() + torch.stack(list(own.values())).sum(), terms)

    def _compared(
        self,
        raw: RawParams,
        batch: LessonBatch,
        answers: Targets,
        pairs: FeaturePairs | None,
    ) -> Loss:
        losses = self._whole if pairs is not None else self._parts
        assert losses is not None
        said = of_person(raw, self.key_points[0], pairs)
        names = tuple(f"lesson {number}" for number in range(len(batch)))
        pictures = Pictures(batch.crops[:, 0])
        loss: Loss = losses(said, Batch(CropKind.BODY, pictures, answers, names))
        return loss


def _moderators(pixie: PixieOutput, answers: Answers) -> Tensor:
    gap = (pixie.part_weights - answers.weights).abs() * answers.present
    return gap.mean()


def _features(said: Tensor, answers: Answers, spread: Tensor) -> Tensor:
    """Return the mean over what is known of squared distances over the spread."""
    per_place = spread[[0, 1, 2, 2]]
    distance = (said - answers.features).square().mean(-1) / per_place
    known = answers.features_known
    return (torch.where(known, distance, 0)).sum() / max(known.numel(), 1)
