"""What the page may ask for: text from a browser, checked, as values."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from pixie_runtime.errors import UsageError
from pixie_runtime.smoothing import Quickness

MAX_BYTES = 1024
"""Of one message; the largest that the page sends has 100."""
_MOST = 1e6
SPEEDS = (0.05, 8.0)
"""The slowest and the fastest that a take is played."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The page has drawn what it got and can take more."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Whether the page shows the camera's pictures."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class Smooth:
    """Smooth in this way from now on."""

    enabled: bool
    quickness: Quickness


@dataclass(frozen=True, slots=True)
class Record:
    """Start a recording, or end it."""

    on: bool


@dataclass(frozen=True, slots=True)
class Calibrate:
    """Calibrate, stop doing so, or forget the calibration."""

    what: Literal["start", "cancel", "clear"]


@dataclass(frozen=True, slots=True)
class Play:
    """Let a take run, or hold it."""

    on: bool


@dataclass(frozen=True, slots=True)
class Seek:
    """Go to a moment of a take."""

    time_s: float
    """Since its first frame."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Play a take so many times as fast as it was."""

    factor: float


Command = Ready | Pictures | Smooth | Record | Calibrate | Play | Seek | Speed


def parse(text: str | bytes) -> Command:
    """Return the command in a message: a JSON object of one key.

    Raises:
        ValueError: it is none; the sentence says why.
    """
    if isinstance(text, bytes):
        raise ValueError("commands are text, not binary")
    try:
        message = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError("commands are JSON") from error
    if not isinstance(message, dict) or len(message) != 1:
        raise ValueError("commands are objects of one key")
    ((name, value),) = message.items()
    match name:
        case "ready":
            return Ready()
        case "pictures":
            return Pictures(_flag(name, value))
        case "smooth":
            return _smooth(value)
        case "record":
            return Record(_flag(name, value))
        case "calibrate" if value in ("start", "cancel", "clear"):
            return Calibrate(value)
        case "play":
            return Play(_flag(name, value))
        case "seek":
            return Seek(_number(name, value, 0.0, _MOST))
        case "speed":
            return Speed(_number(name, value, *SPEEDS))
    raise ValueError(f"unknown command {name!r} or value")


def _smooth(value: Any) -> Smooth:
    if not isinstance(value, dict):
        raise ValueError("smooth takes an object")
    factors = {key: v for key, v in value.items() if key != "enabled"}
    if not set(factors) <= set(Quickness.__dataclass_fields__):
        raise ValueError(f"smooth takes {', '.join(Quickness.__dataclass_fields__)}")
    numbers = {key: _number(key, v, 0.0, _MOST) for key, v in factors.items()}
    try:
        quickness = Quickness(**numbers)
    except UsageError as error:
        raise ValueError(str(error)) from error
    return Smooth(_flag("enabled", value.get("enabled", True)), quickness)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} takes true or false")
    return value


def _number(name: str, value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} takes a number")
    # Compared first: a whole number may be too large for a float.
    if not low <= value <= high:
        raise ValueError(f"{name} takes a number from {low:g} to {high:g}")
    return float(value)
