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

    numbers: Tensor
    """(B,) integers: which of the store's lessons they are."""
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
        """What the student is shown.

        The place of a part that is not looked at is taken by another person's, so that
        batch normalisation counts the pictures that it will be used on; what is made of
        it gets no weight.
        """
        crops, present = unit_range(self.crops), self.present > 0
        hands = _filled(crops[:, 2:].flatten(0, 1), present[:, 1:].flatten())
        return ImageCrops(
            body=crops[:, 0],
            head=_filled(crops[:, 1], present[:, 0]),
            hands=hands.reshape(crops[:, 2:].shape),
            present=self.present,
        )


def join_lessons(batches: Sequence[LessonBatch]) -> LessonBatch:
    """Put batches together in their order; a loader's `collate_fn`."""
    joined: dict[str, Any] = {
        field.name: torch.cat([getattr(batch, field.name) for batch in batches])
        for field in fields(LessonBatch)
    }
    return LessonBatch(**joined)


def _filled(crops: Tensor, present: Tensor) -> Tensor:
    """Return pictures (N, ...), others in the place of those not `present` (N,)."""
    there, missing = present.nonzero()[:, 0], (~present).nonzero()[:, 0]
    if not len(there) or not len(missing):
        return crops
    order = torch.arange(len(crops), device=crops.device)
    turn = torch.arange(len(missing), device=crops.device) % len(there)
    order[missing] = there[turn]
    return crops[order]
