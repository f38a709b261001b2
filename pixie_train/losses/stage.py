"""The loss of one pass: named terms, and their weighted sum.

    gaussians, note = gaussians_for(model, None, n_betas)
    losses = StageLosses(weights.whole, gaussians)
    loss = losses(predictions, batch)
    loss.total.backward()

Which terms a batch has is in `terms`, by the kind of its pictures.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pixie_runtime.errors import UsageError
from pixie_train.batch import Batch
from pixie_train.full_precision import full_precision
from pixie_train.losses.choices import Choices
from pixie_train.losses.identity import FaceEmbedding
from pixie_train.losses.shape import GenderedShape
from pixie_train.losses.terms import TERMS, Case
from pixie_train.losses.weights import TermWeights
from pixie_train.predictions import Predictions
from pixie_train.processes import ALONE, Processes
from pixie_train.shape_gaussians import ShapeGaussians

_RENDERED = ("photometric", "identity")


@dataclass(frozen=True, eq=False)
class Loss:
    """What one pass costs."""

    total: Tensor
    """Scalar, with gradient."""
    terms: dict[str, Tensor]
    """Weighted scalars that add up to it, detached, by names of `TermWeights`."""

    def figures(self) -> dict[str, float]:
        """Return the terms as numbers, for the log; waits for the device."""
        return {name: float(term) for name, term in self.terms.items()}


class StageLosses(nn.Module):
    """Adds up the terms that have a weight and that the crop has."""

    def __init__(
        self,
        weights: TermWeights,
        gaussians: ShapeGaussians,
        *,
        choices: Choices | None = None,
        embed: FaceEmbedding | None = None,
        processes: Processes = ALONE,
    ) -> None:
        """Prepare the loss of one kind of pass.

        Args:
            weights: of the terms.
            gaussians: of the shape coefficients that are regressed, as many of them.
            choices: what the paper leaves open; None: the defaults.
            embed: the face recognition network of equation (12), whose parameters stay
                as they are and are none of this module's.
            processes: who share a batch; the mean of their losses is the batch's.

        Raises:
            UsageError: `identity` has a weight, but there is no network for it.
        """
        super().__init__()
        if weights.identity and embed is None:
            raise UsageError(
                f"the loss weight identity is {weights.identity}, but there is no face "
                "recognition network; give one, or the weight 0"
            )
        self.weights, self.choices = weights, choices or Choices()
        self.shape = GenderedShape(gaussians)
        self._processes = processes
        self._embed = (embed,)  # in a tuple: not to be registered as a part of this

    def forward(
        self, predictions: Predictions, batch: Batch, whole: int | None = None
    ) -> Loss:
        """Return what `predictions` of `batch` cost.

        Args:
            predictions: of this process's samples.
            batch: its samples.
            whole: how many all processes have together; None: these alone.

        Raises:
            UsageError: no term with a weight is one that such crops have, or the
                rendered face is missing that a weight asks for.
        """
        chosen = self._chosen(batch)
        missing = [name for name in _RENDERED if name in chosen]
        if missing and predictions.rendered is None:
            raise UsageError(
                f"the loss weight {missing[0]} is {chosen[missing[0]]}, but no face "
                "was rendered; give a renderer, or the weight 0"
            )
        case = Case(
            said=predictions,
            known=batch.targets,
            image=batch.pictures.image,
            choices=self.choices,
            shape=self.shape,
            embed=self._embed[0],
        )
        with full_precision(predictions.points_2d):
            weighted = {n: w * self._term(n, case, whole) for n, w in chosen.items()}
        total = torch.stack(list(weighted.values())).sum()
        return Loss(total, {name: term.detach() for name, term in weighted.items()})

    def _term(self, name: str, case: Case, whole: int | None) -> Tensor:
        value = case.said.points_2d.new_zeros(())
        for cost in TERMS[name].costs(case):
            value = value + cost.over(self.choices.samples, self._processes, whole)
        return value

    def _chosen(self, batch: Batch) -> dict[str, float]:
        """Return the weights of the terms that are computed, none of them 0."""
        weights: dict[str, float] = {
            name: getattr(self.weights, name)
            for name, term in TERMS.items()
            if batch.kind in term.kinds
        }
        chosen = {name: weight for name, weight in weights.items() if weight}
        if not chosen:
            raise UsageError(
                f"all loss weights that {batch.kind.value} crops have are 0 "
                f"({', '.join(weights)}); give one of them a weight"
            )
        return chosen
