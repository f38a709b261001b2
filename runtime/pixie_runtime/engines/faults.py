"""Whose fault it is that a network did not run: the caller's, or the machine's.

Libraries' exceptions have no common base and no codes; what they mean is in their text.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pixie_runtime.engines import AnyArray
from pixie_runtime.errors import EngineError

Shapes = Mapping[str, tuple[int | str, ...]]
"""Each input's shape by name; what is no number is a free axis."""

_MEMORY = ("bad_alloc", "Failed to allocate memory", "out of memory")


def misfit(
    inputs: Mapping[str, AnyArray], shapes: Shapes, types: Mapping[str, np.dtype[Any]]
) -> str | None:
    """Return what is wrong with the type or shape of an input, or None.

    Args:
        inputs: every input by name.
        shapes: what the network takes.
        types: of each input; one that numpy lacks is left out.
    """
    for name, axes in shapes.items():
        array, expected = inputs[name], types.get(name)
        if expected is not None and array.dtype != expected:
            return f"input {name} is {array.dtype}, expected {expected}"
        fits = len(array.shape) == len(axes) and all(
            not isinstance(axis, int) or axis == size
            for axis, size in zip(axes, array.shape, strict=True)
        )
        if not fits:
            return (
                f"input {name} has shape {array.shape}, expected "
                f"({', '.join(map(str, axes))})"
            )
    return None


def uneven(inputs: Mapping[str, AnyArray], shapes: Shapes) -> str | None:
    """Return which inputs of one batch differ in their rows, or None.

    Not every network minds; it is asked when one did not run.
    """
    rows: dict[str, dict[str, int]] = {}
    for name, axes in shapes.items():
        if axes and isinstance(axes[0], str):
            rows.setdefault(axes[0], {})[name] = inputs[name].shape[0]
    for batch in rows.values():
        if len(set(batch.values())) > 1:
            return f"inputs have different numbers of rows: {batch}"
    return None


def lacks_memory(error: Exception) -> bool:
    """Return whether it says that there is no memory left, of whatever device."""
    return isinstance(error, MemoryError) or any(sign in str(error) for sign in _MEMORY)


def failure(running: str, what: str, error: Exception, reason: str) -> EngineError:
    """Return what to tell of a library that failed though all it was given fits.

    Args:
        running: the library, with its version.
        what: what it cannot do: `run body.onnx`.
        error: what it raised.
        reason: the telling line of that.
    """
    if lacks_memory(error):
        return EngineError(
            f"out of memory: {running} cannot {what} ({reason}); close other programs, "
            "or use a bundle of fewer bits (pixie-export precision)"
        )
    return EngineError(f"{running} cannot {what}: {reason}; use another --engine")
