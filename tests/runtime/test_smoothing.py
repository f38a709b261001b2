import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixie_runtime import rotations as rot
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.errors import UsageError
from pixie_runtime.smoothing import (
    OneEuroSettings,
    PersonSmoother,
    Quickness,
    SmoothingSettings,
)
from pixie_runtime.smoothing.one_euro import OneEuroNumbers, OneEuroRotations
from pixie_runtime.smplx import (
    JOINT_COUNT,
    JOINT_INDEX,
    LEFT_HAND_JOINTS,
    RIGHT_HAND_JOINTS,
)
from pixie_runtime.types import (
    Camera,
    Float64,
    PartConfidence,
    Person,
    SmplxParams,
)

BODY = SmoothingSettings().body
SPEED_HZ = SmoothingSettings().speed_cutoff_hz
SURE = PartConfidence(1.0, 1.0, 1.0, 1.0)
ELBOW, WRIST = JOINT_INDEX["left_elbow"], JOINT_INDEX["left_wrist"]
HEAD, KNEE = JOINT_INDEX["head"], JOINT_INDEX["left_knee"]
SHOULDER = JOINT_INDEX["left_shoulder"]
INDEX_FINGER = JOINT_INDEX["left_index1"]

angles = st.floats(-3.0, 3.0)
rotation_vectors = st.tuples(angles, angles, angles)


def turn(rotvec: Sequence[float] | Float64) -> Float64:
    return np.asarray(rot.from_rotvec(np.asarray(rotvec, np.float64)), np.float64)


def filtered(q: Float64, fps: float, settings: OneEuroSettings = BODY) -> Float64:
    """Filter rotations (frames, n, 4) at a steady rate."""
    n = q.shape[1]
    smooth = OneEuroRotations([settings] * n, SPEED_HZ)
    smooth.restart(q[0], np.ones(n, bool))
    return np.stack([q[0], *(smooth.step(x, 1 / fps, np.ones(n)) for x in q[1:])])


def swing(times_s: Float64, amplitude_rad: float = 0.7) -> Float64:
    """An arm that waves about once a second, in and out of rest: (frames, 1, 4)."""
    angle = amplitude_rad * np.sin(2 * np.pi * times_s) * np.sin(1.3 * times_s)
    axis = np.array([0.6, 0.0, 0.8])
    return np.asarray(rot.from_rotvec(angle[:, None, None] * axis), np.float64)


def noisy(q: Float64, degrees: float, seed: int = 0) -> Float64:
    noise = np.random.default_rng(seed).normal(0, np.radians(degrees), q.shape)
    return np.asarray(rot.multiply(q, rot.from_rotvec(noise[..., 1:])), np.float64)


def lag_ms(late: Float64, truth: Float64, fps: float) -> float:
    """By how much `late` (frames,) trails, from the peak of the cross-correlation."""
    late, truth = late - late.mean(), truth - truth.mean()
    shifts = range(-10, 30)
    core = slice(30, len(truth) - 30)
    score = [
        float(np.dot(np.roll(late, -shift)[core], truth[core])) for shift in shifts
    ]
    best = int(np.argmax(score))
    before, peak, after = score[best - 1 : best + 2]
    fraction = 0.5 * (before - after) / (before - 2 * peak + after)
    return (shifts[best] + fraction) / fps * 1000


# --- laws of the filter on rotations


@given(rotation_vectors, st.lists(st.floats(1e-3, 0.4), min_size=1, max_size=20))
def test_what_rests_stays_as_it_is(at: list[float], steps_s: list[float]) -> None:
    q = turn(at)[None]
    smooth = OneEuroRotations([BODY], SPEED_HZ)
    smooth.restart(q, np.ones(1, bool))
    for dt_s in steps_s:
        value = smooth.step(q, dt_s, np.ones(1))
        assert float(rot.angle_between(value, q)[0]) < 1e-7


