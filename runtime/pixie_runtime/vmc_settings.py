"""What a VMC stream can be like; kept light, because the command's help needs it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pixie_runtime.datagram_sizes import DEFAULT_DATAGRAM_BYTES
from pixie_runtime.errors import UsageError

VMC_PORT = 39539
"""Where receivers listen unless told otherwise."""

RootMode = Literal["hips", "root", "both"]
"""What carries the movement through the world.

- `hips`: the root stays at the origin; the hips move and turn.
- `root`: the root moves and never turns; the hips turn, at standing height above it.
- `both`: the root is on the ground below the hips and faces where they face; the hips
  have their height above the ground and whatever they lean.
"""
Origin = Literal["ground", "camera"]
"""Where the world's origin is: on the ground where somebody was first seen, or at the
camera."""
ExpressionNames = Literal["vrm0", "vrm1", "arkit", "arkit-pascal"]
"""What a face's expressions are called: `vrm0` Joy, A, Blink_L; `vrm1` happy, aa,
blinkLeft; `arkit` jawOpen; `arkit-pascal` JawOpen."""
_EXPRESSION_NAMES: tuple[ExpressionNames, ...] = get_args(ExpressionNames)


@dataclass(frozen=True, slots=True)
class VmcSettings:
    """What one VMC stream is like."""

    root: RootMode = "hips"
    origin: Origin = "ground"
    expressions: tuple[ExpressionNames, ...] = ("vrm0",)
    """All the names that expressions are sent by."""
    rate_hz: float | None = None
    """Frames a second at most; None sends every frame."""
    datagram_bytes: int = DEFAULT_DATAGRAM_BYTES
    """The longest datagram to send."""


def parse_expression_names(
    texts: Sequence[str], *, option: str
) -> tuple[ExpressionNames, ...]:
    """Read sets of names from the command line: one each, or separated by commas.

    Raises:
        UsageError: there is no such set.
    """
    wanted = [name.strip() for text in texts for name in text.split(",")]
    for name in wanted:
        if name not in _EXPRESSION_NAMES:
            known = ", ".join(_EXPRESSION_NAMES)
            raise UsageError(f"{option} {name!r}: expected one or more of {known}")
    return tuple(name for name in _EXPRESSION_NAMES if name in wanted)
