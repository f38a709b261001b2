"""A body that is not looked at moves on as it did."""

from dataclasses import replace

import numpy as np
import pytest

from pixie_runtime.landmarks.motion import MovingBody
from pixie_runtime.landmarks.orientation import swapped
from pixie_runtime.types import Float32
from tests.runtime.landmarks.bodies import body_at

STEP = np.array([30, -12, 0], np.float32)


def moved_by(steps: float) -> Float32:
    return body_at(0.0).image + STEP * np.float32(steps)


@pytest.mark.parametrize("ahead_s", [0.0, 0.05, 0.2])
def test_a_body_in_even_motion_is_where_it_will_be(ahead_s: float) -> None:
    body = MovingBody()
    for index, time_s in enumerate((1.0, 1.1)):
        body.seen(replace(body_at(0.0), image=moved_by(index)), time_s)
    found = body.at(1.1 + ahead_s)
    assert found is not None
    np.testing.assert_allclose(found.image, moved_by(1 + ahead_s / 0.1), atol=1e-3)
    np.testing.assert_array_equal(found.world, body_at(0.0).world)


def test_sides_that_are_exchanged_between_two_looks_are_no_motion() -> None:
    body = MovingBody()
    body.seen(body_at(0.0), 1.0)
    body.swap_sides()
    other = swapped(body_at(0.0))
    body.seen(replace(other, image=other.image + STEP), 1.1)
    found = body.at(1.15)
    assert found is not None
    np.testing.assert_allclose(found.image, other.image + 1.5 * STEP, atol=1e-3)


def test_a_body_seen_once_stays_and_is_not_believed_for_ever() -> None:
    body = MovingBody()
    assert body.at(0.0) is None
    body.seen(body_at(0.0), 5.0)
    found = body.at(5.1)
    assert found is not None
    np.testing.assert_array_equal(found.image, body_at(0.0).image)
    assert body.at(5.6) is None
    assert body.at(4.9) is None
    body.reset()
    assert body.at(5.1) is None