@given(rotation_vectors, rotation_vectors)
def test_filtering_commutes_with_turning_the_world_and_the_joint(
    world: list[float], joint: list[float]
) -> None:
    q = noisy(swing(np.arange(20) / 30), 2.0)
    g, h = turn(world), turn(joint)
    turned = rot.multiply(rot.multiply(g, filtered(q, 30)), h)
    found = filtered(np.asarray(rot.multiply(rot.multiply(g, q), h), np.float64), 30)
    np.testing.assert_allclose(rot.angle_between(found, turned), 0, atol=1e-6)


def test_the_signs_of_quaternions_do_not_matter_and_do_not_flip() -> None:
    q = noisy(swing(np.arange(90) / 30), 2.0)
    signs = np.random.default_rng(1).choice([-1.0, 1.0], (90, 1, 1))
    signs[0] = 1
    found = filtered(q * signs, 30)
    np.testing.assert_allclose(found, filtered(q, 30), atol=1e-12)
    assert (np.einsum("tnc,tnc->tn", found[1:], found[:-1]) > 0.9).all()


@pytest.mark.parametrize(("fps", "left"), [(30, 0.65), (60, 0.5), (120, 0.4)])
def test_noise_at_rest_is_reduced(fps: int, left: float) -> None:
    rest = np.broadcast_to(turn([0.3, -1.0, 2.0]), (600, 20, 4))
    noise = noisy(rest, 2.0)
    before = rot.angle_between(noise, rest)[60:]
    after = rot.angle_between(filtered(noise, fps), rest)[60:]
    assert np.sqrt(np.mean(after**2)) < left * np.sqrt(np.mean(before**2))


@pytest.mark.parametrize("fps", [30, 60, 120])
@pytest.mark.parametrize("speed", [1.0, 3.0, 8.0])
def test_a_steady_turn_lags_less_than_its_cut_off_promises(
    fps: int, speed: float
) -> None:
    angle = speed * np.arange(3 * fps) / fps
    q = turn(angle[:, None, None] * np.array([0.0, 0.0, 1.0]))
    behind_rad = float(rot.angle_between(filtered(q, fps)[-1], q[-1])[0])
    promised_s = 1 / (2 * np.pi * (BODY.cutoff_hz + BODY.gain * speed))
    assert behind_rad / speed < promised_s
    assert promised_s < 0.05


@pytest.mark.parametrize(("fps", "left"), [(30, 0.6), (60, 0.4)])
def test_a_waving_arm_is_calmer_and_hardly_late(fps: int, left: float) -> None:
    truth = swing(np.arange(20 * fps) / fps)
    measured = noisy(truth, 2.0)
    found = filtered(measured, fps)

    def bend(q: Float64) -> Float64:
        return np.asarray(rot.to_rotvec(q)[:, 0, 2])

    def shaking(q: Float64) -> float:
        return float(np.abs(np.diff(bend(q) - bend(truth), n=2)).mean())

    assert lag_ms(bend(found), bend(truth), fps) < 30
    assert shaking(found) < left * shaking(measured)


def test_the_filter_is_the_same_in_time_at_half_the_frame_rate() -> None:
    times_s = np.arange(1200) / 120
    q = swing(times_s)
    fine, coarse = filtered(q, 120)[::2], filtered(q[::2], 60)
    # The swing spans 80 degrees; sampling alone costs half a frame of it.
    assert np.degrees(rot.angle_between(fine, coarse)).max() < 2.0


def test_uneven_frames_give_the_same_curve_as_even_ones() -> None:
    rng = np.random.default_rng(0)
    keep = np.sort(rng.choice(1200, 700, replace=False))
    times_s = np.arange(1200) / 120
    fine = filtered(swing(times_s), 120)
    smooth = OneEuroRotations([BODY], SPEED_HZ)
    smooth.restart(swing(times_s[keep[:1]])[0], np.ones(1, bool))
    for before, now in pairwise(keep):
        dt_s = float(times_s[now] - times_s[before])
        value = smooth.step(swing(times_s[now : now + 1])[0], dt_s, np.ones(1))
        if now > 120:
            assert np.degrees(rot.angle_between(value, fine[now])[0]) < 4.0


