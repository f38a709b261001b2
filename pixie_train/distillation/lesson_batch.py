"""A batch of lessons as a student takes them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import torch
from torch import Tensor

from pixie_train.batch import unit_range
from pixie_train.networks.image_pixie import ImageCrops


@dataclass(frozen=True, eq=False)
class LessonBatch:
    """B lessons; what the student sees, and what the teacher said."""

    crops: Tensor
    """(B, 4, 3, S, S) uint8, body, head, mirrored left hand, right hand, at the
    student's size."""
    present: Tensor
    """(B, 3), 1 where head, left hand and right hand are looked at."""
    mirrored: Tensor
    """(B,) booleans: the crops are of the person in a mirror, and `present` too. What
    the teacher said is of the person."""
    features: Tensor
    """(B, 4, D)."""
    rotations: Tensor
    """(B, 55, 3, 3)."""
    betas: Tensor
    """(B, n_betas)."""
    expression: Tensor
    """(B, n_expression)."""
    camera: Tensor
    """(B, 3), of the student's crop, not mirrored."""
    weights: Tensor
    """(B, 3)."""

    def __len__(self) -> int:
        """Return B."""
        return len(self.crops)

    def to(self, device: torch.device | str) -> Self:
        """Return the batch with its tensors on `device`."""
        moved: dict[str, Any] = {
            field.name: getattr(self, field.name).to(device, non_blocking=True)
            for field in fields(self)
        }
        return type(self)(**moved)

    @property
    def pictures(self) -> ImageCrops:
        """What the student is shown."""
        crops = unit_range(self.crops)
        return ImageCrops(crops[:, 0], crops[:, 1], crops[:, 2:], self.present)


def join_lessons(batches: Sequence[LessonBatch]) -> LessonBatch:
    """Put batches together in their order; a loader's `collate_fn`."""
    joined: dict[str, Any] = {
        field.name: torch.cat([getattr(batch, field.name) for batch in batches])
        for field in fields(LessonBatch)
    }
    return LessonBatch(**joined)
