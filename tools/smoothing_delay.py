"""How late smoothing makes a stream, and how calm.

    pixie-live --video CLIP --no-smoothing --record a.mcap
    python -m tools.smoothing_delay a.mcap...

smooths each take of raw estimates three times: as `pixie-live` does a live stream and
as it does a file that can wait, and with knowledge of the whole future, which has no
delay (`pixie-take convert --smooth`). Prints of the first two how many pixels the
body's joints are from those of the last in the mean; which delay of the last fits them
best; how much all shake (mean second difference, pixels). Takes know how sure each part
was, not each joint: of somebody whose legs are outside the picture all of the body is
smoothed more than by `pixie-live`.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixie_runtime.body import embedded_body_model
from pixie_runtime.smoothing import HindsightSmoother, PersonSmoother
from pixie_runtime.smoothing.hindsight import LOOK_AHEAD_S
from pixie_runtime.takes import load_take
from pixie_runtime.takes.smoothing import smoothed
from pixie_runtime.takes.take import Take
from pixie_runtime.types import Float64, Person

_BODY = slice(0, 22)
_DELAYS_S = np.arange(0.0, 0.151, 0.001)


def smoothed_live(take: Take) -> Float64:
    """Return the body's joints as smoothed frame by frame, (T, 22, 2), pixels."""
    smoother, model = PersonSmoother(), embedded_body_model()
    people = [smoother.smooth(take.person(row), model) for row in range(len(take))]
    return _in_picture(take, people)


def smoothed_waiting(take: Take) -> Float64:
    """Return the body's joints as smoothed by what comes next, (T, 22, 2), pixels."""
    smoother, people = HindsightSmoother(embedded_body_model()), list[Person]()
    for time_s, row in zip(take.timestamps_s, range(len(take)), strict=True):
        smoother.add(take.person(row))
        while take.timestamps_s[len(people)] <= time_s - LOOK_AHEAD_S:
            people.append(smoother.take())
    people += [smoother.take() for _ in range(len(take) - len(people))]
    return _in_picture(take, people)


def _in_picture(take: Take, people: Sequence[Person]) -> Float64:
    joints = [take.camera.project(person.joints[_BODY]) for person in people]
    return np.stack(joints).astype(np.float64)


def best_delay(late: Float64, truth: Float64, times_s: Float64) -> float:
    """Return the delay in seconds of `truth` (T, n, 2) that is nearest to `late`."""
    core = times_s > times_s[0] + _DELAYS_S[-1]
    errors = []
    for delay_s in _DELAYS_S:
        delayed = np.stack(
            [
                np.interp(times_s - delay_s, times_s, curve)
                for curve in truth.reshape(len(truth), -1).T
            ],
            axis=1,
        ).reshape(truth.shape)
        gaps = np.linalg.norm(late - delayed, axis=-1)
        errors.append(gaps[core].mean())
    return float(_DELAYS_S[int(np.argmin(errors))])


def shaking(joints: Float64) -> float:
    """Return the mean second difference of joints (T, n, 2), pixels."""
    return float(np.linalg.norm(np.diff(joints, 2, axis=0), axis=-1).mean())


def main(paths: list[str]) -> None:
    """Print a line for each take."""
    for path in paths:
        take = load_take(Path(path))
        known = smoothed(take).joints[:, _BODY]
        truth = take.camera.project(known).astype(np.float64)
        print(f"{path}: without delay shakes by {shaking(truth):.2f} pixels")
        for how, smooth in (("live", smoothed_live), ("waiting", smoothed_waiting)):
            late = smooth(take)
            gap = float(np.linalg.norm(late - truth, axis=-1).mean())
            delay_ms = best_delay(late, truth, take.timestamps_s) * 1e3
            print(
                f"  {how}: {gap:.1f} pixels off, like {delay_ms:.0f} ms; shakes by "
                f"{shaking(late):.2f} pixels"
            )


if __name__ == "__main__":
    main(sys.argv[1:])
