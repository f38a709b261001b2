"""How late smoothing makes a live stream, and how calm.

    pixie-live --video CLIP --no-smoothing --record a.mcap
    python -m tools.smoothing_delay a.mcap...

smooths each take of raw estimates twice: as `pixie-live` does, and with knowledge of
the future, which has no delay (`pixie-take convert --smooth`). Prints by how many
pixels the body's joints of the first trail those of the second in the mean; which delay
of the second fits the first best; how much both shake (mean second difference, pixels).
Takes know how sure each part was, not each joint: of somebody whose legs are outside
the picture all of the body is smoothed more than live.
"""

import sys
from pathlib import Path

import numpy as np

from pixie_runtime.body import embedded_body_model
from pixie_runtime.smoothing import PersonSmoother
from pixie_runtime.takes import load_take
from pixie_runtime.takes.smoothing import smoothed
from pixie_runtime.takes.take import Take
from pixie_runtime.types import Float64

_BODY = slice(0, 22)
_DELAYS_S = np.arange(0.0, 0.151, 0.001)


def smoothed_live(take: Take) -> Float64:
    """Return the body's joints as smoothed frame by frame, (T, 22, 2), pixels."""
    smoother, model = PersonSmoother(), embedded_body_model()
    people = [smoother.smooth(take.person(row), model) for row in range(len(take))]
    return np.stack([take.camera.project(one.joints[_BODY]) for one in people]).astype(
        np.float64
    )


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
        late = smoothed_live(take)
        known = smoothed(take).joints[:, _BODY]
        truth = take.camera.project(known).astype(np.float64)
        gap = float(np.linalg.norm(late - truth, axis=-1).mean())
        delay_ms = best_delay(late, truth, take.timestamps_s) * 1e3
        print(
            f"{path}: {gap:.1f} pixels behind, like {delay_ms:.0f} ms; shakes by "
            f"{shaking(late):.2f} pixels, without delay {shaking(truth):.2f}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
