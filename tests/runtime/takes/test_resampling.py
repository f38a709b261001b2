import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from pixie_runtime import rotations
from pixie_runtime.takes.resampling import resampled, usual_rate
from pixie_runtime.takes.take import Take
from tests.runtime.people import posed, skeleton
from tests.runtime.takes.recordings import take_of


def uneven(count: int, seed: int = 0) -> list[float]:
    """Return times some 37 ms apart, as a busy camera gives them, from 5 s on."""
    random = np.random.default_rng(seed)
    steps = random.uniform(0.02, 0.055, count - 1)
    return [5.0, *(5.0 + np.cumsum(steps)).tolist()]


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_rotations_are_those_of_scipys_slerp(fps: float) -> None:
    take = take_of(uneven(40))
    even = resampled(take, fps)
    inside = even.timestamps_s <= take.timestamps_s[-1]
    moments = even.timestamps_s[inside]
    for joint in (0, 1, 15, 20, 40):
        columns = slice(3 * joint, 3 * joint + 3)
        vectors = take.poses[:, columns].astype(np.float64)
        between = Slerp(take.timestamps_s, Rotation.from_rotvec(vectors))(moments)
        ours = Rotation.from_rotvec(even.poses[inside, columns].astype(np.float64))
        assert (ours * between.inv()).magnitude().max() < 1e-5


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_everything_else_goes_along_straight_lines(fps: float) -> None:
    take = take_of(uneven(40))
    even = resampled(take, fps)
    for name in ("expression", "betas_per_frame", "confidences"):
        before, after = getattr(take, name), getattr(even, name)
        for column in range(min(before.shape[1], 5)):
            expected = np.interp(
                even.timestamps_s, take.timestamps_s, before[:, column]
            )
            np.testing.assert_allclose(after[:, column], expected, atol=1e-5)
    pelvis = np.interp(even.timestamps_s, take.timestamps_s, take.joints[:, 0, 0])
    np.testing.assert_allclose(even.joints[:, 0, 0], pelvis, atol=1e-5)


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_frames_are_exactly_so_far_apart(fps: float) -> None:
    even = resampled(take_of(uneven(40)), fps)
    assert even.mocap_frame_rate == even.fps == fps
    np.testing.assert_allclose(np.diff(even.timestamps_s), 1 / fps, atol=1e-9)
    assert even.timestamps_s[0] == 5.0


def test_body_posed_between_the_frames_has_the_joints_there() -> None:
    even = resampled(take_of(uneven(40)), 60.0)
    for row in range(len(even)):
        wxyz = rotations.from_rotvec(even.poses[row].reshape(55, 3))
        joints = posed(skeleton(3), wxyz, even.trans[row])
        np.testing.assert_allclose(even.joints[row] * [1, -1, -1], joints, atol=2e-5)


def test_frames_that_are_even_already_stay_as_they_are() -> None:
    take = take_of([i / 30 for i in range(50)])
    even = resampled(take, 30.0)
    assert len(even) == 50
    assert even.frames.tolist() == take.frames.tolist()
    for name in ("poses", "trans", "joints", "expression", "confidences"):
        before, after = getattr(take, name), getattr(even, name)
        np.testing.assert_allclose(after, before, atol=1e-5)


@pytest.mark.parametrize("rate", [29.97, 23.976, 59.94])
def test_no_frame_is_lost_or_made_up_at_the_end(rate: float) -> None:
    take = take_of([i / rate for i in range(200)])
    fps = usual_rate(take)
    even = resampled(take, fps)
    assert even.timestamps_s[-1] <= take.timestamps_s[-1] + 0.1 / fps
    assert even.timestamps_s[-1] > take.timestamps_s[-1] - 1 / fps


@pytest.mark.parametrize(
    ("rate", "usual"), [(12.0, 30), (27.3, 30), (44.0, 30), (50.0, 60), (120.0, 60)]
)
def test_usual_rate_is_the_nearer_one(rate: float, usual: float) -> None:
    assert usual_rate(take_of([i / rate for i in range(20)])) == usual


def gap_of(seconds: float) -> tuple[Take, Take]:
    times = [
        *(i / 30 for i in range(30)),
        *(29 / 30 + seconds + i / 30 for i in range(30)),
    ]
    take = take_of(times)
    return take, resampled(take, 30.0)


def test_pose_is_held_through_a_gap_without_confidence() -> None:
    take, even = gap_of(2.0)
    gap = (even.timestamps_s > 29.5 / 30) & (even.timestamps_s < 29 / 30 + 1.99)
    assert np.count_nonzero(gap) == 59
    assert (even.confidences[gap] == 0).all()
    np.testing.assert_allclose(even.poses[gap], take.poses[[29] * 59], atol=1e-5)
    assert (even.frames[gap] == 29).all()
    assert (even.confidences[~gap] > 0).any(axis=1).all()


def test_frames_dropped_for_a_moment_are_made_up_in_between() -> None:
    _, even = gap_of(0.4)
    assert len(even) == 29 + 12 + 30
    assert (even.confidences > 0).any(axis=1).all()
    moved = np.abs(np.diff(even.poses[29:41], axis=0)).max(axis=1)
    assert (moved > 0).all()


def test_slow_capture_is_seen_all_the_time_but_in_its_gaps() -> None:
    times = [*(i / 1.5 for i in range(12)), *(20 + i / 1.5 for i in range(12))]
    even = resampled(take_of(times), 30.0)
    gap = (even.timestamps_s > times[11] + 0.01) & (even.timestamps_s < 19.99)
    assert (even.confidences[gap] == 0).all()
    assert (even.confidences[~gap] > 0).any(axis=1).all()


def test_lone_frame_is_a_take() -> None:
    even = resampled(take_of([3.0]), 30.0)
    assert len(even) == 1
    assert even.timestamps_s.tolist() == [3.0]
