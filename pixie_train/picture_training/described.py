"""Configurations as plain values and back, and where two of them differ."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

_T = TypeVar("_T")


def from_values(kind: type[_T], values: Mapping[str, Any]) -> _T:
    """Make a nested dataclass out of what `dataclasses.asdict` made of one.

    Fields that are missing, as in a file of an older version, have their defaults.

    Raises:
        TypeError: `values` has a field that `kind` has not.
    """
    hints = get_type_hints(kind)
    unknown = values.keys() - hints.keys()
    if unknown:
        raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    return kind(**{n: _value(hints[n], value) for n, value in values.items()})


def differences(one: object, other: object, prefix: str = "") -> list[str]:
    """Return the dotted names of the fields in which two configurations differ."""
    if type(one) is not type(other) or not is_dataclass(one):
        return [] if one == other else [prefix.rstrip(".")]
    return [
        name
        for entry in fields(one)
        for name in differences(
            getattr(one, entry.name),
            getattr(other, entry.name),
            f"{prefix}{entry.name}.",
        )
    ]


def _value(hint: Any, value: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType) and value is not None:
        hint = next(arg for arg in get_args(hint) if arg is not type(None))
    if isinstance(hint, type) and is_dataclass(hint) and isinstance(value, Mapping):
        return from_values(hint, value)
    if isinstance(value, list):
        return tuple(_value(Any, one) for one in value)
    return value