def test_numbers_are_filtered_each_by_its_own_speed() -> None:
    smooth = OneEuroNumbers([OneEuroSettings(1.0, 1.0)] * 2, SPEED_HZ)
    smooth.restart(np.zeros(2), np.ones(2, bool))
    alone = OneEuroNumbers([OneEuroSettings(1.0, 1.0)], SPEED_HZ)
    alone.restart(np.zeros(1), np.ones(1, bool))
    rng = np.random.default_rng(0)
    for _ in range(50):
        slow, fast = rng.normal(0, 0.01), rng.normal(0, 5)
        both = smooth.step(np.array([slow, fast]), 1 / 30, np.ones(2))
        one = alone.step(np.array([slow]), 1 / 30, np.ones(1))
        assert both[0] == pytest.approx(one[0])


def test_all_joints_take_a_fraction_of_a_millisecond() -> None:
    rng = np.random.default_rng(0)
    q = turn(rng.normal(size=(JOINT_COUNT, 3)))
    smooth = OneEuroRotations([BODY] * JOINT_COUNT, SPEED_HZ)
    smooth.restart(q, np.ones(JOINT_COUNT, bool))
    fastest_s = 1.0
    for _ in range(200):
        start_s = time.perf_counter()
        smooth.step(q, 1 / 30, np.ones(JOINT_COUNT))
        fastest_s = min(fastest_s, time.perf_counter() - start_s)
    assert fastest_s < 0.3e-3  # 0.1 ms on an idle core of 2020


# --- people


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


Make = Callable[..., Person]


@pytest.fixture(scope="module")
def make(model: BodyModel) -> Make:
    """Build a person at rest, with the given parameters instead."""

    def person(
        time_s: float,
        *,
        rotvecs: dict[int, Sequence[float]] | None = None,
        transl: Sequence[float] = (0, 0, 3),
        betas: Float64 | None = None,
        expression: Float64 | None = None,
        confidence: PartConfidence = SURE,
        sure_joints: Sequence[int] | None = None,
        track_id: int = 0,
    ) -> Person:
        rest = SmplxParams.rest(model.n_betas, model.n_expression)
        rotations = rest.rotations.copy()
        for joint, rotvec in (rotvecs or {}).items():
            rotations[joint] = turn(rotvec)
        params = SmplxParams(
            rest.betas if betas is None else betas.astype(np.float32),
            rest.expression if expression is None else expression.astype(np.float32),
            rotations,
            np.asarray(transl, np.float32),
        )
        body = model.shaped(np.nan_to_num(params.betas), rest.expression)
        by_itself = np.zeros(JOINT_COUNT, np.float32)
        by_itself[list(sure_joints or ())] = 1.0
        return Person(
            track_id=track_id,
            frame_index=round(time_s * 30),
            timestamp_s=time_s,
            params=params,
            joints=body.posed(rotations, params.transl).joints,
            confidence=confidence,
            camera=Camera.with_field_of_view(640, 480, 60),
            joint_confidence=None if sure_joints is None else by_itself,
        )

    return person


def bend_of(person: Person, joint: int) -> float:
    """Degrees between the joint and its rest."""
    q = person.params.rotations[joint]
    return float(np.degrees(rot.angle_between(rot.identity(), q)))


def without(part: str) -> PartConfidence:
    return replace(SURE, **{part: 0.0})


def test_a_person_who_stands_still_is_not_changed(make: Make, model: BodyModel) -> None:
    smoother = PersonSmoother()
    for index in range(20):
        person = make(index / 30, rotvecs={ELBOW: (0, 1, 0), INDEX_FINGER: (0, 0, -1)})
        found = smoother.smooth(person, model)
        for field in ("betas", "expression", "rotations", "transl"):
            np.testing.assert_allclose(
                getattr(found.params, field), getattr(person.params, field), atol=1e-6
            )
        np.testing.assert_allclose(found.joints, person.joints, atol=1e-5)


