import numpy as np
import pytest

from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.calibration import calibrate
from pixie_runtime.ground import Ground
from pixie_runtime.humanoid import humanoid_pose
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.types import Float64, Person
from tests.runtime.standing import CAMERA_HEIGHT_M, DOWN_DEG, standing


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


def somebody(model: BodyModel, time_s: float, **changes: float) -> Person:
    betas = np.zeros(model.n_betas, np.float32)
    track_id = int(changes.get("track_id", 0))
    distance_m = changes.get("distance_m", 3.0)
    return standing(
        model, betas, time_s=time_s, track_id=track_id, distance_m=distance_m
    )


def in_world(person: Person, ground: Ground) -> Float64:
    """Return the joints in the right-handed world, (55, 3)."""
    T = ground.world_from_camera()
    return np.asarray(person.joints @ T[:3, :3].T + T[:3, 3])


def test_person_seen_first_stands_at_the_origin_with_the_soles_on_the_ground(
    model: BodyModel,
) -> None:
    ground, person = Ground(), somebody(model, 0)
    ground.observe(person)
    joints = in_world(person, ground)
    np.testing.assert_allclose(joints[0, [0, 2]], 0, atol=1e-6)
    toes = joints[JOINT_INDEX["left_foot"], 1]
    assert 0 < toes < 0.05


def test_ground_is_settled_after_a_second_and_stays(model: BodyModel) -> None:
    ground = Ground()
    for frame in range(31):
        assert not ground.settled
        ground.observe(somebody(model, frame / 30))
    assert ground.settled
    before = ground.world_from_camera()
    ground.observe(somebody(model, 2.0, distance_m=5.0))
    np.testing.assert_array_equal(ground.world_from_camera(), before)


def test_one_bad_frame_does_not_move_it(model: BodyModel) -> None:
    ground = Ground()
    for frame in range(31):
        bad = frame == 10
        ground.observe(somebody(model, frame / 30, distance_m=9.0 if bad else 3.0))
    person = somebody(model, 2.0)
    np.testing.assert_allclose(in_world(person, ground)[0, [0, 2]], 0, atol=1e-6)


def test_second_person_neither_moves_the_ground_nor_stands_in_the_first(
    model: BodyModel,
) -> None:
    ground = Ground()
    for frame in range(31):
        ground.observe(somebody(model, frame / 30))
        ground.observe(somebody(model, frame / 30, track_id=1, distance_m=4.5))
    first, second = somebody(model, 1.0), somebody(model, 1.0, distance_m=4.5)
    distance = in_world(second, ground)[0] - in_world(first, ground)[0]
    assert np.linalg.norm(distance) == pytest.approx(1.5, abs=1e-5)
    np.testing.assert_allclose(in_world(first, ground)[0, [0, 2]], 0, atol=1e-6)


@pytest.mark.parametrize(("frames", "next_id"), [(1, 0), (20, 0), (1, 1)])
def test_who_leaves_before_it_is_settled_leaves_it_to_the_next(
    model: BodyModel, frames: int, next_id: int
) -> None:
    ground = Ground()
    for frame in range(frames):
        ground.observe(somebody(model, frame / 30))
    for frame in range(31):
        assert not ground.settled
        time_s = 20 + frame / 30
        person = somebody(model, time_s, track_id=next_id, distance_m=4.5)
        ground.observe(person)
        np.testing.assert_allclose(in_world(person, ground)[0, [0, 2]], 0, atol=1e-6)
    assert ground.settled


@pytest.mark.parametrize("before_s", [0.5, 2.0])
def test_somebody_seen_by_mistake_just_before_does_not_move_it(
    model: BodyModel, before_s: float
) -> None:
    ground = Ground()
    ground.observe(somebody(model, 0, distance_m=9.0))
    frame = 0
    while not ground.settled:
        person = somebody(model, before_s + frame / 30)
        ground.observe(person)
        frame += 1
    np.testing.assert_allclose(in_world(person, ground)[0, [0, 2]], 0, atol=1e-6)


@pytest.mark.parametrize("fps", [3, 1, 0.5])
def test_slow_capture_settles_after_ten_frames(model: BodyModel, fps: float) -> None:
    ground = Ground()
    for frame in range(10):
        assert not ground.settled
        ground.observe(somebody(model, frame / fps))
    assert ground.settled


def test_tilted_camera_makes_people_lean_until_it_is_calibrated(
    model: BodyModel,
) -> None:
    frames = [somebody(model, frame / 30) for frame in range(31)]
    calibration = calibrate(frames, model)
    tilted, level = Ground(), Ground(lambda: calibration)
    for person in frames:
        tilted.observe(person)
        level.observe(person)

    def lean_deg(ground: Ground) -> float:
        joints = in_world(frames[-1], ground)
        ankles = joints[[JOINT_INDEX["left_ankle"], JOINT_INDEX["right_ankle"]]]
        x, y, z = joints[JOINT_INDEX["neck"]] - ankles.mean(axis=0)
        return float(np.degrees(np.arctan2(np.hypot(x, z), y)))

    assert lean_deg(tilted) == pytest.approx(DOWN_DEG, abs=3)
    assert lean_deg(level) < 0.1
    joints = in_world(frames[-1], level)
    np.testing.assert_allclose(joints[0, [0, 2]], 0, atol=1e-5)
    assert 0 < joints[JOINT_INDEX["left_foot"], 1] < 0.03
    # One degree of "up", three metres away, is 5 cm.
    camera = level.world_from_camera()[:3, 3]
    assert camera[1] == pytest.approx(CAMERA_HEIGHT_M, abs=0.15)


def test_calibrated_avatar_stands_upright(model: BodyModel) -> None:
    frames = [somebody(model, frame / 30) for frame in range(31)]
    calibration = calibrate(frames, model)
    ground = Ground(lambda: calibration)
    ground.observe(frames[0])
    pose = humanoid_pose(frames[0], ground.world_from_camera())
    x, y, z, w = pose.rotations[0]
    lean = np.degrees(2 * np.arctan2(np.hypot(x, z), np.hypot(y, w)))
    assert lean < 5  # calibration takes up from ankles to neck, not from the hips
