from dataclasses import replace

import numpy as np
import pytest

from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.calibration import Calibrator, calibrate
from pixie_runtime.errors import CalibrationError
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.types import Float32, Float64, PartConfidence, Person
from tests.runtime.standing import (
    CAMERA_HEIGHT_M,
    SURE,
    standing,
    up_in_camera,
)

ARMS_DOWN = {"left_shoulder": (0.0, 0.0, -1.3), "right_shoulder": (0.0, 0.0, 1.3)}


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


@pytest.fixture(scope="module")
def truth(model: BodyModel) -> Float32:
    """A shape that is not the mean."""
    betas = np.zeros(model.n_betas, np.float32)
    betas[:4] = 1.5, -1.0, 0.5, 0.8
    return betas


def takes_of(
    model: BodyModel, truth: Float32, frames: int = 60, noise: float = 0.4
) -> list[Person]:
    """Frames of somebody in a T, each of another estimated shape."""
    random = np.random.default_rng(0)
    shapes = truth + random.normal(0, noise, (frames, len(truth))).astype(np.float32)
    return [standing(model, b, time_s=i / 30) for i, b in enumerate(shapes)]


def soles_above_floor(person: Person, model: BodyModel, T: Float64) -> list[float]:
    """Return the lowest exact vertex of each foot, metres above the floor."""
    p = person.params
    vertices = model.shaped(p.betas, p.expression).posed(p.rotations, p.transl)
    height = (vertices.vertices() @ T[:3, :3].T + T[:3, 3])[:, 1]
    return [
        height[
            np.isin(model.part, [JOINT_INDEX[f"{side}_{j}"] for j in ("ankle", "foot")])
        ].min()
        for side in ("left", "right")
    ]


def test_the_shape_is_the_mean_of_what_was_estimated(
    model: BodyModel, truth: Float32
) -> None:
    found = calibrate(takes_of(model, truth), model)
    assert np.abs(found.betas - truth).max() < 0.2
    assert found.notes == ()


def test_frames_far_off_do_not_count(model: BodyModel, truth: Float32) -> None:
    people = takes_of(model, truth, noise=0.05)
    wild = [
        standing(model, truth + np.float32(8.0), time_s=2 + i / 30) for i in range(10)
    ]
    found = calibrate([*people, *wild], model)
    assert np.abs(found.betas - truth).max() < 0.05


def test_up_and_the_floor_are_where_they_were_made(
    model: BodyModel, truth: Float32
) -> None:
    people = [standing(model, truth, time_s=i / 30) for i in range(20)]
    found = calibrate(people, model)
    assert found.up @ up_in_camera() > np.cos(np.radians(2.5))
    assert found.floor_m == pytest.approx(-CAMERA_HEIGHT_M, abs=0.15)
    for height in soles_above_floor(people[0], model, found.floor_from_camera):
        assert height == pytest.approx(0.0, abs=0.01)


def test_the_floor_frame_is_a_rigid_one_that_looks_at_the_camera(
    model: BodyModel, truth: Float32
) -> None:
    T = calibrate(takes_of(model, truth), model).floor_from_camera
    np.testing.assert_allclose(T[:3, :3] @ T[:3, :3].T, np.eye(3), atol=1e-9)
    assert np.linalg.det(T[:3, :3]) == pytest.approx(1.0)
    np.testing.assert_allclose(T[:3, :3] @ [1, 0, 0], [1, 0, 0], atol=0.02)
    assert (T[:3, :3] @ [0, 0, 1])[2] < -0.9
    np.testing.assert_allclose((T @ [0, 0, 0, 1])[[0, 2]], 0.0, atol=1e-9)


