"""Hands on their arms: what the smoother believes of wrists."""

from dataclasses import replace

import numpy as np
import pytest

from pixie_runtime import rotations as rot
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.smoothing import PersonSmoother, SmoothingSettings
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.types import Float32, Float64, PartConfidence, Person
from tests.runtime.people import make_person

FPS = 30.0
FOREARM = np.array([1.0, 0.0, 0.0])
WRISTS = {
    "left_hand": JOINT_INDEX["left_wrist"],
    "right_hand": JOINT_INDEX["right_wrist"],
}
SEEN = PartConfidence(1.0, 1.0, 1.0, 1.0)

pytestmark = pytest.mark.parametrize("hand", sorted(WRISTS))


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


def turned(degrees: float) -> Float32:
    rotation = rot.from_rotvec(np.radians(degrees) * FOREARM)
    return np.asarray(rotation, np.float32)


def person(hand: str, frame: int, degrees: float, *, seen: bool = True) -> Person:
    """Return the same person, whose wrist is said to be turned by so much."""
    base = make_person(frame_index=frame, timestamp_s=frame / FPS, n_expression=0)
    wxyz = base.params.rotations.copy()
    wxyz[WRISTS[hand]] = turned(degrees)
    confidence = SEEN if seen else replace(SEEN, **{hand: 0.0})
    params = replace(base.params, rotations=wxyz)
    return replace(base, params=params, confidence=confidence)


def smoothed(hand: str, model: BodyModel, people: list[Person]) -> Float64:
    """Return by how many degrees about the forearm the wrist is turned, (frames,)."""
    smoother = PersonSmoother()
    rows = [
        smoother.smooth(someone, model).params.rotations[WRISTS[hand]]
        for someone in people
    ]
    about_forearm = rot.to_rotvec(np.stack(rows)) @ FOREARM
    return np.asarray(np.degrees(about_forearm), np.float64)


def test_a_hand_found_in_every_second_frame_stays_as_it_was_found(
    hand: str, model: BodyModel
) -> None:
    people = [
        person(hand, frame, 20.0 if frame % 2 == 0 else -100.0, seen=frame % 2 == 0)
        for frame in range(40)
    ]
    np.testing.assert_allclose(smoothed(hand, model, people), 20.0, atol=0.1)


def test_a_palm_taken_for_its_back_for_a_frame_changes_nothing(
    hand: str, model: BodyModel
) -> None:
    people = [person(hand, f, -80.0 if f == 20 else 60.0) for f in range(40)]
    np.testing.assert_allclose(smoothed(hand, model, people), 60.0, atol=0.1)


def test_a_hand_that_really_turned_over_is_followed(
    hand: str, model: BodyModel
) -> None:
    people = [person(hand, f, 60.0 if f < 20 else -80.0) for f in range(60)]
    angles = smoothed(hand, model, people)
    settled = 20 + round((SmoothingSettings().wrist_doubt_s + 0.7) * FPS)
    np.testing.assert_allclose(angles[settled:], -80.0, atol=3.0)


def test_a_hand_turned_as_fast_as_people_can_is_not_doubted(
    hand: str, model: BodyModel
) -> None:
    said = np.clip(np.arange(30) * 600 / FPS - 60, -60, 90)
    people = [person(hand, f, degrees) for f, degrees in enumerate(said.tolist())]
    behind = said - smoothed(hand, model, people)
    assert np.abs(behind).max() < 30
    assert abs(behind[-1]) < 1


def test_no_wrist_is_turned_further_than_wrists_turn(
    hand: str, model: BodyModel
) -> None:
    said = np.linspace(0, 178, 60)
    people = [person(hand, f, degrees) for f, degrees in enumerate(said.tolist())]
    angles = smoothed(hand, model, people)
    limit = SmoothingSettings().wrist_limit_deg
    assert angles.max() <= limit
    assert angles.max() > limit - 10


def test_a_wrist_whose_hand_is_lost_is_held_and_then_goes_slowly_to_the_guess(
    hand: str, model: BodyModel
) -> None:
    people = [
        person(hand, f, 70.0 if f < 20 else -50.0, seen=f < 20) for f in range(150)
    ]
    angles = smoothed(hand, model, people)
    held = 19 + int(SmoothingSettings().hold_s * FPS)
    np.testing.assert_allclose(angles[:held], 70.0, atol=0.1)
    assert np.abs(np.diff(angles)).max() < 12
    assert abs(angles[-1] + 50.0) < 3


def test_a_hand_that_comes_back_does_not_leap_from_the_guess(
    hand: str, model: BodyModel
) -> None:
    people = [person(hand, f, 70.0, seen=False) for f in range(30)]
    people += [person(hand, f, -20.0) for f in range(30, 90)]
    angles = smoothed(hand, model, people)
    assert np.abs(np.diff(angles)).max() < 40
    np.testing.assert_allclose(angles[-20:], -20.0, atol=2.0)


def test_a_person_whose_hands_were_never_seen_has_the_guess(
    hand: str, model: BodyModel
) -> None:
    people = [person(hand, f, 35.0, seen=False) for f in range(10)]
    np.testing.assert_allclose(smoothed(hand, model, people), 35.0, atol=0.1)
