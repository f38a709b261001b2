"""Words for sentences that tell of several things at once, or of a fault of ours."""

from collections.abc import Sequence

from pixie_runtime.errors import PixieError

_NAMES_SHOWN = 8


def listed(names: Sequence[str]) -> str:
    """Return names for a sentence; of many only the first ones and how many more."""
    shown = ", ".join(names[:_NAMES_SHOWN])
    others = len(names) - _NAMES_SHOWN
    return f"{shown} and {others} more" if others > 0 else shown


def counted(number: int, one: str, many: str) -> str:
    """Return the number with the word for it: `1 picture`, `2 pictures`."""
    return f"{number} {one if number == 1 else many}"


def sentence_of(error: Exception, failed: str) -> str:
    """Return what to tell of an error: its own sentence, or that it is a fault of ours.

    Args:
        error: what was raised.
        failed: what did not go on because of it.
    """
    if isinstance(error, PixieError):
        return str(error)
    return (
        f"{failed} failed by a fault of this program, please report it ({fault(error)})"
    )


def fault(error: BaseException) -> str:
    """Return an error that nobody foresaw: its kind and what it says."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")
