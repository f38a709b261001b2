"""A loss that is no number: the run stops, and says where to look."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from pixie_runtime.errors import PixieError, SinkError
from pixie_train.batch import Batch, CropKind

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
) -> PixieError:
    """Write the terms and the batch's names to a file; returns the error to raise."""
    kinds = {name.partition("/")[0].partition(".")[0] for name in terms}
    names = [
        name
        for kind, batch in seen.items()
        for name in batch.names
        if kind.value in kinds or kinds & {"whole", "total", "body"}
    ]
    path = folder / DIVERGED
    content = {"step": step, "terms": dict(terms), "pictures": names}
    try:
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    except OSError as error:
        return SinkError(f"cannot write {path}: {error.strerror or error}; free space")
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    shown = ", ".join(f"{name} is {value}" for name, value in terms.items())
    return PixieError(
        f"the loss of step {step} is not a number: {shown}, with the pictures "
        f"{', '.join(names[:_SHOWN])}{more}; all names are in {path}, the state before "
        "that step in diverged.pt beside it: look at these pictures' labels, or start "
        "again with a lower learning_rate"
    )