def test_joints_are_those_of_the_smoothed_parameters(
    make: Make, model: BodyModel
) -> None:
    smoother = PersonSmoother()
    rng = np.random.default_rng(0)
    for index in range(5):
        betas = rng.normal(size=model.n_betas)
        bends = {j: rng.normal(size=3) * 0.2 for j in range(JOINT_COUNT)}
        person = make(index / 30, betas=betas, rotvecs=bends)
        found = smoother.smooth(person, model)
        body = model.shaped(found.params.betas, found.params.expression)
        posed = body.posed(found.params.rotations, found.params.transl)
        np.testing.assert_allclose(found.joints, posed.joints, atol=1e-6)


def test_everything_else_about_the_person_is_kept(make: Make, model: BodyModel) -> None:
    person = make(0.5, track_id=3)
    found = PersonSmoother().smooth(person, model)
    for field in ("track_id", "frame_index", "timestamp_s", "confidence", "times"):
        assert getattr(found, field) == getattr(person, field)


def test_inputs_are_not_changed(make: Make, model: BodyModel) -> None:
    smoother = PersonSmoother()
    smoother.smooth(make(0), model)
    person = make(1 / 30, rotvecs={ELBOW: (0, 1, 0)})
    person.params.rotations[3] = np.nan
    before = person.params.rotations.copy()
    smoother.smooth(person, model)
    np.testing.assert_array_equal(person.params.rotations, before)


def test_switched_off_people_pass_untouched(make: Make, model: BodyModel) -> None:
    smoother = PersonSmoother(SmoothingSettings(enabled=False))
    people = [make(i / 30, transl=(i, 0, 3)) for i in range(3)]
    assert [smoother.smooth(p, model) for p in people] == people


def test_a_walk_is_calmer_and_hardly_late(make: Make, model: BodyModel) -> None:
    smoother = PersonSmoother()
    rng = np.random.default_rng(0)
    times_s = np.arange(300) / 30
    truth = np.sin(times_s * 1.5)
    measured = truth + rng.normal(0, 0.01, 300)
    found = np.array(
        [
            smoother.smooth(make(t, transl=(x, 0, 3)), model).params.transl[0]
            for t, x in zip(times_s, measured, strict=True)
        ]
    )

    def shaking(x: Float64) -> float:
        return float(np.abs(np.diff(x - truth, n=2)).mean())

    assert shaking(found) < 0.6 * shaking(measured)
    assert lag_ms(found, truth, 30) < 60


# --- where filtering starts afresh


def test_after_a_gap_the_new_pose_is_taken_at_once(
    make: Make, model: BodyModel
) -> None:
    smoother = PersonSmoother()
    smoother.smooth(make(0), model)
    late = smoother.smooth(make(0.6, rotvecs={ELBOW: (0, 1, 0)}), model)
    assert bend_of(late, ELBOW) == pytest.approx(np.degrees(1), abs=0.01)


def test_a_flip_of_the_body_is_believed_when_it_lasts_and_is_not_smeared(
    make: Make, model: BodyModel
) -> None:
    smoother = PersonSmoother()
    for index in range(10):
        smoother.smooth(make(index / 30), model)
    bends = [
        bend_of(smoother.smooth(make(i / 30, rotvecs={0: (0, 3, 0)}), model), 0)
        for i in range(10, 14)
    ]
    assert bends[:2] == pytest.approx([0, 0], abs=0.01)
    assert bends[2:] == pytest.approx([np.degrees(3)] * 2, abs=0.01)


def test_a_body_thrown_round_for_one_frame_does_not_move(
    make: Make, model: BodyModel
) -> None:
    smoother = PersonSmoother()
    for index in range(30):
        thrown = index % 7 == 6
        wrong = {0: (0.0, 0.8, 0.0), ELBOW: (0.0, 1.0, 0.0)} if thrown else {}
        person = smoother.smooth(make(index / 30, rotvecs=wrong), model)
        assert bend_of(person, 0) < 0.01
        assert bend_of(person, ELBOW) < 0.01


