"""Smoothing of takes after the fact: it knows the future and so has no lag."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations as rot
from pixie_runtime.local_fit import SIGMA_TIMES_CUTOFF, parabola_weights
from pixie_runtime.takes.curves import Curves, joined
from pixie_runtime.takes.take import Take
from pixie_runtime.takes.track import break_s

CUTOFF_HZ = 6.0
"""What gait laboratories filter body motion at (Winter 2009)."""
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
    sigma_s = SIGMA_TIMES_CUTOFF / cutoff_hz
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
    weights = parabola_weights((times[window] - times[rows][:, None]) / sigma_s, inside)
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
