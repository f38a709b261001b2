"""Values out of a JSON file that may say anything, checked as they are read."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from reprlib import repr as shortened
from typing import Self, TypeVar

Choice = TypeVar("Choice", bound=str)


class Fields:
    """One object of a file.

    Each method raises ValueError with what is wrong and where. What is said of a value
    is short, however long or deep the value is.
    """

    def __init__(self, values: object, where: str = "") -> None:
        """Take an object; `where` it stands is said in every error."""
        if not isinstance(values, dict):
            raise ValueError(f"{where} is {shortened(values)} instead of an object")
        self._values: dict[str, object] = values
        self._where = where

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def has(self, key: str) -> bool:
        """Return whether there is a value, and not null."""
        return self._values.get(key) is not None

    def known(self, keys: Collection[str]) -> Self:
        """Return these fields, unless there are others than `keys`."""
        for key in self:
            if key not in keys:
                raise ValueError(
                    f"{self._where} has {shortened(key)}, unknown to this version"
                )
        return self

    def over(self, defaults: Mapping[str, object]) -> "Fields":
        """Return these fields and, where one is missing, its default."""
        return Fields({**defaults, **self._values}, self._where)

    def text(self, key: str) -> str:
        """Return a text."""
        value = self._value(key)
        if not isinstance(value, str):
            raise self._error(key, value, "a text")
        return value

    def choice(self, key: str, choices: Sequence[Choice]) -> Choice:
        """Return one of `choices`."""
        value = self._value(key)
        for choice in choices:
            if choice == value:
                return choice
        raise self._error(key, value, " or ".join(choices))

    def texts(self) -> dict[str, str]:
        """Return all values, which are texts."""
        return {key: self.text(key) for key in self}

    def whole(self, key: str, least: int, most: int) -> int:
        """Return a whole number from `least` to `most`."""
        value = self._value(key)
        # A bool is an int to Python, and none to whoever reads the file.
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._error(key, value, "a whole number")
        if not least <= value <= most:
            raise self._error(key, value, f"{least} to {most}")
        return value

    def positive(self, key: str, most: float) -> float:
        """Return a number above 0 and not above `most`."""
        value = self._value(key)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self._error(key, value, "a number")
        if not 0 < value <= most:
            raise self._error(key, value, f"more than 0 and at most {most:g}")
        return value

    def fields(self, key: str) -> "Fields":
        """Return an object's fields."""
        return Fields(self._value(key), self._name(key))

    def each(self, key: str) -> list["Fields"]:
        """Return the fields of each object in a list."""
        return [
            Fields(value, f"{self._name(key)}[{index}]")
            for index, value in enumerate(self.items(key))
        ]

    def items(self, key: str) -> list[object]:
        """Return what is in a list."""
        value = self._value(key)
        if not isinstance(value, list):
            raise self._error(key, value, "a list")
        return value

    def axes(self, key: str) -> tuple[int | str, ...]:
        """Return an array's shape; a text names a free axis."""
        axes = []
        for axis in self.items(key):
            if not isinstance(axis, int | str) or isinstance(axis, bool):
                raise self._error(key, axis, "sizes and names of axes")
            if isinstance(axis, int) and axis < 0:
                raise self._error(key, axis, "sizes from 0")
            axes.append(axis)
        return tuple(axes)

    def _value(self, key: str) -> object:
        if key not in self._values:
            raise ValueError(f"{self._name(key)} is missing")
        return self._values[key]

    def _name(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key

    def _error(self, key: str, found: object, expected: str) -> ValueError:
        return ValueError(
            f"{self._name(key)} is {shortened(found)}, expected {expected}"
        )