def test_a_fast_dancer_is_not_doubted(make: Make, model: BodyModel) -> None:
    smoother = PersonSmoother(SmoothingSettings())
    speed = np.radians(540)
    for index in range(60):
        angle = (index / 60 * speed + np.pi) % (2 * np.pi) - np.pi
        person = smoother.smooth(make(index / 60, rotvecs={0: (0, angle, 0)}), model)
        lag = np.degrees(
            rot.angle_between(
                person.params.rotations[0], rot.from_rotvec(np.array([0, angle, 0]))
            )
        )
        assert lag < 35


def test_a_leap_of_the_body_is_not_smeared(make: Make, model: BodyModel) -> None:
    smoother = PersonSmoother()
    for index in range(10):
        smoother.smooth(make(index / 30), model)
    leapt = smoother.smooth(make(10 / 30, transl=(1.5, 0, 3)), model)
    assert leapt.params.transl[0] == pytest.approx(1.5, abs=1e-4)


def test_a_fast_turn_is_smoothed_and_no_flip(make: Make, model: BodyModel) -> None:
    smoother = PersonSmoother()
    smoother.smooth(make(0), model)
    turned = smoother.smooth(make(1 / 30, rotvecs={0: (0, 0.5, 0)}), model)
    assert 0 < bend_of(turned, 0) < np.degrees(0.5) - 1


def test_time_that_runs_back_starts_afresh(make: Make, model: BodyModel) -> None:
    smoother = PersonSmoother()
    smoother.smooth(make(5.0), model)
    again = smoother.smooth(make(0.0, rotvecs={ELBOW: (0, 1, 0)}), model)
    assert bend_of(again, ELBOW) == pytest.approx(np.degrees(1), abs=0.01)


def test_another_track_is_another_person(make: Make, model: BodyModel) -> None:
    smoother = PersonSmoother()
    tall, short = np.zeros(model.n_betas), np.zeros(model.n_betas)
    tall[0], short[0] = 2, -2
    smoother.smooth(make(0, betas=tall), model)
    other = smoother.smooth(make(1 / 30, betas=short, track_id=1), model)
    assert other.params.betas[0] == pytest.approx(-2)


def test_who_comes_after_a_long_absence_has_a_shape_of_their_own(
    make: Make, model: BodyModel
) -> None:
    smoother = PersonSmoother(SmoothingSettings(shape_frames=5))
    tall, short = np.zeros(model.n_betas), np.zeros(model.n_betas)
    tall[0], short[0] = 2, -2
    for index in range(10):
        smoother.smooth(make(index / 30, betas=tall), model)
    soon = smoother.smooth(make(9, betas=short), model)
    assert soon.params.betas[0] == pytest.approx(2)
    later = smoother.smooth(make(20, betas=short), model)
    assert later.params.betas[0] == pytest.approx(-2)


# --- what is not seen


def test_whose_legs_are_hidden_is_followed_above_them_as_closely_as_anybody(
    make: Make, model: BodyModel
) -> None:
    seated = {"confidence": replace(SURE, body=0.2), "sure_joints": [0, HEAD, ELBOW]}
    found = []
    for how in ({}, seated):
        smoother = PersonSmoother()
        for index, turned in enumerate(np.linspace(0, 0.5, 20)):
            rotvecs = dict.fromkeys((0, HEAD, ELBOW), (0.0, turned, 0.0))
            moved = make(index / 30, rotvecs=rotvecs, transl=(turned, 0, 3), **how)
            person = smoother.smooth(moved, model)
        found.append(person)
    sure, at_a_desk = found
    for joint in (0, HEAD, ELBOW):
        assert bend_of(at_a_desk, joint) == pytest.approx(bend_of(sure, joint))
    assert at_a_desk.params.transl == pytest.approx(sure.params.transl, abs=1e-6)


