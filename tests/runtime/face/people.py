"""People whose faces are known."""

from dataclasses import replace

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.smplx import JAW, JOINT_COUNT, JOINT_INDEX, LEFT_EYE, RIGHT_EYE
from pixie_runtime.types import Float32, PartConfidence, Person
from tests.runtime.people import make_person

Rotvec = tuple[float, float, float]


def facing_the_camera(
    *, track_id: int = 0, frame_index: int = 0, face: float = 0.9
) -> Person:
    """Return a person who stands upright and looks into the camera, face at rest."""
    person = make_person(0, track_id=track_id, frame_index=frame_index)
    turns = rotations.identity(JOINT_COUNT)
    turns[0] = 0, 1, 0, 0
    still = np.zeros_like(person.params.expression)
    params = replace(person.params, rotations=turns, expression=still)
    return replace(
        person, params=params, confidence=PartConfidence(0.9, 0.0, 0.0, face)
    )


def turned(person: Person, **rotvecs: Rotvec) -> Person:
    """Return the person with these joints turned further, radians in their own axes."""
    turns = person.params.rotations.copy()
    for name, rotvec in rotvecs.items():
        joint = JOINT_INDEX[name]
        by = rotations.from_rotvec(np.array(rotvec, np.float32))
        turns[joint] = rotations.multiply(turns[joint], by)
    return replace(person, params=replace(person.params, rotations=turns))


def with_face(expression: Float32, **rotvecs: Rotvec) -> Person:
    """Return a person in some pose with this expression, and jaw and eyes turned."""
    person = make_person(0)
    turns = person.params.rotations.copy()
    turns[[JAW, LEFT_EYE, RIGHT_EYE]] = rotations.identity()
    params = replace(person.params, expression=expression, rotations=turns)
    return turned(replace(person, params=params), **rotvecs)
