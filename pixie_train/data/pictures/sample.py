"""One picture of one person, and the whole truth about both, as numpy arrays.

Pixels are counted from the picture's edges, pixel centres at integers plus a half.
Camera axes: x right, y down, z away from us; metres.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.types import Float32, UInt8
from pixie_train.key_points import (
    FACE_POINTS,
    KEY_POINT_COUNT,
    LEFT_HAND_POINTS,
    RIGHT_HAND_POINTS,
)

Bools = npt.NDArray[np.bool_]

PART_POINTS = (FACE_POINTS, LEFT_HAND_POINTS, RIGHT_HAND_POINTS)
"""The key points of head, left hand and right hand."""
HEAD, LEFT, RIGHT = range(3)
"""Places of the parts, as in `Pictures.part_boxes`."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture of a person."""

    picture: UInt8
    """(S, S, 3), RGB."""
    skin: Bools
    """Where the skin of the face is, (S, S)."""
    pixels: Float32
    """Key points in the picture, (145, 2)."""
    seen: Bools
    """Whether nothing hides them and they are inside the picture, (145,)."""
    xyz: Float32
    """Key points from the camera, (145, 3)."""
    rotations: Float32
    """(55, 3, 3): row 0 in camera axes, the others relative to the parent."""
    absolute: Float32
    """Head, left wrist, right wrist in camera axes, (3, 3, 3)."""
    betas: Float32
    """(n_betas,) of the body model."""
    expression: Float32
    """(n_expression,)."""
    covered: Float32
    """How much of head, left hand, right hand is hidden, (3,), 0 to 1: by things, by
    the person, or by the picture's edge."""
    gender: int
    """`gender.Gender`."""
    identity: int
    """Number of the person."""
    mirrored: bool = False
    """Whether left and right are exchanged, so that betas are not the model's."""

    def __post_init__(self) -> None:
        """Refuse shapes that do not fit together."""
        side = self.picture.shape[0]
        expected: dict[str, tuple[int, ...]] = {
            "picture": (side, side, 3),
            "skin": (side, side),
            "pixels": (KEY_POINT_COUNT, 2),
            "seen": (KEY_POINT_COUNT,),
            "xyz": (KEY_POINT_COUNT, 3),
            "rotations": (JOINT_COUNT, 3, 3),
            "absolute": (3, 3, 3),
            "covered": (3,),
        }
        for name, shape in expected.items():
            found = getattr(self, name).shape
            if found != shape:
                raise ValueError(f"{name} has shape {found}, expected {shape}")

    @property
    def size(self) -> int:
        """Side of the picture in pixels."""
        return len(self.picture)
