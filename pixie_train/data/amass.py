"""Any SMPL-X motion as .npz (AMASS, Mahmood et al. 2019) to pose synthetic people with.

    FOLDER/**/*.npz   poses (T, 165 or 156), or root_orient (T, 3), pose_body (T, 63)

Source: AMASS's description of its SMPL-X and SMPL+H files; z is up in them. What else
lies in the folder (shape.npz, neutral_stagei.npz) has no poses and is passed over.
"""

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations
from pixie_runtime.errors import SourceError
from pixie_train.data.motion import MotionBank

Float64 = npt.NDArray[np.float64]

_BODY = 22
_UPRIGHT = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], float)
"""A world with z up to one with y up."""


def load_smplx_motion(folder: Path, *, every: int = 30) -> MotionBank:
    """Read all motion below a folder.

    Args:
        folder: with .npz files, however deep.
        every: takes one of so many frames; neighbours look alike.

    Raises:
        SourceError: there is none, or a file is damaged.
    """
    clips = [clip for path in sorted(folder.rglob("*.npz")) if len(clip := _read(path))]
    if not clips:
        raise SourceError(
            f"{folder} holds no SMPL-X motion; expected .npz files with poses, as "
            "AMASS has them"
        )
    body = np.concatenate([clip[::every] for clip in clips])
    return MotionBank(body, hashlib.sha256(body.tobytes()).hexdigest())


def _read(path: Path) -> Float64:
    """Return a file's rotations (T, 22, 3, 3), the world upright; T is 0 without."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            if "poses" in archive.files:
                pose = archive["poses"][:, : _BODY * 3]
            elif {"root_orient", "pose_body"} <= set(archive.files):
                pose = np.concatenate([archive["root_orient"], archive["pose_body"]], 1)
            else:
                return np.empty((0, _BODY, 3, 3))
        w = np.asarray(pose, np.float64).reshape(-1, _BODY, 3)
    # A damaged archive can fail in any way that zip and npy readers can.
    except Exception as error:
        raise SourceError(
            f"cannot read the motion {path} ({error}); get a fresh copy or move it away"
        ) from error
    if not np.isfinite(w).all():
        raise SourceError(f"the motion {path} holds values that are not finite numbers")
    R = np.asarray(rotations.to_matrix(rotations.from_rotvec(w)), np.float64)
    R[:, 0] = _UPRIGHT @ R[:, 0]
    return R
