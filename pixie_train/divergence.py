"""A step that came to no finite number: the run stops, and says where to look."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from torch import Tensor

from pixie_runtime.errors import PixieError, SinkError
from pixie_train.descent import GRADIENT
from pixie_train.processes import ALONE, Processes

DIVERGED, DIVERGED_STATE = "diverged.json", "diverged.pt"
_SHOWN = 3


def not_finite(cost: Mapping[str, Tensor | float]) -> dict[str, str]:
    """Return the terms of a step that are not finite numbers, and what they are.

    Their sum `total` is named only where no term is one.
    """
    values = {
        n: float(v.detach() if isinstance(v, Tensor) else v) for n, v in cost.items()
    }
    found = {n: v for n, v in values.items() if not math.isfinite(v)}
    terms = {n: str(v) for n, v in found.items() if n != "total"}
    return terms or {n: str(v) for n, v in found.items()}


def diverged(
    terms: Mapping[str, str],
    names: Sequence[str],
    step: int,
    folder: Path,
    save: Callable[[Path], None],
    processes: Processes = ALONE,
    *,
    what: str = "pictures",
) -> PixieError:
    """Keep what can be looked at; returns the error to raise.

    Of several processes all must call it, and the first writes all their names.

    Args:
        terms: what is not finite, of `not_finite` or `Descent.step`.
        names: what this process's part of the batch was made of.
        step: its number.
        folder: of the run.
        save: writes the state before that step to a path.
        processes: who share the run.
        what: kind of the names.
    """
    names = [name for some in processes.gathered(list(names)) for name in some]
    content = {"step": step, "terms": dict(terms), what: names}
    # Whichever process is heard says what the first one did.
    (kept, *_) = processes.gathered(
        _kept(content, folder, save) if processes.lead else ""
    )
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    found = ", ".join(f"{name} is {value}" for name, value in terms.items())
    wrong = f"the loss of step {step} is not a number: {found}"
    if GRADIENT in terms:
        norm = terms[GRADIENT]
        wrong = f"the gradient of step {step} is not a number: its norm is {norm}"
    return PixieError(
        f"{wrong}, with the {what} {', '.join(names[:_SHOWN])}{more}; {kept}: look at "
        "what these are labelled with, or start again with a lower learning_rate"
    )


def _kept(
    content: dict[str, object], folder: Path, save: Callable[[Path], None]
) -> str:
    path = folder / DIVERGED
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")
        save(folder / DIVERGED_STATE)
    except OSError as error:
        return f"{path} cannot be written ({error.strerror or error})"
    except SinkError as error:
        return str(error).replace(";", ",")
    return (
        f"all names are in {path}, the state before that step in {DIVERGED_STATE} "
        "beside it"
    )
