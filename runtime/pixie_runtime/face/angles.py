"""How a head and its eyes are turned, as ARKit has it.

ARKit's camera axes are right-handed: x to the right of the picture, y up, z from the
scene to the camera. A face's own axes are x to the person's left, y up, z out of the
face, so that who looks straight into the camera is not turned at all.
"""

from dataclasses import dataclass

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.smplx import JOINT_INDEX, LEFT_EYE, PARENTS, RIGHT_EYE
from pixie_runtime.types import Float32, Float64, Person

_HEAD = JOINT_INDEX["head"]
_TO_ARKIT = np.array([0.0, -1.0, 0.0, 0.0])
"""Half a turn about x: from our camera axes (y down, z forward) to ARKit's."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A rotation as angles in radians: first roll, then pitch, then yaw."""

    yaw: float
    """About y; positive to the person's left."""
    pitch: float
    """About x; positive downwards."""
    roll: float
    """About z; positive lifts the person's left side."""

    @classmethod
    def of(cls, wxyz: Float32 | Float64) -> "Turn":
        """Return the angles of a unit quaternion (4,); pitch lies within 90 degrees."""
        R = rotations.to_matrix(np.asarray(wxyz, np.float64))
        return cls(
            yaw=float(np.arctan2(R[0, 2], R[2, 2])),
            pitch=float(-np.arcsin(np.clip(R[1, 2], -1.0, 1.0))),
            roll=float(np.arctan2(R[1, 0], R[1, 1])),
        )


@dataclass(frozen=True, slots=True)
class FaceAngles:
    """How the head is turned in ARKit's camera axes, and the eyes within the head."""

    head: Turn
    left_eye: Turn
    right_eye: Turn

    @classmethod
    def of(cls, person: Person) -> "FaceAngles":
        """Return the person's."""
        wxyz = person.params.rotations
        return cls(
            head=Turn.of(head_rotation(person)),
            left_eye=Turn.of(wxyz[LEFT_EYE]),
            right_eye=Turn.of(wxyz[RIGHT_EYE]),
        )


def head_rotation(person: Person) -> Float64:
    """Return the rotation (4,) wxyz of the face's axes in ARKit's camera axes."""
    wxyz = person.params.rotations.astype(np.float64)
    turn, joint = wxyz[_HEAD], PARENTS[_HEAD]
    while joint >= 0:
        turn, joint = rotations.multiply(wxyz[joint], turn), PARENTS[joint]
    return np.asarray(rotations.multiply(_TO_ARKIT, turn), np.float64)


def head_place(person: Person) -> Float64:
    """Return where the head joint is in ARKit's camera axes, (3,), metres."""
    return np.asarray(person.joints[_HEAD] * (1, -1, -1), np.float64)
