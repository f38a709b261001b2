from dataclasses import replace

import numpy as np
import pytest

from pixie_runtime import rotations
from pixie_runtime.takes.curves import Curves
from pixie_runtime.takes.smoothing import CUTOFF_HZ, smoothed
from pixie_runtime.takes.take import Take
from pixie_runtime.types import Float64
from tests.runtime.people import posed, skeleton
from tests.runtime.takes.recordings import take_of

SHOULDER = 16


def waving(times_s: Float64, hz: float, *, noise: float = 0.0) -> Take:
    """Return somebody who swings the left arm about x; noise is in radians."""
    take = take_of(times_s.tolist())
    random = np.random.default_rng(0)
    poses = np.zeros((len(times_s), 55, 3))
    poses[:, SHOULDER, 0] = 0.8 * np.sin(2 * np.pi * hz * times_s)
    poses += random.normal(0, noise, poses.shape)
    wxyz = rotations.from_rotvec(poses)
    still = Curves.of(take)
    numbers = np.repeat(still.numbers[:1], len(times_s), axis=0)
    return Curves(wxyz, numbers).take(take)


def swing(take: Take) -> Float64:
    return take.poses[:, 3 * SHOULDER].astype(np.float64)


def phase(values: Float64, hz: float) -> float:
    """Return where in its swing a motion is, in radians, from the middle 3 s."""
    inside = slice(60, 240)
    turning = np.exp(-2j * np.pi * hz * TIMES[inside])
    return float(np.angle(np.sum(values[inside] * turning)))


TIMES = np.arange(300) / 60


def test_noise_is_a_fraction_and_the_motion_stays() -> None:
    clean, noisy = waving(TIMES, 1.5), waving(TIMES, 1.5, noise=0.05)
    smooth = smoothed(noisy)
    before = np.std(swing(noisy) - swing(clean))
    after = np.std(swing(smooth) - swing(clean))
    assert after < 0.6 * before

    def jitter(take: Take) -> float:
        return float(np.std(np.diff(take.poses, n=3, axis=0)))

    assert jitter(smooth) < 0.05 * jitter(noisy)


@pytest.mark.parametrize("hz", [1.0, 2.0, 4.0, 6.0])
def test_there_is_no_delay(hz: float) -> None:
    take = waving(TIMES, hz)
    late = phase(swing(take), hz) - phase(swing(smoothed(take)), hz)
    assert abs(late) / (2 * np.pi * hz) < 1e-6  # seconds


@pytest.mark.parametrize(
    ("hz", "passed"), [(1.0, 1.0), (2.0, 0.99), (CUTOFF_HZ, 2**-0.5), (15.0, 0.01)]
)
def test_cutoff_is_where_it_says(hz: float, passed: float) -> None:
    take = waving(TIMES, hz)
    middle = slice(60, 240)
    ratio = np.std(swing(smoothed(take))[middle]) / np.std(swing(take)[middle])
    assert ratio == pytest.approx(passed, abs=0.02)


def test_uneven_frames_do_not_bend_steady_motion() -> None:
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.05, 100))
    take = take_of(times.tolist())
    turns = np.zeros((100, 55, 3))
    turns[:, 0, 1] = 2.5 * times  # several whole turns, through half turns
    numbers = np.repeat(Curves.of(take).numbers[:1], 100, axis=0)
    numbers[:, 0] = 1.3 * times
    steady = Curves(rotations.from_rotvec(turns), numbers).take(take)
    smooth = smoothed(steady)
    angles = rotations.angle_between(steady.rotations(), smooth.rotations())
    assert angles.max() < 2e-3  # single precision's arc cosine
    np.testing.assert_allclose(smooth.trans, steady.trans, atol=1e-5)


def test_bodies_keep_their_bones() -> None:
    smooth = smoothed(take_of([i / 30 for i in range(40)]))
    for row in range(40):
        wxyz = rotations.from_rotvec(smooth.poses[row].reshape(55, 3))
        joints = posed(skeleton(3), wxyz, smooth.trans[row])
        np.testing.assert_allclose(smooth.joints[row] * [1, -1, -1], joints, atol=5e-5)


def test_nothing_leaks_through_a_gap() -> None:
    times = [*(i / 30 for i in range(30)), *(3 + i / 30 for i in range(30))]
    whole = smoothed(take_of(times))
    first = smoothed(take_of(times[:30]))
    np.testing.assert_allclose(whole.poses[:30], first.poses, atol=1e-6)


def test_chunks_join_without_a_seam() -> None:
    take = waving(np.arange(600) / 60, 1.0, noise=0.02)
    part = replace(
        take,
        **{
            name: getattr(take, name)[200:320]
            for name in ("poses", "trans", "joints", "confidences", "expression")
        },
        betas_per_frame=take.betas_per_frame[200:320],
        timestamps_s=take.timestamps_s[200:320],
        frames=take.frames[200:320],
    )
    inside = smoothed(part).poses[30:-30]
    np.testing.assert_allclose(smoothed(take).poses[230:290], inside, atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_frames_are_smooth_enough(count: int) -> None:
    take = take_of([i / 30 for i in range(count)])
    np.testing.assert_allclose(smoothed(take).poses, take.poses, atol=1e-4)
