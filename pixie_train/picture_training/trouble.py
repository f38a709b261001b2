"""A loss that is no number: the run stops, and says where to look."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from pixie_runtime.errors import PixieError, SinkError, UsageError
from pixie_train.batch import Batch, CropKind
from pixie_train.config import CoreConfig
from pixie_train.processes import ALONE, Processes

DIVERGED = "diverged.json"
_SHOWN = 3


def culprits(cost: Mapping[str, Tensor]) -> dict[str, str]:
    """Return the terms of a step that are not finite numbers, and what they are."""
    values = {name: float(value.detach()) for name, value in cost.items()}
    found = {n: v for n, v in values.items() if not math.isfinite(v)}
    terms = {n: str(v) for n, v in found.items() if n != "total"}
    return terms or {n: str(v) for n, v in found.items()}


def diverged(
    terms: Mapping[str, str],
    seen: Mapping[CropKind, Batch],
    step: int,
    folder: Path,
    processes: Processes = ALONE,
) -> PixieError:
    """Write the terms and the batch's names to a file; returns the error to raise.

    Of several processes all must call it, and the first writes all their names.
    """
    kinds = {name.partition("/")[0].partition(".")[0] for name in terms}
    own = [
        name
        for kind, batch in seen.items()
        for name in batch.names
        if kind.value in kinds or kinds & {"whole", "total", "body"}
    ]
    names = [name for some in processes.gathered(own) for name in some]
    path = folder / DIVERGED
    content = {"step": step, "terms": dict(terms), "pictures": names}
    try:
        if processes.lead:
            path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    except OSError as error:
        return SinkError(f"cannot write {path}: {error.strerror or error}; free space")
    processes.wait()
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    shown = ", ".join(f"{name} is {value}" for name, value in terms.items())
    return PixieError(
        f"the loss of step {step} is not a number: {shown}, with the pictures "
        f"{', '.join(names[:_SHOWN])}{more}; all names are in {path}, the state before "
        "that step in diverged.pt beside it: look at these pictures' labels, or start "
        "again with a lower learning_rate"
    )


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
