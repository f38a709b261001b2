"""A walker made of feet: one stands while the other steps, before a wavering camera."""

from dataclasses import replace

import numpy as np
import pytest

from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.takes.foot_lock import FootLock, _tridiagonal, feet_locked
from pixie_runtime.takes.take import WORLD_FROM_CAMERA, Take
from pixie_runtime.types import Camera, Float64
from tests.runtime.takes.recordings import take_of

BALLS = [JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]]
STEP_S, STEP_M = 0.5, 0.7
CAMERA = Camera.with_field_of_view(1920, 1080, 60)
TIMES = np.arange(150) / 30


def walker(
    times_s: Float64 = TIMES, *, depth: Float64 | None = None, below_m: float = 0.9
) -> Take:
    """Return somebody who walks past the camera, 5 m away.

    `depth` (T,) is by how much they seem further away: all joints along their lines of
    sight, so that the picture stays the same. The feet are `below_m` under the camera.
    """
    take = take_of(times_s.tolist())
    step, within = np.divmod(times_s / STEP_S, 1.0)
    swing = (1 - np.cos(np.pi * within)) / 2
    joints = np.zeros((len(times_s), 55, 3))
    joints[..., 0] = (STEP_M * (step / 2 + within / 2) - 1.5)[:, None]
    joints[..., 2] = 5.0
    for foot, turn in zip(BALLS, (0, 1), strict=True):
        stands = step % 2 == turn
        gone = STEP_M * (step + np.where(stands, 0, 2 * swing - 1)) / 2
        joints[:, foot, 0] = gone - 1.5
        joints[:, foot, 1] = below_m - np.where(stands, 0, 0.1 * np.sin(np.pi * within))
    if depth is not None:
        joints *= (1 + depth)[:, None, None]
    return replace(
        take,
        poses=np.repeat(take.poses[:1], len(times_s), axis=0),
        joints=joints.astype(np.float32),
        confidences=np.ones_like(take.confidences),
        camera=CAMERA,
    )


def wavering(times_s: Float64 = TIMES) -> Float64:
    """Return an error of depth of some 4 %, slow as smoothed estimates' are."""
    return 0.04 * np.sin(2 * np.pi * 0.8 * times_s) + 0.02 * np.sin(7 * times_s)


def true_slide(lock: FootLock, take: Take) -> float:
    """Return how fast the foot that truly stands moves, m/s (median)."""
    step = np.floor(TIMES / STEP_S)
    same = step[1:] == step[:-1]
    speed = np.linalg.norm(np.diff(take.joints[:, BALLS], axis=0), axis=-1) * 30
    standing = speed[np.arange(len(same)), (step[:-1] % 2).astype(int)]
    return float(np.median(standing[same]))


def test_a_foot_that_stands_in_the_picture_stands_in_the_room() -> None:
    take = walker(depth=wavering())
    lock = feet_locked(take)
    assert true_slide(lock, take) > 0.3
    assert true_slide(lock, lock.take) < 0.02
    assert lock.slide(take) > 0.3
    assert lock.slide(lock.take) < 0.02


def test_it_knows_which_foot_stands() -> None:
    lock = feet_locked(walker(depth=wavering()))
    step = np.floor(TIMES / STEP_S)[:-1]
    within = np.modf(TIMES / STEP_S)[0][:-1]
    middle = (within > 0.2) & (within < 0.7)
    stands = (step % 2).astype(int)
    rows = np.arange(len(step))
    assert (lock.standing[rows, stands][middle] > 0.5).mean() > 0.95
    assert (lock.standing[rows, 1 - stands][middle] < 0.1).all()
    assert lock.share > 0.8


def test_the_body_moves_as_a_whole_and_all_else_stays() -> None:
    take = walker(depth=wavering())
    locked = feet_locked(take).take
    moved = locked.joints - take.joints
    np.testing.assert_allclose(moved - moved[:, :1], 0, atol=1e-5)
    np.testing.assert_allclose(
        locked.trans - take.trans, moved[:, 0] * WORLD_FROM_CAMERA, atol=1e-5
    )
    for name in ("poses", "betas", "betas_per_frame", "expression", "confidences"):
        np.testing.assert_array_equal(getattr(locked, name), getattr(take, name))


def test_the_body_stays_near_where_the_picture_has_it() -> None:
    take = walker(depth=wavering())
    moved = feet_locked(take).take.joints[:, 0] - take.joints[:, 0]
    assert np.abs(moved[:, :2]).max() < 0.1
    assert np.abs(moved[:, 2]).max() < 0.6
    assert np.abs(moved[:, 2]).max() > 0.1


def test_steps_that_are_right_stay_as_they_are() -> None:
    take = walker()
    moved = feet_locked(take).take.joints - take.joints
    assert np.abs(moved).max() < 0.02


@pytest.mark.parametrize("reason", ["below the picture", "not believed"])
def test_feet_that_are_not_seen_lock_nothing(reason: str) -> None:
    take = walker(depth=wavering(), below_m=9.0 if reason.startswith("below") else 0.9)
    if reason == "not believed":
        take = replace(take, confidences=0.4 * take.confidences)
    lock = feet_locked(take)
    assert lock.share == 0
    assert lock.slide(take) == 0
    np.testing.assert_array_equal(lock.take.joints, take.joints)


def test_nothing_is_carried_across_a_gap() -> None:
    times = np.concatenate([TIMES[:75], TIMES[75:] + 5])
    both = walker(times, depth=wavering(times))
    first, second = (
        walker(piece, depth=wavering(piece)) for piece in (times[:75], times[75:])
    )
    locked = feet_locked(both).take.joints
    alone = [feet_locked(piece).take.joints for piece in (first, second)]
    np.testing.assert_allclose(locked, np.concatenate(alone), atol=2e-3)


def test_a_single_frame_stays() -> None:
    take = take_of([0.0])
    lock = feet_locked(take)
    assert lock.take is take
    assert (lock.share, lock.slide(take)) == (0, 0)


def test_the_system_is_solved() -> None:
    random = np.random.default_rng(0)
    coupling, right = random.uniform(0, 5, 19), random.normal(size=20)
    diagonal = random.uniform(0.1, 1, 20)
    diagonal[1:] += coupling
    diagonal[:-1] += coupling
    A = np.diag(diagonal) - np.diag(coupling, 1) - np.diag(coupling, -1)
    found = _tridiagonal(diagonal, coupling, right)
    np.testing.assert_allclose(A @ found, right, atol=1e-9)