def test_a_camera_that_looks_straight_down_has_a_floor_frame_too(
    model: BodyModel, truth: Float32
) -> None:
    found = calibrate(takes_of(model, truth), model)
    T = replace(found, up=np.array([0.0, 0.0, -1.0])).floor_from_camera
    np.testing.assert_allclose(T[:3, :3] @ T[:3, :3].T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(T[:3, :3] @ [0, 0, -1], [0, 1, 0], atol=1e-9)


def test_once_calibrated_the_shape_is_the_same_in_every_frame_and_feet_stand(
    model: BodyModel, truth: Float32
) -> None:
    people = takes_of(model, truth)
    calibration = calibrate(people, model)
    after = [calibration.apply(person, model) for person in people]
    for person in after:
        np.testing.assert_array_equal(person.params.betas, calibration.betas)
    heights = [
        soles_above_floor(person, model, calibration.floor_from_camera)
        for person in after[::10]
    ]
    assert abs(np.median(heights)) < 0.02


def test_a_calibrated_body_looks_as_large_as_the_estimated_one(
    model: BodyModel, truth: Float32
) -> None:
    people = takes_of(model, truth)
    calibration = calibrate(people, model)
    before, after = people[0], calibration.apply(people[0], model)

    def height_px(person: Person) -> float:
        joints = person.joints[[JOINT_INDEX["head"], JOINT_INDEX["left_ankle"]]]
        return float(np.ptp(person.camera.project(joints)[:, 1]))

    assert height_px(after) == pytest.approx(height_px(before), rel=0.03)


def test_another_person_keeps_their_own_shape(model: BodyModel, truth: Float32) -> None:
    calibration = calibrate(takes_of(model, truth), model)
    other = standing(model, truth, track_id=1)
    assert calibration.apply(other, model) is other


def test_arms_that_hang_are_noted_and_no_reason_to_refuse(
    model: BodyModel, truth: Float32
) -> None:
    people = [standing(model, truth, time_s=i / 30, bends=ARMS_DOWN) for i in range(20)]
    found = calibrate(people, model)
    assert found.notes == ("the arms were not held out level",)
    np.testing.assert_allclose(found.betas, truth, atol=1e-5)


def test_a_body_that_is_hardly_seen_is_refused_with_the_reason(
    model: BodyModel, truth: Float32
) -> None:
    doubtful = PartConfidence(0.2, 0.0, 0.0, 0.9)
    people = [standing(model, truth, confidence=doubtful) for _ in range(30)]
    people += [standing(model, truth) for _ in range(3)]
    with pytest.raises(CalibrationError, match="in 3 of 33 frames, expected 10"):
        calibrate(people, model)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_counting_down_then_collecting_then_done(
    model: BodyModel, truth: Float32
) -> None:
    clock = Clock()
    calibrator = Calibrator(model, countdown_s=3, collect_s=2, clock=clock)
    sure = standing(model, truth, confidence=SURE)
    other = standing(model, truth + np.float32(3))
    assert calibrator.progress().stage == "countdown"
    assert calibrator.progress().left_s == pytest.approx(3.0)
    for _ in range(20):
        calibrator.add(other)  # still walking to the place
    clock.now += 3.5
    assert calibrator.progress().stage == "collecting"
    assert calibrator.progress().left_s == pytest.approx(1.5)
    for _ in range(20):
        calibrator.add(sure)
    clock.now += 2
    for _ in range(20):
        calibrator.add(other)  # already walking away
    done = calibrator.progress()
    assert done.stage == "done"
    assert done.calibration is not None
    assert done.calibration.frames == 20
    np.testing.assert_allclose(done.calibration.betas, truth, atol=1e-5)
    assert calibrator.progress() is done


@pytest.mark.parametrize("frames", [9, 10])
def test_where_few_frames_come_there_is_time_for_ten_of_them(
    model: BodyModel, truth: Float32, frames: int
) -> None:
    clock = Clock()
    calibrator = Calibrator(
        model, countdown_s=0, collect_s=2, patience_s=12, clock=clock
    )
    for _ in range(frames):
        assert calibrator.progress().stage == "collecting"
        calibrator.add(standing(model, truth, confidence=SURE))
        clock.now += 1
    found = calibrator.progress()
    if frames == 10:
        assert found.stage == "done"
        assert found.calibration is not None
        assert found.calibration.frames == 10
    else:
        assert (found.stage, found.left_s) == ("collecting", 0.0)
        clock.now += 12 - frames
        assert "in 9 of 9 frames, expected 10" in calibrator.progress().problem


def test_with_nobody_in_view_it_fails_and_says_why(model: BodyModel) -> None:
    clock = Clock()
    calibrator = Calibrator(model, clock=clock)
    clock.now += 10
    failed = calibrator.progress()
    assert failed.stage == "failed"
    assert "in 0 of 0 frames" in failed.problem


def test_of_several_people_the_one_in_view_longest_is_calibrated(
    model: BodyModel, truth: Float32
) -> None:
    clock = Clock()
    calibrator = Calibrator(model, countdown_s=3, collect_s=2, clock=clock)
    clock.now += 3.5
    for frame in range(20):
        if frame % 4:
            calibrator.add(standing(model, truth + np.float32(3), track_id=2))
        calibrator.add(standing(model, truth, track_id=5))
    clock.now += 2
    done = calibrator.progress()
    assert done.calibration is not None
    assert done.calibration.track_id == 5
    np.testing.assert_allclose(done.calibration.betas, truth, atol=1e-5)
