"""How often hands turn over on their arms in takes.

    python -m tools.wrist_turns TAKE...

prints for each take and side the largest turn of the wrist between two frames, how many
are larger than 60 degrees, and the furthest that it is turned from the rest pose.
"""

import sys
from pathlib import Path

import numpy as np

from pixie_runtime import rotations as rot
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.takes import load_take

_SUDDEN_DEG = 60.0


def main(paths: list[str]) -> None:
    """Print a line for each take and side."""
    for path in paths:
        wxyz = load_take(Path(path)).rotations()
        for side in ("left", "right"):
            wrist = wxyz[:, JOINT_INDEX[f"{side}_wrist"]]
            turns = np.degrees(rot.angle_between(wrist[:-1], wrist[1:]))
            bent = np.degrees(np.linalg.norm(rot.to_rotvec(wrist), axis=-1))
            print(
                f"{path} {side}: at most {turns.max():.0f} degrees between two frames, "
                f"{int((turns > _SUDDEN_DEG).sum())} times over {_SUDDEN_DEG:.0f}; "
                f"{bent.max():.0f} degrees from rest"
            )


if __name__ == "__main__":
    main(sys.argv[1:])
