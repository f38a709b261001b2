"""The smoother that knows what comes next: never late, otherwise as the live one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixie_runtime import rotations as rot
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.smoothing import HindsightSmoother, PersonSmoother
from pixie_runtime.smoothing.hindsight import LOOK_AHEAD_S
from pixie_runtime.smplx import JOINT_COUNT, JOINT_INDEX, LEFT_HAND_JOINTS
from pixie_runtime.types import (
    Camera,
    Float64,
    PartConfidence,
    Person,
    SmplxParams,
)

SURE = PartConfidence(1.0, 1.0, 1.0, 1.0)
NO_LEFT_HAND = replace(SURE, left_hand=0.0)
ELBOW, FINGER = JOINT_INDEX["left_elbow"], LEFT_HAND_JOINTS[0]
WRIST = JOINT_INDEX["left_wrist"]
Turns = dict[int, Sequence[float]]


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


def somebody(
    time_s: float,
    turns: Turns | None = None,
    *,
    x_m: float = 0.0,
    confidence: PartConfidence = SURE,
    track_id: int = 0,
) -> Person:
    """Return the mean body three metres away, with these rotation vectors."""
    rest = SmplxParams.rest(10, 10)
    rotations = rest.rotations.copy()
    for joint, rotvec in (turns or {}).items():
        rotations[joint] = rot.from_rotvec(np.asarray(rotvec, np.float64))
    transl = np.array([x_m, 0, 3], np.float32)
    return Person(
        track_id=track_id,
        frame_index=round(time_s * 1000),
        timestamp_s=time_s,
        params=replace(rest, rotations=rotations, transl=transl),
        joints=np.zeros((JOINT_COUNT, 3), np.float32),
        confidence=confidence,
        camera=Camera.with_field_of_view(640, 480, 60),
    )


def smoothed(people: Sequence[Person], model: BodyModel) -> list[Person]:
    """Return them as they come out of a stream that waits as long as it should."""
    return list(_stream(people, model))


def _stream(people: Sequence[Person], model: BodyModel) -> Iterator[Person]:
    smoother, taken = HindsightSmoother(model), 0
    for person in people:
        smoother.add(person)
        while people[taken].timestamp_s <= person.timestamp_s - LOOK_AHEAD_S:
            yield smoother.take()
            taken += 1
    for _ in people[taken:]:
        yield smoother.take()


def angles_deg(people: Sequence[Person], joint: int) -> Float64:
    """Return how far a joint is turned from its rest, (frames,)."""
    rotations = np.stack([person.params.rotations[joint] for person in people])
    return np.asarray(np.degrees(rot.angle_between(rot.identity(), rotations)))


def places_m(people: Sequence[Person]) -> Float64:
    return np.array([person.params.transl[0] for person in people], np.float64)


@settings(max_examples=10)
@given(st.lists(st.floats(0.004, 0.2), min_size=1, max_size=30), st.floats(-3, 3))
def test_a_steady_turn_and_a_steady_walk_come_out_exactly(
    steps_s: list[float], speed: float
) -> None:
    times_s = np.cumsum([0.0, *steps_s])
    axis = np.array([0.6, 0.0, 0.8])
    people = [somebody(t, {ELBOW: speed * t * axis}, x_m=speed * t) for t in times_s]
    found = smoothed(people, embedded_body_model())
    turned = rot.from_rotvec(speed * times_s[:, None] * axis)
    elbows = np.stack([person.params.rotations[ELBOW] for person in found])
    np.testing.assert_allclose(rot.angle_between(elbows, turned), 0, atol=2e-3)
    np.testing.assert_allclose(places_m(found), speed * times_s, atol=1e-5)


def test_whoever_stands_still_is_not_changed(model: BodyModel) -> None:
    people = [
        somebody(i / 30, {ELBOW: (0, 1, 0), FINGER: (0, 0, -1)}) for i in range(20)
    ]
    for before, after in zip(people, smoothed(people, model), strict=True):
        for field in ("betas", "expression", "rotations", "transl"):
            np.testing.assert_allclose(
                getattr(after.params, field), getattr(before.params, field), atol=1e-6
            )
        for field in ("track_id", "frame_index", "timestamp_s", "confidence"):
            assert getattr(after, field) == getattr(before, field)


@pytest.mark.parametrize("fps", [30, 60])
def test_a_waving_arm_is_on_time_and_calmer_than_live(
    fps: int, model: BodyModel
) -> None:
    times_s = np.arange(3 * fps) / fps
    truth = 60 + 30 * np.sin(2 * np.pi * times_s)
    noise = np.random.default_rng(0).normal(0, 2, len(times_s))
    people = [
        somebody(t, {ELBOW: (0, np.radians(degrees), 0)})
        for t, degrees in zip(times_s, truth + noise, strict=True)
    ]
    live = PersonSmoother()
    late = angles_deg([live.smooth(person, model) for person in people], ELBOW)
    found = angles_deg(smoothed(people, model), ELBOW)
    core = slice(fps // 3, -fps // 3)
    assert np.abs(found - truth)[core].mean() < 0.5 * np.abs(late - truth)[core].mean()
    assert np.abs(np.diff(found, 2)).mean() < 0.7 * np.abs(np.diff(late, 2)).mean()


def test_a_cut_is_taken_at_its_own_frame_and_smeared_neither_way(
    model: BodyModel,
) -> None:
    people = [somebody(i / 30, {0: (0, 3.0 * (i >= 12), 0)}) for i in range(30)]
    expected = [0.0] * 12 + [np.degrees(3.0)] * 18
    np.testing.assert_allclose(
        angles_deg(smoothed(people, model), 0), expected, atol=0.05
    )


@pytest.mark.parametrize("frames", [1, 4])
@pytest.mark.parametrize("turn", [0.9, 3.0])
def test_a_body_that_leaps_and_is_soon_back_never_leapt(
    frames: int, turn: float, model: BodyModel
) -> None:
    wrong = range(12, 12 + frames)
    people = [
        somebody(i / 30, {0: (0, turn, 0), ELBOW: (0, 1, 0)} if i in wrong else {})
        for i in range(30)
    ]
    found = smoothed(people, model)
    np.testing.assert_allclose(angles_deg(found, 0), 0, atol=0.05)
    np.testing.assert_allclose(angles_deg(found, ELBOW), 0, atol=0.05)


def test_after_a_gap_and_with_another_person_all_starts_afresh(
    model: BodyModel,
) -> None:
    early = [somebody(i / 30) for i in range(10)]
    late = [somebody(1 + i / 30, {ELBOW: (0, 1, 0)}, x_m=0.5) for i in range(10)]
    other = [somebody(1.34 + i / 30, x_m=-0.2, track_id=1) for i in range(10)]
    found = smoothed([*early, *late, *other], model)
    assert [person.track_id for person in found] == [0] * 20 + [1] * 10
    places = [0.0] * 10 + [0.5] * 10 + [-0.2] * 10
    np.testing.assert_allclose(places_m(found), places, atol=1e-5)


def test_an_unseen_hand_is_held_and_relaxes_as_live(model: BodyModel) -> None:
    fist: Turns = dict.fromkeys(LEFT_HAND_JOINTS, (0.0, 0.0, -1.2))
    people = [somebody(i / 30, fist) for i in range(10)]
    people += [somebody(i / 30, confidence=NO_LEFT_HAND) for i in range(10, 100)]
    live = PersonSmoother()
    expected = angles_deg([live.smooth(person, model) for person in people], FINGER)
    found = angles_deg(smoothed(people, model), FINGER)
    np.testing.assert_allclose(found, expected, atol=1.0)
    # The parabola rounds the moment at which fingers begin to relax.
    assert np.diff(found).max() < 0.3


def test_a_hand_lost_for_a_moment_goes_straight_to_where_it_is_found(
    model: BodyModel,
) -> None:
    def waving(i: int) -> Person:
        lost = i in (14, 15, 16)
        angle = 5.0 if lost else -0.03 * i
        return somebody(
            i / 30,
            {FINGER: (0, 0, angle)},
            confidence=NO_LEFT_HAND if lost else SURE,
        )

    found = angles_deg(smoothed([waving(i) for i in range(30)], model), FINGER)
    # Frames that go before it is found again have seen it stand still for a moment.
    np.testing.assert_allclose(found, np.degrees(0.03 * np.arange(30)), atol=0.3)


def test_a_hand_that_comes_back_glides_and_does_not_jump(model: BodyModel) -> None:
    fist: Turns = dict.fromkeys(LEFT_HAND_JOINTS, (0.0, 0.0, -1.2))
    people = [somebody(i / 60, confidence=NO_LEFT_HAND) for i in range(60)]
    people += [somebody(i / 60, fist) for i in range(60, 120)]
    bends = angles_deg(smoothed(people, model), FINGER)
    assert np.abs(np.diff(bends)).max() < 15
    assert bends[-1] == pytest.approx(np.degrees(1.2), abs=0.1)


def test_doubtful_hands_are_followed_no_faster_than_live(model: BodyModel) -> None:
    doubtful = replace(SURE, left_hand=0.13)
    people = [
        somebody(i / 30, {FINGER: (0, 0, -1.0 * (i >= 15))}, confidence=doubtful)
        for i in range(60)
    ]
    found = angles_deg(smoothed(people, model), FINGER)
    live = PersonSmoother()
    late = angles_deg([live.smooth(person, model) for person in people], FINGER)
    assert found[20] < np.degrees(0.5)
    assert np.abs(found - late).max() < 10


def test_what_is_not_finite_does_not_get_in(model: BodyModel) -> None:
    people = [somebody(i / 30) for i in range(20)]
    people[8].params.rotations[ELBOW] = np.nan
    people[9].params.transl[:] = np.inf
    people[10].params.rotations[0] = np.nan
    for person in smoothed(people, model):
        assert np.isfinite(person.joints).all()
        np.testing.assert_allclose(person.params.transl, (0, 0, 3), atol=1e-5)


def test_inputs_are_not_changed(model: BodyModel) -> None:
    people = [somebody(i / 30, {ELBOW: (0, i, 0)}, x_m=i / 9) for i in range(12)]
    before = [person.params.rotations.copy() for person in people]
    smoothed(people, model)
    for person, rotations in zip(people, before, strict=True):
        np.testing.assert_array_equal(person.params.rotations, rotations)
