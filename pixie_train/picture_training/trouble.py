"""Batches that a run cannot learn from: which of a step's are to blame."""

from collections.abc import Iterable, Mapping

from pixie_runtime.errors import UsageError
from pixie_train.batch import Batch, CropKind
from pixie_train.config import CoreConfig

_OF_ALL = {"whole", "body", "total", "gradient"}
"""Whatever goes wrong there may come from any kind of picture."""


def suspects(terms: Iterable[str], seen: Mapping[CropKind, Batch]) -> list[str]:
    """Return the names of the pictures that these terms of a step are about."""
    kinds = {name.partition("/")[0].partition(".")[0] for name in terms}
    return [
        name
        for kind, batch in seen.items()
        for name in batch.names
        if kind.value in kinds or kinds & _OF_ALL
    ]


def require_coefficients(seen: Mapping[CropKind, Batch], core: CoreConfig) -> None:
    """Refuse targets of another length than what the network regresses.

    Raises:
        UsageError: with both lengths.
    """
    expected = (core.n_betas, core.n_expression)
    for batch in seen.values():
        targets = batch.targets
        found = (targets.betas.shape[-1], targets.expression.shape[-1])
        if found != expected:
            raise UsageError(
                f"{batch.names[0]} has {found[0]} shape and {found[1]} expression "
                f"coefficients, but the network regresses {expected[0]} and "
                f"{expected[1]}; give the data a View of as many, or the network other "
                "sizes (--network.core.n-betas, --network.core.n-expression)"
            )
