"""Smoothing of takes after the fact: it knows the future and so has no lag."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations as rot
from pixie_runtime.takes.curves import Curves, joined
from pixie_runtime.takes.take import Take
from pixie_runtime.takes.track import break_s
from pixie_runtime.types import Float64

CUTOFF_HZ = 6.0
"""What gait laboratories filter body motion at (Winter 2009)."""
_SIGMA_TIMES_CUTOFF = 0.2337
"""A local parabola under a Gaussian passes 1 / sqrt 2 of the amplitude there: of
(1 + x) exp(-x) with x = (2 pi f sigma)^2 / 2, the solution."""
_REACH = 3.5
"""Standard deviations beyond which nothing is looked at."""
_CHUNK = 256
"""Frames smoothed at once: with a window of 30 frames some 40 MB."""


def smoothed(take: Take, cutoff_hz: float = CUTOFF_HZ) -> Take:
    """Return the take without what is faster than `cutoff_hz`, and without delay.

    Around each frame a parabola is fitted to its neighbours under a Gaussian, by their
    true timestamps, and read off at the frame: a Savitzky-Golay filter for uneven
    frames. Rotations are fitted in the tangent space at the frame's own, so that there
    are no poles and no jumps. Motion before and after a gap (`break_s`) is kept apart.
    """
    sigma_s = _SIGMA_TIMES_CUTOFF / cutoff_hz
    times = take.timestamps_s
    breaks = np.flatnonzero(np.diff(times) > break_s(times)) + 1
    edges = [0, *breaks.tolist(), len(take)]
    pieces = []
    for begin, end in pairwise(edges):
        for start in range(begin, end, _CHUNK):
            rows = np.arange(start, min(start + _CHUNK, end))
            pieces.append(_smoothed_rows(take, rows, begin, end, sigma_s))
    return joined(pieces, timestamps_s=take.timestamps_s, frames=take.frames)


def _smoothed_rows(
    take: Take, rows: npt.NDArray[np.intp], begin: int, end: int, sigma_s: float
) -> Take:
    """Smooth some rows of the piece of the take from `begin` to `end`."""
    times, reach_s = take.timestamps_s, _REACH * sigma_s
    low = np.maximum(np.searchsorted(times, times[rows] - reach_s), begin)
    high = np.minimum(np.searchsorted(times, times[rows] + reach_s, "right"), end)
    first = int(low.min())
    around = Curves.of(take, slice(first, int(high.max())))
    window = low[:, None] + np.arange(int((high - low).max()))
    inside = window < high[:, None]
    window = np.where(inside, window, rows[:, None])
    weights = _weights((times[window] - times[rows][:, None]) / sigma_s, inside)
    window -= first
    own = around.rotations[rows - first]
    steps = rot.to_rotvec(
        rot.multiply(rot.inverse(own)[:, None], around.rotations[window])
    )
    turn = np.einsum("tw,twjc->tjc", weights, steps)
    wxyz = rot.normalise(rot.multiply(own, rot.from_rotvec(turn)))
    numbers = np.einsum("tw,twn->tn", weights, around.numbers[window])
    curves = Curves(wxyz, numbers)
    np.clip(curves.confidences, 0.0, 1.0, out=curves.confidences)
    return curves.take(take)


def _weights(distance: Float64, inside: npt.NDArray[np.bool_]) -> Float64:
    """Return how much each neighbour counts (T, W); each row adds up to 1.

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
