"""From the costs of points, joints and people to one number.

Every loss returns a `Cost`: a number for each sample and whether it counts. What is
not known is taken out of the differences before anything is computed with it, so that
it has no influence at all, neither on the sum nor on a gradient, not even if it is not
a number.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pixie_train.losses.choices import Elements, Samples
from pixie_train.processes import ALONE, Processes


@dataclass(frozen=True, eq=False)
class Cost:
    """What each sample of a batch costs."""

    value: Tensor
    """(B,), 0 where the sample does not count."""
    known: Tensor
    """(B,) booleans: whether the sample has what the loss compares with."""

    @classmethod
    def of_all(cls, value: Tensor) -> "Cost":
        """Take the costs (B,) of a loss that needs no label."""
        return cls(value, torch.ones_like(value, dtype=torch.bool))

    def over(
        self,
        samples: Samples,
        processes: Processes = ALONE,
        whole: int | None = None,
    ) -> Tensor:
        """Return one number for the batch; 0 if nothing is known (see `Choices`).

        The mean of what processes return is what one process with all their samples
        returns, however the samples, and those that are known, are spread over them.

        Args:
            samples: by how many to divide.
            processes: who share the samples; with "known" all of them must call it.
            whole: how many samples they have together; None: this process's alone.
        """
        total = torch.where(self.known, self.value, 0).sum()
        if samples == "all":
            count = len(self.value) if whole is None else whole
            return total / (max(count, 1) / processes.world)
        known = processes.total(self.known.sum())
        return total / (known.clamp_min(1) / processes.world)


def gap(predicted: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Return predicted - target, exactly 0 and without gradient where not known.

    Args:
        predicted: (B, N, ...).
        target: of the same shape.
        known: (B, N) booleans.
    """
    where = known.reshape(known.shape + (1,) * (predicted.dim() - known.dim()))
    return torch.where(where, predicted - target, 0)


def over_elements(costs: Tensor, known: Tensor, elements: Elements) -> Cost:
    """Add up, or take the mean of, what each sample has known.

    Args:
        costs: (B, N), 0 where not known; confidences are already in them.
        known: (B, N) booleans.
        elements: see `Choices`.
    """
    count = known.sum(1)
    total = costs.sum(1)
    value = total if elements == "sum" else total / count.clamp_min(1)
    return Cost(value, count > 0)
