"""Our landmarker beside MediaPipe Holistic: the same landmarks, how much faster.

`pixie-bench holistic CLIP... --oracle-python PATH`, where PATH is a Python
with mediapipe 0.10.21 (and numpy, OpenCV), in an environment of its own.
"""

import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pixie_bench import holistic_oracle
from pixie_bench.clips import clip_frames, require_files
from pixie_runtime.engine_kinds import Precision
from pixie_runtime.engines.choosing import choose
from pixie_runtime.errors import EngineError
from pixie_runtime.landmarks.orientation import MIRRORED
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.types import Frame, PersonLandmarks

Float = npt.NDArray[np.floating]
_BODY = slice(11, 33)
_VISIBLE = 0.5
_SAME_HAND = 0.1
_ORACLE = "expected a Python with mediapipe 0.10.21, numpy and OpenCV"
_ORACLE_HZ = 30.0
"""Holistic's own clock, whatever the clip's rate; ours is given the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two landmarkers on the same frames; distances in % of the person's box."""

    clip: str
    body_same: Float
    """For each frame whether both or neither found a body, (T,)."""
    distances: Float
    """Of every body landmark that the oracle sees (> 0.5)."""
    sides_differ: int
    """Frames in which left and right are exchanged; they are compared crosswise."""
    hands_same: Float
    """For each frame the part of the two hands on which both agree that it is there,
    in the same place, or not there, (T,)."""
    face_same: Float
    """For each frame whether both or neither found a face, (T,)."""
    face_distances: Float
    """Of every point of the face, in % of the face's box."""

    def line(self) -> str:
        """Return its row of the table."""
        median, p95 = _percentiles(self.distances)
        face_median, _ = _percentiles(self.face_distances)
        return (
            f"{self.clip:30} {len(self.body_same):6d} {self.body_same.mean():6.1%}"
            f" {median:7.2f}% {p95:6.2f}% {self.sides_differ:6d}"
            f" {self.hands_same.mean():6.1%} {self.face_same.mean():6.1%}"
            f" {face_median:6.2f}%"
        )


HEADER = (
    f"{'clip':30} {'frames':>6} {'body':>6} {'median':>8} {'p95':>7} {'sides':>6}"
    f" {'hands':>6} {'face':>6} {'median':>7}"
)


def pooled(comparisons: Sequence[Comparison]) -> Comparison:
    """Return all of them as one."""

    def together(name: str) -> Float:
        return np.concatenate([getattr(one, name) for one in comparisons])

    return Comparison(
        clip="all",
        body_same=together("body_same"),
        distances=together("distances"),
        sides_differ=sum(one.sides_differ for one in comparisons),
        hands_same=together("hands_same"),
        face_same=together("face_same"),
        face_distances=together("face_distances"),
    )


def compare(
    clip: str, ours: Sequence[PersonLandmarks], oracle: Mapping[str, Float]
) -> Comparison:
    """Compare our landmarks with the oracle's, frame by frame.

    Args:
        clip: Its name in the table.
        ours: One for each frame.
        oracle: What `holistic_oracle` wrote.
    """
    distances, face_distances = [np.zeros(0)], [np.zeros(0)]
    hands_same, sides_differ = [], 0
    for index, person in enumerate(ours):
        pose, face = oracle["pose"][index], oracle["face"][index]
        box = float(np.ptp(pose[:, :2], axis=0).max()) if _found(pose) else np.inf
        hands_same.append(_same_hands(person, oracle, index, box))
        if _found(pose) and person.pose is not None:
            direct, crosswise = (
                np.hypot(*(points[:, :2] - pose[:, :2]).T) / box * 100
                for points in (person.pose.image, person.pose.image[MIRRORED])
            )
            differ = bool(crosswise[_BODY].mean() < direct[_BODY].mean())
            sides_differ += differ
            distances.append((crosswise if differ else direct)[pose[:, 3] > _VISIBLE])
        if _found(face) and person.face is not None:
            offset = np.hypot(*(person.face.image[:, :2] - face[:, :2]).T)
            face_distances.append(offset / np.ptp(face[:, :2], axis=0).max() * 100)
    return Comparison(
        clip=clip,
        body_same=np.array(
            [
                _found(a) == (b.pose is not None)
                for a, b in zip(oracle["pose"], ours, strict=True)
            ]
        ),
        distances=np.concatenate(distances),
        sides_differ=sides_differ,
        hands_same=np.array(hands_same),
        face_same=np.array(
            [
                _found(a) == (b.face is not None)
                for a, b in zip(oracle["face"], ours, strict=True)
            ]
        ),
        face_distances=np.concatenate(face_distances),
    )