def test_limbs_that_leave_the_picture_are_held_and_then_hang(
    make: Make, model: BodyModel
) -> None:
    smoother = PersonSmoother()
    raised = {KNEE: (1.0, 0, 0), SHOULDER: (0, 0, 1.0)}
    whole = [0, HEAD, SHOULDER, KNEE]
    smoother.smooth(make(0, rotvecs=raised, sure_joints=whole), model)
    joints = {}
    for index in range(1, 200):
        wild = {KNEE: (-1.0, index, 0), SHOULDER: (index, 0, -1.0)}
        cut = make(index / 30, rotvecs=wild, sure_joints=[0, HEAD])
        found = smoother.smooth(cut, model)
        joints[index] = found.joints
        if index == 5:
            assert bend_of(found, KNEE) == pytest.approx(np.degrees(1), abs=0.1)
    assert bend_of(found, KNEE) < 1
    names = ("wrist", "shoulder", "hip")
    wrist, shoulder, hip = (found.joints[JOINT_INDEX[f"left_{name}"]] for name in names)
    # y is up in body axes, which a person with no root rotation is in.
    assert shoulder[1] - wrist[1] > 0.35
    assert wrist[0] > hip[0] + 0.05
    leaps = np.linalg.norm(np.diff(np.stack(list(joints.values())), axis=0), axis=-1)
    assert leaps.max() < 0.1


def test_whoever_is_first_seen_at_a_desk_begins_with_hanging_arms(
    make: Make, model: BodyModel
) -> None:
    wild = {SHOULDER: (0, 0, 1.0), KNEE: (2.0, 0, 0)}
    found = PersonSmoother().smooth(make(0, rotvecs=wild, sure_joints=[0]), model)
    assert bend_of(found, KNEE) == pytest.approx(0, abs=0.01)
    left = {j: found.joints[JOINT_INDEX[f"left_{j}"]] for j in ("wrist", "shoulder")}
    assert left["wrist"][1] < left["shoulder"][1] - 0.35


def test_an_unseen_hand_keeps_its_fingers_for_a_moment_and_then_relaxes(
    make: Make, model: BodyModel
) -> None:
    smoother = PersonSmoother()
    fist = dict.fromkeys(LEFT_HAND_JOINTS, (0.0, 0.0, -1.2))
    for index in range(10):
        held = smoother.smooth(make(index / 30, rotvecs=fist), model)
    start = bend_of(held, INDEX_FINGER)
    bends = {}
    for index in range(10, 160):
        open_hand = make(index / 30, confidence=without("left_hand"))
        unseen = smoother.smooth(open_hand, model)
        bends[round((index - 9) / 30, 2)] = bend_of(unseen, INDEX_FINGER)
    assert bends[0.1] == bends[0.2] == bends[0.3] == pytest.approx(start)
    assert 0.6 * start < bends[0.5] < start
    relaxed = np.degrees(0.25)
    assert bends[5.0] == pytest.approx(relaxed, abs=1)
    assert all(np.diff(list(bends.values())) <= 1e-6)
    seen_other_hand = bend_of(unseen, RIGHT_HAND_JOINTS[0])
    assert seen_other_hand == pytest.approx(0, abs=1e-3)


def test_relaxed_fingers_bend_towards_the_palm(make: Make, model: BodyModel) -> None:
    """In the rest pose palms look down, so bent fingertips lie below straight ones."""
    nobody = replace(SURE, left_hand=0.0, right_hand=0.0)
    found = PersonSmoother().smooth(make(0, confidence=nobody), model)
    straight = make(0).joints
    for tip in ("left_index3", "right_index3", "left_pinky3", "right_pinky3"):
        joint = JOINT_INDEX[tip]
        # y is up in body axes, which a person with no root rotation is in.
        assert found.joints[joint, 1] < straight[joint, 1] - 0.002


def test_a_hand_that_comes_back_glides_and_does_not_jump(
    make: Make, model: BodyModel
) -> None:
    smoother = PersonSmoother()
    for index in range(30):
        smoother.smooth(make(index / 30, confidence=without("left_hand")), model)
    fist = dict.fromkeys(LEFT_HAND_JOINTS, (0.0, 0.0, -1.2))
    bends = [
        bend_of(smoother.smooth(make(i / 30, rotvecs=fist), model), INDEX_FINGER)
        for i in range(30, 60)
    ]
    assert bends[0] < 0.5 * np.degrees(1.2)
    assert bends[-1] == pytest.approx(np.degrees(1.2), abs=2)


