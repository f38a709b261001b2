from dataclasses import replace

import numpy as np
import pytest

from pixie_runtime.body import embedded_body_model
from pixie_runtime.face import FaceMap
from pixie_runtime.sinks.faces import Faces
from pixie_runtime.types import Float32, Person
from tests.runtime.people import make_person


def test_each_face_is_worked_out_once_however_many_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    weights = FaceMap.weights

    def counted(face_map: FaceMap, person: Person) -> Float32:
        asked.append(person)
        return weights(face_map, person)

    monkeypatch.setattr(FaceMap, "weights", counted)
    face_map = FaceMap.of(embedded_body_model(), 43)
    faces = Faces(face_map)
    people = [make_person(n, track_id=n % 2, frame_index=n // 2) for n in range(4)]
    for person in (people[0], people[1], people[0], people[1], people[2], people[3]):
        np.testing.assert_array_equal(faces(person), weights(face_map, person))
    assert asked == people
    # The same person and frame, smoothed otherwise, is another face.
    other = replace(people[3], params=people[0].params)
    np.testing.assert_array_equal(faces(other), faces(people[0]))


def test_no_output_can_change_what_the_next_one_gets() -> None:
    faces = Faces(FaceMap.of(embedded_body_model(), 43))
    with pytest.raises(ValueError, match="read-only"):
        faces(make_person(0))[0] = 1.0
