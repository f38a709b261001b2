"""What a teacher saw of one person, and what it said."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.types import Float32, UInt8

BODY, HEAD, LEFT, RIGHT = range(4)
"""Places of crops and features in a lesson's arrays of four."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """One look of the teacher at one person."""

    crops: UInt8
    """(4, 3, S, S) RGB: body, head, mirrored left hand, right hand, exactly as the
    teacher's networks were shown them; black where a part was not looked at."""
    present: Float32
    """(3,), 1 where head, left hand and right hand were looked at, else 0."""
    features: Float32
    """(4, D): F_b, F_f and F_h of both hands; zeros where nothing was looked at."""
    rotations: Float32
    """(55, 3, 3), after fusion: row 0 in camera axes, the others against the parent."""
    betas: Float32
    """(n_betas,) of the teacher's body model."""
    expression: Float32
    """(n_expression,)."""
    camera: Float32
    """(3,): s, tx, ty in the body's crop."""
    weights: Float32
    """(3,): the moderators' weight of the expert of head, left hand, right hand."""


@dataclass(frozen=True)
class LessonSizes:
    """How large a teacher's lessons are."""

    crop: int
    """S: side of its crops in pixels."""
    features: int
    """D: length of its features."""
    n_betas: int
    n_expression: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """A lesson as one record: its fields in their order."""
        shapes: dict[str, tuple[int, ...]] = {
            "crops": (4, 3, self.crop, self.crop),
            "present": (3,),
            "features": (4, self.features),
            "rotations": (JOINT_COUNT, 3, 3),
            "betas": (self.n_betas,),
            "expression": (self.n_expression,),
            "camera": (3,),
            "weights": (3,),
        }
        return np.dtype(
            [(n, "u1" if n == "crops" else "<f4", s) for n, s in shapes.items()]
        )

    def packed(self, lessons: list[Lesson]) -> npt.NDArray[Any]:
        """Return lessons as records, (n,)."""
        records = np.zeros(len(lessons), self.dtype)
        for record, lesson in zip(records, lessons, strict=True):
            for field in fields(Lesson):
                record[field.name] = getattr(lesson, field.name)
        return records


def unpacked(record: npt.NDArray[Any]) -> Lesson:
    """Return the lesson that a record holds."""
    return Lesson(**{field.name: record[field.name] for field in fields(Lesson)})
