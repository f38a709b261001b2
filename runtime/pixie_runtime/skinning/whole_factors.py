"""What groups scale with, as whole numbers; a loop that numba can compile."""

from typing import Any

import numpy as np

from pixie_runtime.skinning.packing import GROUP

_LARGEST = np.float32(32767)
_LARGEST_SUM = np.float32(65_500)
"""Of the magnitudes of a pair's eighteen factors before rounding: with half of each one
added, and times the largest displacement, just below 2^31."""
_TINY = np.float32(1e-30)


def whole_factors(
    coefficients: Any, begin: int, end: int, factors: Any, units: Any
) -> None:
    """Find the finest unit in which no two groups' products overflow 32 bits together.

    Of the groups from `begin` to `end`, any two of which may form a pair. Reads their
    `coefficients` (G, 9); writes the nearest whole numbers to `factors` (G, 9), int16,
    and to `units` (G,) what a factor of 1 is worth: 0 where a group moves nothing. What
    is not finite counts as 0: it shows in the joints' motions.
    """
    largest = sum_1 = sum_2 = np.float32(0)
    for group in range(begin, end):
        total = np.float32(0)
        for k in range(GROUP):
            magnitude = abs(coefficients[group, k])
            if np.isfinite(magnitude):
                total += magnitude
                largest = max(largest, magnitude)
        sum_2 = max(sum_2, min(sum_1, total))
        sum_1 = max(sum_1, total)
    unit = max(largest / _LARGEST, (sum_1 + sum_2) / _LARGEST_SUM)
    for group in range(begin, end):
        moves = False
        for k in range(GROUP):
            factor = np.float32(0)
            if unit > _TINY and np.isfinite(coefficients[group, k]):
                factor = np.rint(coefficients[group, k] / unit)
            factors[group, k] = np.int16(factor)
            moves |= factor != 0
        units[group] = unit if moves else np.float32(0)
