"""The whole chain against triangulated ground truth on real footage.

The ground truth is not in the repository; where it is absent these tests are skipped.
The limits are what docs/accuracy.md gives as our own, and a little for other processors
and thread counts; MediaPipe's 3D landmarks reach 95 mm, 22.6 degrees, 41 mm/frame^2.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime import cli
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.sources.opening import demo_clip
from pixie_runtime.takes import load_take
from pixie_runtime.takes.foot_lock import feet_locked
from pixie_runtime.takes.smoothing import smoothed
from pixie_runtime.takes.take import Take

ROOT = Path(__file__).parents[1]
EVAL = ROOT.parent / "shared" / "eval"
TRUTH, COMPARER = EVAL / "gt_public.npz", EVAL / "eval_take.py"
CLIPS = {
    "cam01": demo_clip(),
    "cam02": ROOT / "tests" / "footage" / "pose2sim_SinglePerson_cam02.mp4",
}

SIDES = ("left", "right")

pytestmark = pytest.mark.skipif(
    not TRUTH.exists(), reason="the ground truth is not beside this checkout"
)


@dataclass(frozen=True)
class Scored:
    take: Path
    figures: dict[str, float]


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scored]:
    folder = tmp_path_factory.mktemp("takes")
    results = {}
    for camera, clip in CLIPS.items():
        take, scores = folder / f"{camera}.npz", folder / f"{camera}.json"
        code = cli.main(["--video", str(clip), "--record", str(take), "--quiet"])
        assert code == 0
        compare = [sys.executable, COMPARER, take, "--camera", camera]
        compare += ["--gt", TRUTH, "--json", scores]
        subprocess.run([str(word) for word in compare], check=True, capture_output=True)
        results[camera] = Scored(take, json.loads(scores.read_text()))
    return results


def mean(scored: dict[str, Scored], figure: str) -> float:
    return float(np.mean([result.figures[figure] for result in scored.values()]))


def test_somebody_is_found_in_nearly_every_frame(scored: dict[str, Scored]) -> None:
    for result in scored.values():
        assert len(load_take(result.take).frames) >= 98


def test_joints_are_no_worse_than_documented(scored: dict[str, Scored]) -> None:
    assert mean(scored, "pa_mpjpe_mm") <= 82
    assert mean(scored, "limb_dir_deg") <= 14.5
    assert mean(scored, "accel_err_mm_f2") <= 6


def test_the_front_is_never_taken_for_the_back(scored: dict[str, Scored]) -> None:
    truth = np.load(TRUTH)
    names = [str(name) for name in truth["joint_names"]]
    cameras = [str(name) for name in truth["camera_names"]]
    left, right = names.index("left_shoulder"), names.index("right_shoulder")
    for camera, result in scored.items():
        turn = truth["R"][cameras.index(camera)]
        across = (truth["xyz_world"][:, left] - truth["xyz_world"][:, right]) @ turn.T
        take = load_take(result.take)
        ours = take.joints[:, 16] - take.joints[:, 17]
        for frame, vector in zip(take.frames, ours, strict=True):
            if frame < len(across) and np.isfinite(across[frame]).all():
                assert vector @ across[frame] > 0, (camera, int(frame))


def test_locked_feet_stand_where_they_truly_stand(scored: dict[str, Scored]) -> None:
    truth = np.load(TRUTH)
    names = [str(name) for name in truth["joint_names"]]
    ankles = truth["xyz_world"][:, [names.index(f"{s}_ankle") for s in SIDES]]
    speed = np.linalg.norm(np.diff(ankles, axis=0), axis=-1) * float(truth["fps"])
    stands = speed < 0.2
    assert stands.any(axis=1).mean() > 0.9
    balls = [JOINT_INDEX[f"{side}_foot"] for side in SIDES]

    def slide(take: Take) -> float:
        steps = np.diff(take.joints[: len(ankles), balls], axis=0)
        seconds = np.diff(take.timestamps_s[: len(ankles)])
        speed = np.linalg.norm(steps, axis=-1) / seconds[:, None]
        return float(np.median(speed[stands]))

    for result in scored.values():
        take = smoothed(load_take(result.take))
        assert slide(take) > 0.2
        assert slide(feet_locked(take).take) < 0.03
