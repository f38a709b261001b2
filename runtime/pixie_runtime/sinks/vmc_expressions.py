"""A face's expressions by name: avatars of each kind have their own."""

from collections.abc import Sequence

from pixie_runtime.face import ARKIT_NAMES, pascal_case
from pixie_runtime.face.vrm import vrm0, vrm1
from pixie_runtime.types import Float32
from pixie_runtime.vmc_settings import ExpressionNames


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
