# ruff: noqa: T201 (printing is what it does)
"""Read a recorded take with numpy alone and print what is in it.

Make one with `pixie-live --demo --record take.npz`. The keys are listed in
`docs/takes.md`.

    python examples/03_read_take.py take.npz
"""

import sys

import numpy as np


def main() -> None:
    """Print the take's length, the way its pelvis went and how sure it is."""
    with np.load(sys.argv[1], allow_pickle=False) as take:
        times, joints = take["timestamps_s"], take["joints"]
        seconds = times[-1] - times[0]
        print(f"{len(times)} frames in {seconds:.2f} s, {take['fps']:.2f} fps")
        print(f"poses {take['poses'].shape}, betas {take['betas'].shape}")
        pelvis = joints[:, 0]
        way = np.linalg.norm(np.diff(pelvis, axis=0), axis=1).sum()
        print(f"the pelvis travelled {way:.2f} m, {pelvis[:, 2].mean():.2f} m away")
        for name, confidence in zip(
            take["confidence_names"], take["confidences"].mean(0), strict=True
        ):
            print(f"{name}: confidence {confidence:.2f}")


if __name__ == "__main__":
    main()
