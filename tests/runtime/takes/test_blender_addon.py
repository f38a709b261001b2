"""The SMPL-X Blender add-on's rules for files, as `docs/takes.md` quotes them, applied.

Written from a description of what the add-on reads (version of 2023-09), not from it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from pixie_runtime.sinks.take import TakeSink
from pixie_runtime.takes.cli import main
from pixie_runtime.takes.loading import load_take
from pixie_runtime.types import Float64
from tests.runtime.people import make_tick
from tests.runtime.takes.recordings import person_at

_RATE_KEYS = ("mocap_frame_rate", "mocap_framerate", "fps")


@dataclass
class Animation:
    """What the add-on makes of a file: a key per joint and row, `target` a second."""

    poses: Float64
    trans: Float64
    betas: Float64
    gender: str


def import_animation(path: Path, target: int) -> Animation:
    """Do as the add-on does with its options as they come; AMASS axes (Y-up)."""
    with np.load(path) as data:
        for key in ("trans", "gender", "betas", "poses"):
            assert key in data, f"no {key}"
        rates = [float(data[key]) for key in _RATE_KEYS if key in data]
        assert rates, "no frame rate"
        fps = int(rates[0])
        assert fps >= target, f"{fps} fps is less than the target's {target}"
        step = int(fps / target)
        assert data["poses"].shape[1:] == (165,)
        return Animation(
            poses=data["poses"][::step].astype(np.float64),
            trans=data["trans"][::step].astype(np.float64),
            betas=data["betas"].astype(np.float64),
            gender=str(data["gender"]),
        )


def recorded(path: Path, fps: float, seconds: float) -> Path:
    """Record somebody by a clock that is off by up to a fifth of a frame."""
    random = np.random.default_rng(0)
    sink = TakeSink(path)
    for frame in range(round(seconds * fps)):
        time_s = (frame + random.uniform(-0.1, 0.1)) / fps
        sink.send(make_tick(person_at(frame, time_s=time_s)))
    sink.close()
    return path


@pytest.mark.parametrize("target", [30, 60])
@pytest.mark.parametrize("fps", [11.3, 27.0, 29.97, 50.0, 59.94, 120.0])
def test_the_add_on_plays_every_recording_at_its_true_speed(
    tmp_path: Path, fps: float, target: int
) -> None:
    path = recorded(tmp_path / "a.mcap", fps, 3.0)
    npz = tmp_path / "a.npz"
    assert main(["convert", str(path), "--out", str(npz), "--fps", str(target)]) == 0

    shown = import_animation(npz, target)

    take = load_take(path)
    first_s, last_s = take.timestamps_s[[0, -1]]
    times = first_s + np.arange(len(shown.poses)) / target
    assert abs(times[-1] - last_s) <= 1 / target
    inside = times <= last_s
    for joint in (0, 5, 18, 50):
        columns = slice(3 * joint, 3 * joint + 3)
        vectors = take.poses[:, columns].astype(np.float64)
        true = Slerp(take.timestamps_s, Rotation.from_rotvec(vectors))(times[inside])
        seen = Rotation.from_rotvec(shown.poses[inside][:, columns])
        assert (seen * true.inv()).magnitude().max() < 1e-5
    assert shown.gender == "neutral"
    np.testing.assert_array_equal(shown.betas, take.betas)


@pytest.mark.parametrize("fps", [11.3, 27.0, 29.97, 120.0])
def test_what_a_recording_becomes_unasked_suits_the_add_on_too(
    tmp_path: Path, fps: float
) -> None:
    recorded(tmp_path / "a.npz", fps, 2.0)
    shown = import_animation(tmp_path / "a.npz", 30)
    assert abs(len(shown.poses) - 60) <= 3
