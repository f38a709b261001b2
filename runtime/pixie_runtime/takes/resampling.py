"""Takes at even frame rates, as animation programs want them."""

import numpy as np

from pixie_runtime import rotations as rot
from pixie_runtime.errors import SourceError
from pixie_runtime.takes.curves import Curves, joined
from pixie_runtime.takes.take import Take
from pixie_runtime.takes.track import break_s

_CHUNK = 1024
"""Frames made at once: some 10 MB."""
_LONGEST_S = 86_400.0
"""A day: beyond, holding poses through gaps would fill memory and disk."""
_LATE = 0.1
"""Of a frame: so far beyond the last recorded one the last resampled one may lie."""


def usual_rate(take: Take) -> float:
    """Return which of 30 and 60 frames a second is nearer to what was recorded."""
    return 60.0 if take.fps >= 45 else 30.0


def resampled(take: Take, fps: float) -> Take:
    """Return the motion at exactly `fps`, from the take's first frame on.

    By the true timestamps, rotations go along the shortest arc between the two frames
    around each moment (Shoemake 1985) and everything else along the straight line. In a
    gap (`break_s`), in which the person was not seen, the last pose before it is held
    with confidence 0. `frames` are the nearest recorded ones.

    Raises:
        SourceError: the take goes on for more than a day.
    """
    times = take.timestamps_s
    if times[-1] - times[0] > _LONGEST_S:
        raise SourceError(
            f"the take goes on for {(times[-1] - times[0]) / 3600:.0f} hours, gaps "
            "included: frames at an even rate are made for a day at most; cut it, or "
            "take csv, which has the frames as they were recorded"
        )
    count = int(np.floor((times[-1] - times[0]) * fps + _LATE)) + 1
    moments = times[0] + np.arange(count) / fps
    before = np.clip(np.searchsorted(times, moments, "right") - 1, 0, len(times) - 1)
    after = np.minimum(before + 1, len(times) - 1)
    step = times[after] - times[before]
    share = np.clip((moments - times[before]) / np.maximum(step, 1e-9), 0.0, 1.0)
    share[after == before] = 0.0
    held = (step > break_s(times)) & (share > 0)
    share[held] = 0.0
    pieces = []
    for start in range(0, count, _CHUNK):
        rows = slice(start, start + _CHUNK)
        first, second = Curves.of(take, before[rows]), Curves.of(take, after[rows])
        u = share[rows]
        numbers = first.numbers + u[:, None] * (second.numbers - first.numbers)
        turned = rot.slerp(first.rotations, second.rotations, u[:, None])
        curves = Curves(turned, numbers)
        curves.confidences[held[rows]] = 0.0
        pieces.append(curves.take(take))
    nearest = np.where(share < 0.5, before, after)
    return joined(
        pieces,
        timestamps_s=moments,
        frames=take.frames[nearest],
        fps=fps,
        mocap_frame_rate=fps,
    )