def _percentiles(values: Float) -> tuple[float, float]:
    """Return median and 95th percentile; 0 of nothing."""
    if not values.size:
        return 0.0, 0.0
    median, p95 = np.percentile(values, [50, 95])
    return float(median), float(p95)


def _found(landmarks: Float) -> bool:
    return not bool(np.isnan(landmarks[0, 0]))


def _same_hands(
    person: PersonLandmarks, oracle: Mapping[str, Float], index: int, box: float
) -> float:
    """Return on which part of the two hands both agree, whatever their sides."""
    parts = (oracle["left_hand"][index], oracle["right_hand"][index])
    theirs = [hand[0, :2] for hand in parts if _found(hand)]
    hands = (person.left_hand, person.right_hand)
    ours = [hand.image[0, :2] for hand in hands if hand is not None]
    common = sum(
        any(np.hypot(*(wrist - other)) < _SAME_HAND * box for other in theirs)
        for wrist in ours
    )
    return 1 - (max(len(ours), len(theirs)) - common) / 2


def run_oracle(python: Path, clip: Path) -> dict[str, Float]:
    """Return what Holistic finds in `clip`, run by another Python.

    Raises:
        EngineError: that cannot be run, or cannot run Holistic.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "oracle.npz"
        command = [str(python), holistic_oracle.__file__, str(clip), str(output)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise EngineError(
                f"cannot run --oracle-python {python}: {error.strerror}; {_ORACLE}"
            ) from error
        if done.returncode != 0 or not output.exists():
            said = done.stderr.strip().splitlines() or ["it said nothing"]
            raise EngineError(
                f"MediaPipe Holistic failed in --oracle-python {python}: {said[-1]}; "
                f"{_ORACLE}"
            )
        with np.load(output) as archive:
            return dict(archive)


def run_ours(
    landmarker: PixieLandmarker, frames: Sequence[npt.NDArray[np.uint8]]
) -> tuple[list[PersonLandmarks], Float, float]:
    """Return what our landmarker finds, each frame's milliseconds, and CPU's a frame.

    CPU time is that of all threads; the first frame, with its search, is not in it.
    """
    landmarker.reset()
    cpu_begin = 0.0
    people, milliseconds = [], []
    for index, image in enumerate(frames):
        frame = Frame(index, index / _ORACLE_HZ, 0, image)
        if index == 1:
            cpu_begin = time.process_time()
        begin = time.perf_counter()
        people.append(landmarker.detect(frame))
        milliseconds.append((time.perf_counter() - begin) * 1e3)
    cpu_ms = (time.process_time() - cpu_begin) * 1e3 / max(len(frames) - 1, 1)
    return people, np.array(milliseconds), cpu_ms


def report(
    oracle_python: Path, clips: Sequence[Path], rounds: int, precision: Precision
) -> list[str]:
    """Return the table's lines: agreement, then speed, in turns A B A B.

    Raises:
        EngineError: MediaPipe Holistic cannot be run.
        SourceError: a clip cannot be read.
    """
    require_files(clips)
    maker = choose("auto", precision=precision, purpose="landmarks")
    landmarker = PixieLandmarker(maker=maker)
    comparisons, speeds = [], []
    for clip in clips:
        frames = clip_frames(clip)
        theirs, ours = [], []
        for _ in range(rounds if len(frames) > 1 else 1):
            oracle = run_oracle(oracle_python, clip)
            people, milliseconds, cpu_ms = run_ours(landmarker, frames)
            theirs.append((np.median(oracle["milliseconds"]), oracle["cpu_ms"]))
            ours.append((np.median(milliseconds), cpu_ms))
        comparisons.append(compare(clip.stem, people, oracle))
        if len(frames) > 1:
            speeds.append(_speed(clip.stem, np.array(theirs), np.array(ours)))
    landmarker.close()
    rows = [one.line() for one in (*comparisons, pooled(comparisons))]
    return [HEADER, *rows, *speeds]


def _speed(clip: str, theirs: Float, ours: Float) -> str:
    """Return a clip's line of the speed table from (rounds, 2): clock and CPU, ms."""
    their_ms, their_cpu = np.median(theirs, axis=0).tolist()
    our_ms, our_cpu = np.median(ours, axis=0).tolist()
    return (
        f"{clip:30} clock: Holistic {their_ms:5.1f} ms, ours {our_ms:5.1f} ms,"
        f" {their_ms / our_ms:.1f} times; CPU: {their_cpu:5.1f} ms, {our_cpu:5.1f} ms,"
        f" {their_cpu / our_cpu:.1f} times as fast"
    )
