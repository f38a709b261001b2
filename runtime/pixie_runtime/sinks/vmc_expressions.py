"""Which names a face's expressions go by: avatars of each kind have their own."""

from collections.abc import Sequence
from typing import Literal, get_args

from pixie_runtime.errors import UsageError
from pixie_runtime.face import ARKIT_NAMES, pascal_case
from pixie_runtime.face.vrm import vrm0, vrm1
from pixie_runtime.types import Float32

ExpressionNames = Literal["vrm0", "vrm1", "arkit", "arkit-pascal"]
"""`vrm0` Joy, A, Blink_L; `vrm1` happy, aa, blinkLeft; `arkit` jawOpen; `arkit-pascal`
JawOpen."""
EXPRESSION_NAMES: tuple[ExpressionNames, ...] = get_args(ExpressionNames)


def parse_expression_names(
    texts: Sequence[str], *, option: str
) -> tuple[ExpressionNames, ...]:
    """Read name sets from the command line: one at a time or separated by commas.

    Raises:
        UsageError: there is no such set.
    """
    wanted = [name.strip() for text in texts for name in text.split(",")]
    for name in wanted:
        if name not in EXPRESSION_NAMES:
            known = ", ".join(EXPRESSION_NAMES)
            raise UsageError(f"{option} {name!r}: expected one or more of {known}")
    return tuple(name for name in EXPRESSION_NAMES if name in wanted)


def expressions(weights: Float32, names: Sequence[ExpressionNames]) -> dict[str, float]:
    """Return every expression of the wanted sets by its name, values in [0, 1].

    Args:
        weights: Of ARKit's units, (52,), in the order of ARKIT_NAMES.
        names: The wanted sets.
    """
    values: dict[str, float] = {}
    for wanted in names:
        if wanted == "vrm0":
            values |= vrm0(weights)
        elif wanted == "vrm1":
            values |= vrm1(weights)
        else:
            pascal = wanted == "arkit-pascal"
            units = zip(ARKIT_NAMES, weights.tolist(), strict=True)
            values |= {pascal_case(n) if pascal else n: value for n, value in units}
    return values
