"""Low-pass filters without delay: a parabola fitted around each moment."""

import numpy as np
import numpy.typing as npt

from pixie_runtime.types import Float64

SIGMA_TIMES_CUTOFF = 0.2337
"""The Gaussian's standard deviation, seconds, times the cut-off frequency. A local
parabola under it passes 1 / sqrt 2 of the amplitude there: of (1 + x) exp(-x) with
x = (2 pi f sigma)^2 / 2, the solution."""


def parabola_weights(distance: Float64, inside: npt.NDArray[np.bool_]) -> Float64:
    """Return how much each neighbour counts (T, W); each row adds up to 1.

    The weighted sum of the neighbours is the value at distance 0 of the parabola that
    fits them best under a Gaussian: a Savitzky-Golay filter for uneven frames.

    Args:
        distance: To each neighbour in time (T, W), in standard deviations.
        inside: Which of them there are.
    """
    gauss = np.where(inside, np.exp(-0.5 * distance**2), 0.0)
    powers = np.stack([np.ones_like(distance), distance, distance**2], axis=-1)
    normal = np.einsum("tw,twa,twb->tab", gauss, powers, powers)
    # Fewer than three neighbours determine no parabola: the least curved one is taken.
    row = np.linalg.pinv(normal, rcond=1e-6, hermitian=True)[:, 0]
    return np.asarray(gauss * np.einsum("ta,twa->tw", row, powers))
