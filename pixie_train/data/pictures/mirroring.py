"""A sample in a mirror: left hands as right ones."""

from dataclasses import replace

import numpy as np

from pixie_runtime.smplx import JOINT_COUNT, MIRRORED_JOINTS
from pixie_train.data.pictures.sample import HEAD, LEFT, RIGHT, Sample
from pixie_train.key_points import EXTRA_POINT_NAMES, KEY_POINT_COUNT

_SIGNS = np.array([[1, -1, -1], [-1, 1, 1], [-1, 1, 1]], np.float32)
"""M R M of a matrix R, M = diag(-1, 1, 1), is R times these, entry by entry."""

# fmt: off
_MIRRORED_FACE = (
    9, 8, 7, 6, 5, 4, 3, 2, 1, 0,  # brows
    10, 11, 12, 13, 18, 17, 16, 15, 14,  # nose
    28, 27, 26, 25, 30, 29, 22, 21, 20, 19, 24, 23,  # eyes
    37, 36, 35, 34, 33, 32, 31, 42, 41, 40, 39, 38,  # outer lips
    47, 46, 45, 44, 43, 50, 49, 48,  # inner lips
)
# fmt: on
"""What becomes of iBUG's 51 inner landmarks."""


def _mirrored_points() -> tuple[int, ...]:
    exchanged = {"left": "right", "right": "left"}
    extra = []
    for name in EXTRA_POINT_NAMES:
        side, _, point = name.partition("_")
        other = f"{exchanged[side]}_{point}" if side in exchanged else name
        extra.append(EXTRA_POINT_NAMES.index(other))
    face = JOINT_COUNT + np.array(_MIRRORED_FACE)
    contour = JOINT_COUNT + len(face) + np.arange(17)[::-1]
    last = KEY_POINT_COUNT - len(extra) + np.array(extra)
    joints = np.array(MIRRORED_JOINTS)
    return tuple(np.concatenate([joints, face, contour, last]).tolist())


MIRRORED_POINTS: tuple[int, ...] = _mirrored_points()
"""Which key point each one becomes in a mirror."""


def mirror(sample: Sample) -> Sample:
    """Return what a mirror shows: left and right are exchanged in everything.

    The betas are kept, but say nothing of the mirrored body: `mirrored` is flipped.
    """
    points, joints = list(MIRRORED_POINTS), list(MIRRORED_JOINTS)
    parts = [HEAD, RIGHT, LEFT]
    flip = np.array([-1, 1, 1], np.float32)
    pixels = sample.pixels[points].copy()
    pixels[:, 0] = sample.size - pixels[:, 0]
    return replace(
        sample,
        picture=np.ascontiguousarray(sample.picture[:, ::-1]),
        skin=np.ascontiguousarray(sample.skin[:, ::-1]),
        pixels=pixels,
        seen=sample.seen[points],
        xyz=sample.xyz[points] * flip,
        rotations=sample.rotations[joints] * _SIGNS,
        absolute=sample.absolute[parts] * _SIGNS,
        covered=sample.covered[parts],
        mirrored=not sample.mirrored,
    )