def test_the_wrist_of_an_unseen_hand_follows_the_estimate(
    make: Make, model: BodyModel
) -> None:
    smoother = PersonSmoother()
    for index in range(60):
        person = make(
            index / 30, rotvecs={WRIST: (0.5, 0, 0)}, confidence=without("left_hand")
        )
        found = smoother.smooth(person, model)
    assert bend_of(found, WRIST) == pytest.approx(np.degrees(0.5), abs=0.1)


def test_an_unseen_face_keeps_its_expression_and_then_lets_go(
    make: Make, model: BodyModel
) -> None:
    smoother = PersonSmoother()
    smile = np.ones(model.n_expression)
    smoother.smooth(make(0, expression=smile), model)
    found = [
        float(
            smoother.smooth(
                make(i / 30, confidence=without("face")), model
            ).params.expression[0]
        )
        for i in range(1, 120)
    ]
    assert found[:9] == pytest.approx([1.0] * 9)
    assert found[-1] < 0.05


def test_a_body_that_is_not_seen_stands_still(make: Make, model: BodyModel) -> None:
    smoother = PersonSmoother()
    smoother.smooth(make(0, rotvecs={ELBOW: (0, 1, 0)}), model)
    for index in range(1, 60):
        wild = make(
            index / 30,
            rotvecs={0: (0, index, 0), ELBOW: (index, 0, 0)},
            transl=(index, 0, 1),
            confidence=without("body"),
        )
        found = smoother.smooth(wild, model)
    assert bend_of(found, ELBOW) == pytest.approx(np.degrees(1), abs=0.01)
    assert bend_of(found, 0) == pytest.approx(0, abs=0.01)
    assert found.params.transl == pytest.approx([0, 0, 3], abs=1e-4)


def test_doubtful_parts_are_followed_slowly(make: Make, model: BodyModel) -> None:
    sure, doubtful = PersonSmoother(), PersonSmoother()
    doubt = replace(SURE, body=0.2)
    for smoother in (sure, doubtful):
        smoother.smooth(make(0), model)
    bent = {ELBOW: (0.0, 1.0, 0.0)}
    followed = bend_of(sure.smooth(make(1 / 30, rotvecs=bent), model), ELBOW)
    held = doubtful.smooth(make(1 / 30, rotvecs=bent, confidence=doubt), model)
    assert 0 < bend_of(held, ELBOW) < 0.5 * followed


# --- shape


def test_the_shape_settles_and_then_stays(make: Make, model: BodyModel) -> None:
    smoother = PersonSmoother(SmoothingSettings(shape_frames=50))
    rng = np.random.default_rng(0)
    truth = rng.normal(size=model.n_betas)
    shapes = []
    for index in range(80):
        betas = truth + rng.normal(0, 0.5, model.n_betas)
        shapes.append(smoother.smooth(make(index / 30, betas=betas), model))
    found = [person.params.betas for person in shapes]
    assert np.abs(found[-1] - truth).max() < 0.3
    np.testing.assert_array_equal(found[50], found[79])


def test_doubtful_frames_count_little_for_the_shape(
    make: Make, model: BodyModel
) -> None:
    smoother = PersonSmoother()
    wrong = np.full(model.n_betas, 3.0)
    for index in range(20):
        smoother.smooth(make(index / 30), model)
        doubt = replace(SURE, body=0.12)
        found = smoother.smooth(
            make((index + 0.5) / 30, betas=wrong, confidence=doubt), model
        )
    assert np.abs(found.params.betas).max() < 0.3


