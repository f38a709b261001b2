"""Words for sentences that tell of several things at once, or of a fault of ours."""

from collections.abc import Sequence

_NAMES_SHOWN = 8


def listed(names: Sequence[str]) -> str:
    """Return names for a sentence; of many only the first ones and how many more."""
    shown = ", ".join(names[:_NAMES_SHOWN])
    others = len(names) - _NAMES_SHOWN
    return f"{shown} and {others} more" if others > 0 else shown


def counted(number: int, one: str, many: str) -> str:
    """Return the number with the word for it: `1 picture`, `2 pictures`."""
    return f"{number} {one if number == 1 else many}"


def fault(error: BaseException) -> str:
    """Return an error that nobody foresaw: its kind and what it says."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")
