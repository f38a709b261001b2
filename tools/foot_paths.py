"""Draw where the feet of a take go, seen from above, before and after they are locked.

    python -m tools.foot_paths TAKE OUT.png [--person N]

Prints how fast feet that stand slide, how the body's acceleration changes, and how far
the body moves in the picture.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np

from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.takes.foot_lock import feet_locked
from pixie_runtime.takes.loading import load_take
from pixie_runtime.takes.smoothing import smoothed
from pixie_runtime.takes.take import Take

mpl.use("Agg")
import matplotlib.pyplot as plt

_FEET = {"left_foot": "tab:blue", "right_foot": "tab:orange"}


def main() -> None:
    """Draw the take that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("take", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--person", type=int)
    named = parser.parse_args()
    before = smoothed(load_take(named.take, named.person))
    lock = feet_locked(before)
    figure, axes = plt.subplots(1, 2, figsize=(11, 2.3), sharex=True, sharey=True)
    for axis, take, title in zip(
        axes, (before, lock.take), ("as smoothed", "--lock-feet"), strict=True
    ):
        slide = 100 * lock.slide(take)
        axis.set_title(f"{title}: standing feet slide at {slide:.1f} cm/s", fontsize=10)
        for name, colour in _FEET.items():
            ball = take.joints[:, JOINT_INDEX[name]]
            axis.plot(ball[:, 0], ball[:, 2], ".-", color=colour, lw=0.6, ms=4)
        axis.plot(take.joints[:, 0, 0], take.joints[:, 0, 2], "k-", lw=0.6)
        axis.set_aspect("equal")
        axis.set_xlabel("across, m")
    axes[0].set_ylabel("from the camera, m")
    figure.tight_layout()
    figure.savefig(named.out, dpi=100)
    moved = np.linalg.norm(_pixels(lock.take) - _pixels(before), axis=1)
    slides = [100 * lock.slide(take) for take in (before, lock.take)]
    accelerations = [_acceleration(take) for take in (before, lock.take)]
    print(
        f"a foot stands in {lock.share:.0%} of the time; before and after:\n"
        f"  it slides at {slides[0]:.1f} and {slides[1]:.1f} cm/s (medians)\n"
        f"  pelvis {accelerations[0]:.1f} and {accelerations[1]:.1f} mm/frame^2\n"
        f"  moved in the picture by {np.median(moved):.0f} pixels (median; "
        f"{moved.max():.0f} at most)"
    )


def _pixels(take: Take) -> np.ndarray:
    return take.camera.project(take.joints[:, 0])


def _acceleration(take: Take) -> float:
    steps = np.diff(take.joints[:, 0].astype(np.float64), n=2, axis=0)
    return float(1000 * np.median(np.linalg.norm(steps, axis=1)))


if __name__ == "__main__":
    main()