def test_another_size_at_another_distance_looks_the_same(
    make: Make, model: BodyModel
) -> None:
    """The shape's mean changes a body's size; it must not grow in the picture."""
    smoother = PersonSmoother()
    upright = {0: (np.pi, 0.0, 0.0)}
    tall = np.zeros(model.n_betas)
    tall[0] = 3
    for index in range(30):
        smoother.smooth(make(index / 30, rotvecs=upright), model)
    for index in range(30, 120):
        person = make(index / 30, rotvecs=upright, betas=tall)
        found = smoother.smooth(person, model)
    head, foot = JOINT_INDEX["head"], JOINT_INDEX["left_ankle"]
    shown = [p.camera.project(p.joints)[[head, foot], 1] for p in (person, found)]
    height_px = [float(y[1] - y[0]) for y in shown]
    assert height_px[0] != 0
    assert height_px[1] == pytest.approx(height_px[0], rel=0.02)
    assert np.linalg.norm(found.joints[head] - found.joints[foot]) != pytest.approx(
        np.linalg.norm(person.joints[head] - person.joints[foot]), rel=0.02
    )


# --- what is not finite


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nothing_that_is_not_finite_gets_in(
    make: Make, model: BodyModel, first: bool, value: float
) -> None:
    smoother = PersonSmoother()
    if not first:
        smoother.smooth(make(0), model)
    bad = make(1 / 30, betas=np.full(model.n_betas, value))
    for array in (bad.params.rotations, bad.params.transl, bad.params.expression):
        array[...] = value
    bad = replace(bad, confidence=PartConfidence(1.0, float("nan"), 1.0, 1.0))
    for person in (bad, make(2 / 30, rotvecs={ELBOW: (0, 0.2, 0)})):
        found = smoother.smooth(person, model)
        for array in (
            found.params.betas,
            found.params.expression,
            found.params.rotations,
            found.params.transl,
            found.joints,
        ):
            assert np.isfinite(array).all()
        norms = np.linalg.norm(found.params.rotations, axis=1)
        assert norms == pytest.approx(np.ones(JOINT_COUNT), abs=1e-5)


def test_one_bad_joint_does_not_disturb_the_others(
    make: Make, model: BodyModel
) -> None:
    smoother, clean = PersonSmoother(), PersonSmoother()
    for index in range(5):
        bent = {ELBOW: (0, 0.1 * index, 0), 3: (0.2, 0, 0)}
        person, bad = make(index / 30, rotvecs=bent), make(index / 30, rotvecs=bent)
        if index == 3:
            bad.params.rotations[ELBOW] = 0.0
        expected = clean.smooth(person, model).params.rotations
        found = smoother.smooth(bad, model).params.rotations
        others = np.arange(JOINT_COUNT) != ELBOW
        np.testing.assert_allclose(found[others], expected[others], atol=1e-6)


# --- settings


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: OneEuroSettings(0.0, 1.0),
        lambda: OneEuroSettings(1.0, -1.0),
        lambda: SmoothingSettings(gap_s=-1.0),
        lambda: SmoothingSettings(relax_s=0.0),
        lambda: SmoothingSettings(unseen_below=0.5, sure_above=0.4),
        lambda: Quickness(body=0.0),
        lambda: Quickness(hands=float("nan")),
        lambda: Quickness(face=1e9),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(UsageError, match="smoothing"):
        wrong()


def test_quickness_scales_each_part_and_nothing_else() -> None:
    calm = SmoothingSettings()
    found = calm.quicker(Quickness(body=2, hands=3, face=0.5, position=4))
    assert found.head.cutoff_hz == 2 * calm.head.cutoff_hz
    assert found.root.gain == 2 * calm.root.gain
    assert found.hands.cutoff_hz == 3 * calm.hands.cutoff_hz
    assert found.expression.cutoff_hz == 0.5 * calm.expression.cutoff_hz
    assert found.depth.cutoff_hz == 4 * calm.depth.cutoff_hz
    assert calm.quicker(Quickness()) == calm
    assert found.hold_s == calm.hold_s


def test_another_length_of_the_shape_s_mean_starts_it_anew(
    make: Make, model: BodyModel
) -> None:
    smoother = PersonSmoother(SmoothingSettings(shape_frames=2))
    for index in range(4):
        smoother.smooth(make(index / 30), model)
    tall = np.full(model.n_betas, 0.5)
    smoother.retune(SmoothingSettings(shape_frames=10))
    found = smoother.smooth(make(0.2, betas=tall), model)
    np.testing.assert_allclose(found.params.betas, tall)
