import numpy as np
import pytest

from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.types import Person
from pixie_runtime.viewer.shapes import Shapes
from tests.runtime.people import make_person


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shapes(model: BodyModel, clock: Clock) -> Shapes:
    return Shapes(model, clock)


def of_shape(seed: int, track_id: int = 0) -> Person:
    return make_person(shape_seed=seed, track_id=track_id)


def test_a_shape_is_sent_once_as_long_as_it_stays(shapes: Shapes, clock: Clock) -> None:
    assert list(shapes.update([of_shape(0)])) == ["shape 0"]
    clock.now += 10
    assert shapes.update([of_shape(0)]) == {}


def test_a_shape_that_keeps_changing_is_sent_twice_a_second(
    shapes: Shapes, clock: Clock
) -> None:
    sent = 0
    for seed in range(60):
        sent += len(shapes.update([of_shape(seed)]))
        clock.now += 1 / 30
    assert sent == 4
    assert shapes.versions[0] == 4


def test_the_message_holds_the_rest_body(model: BodyModel, shapes: Shapes) -> None:
    person = of_shape(1)
    message = shapes.update([person])["shape 0"]
    vertices = np.frombuffer(message[16 + 55 * 12 :], "<f4").reshape(-1, 3)
    neutral = np.zeros(0, np.float32)
    expected = model.shaped(person.params.betas, neutral).vertices()
    np.testing.assert_array_equal(vertices, expected)


def test_newcomers_are_told_of_those_in_view_and_not_of_those_who_left(
    shapes: Shapes, clock: Clock
) -> None:
    shapes.update([of_shape(0), of_shape(1, track_id=1)])
    assert sorted(shapes.messages) == ["shape 0", "shape 1"]
    clock.now += 1
    shapes.update([of_shape(1, track_id=1)])
    assert list(shapes.messages) == ["shape 1"]
    shapes.update([])
    assert list(shapes.messages) == ["shape 1"]
    assert list(shapes.update([of_shape(0)])) == ["shape 0"]
