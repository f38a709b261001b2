"""A take: one person's recorded motion.

`poses` and `trans` are in a y-up world: the camera's axes after half a turn about x (x
stays, y and z change sign). `joints` stay in the camera's axes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations
from pixie_runtime.rest_offsets import unposed
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.types import (
    Camera,
    Float32,
    Float64,
    PartConfidence,
    Person,
    SmplxParams,
)

WORLD_FROM_CAMERA = np.array([1, -1, -1], np.float32)
"""Diagonal of the rotation from camera axes to the take's y-up world."""
Q_WORLD_FROM_CAMERA = np.array([0, 1, 0, 0], np.float32)
"""The same as a quaternion wxyz."""


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """One person's motion over T frames; at least one."""

    betas: Float32
    """(n_betas,): the take's one body shape, the median over its frames."""
    betas_per_frame: Float32
    """(T, n_betas): the shape as it was estimated; `poses` and `trans` go with it."""
    expression: Float32
    """(T, n_expression)."""
    poses: Float32
    """(T, 165): rotation vectors of the 55 joints in SMPL-X order, the first in the
    y-up world, the others relative to their parents."""
    trans: Float32
    """(T, 3): SMPL-X translation, metres, y-up world."""
    joints: Float32
    """(T, 55, 3): posed joints, metres, camera axes (x right, y down, z forward)."""
    confidences: Float32
    """(T, 4) in [0, 1], in the order of `types.PARTS`."""
    timestamps_s: Float64
    """(T,): seconds on the source's clock."""
    frames: npt.NDArray[np.int64]
    """(T,): numbers of the pictures in their source."""
    camera: Camera
    fps: float
    """Frames per second as recorded, breaks left out."""
    mocap_frame_rate: float
    """`fps`, or the common frame rate that it is within 1 % of."""
    track_id: int

    def __len__(self) -> int:
        return len(self.frames)

    def rotations(self) -> Float32:
        """Return unit quaternions wxyz (T, 55, 4) of `poses`, the root's in the world.

        From frame to frame each keeps its sign, so that components may be plotted.
        """
        rotvec = self.poses.astype(np.float64).reshape(len(self), JOINT_COUNT, 3)
        wxyz = rotations.from_rotvec(rotvec)
        turned = np.sum(wxyz[1:] * wxyz[:-1], axis=-1) < 0
        flips = np.logical_xor.accumulate(turned, axis=0)
        wxyz[1:][flips] *= -1
        return wxyz.astype(np.float32)

    def world_joints(self) -> Float32:
        """Return posed joints (T, 55, 3) in metres in the y-up world."""
        return self.joints * WORLD_FROM_CAMERA

    def rest_offsets(self) -> Float32:
        """Return each joint's rest position relative to its parent's, (55, 3), metres.

        Found by turning the posed bones back, so that no body model is needed, and the
        median over the frames; body axes (x to the person's left, y up, z out of the
        chest). The pelvis' row is its rest position, which `trans` is added to: the
        posed pelvis is at `rest_offsets()[0] + trans`.
        """
        wxyz = self.rotations().astype(np.float64)
        joints = self.world_joints().astype(np.float64)
        offsets = unposed(wxyz, joints, self.trans)
        return np.median(offsets, axis=0).astype(np.float32)

    def person(self, row: int) -> Person:
        """Return the person as it was recorded in frame `row` of the take."""
        wxyz = rotations.from_rotvec(self.poses[row].reshape(JOINT_COUNT, 3))
        wxyz[0] = rotations.multiply(rotations.inverse(Q_WORLD_FROM_CAMERA), wxyz[0])
        pelvis = self.joints[row, 0]
        rest_pelvis = pelvis * WORLD_FROM_CAMERA - self.trans[row]
        return Person(
            track_id=self.track_id,
            frame_index=int(self.frames[row]),
            timestamp_s=float(self.timestamps_s[row]),
            params=SmplxParams(
                betas=self.betas_per_frame[row],
                expression=self.expression[row],
                rotations=wxyz,
                transl=pelvis - rest_pelvis,
            ),
            joints=self.joints[row],
            confidence=PartConfidence(*self.confidences[row].tolist()),
            camera=self.camera,
        )
