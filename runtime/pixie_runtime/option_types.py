"""Options that need not be given, and say in one sentence what they expect."""

from collections.abc import Callable
from typing import TypeVar

from tyro.constructors import PrimitiveConstructorSpec

_Value = TypeVar("_Value")


def optional_count() -> PrimitiveConstructorSpec[int | None]:
    """Return how tyro reads a whole number."""
    return _optional(int, "a whole number")


def optional_number() -> PrimitiveConstructorSpec[float | None]:
    """Return how tyro reads a number."""
    return _optional(float, "a number")


def optional_choice(
    first: _Value, *others: _Value
) -> PrimitiveConstructorSpec[_Value | None]:
    """Return how tyro reads one of some values, written as Python prints them."""
    values = {str(value): value for value in (first, *others)}
    *all_but_last, last = values
    named = f"{', '.join(all_but_last)} or {last}"

    def chosen(word: str) -> _Value:
        if word not in values:
            raise ValueError
        return values[word]

    return _optional(chosen, named)


def _optional(
    read: Callable[[str], _Value], expected: str
) -> PrimitiveConstructorSpec[_Value | None]:
    def value_of(words: list[str]) -> _Value:
        (word,) = words
        try:
            return read(word)
        except ValueError:
            raise ValueError(f"expected {expected}, not '{word}'") from None

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="",  # each option has its own
        instance_from_str=value_of,
        is_instance=lambda value: True,
        str_from_instance=lambda value: [str(value)],
    )
