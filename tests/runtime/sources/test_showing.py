from fractions import Fraction

import pytest

from pixie_runtime.sources.showing import width_over_height


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (None, 1),
        (Fraction(0), 1),
        (Fraction(1), 1),
        (Fraction(4, 3), Fraction(4, 3)),
        (Fraction(8, 9), Fraction(8, 9)),
        (Fraction(32, 11), Fraction(32, 11)),
        (Fraction(404, 405), 1),  # what is left of rounding a size
        (Fraction(65535, 1), 1),
        (Fraction(1, 255), 1),
        (Fraction(-4, 3), 1),
    ],
)
def test_only_a_plausible_shape_of_pixels_is_believed(
    said: Fraction | None, meant: Fraction | int
) -> None:
    assert width_over_height(said) == meant
