"""NoW's measure of a face: from a scan's points to the estimated surface.

Facts from the challenge's page and its repository's README (Sanyal et al. 2019): the
estimate is brought onto the scan by seven landmarks, with rotation, translation and
scale, then by the distances of the scan's points to its surface; the error is the
distance of each point of the face's part of the scan. The face's part is a ball, whose
size is said in distances between landmarks: `FaceRegion`. Its two constants are those
of several public programs that crop scans as the challenge does (1.4 times half of the
sum; the challenge's forerunner of 2018 had 1.2). The refinement here is an alternation
of nearest points and similarities, where the challenge minimises the distances
directly.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixie_runtime.types import Float64
from pixie_train.evaluation.alignment import Alignment, Points, align
from pixie_train.evaluation.surface_distance import Surface

LANDMARKS_OF_51 = (19, 22, 25, 28, 16, 31, 37)
"""NoW's seven landmarks among iBUG's 51 (36, 39, 42, 45, 33, 48, 54 of the 68): right
eye's outer and inner corner, left eye's inner and outer, below the nose, the mouth's
right and left corner; right is the person's own."""


@dataclass(frozen=True)
class FaceRegion:
    """Which points of a scan are the face: a ball about the middle of the nose."""

    radius: float = 0.7
    """Of the outer eye corners' distance and the nose's length together."""
    up_the_nose: float = 0.3
    """Where the middle is: from below the nose towards its bridge."""

    def mask(self, points: Points, landmarks: Points) -> npt.NDArray[np.bool_]:
        """Return which points (n, 3) belong, (n,) booleans, by landmarks (7, 3)."""
        lm = np.asarray(landmarks, np.float64)
        bridge, below = lm[[1, 2]].mean(0), lm[4]
        eyes, nose = np.linalg.norm(lm[0] - lm[3]), np.linalg.norm(bridge - below)
        middle = below + self.up_the_nose * (bridge - below)
        gap = np.linalg.norm(np.asarray(points, np.float64) - middle, axis=1)
        return np.asarray(gap <= self.radius * (eyes + nose), bool)


def scan_distances(
    surface: Surface,
    landmarks: Points,
    scan: Points,
    scan_landmarks: Points,
    *,
    metrical: bool = False,
    steps: int = 20,
    region: FaceRegion | None = None,
) -> Float64:
    """Return how far each point of the face's scan is from the estimate, (n,).

    Args:
        surface: the estimate, in any units and frame.
        landmarks: its seven landmarks, (7, 3).
        scan: points of the scan, (m, 3); results are in its units.
        scan_landmarks: the scan's seven landmarks, (7, 3).
        metrical: whether the estimate's size counts: no scaling then. Its units must be
            the scan's.
        steps: of the refinement at most.
        region: what the face is; default: NoW's.

    Raises:
        ValueError: the scan has no point there.
    """
    scan = np.asarray(scan, np.float64)
    face = scan[(region or FaceRegion()).mask(scan, scan_landmarks)]
    if not len(face):
        raise ValueError("no point of the scan is near its landmarks")
    how: Alignment = "rigid" if metrical else "similarity"
    motion = align(landmarks, scan_landmarks, how)
    # The estimate stays where its trees are; the scan is brought to it.
    best, last = motion, np.inf
    nothing = 1e-14 * float(np.square(face - face.mean(0)).sum(1).mean())
    for _ in range(steps):
        back = (face - motion.t) @ motion.R / motion.scale
        near = surface.nearest(back)
        gap = float(np.square(motion(near) - face).mean())
        if not gap < last * (1 - 1e-4):
            break
        best, last = motion, gap
        if gap <= nothing:
            break
        motion = align(near, face, how)
    back = (face - best.t) @ best.R / best.scale
    return np.asarray(surface.distances(back) * best.scale, np.float64)


def summary(errors: Points) -> dict[str, float]:
    """Return median, mean and standard deviation of distances, as NoW lists them."""
    return {
        "median": float(np.median(errors)),
        "mean": float(np.mean(errors)),
        "std": float(np.std(errors)),
    }
