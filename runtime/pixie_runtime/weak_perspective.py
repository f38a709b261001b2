"""From a network's weak-perspective camera in a crop to a place before a pinhole.

The network projects p = s ((x, y) + (tx, ty)) with p in [-1, 1] over a square of the
picture, as if the square were looked at straight on and from far away (spec:
pixie-network, section 6). The pinhole camera sees the square in some direction: the
body as the network sees it is turned by the rotation that takes the optical axis to the
ray through the square's centre, and moved along that ray to where its size is right:
depth = 2 f / (s side).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.body import PosedBody
from pixie_runtime.crops import Square
from pixie_runtime.smplx import BODY_JOINTS
from pixie_runtime.types import Camera, Float32, Float64

_NEAREST_M = 0.2
_LEAST_SCALE = 0.05
"""A body of two metres that fills a twentieth of the square drawn around it."""
_FORWARD = np.array([0.0, 0.0, 1.0])
_WHOLE_BODY = (0, *BODY_JOINTS)


@dataclass(frozen=True, slots=True, eq=False)
class WeakCamera:
    """A weak-perspective camera and the square of a picture that it looks at."""

    values: Float32
    """(s, tx, ty): scale per metre and shifts in metres, (3,)."""
    span: Square
    """What [-1, 1] covers, pixels of the picture."""

    def project(self, points: Float32) -> Float32:
        """Project points (..., 3) in the crop's axes to pixels (..., 2)."""
        p = self.values[0] * (points[..., :2] + self.values[1:])
        centre = np.array([self.span.x, self.span.y], np.float32)
        return np.asarray(p * (self.span.side / 2) + centre, np.float32)

    def placed(
        self,
        seen: PosedBody,
        quaternions: Float32,
        camera: Camera,
        *,
        joints: Sequence[int] = _WHOLE_BODY,
    ) -> tuple[Float32, Float32]:
        """Return rotations and translation of a body in the pinhole camera's frame.

        Args:
            seen: the body, not translated, in the crop's axes (x right, y down, z away
                from whoever looks at the crop's centre).
            quaternions: its rotations, wxyz, (55, 4).
            camera: the picture's.
            joints: those whose mean depth the scale is right for.

        A scale that is negative or absurdly small is taken as 0.05, and a body so near
        that it would reach behind the camera is put before it.

        Returns:
            The rotations with another root, and `transl` (3,) in metres.
        """
        scale, tx, ty = self.values.astype(np.float64).tolist()
        depths = seen.joints[:, 2].astype(np.float64)
        middle = float(depths[list(joints)].mean())
        per_metre = max(scale, _LEAST_SCALE) * self.span.side / 2
        nearest = _NEAREST_M + middle - float(depths.min())
        depth = max(camera.focal_px / per_metre, nearest)
        offset = np.subtract((self.span.x, self.span.y), camera.centre_px)
        ray = np.append(offset / camera.focal_px, 1.0)
        turn = _turn_to(ray)
        turned = quaternions.astype(np.float64)
        turned[0] = rotations.normalise(rotations.multiply(turn, turned[0]))
        # The body turns about its rest pelvis, which the crop's camera sees shifted.
        pelvis = seen.shaped.joints[0].astype(np.float64)
        shifted = rotations.apply(turn, pelvis + np.array([tx, ty, -middle]))
        transl = shifted + ray * depth - pelvis
        return turned.astype(np.float32), transl.astype(np.float32)


def _turn_to(ray: Float64) -> Float64:
    """Return the shortest rotation from the optical axis to a ray, wxyz."""
    unit = ray / np.linalg.norm(ray)
    # Twice the half-way rotation; a ray never points backwards, so it is never zero.
    q = np.append(1.0 + unit[2], np.cross(_FORWARD, unit))
    return np.asarray(rotations.normalise(q), np.float64)
