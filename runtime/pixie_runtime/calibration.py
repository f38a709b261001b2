"""Calibration: who stands upright for two seconds gets one shape and a floor.

    calibration = calibrate(people, model)          # a few seconds of one person
    person = calibration.apply(person, model)       # every frame from then on

The shape is the robust mean of what was estimated in those seconds, and stays. The
floor lies under the soles, and up is where the body points: one camera alone knows
neither. Arms held out level (a T) show the lengths of the limbs best.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import CalibrationError
from pixie_runtime.smoothing.measurement import pelvis_for_shape
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.types import Float32, Float64, Person, SmplxParams

_FEET = tuple(
    (JOINT_INDEX[f"{side}_ankle"], JOINT_INDEX[f"{side}_foot"])
    for side in ("left", "right")
)
_ANKLES = [ankle for ankle, _ in _FEET]
_NECK = JOINT_INDEX["neck"]
_ARMS = tuple(
    [JOINT_INDEX[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist")]
    for side in ("left", "right")
)
_SURE = 0.5
"""Confidence of the body from which a frame counts."""
_LEAST_FRAMES = 10
_OUTLIER = 2.0
"""Times the median distance from the median: what is further away is left out."""
_LEVEL_SINE = 0.5
_STRAIGHT = 0.9
"""Of an arm's length: from shoulder to wrist when it is held out."""
_T_SHARE = 0.6
"""Of the frames: so many must show a T for nothing to be said about it."""
_FORWARD = np.array([0.0, 0.0, 1.0])
_IMAGE_DOWN = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """One person's shape, and where the floor is."""

    track_id: int
    """Whose shape it is."""
    betas: Float32
    """(n_betas,)"""
    up: Float64
    """Unit vector, (3,), camera frame."""
    floor_m: float
    """The floor is where `up @ x` is this, metres; below the camera it is negative."""
    frames: int
    """How many frames it was made of."""
    notes: tuple[str, ...] = ()
    """What could have been better, one sentence each."""

    @property
    def floor_from_camera(self) -> Float64:
        """From the camera frame to the floor's, (4, 4), metres.

        There x goes to the camera's right, y up, z towards the camera; the origin is
        on the floor, below the camera.
        """
        back = _across(-_FORWARD, self.up)
        if np.linalg.norm(back) < 1e-3:  # the camera looks straight up or down
            back = _across(_IMAGE_DOWN, self.up)
        back /= np.linalg.norm(back)
        T = np.eye(4)
        T[:3, :3] = np.cross(self.up, back), self.up, back
        T[1, 3] = -self.floor_m
        return T

    def apply(self, person: Person, model: BodyModel) -> Person:
        """Return the person with the calibrated shape; others as they are.

        What was measured is the picture: a body that is made larger is moved away.
        """
        if person.track_id != self.track_id:
            return person
        params = person.params
        shaped = model.shaped(self.betas, params.expression)
        pelvis = pelvis_for_shape(params, model, self.betas)
        transl = (pelvis - shaped.joints[0]).astype(np.float32)
        posed = shaped.posed(params.rotations, transl)
        calibrated = SmplxParams(
            self.betas, params.expression, params.rotations, transl
        )
        return person.with_params(calibrated, posed.joints)


def calibrate(people: Sequence[Person], model: BodyModel) -> Calibration:
    """Return the shape and the floor of somebody who stands upright.

    Args:
        people: One person in some frames, as estimated, best two seconds of them.
        model: The body that the parameters are for.

    Raises:
        CalibrationError: the person was seen well in too few frames.
    """
    sure = [person for person in people if person.confidence.body >= _SURE]
    if len(sure) < _LEAST_FRAMES:
        raise CalibrationError(
            f"the whole body was seen well in {len(sure)} of {len(people)} frames, "
            f"expected {_LEAST_FRAMES} or more: stand where the camera sees you from "
            "head to feet, and stay there"
        )
    weight = np.array([person.confidence.body for person in sure], np.float64)
    betas = _robust_mean(np.stack([p.params.betas for p in sure]), weight)
    up = _robust_mean(np.stack([_upright(person) for person in sure]), weight)
    up /= np.linalg.norm(up)
    shape = Calibration(sure[-1].track_id, betas.astype(np.float32), up, 0.0, len(sure))
    soles = _Soles(model, shape.betas)
    floor_m = np.median([soles.heights(shape.apply(p, model), up) for p in sure])
    in_a_t = np.mean([_stands_in_a_t(person, up) for person in sure])
    notes = () if in_a_t >= _T_SHARE else ("the arms were not held out level",)
    return Calibration(
        shape.track_id, shape.betas, up, float(floor_m), len(sure), notes
    )


@dataclass(frozen=True, slots=True)
class CalibrationProgress:
    """How far a calibration has come."""

    stage: Literal["countdown", "collecting", "done", "failed"]
    left_s: float = 0.0
    """Of this stage, seconds."""
    calibration: Calibration | None = None
    """Once it is done."""
    problem: str = ""
    """Why it failed, one sentence."""


class Calibrator:
    """Counts down, collects frames, calibrates.

    Where few frames a second come it collects for longer, until there are enough.
    `add` is called with every estimate, by the loop that makes them, and only keeps
    it; `progress` does the work, in the thread that asks.
    """

    def __init__(
        self,
        model: BodyModel,
        *,
        countdown_s: float = 3.0,
        collect_s: float = 2.0,
        patience_s: float = 12.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._clock = clock
        self._starts_s = clock() + countdown_s
        self._ends_s = self._starts_s + collect_s
        self._gives_up_s = self._starts_s + patience_s
        self._people: list[Person] = []
        self._result: CalibrationProgress | None = None

    def add(self, person: Person) -> None:
        """Keep the person of a frame, if it is time."""
        now = self._clock()
        if self._starts_s <= now and not self._is_over(now):
            self._people.append(person)

    def progress(self) -> CalibrationProgress:
        """Return the stage; the first to ask after the end waits for the result."""
        now = self._clock()
        if now < self._starts_s:
            return CalibrationProgress("countdown", self._starts_s - now)
        if not self._is_over(now):
            return CalibrationProgress("collecting", max(self._ends_s - now, 0.0))
        if self._result is None:
            self._result = self._calibrated()
        return self._result

    def _is_over(self, now: float) -> bool:
        if now < self._ends_s:
            return False
        is_slow = 0 < len(self._of_one_person()) < _LEAST_FRAMES
        return not is_slow or now >= self._gives_up_s

    def _of_one_person(self) -> Sequence[Person]:
        """Return the frames of whoever was in view most, and came first of those."""
        tracks: dict[int, list[Person]] = {}
        for person in tuple(self._people):
            tracks.setdefault(person.track_id, []).append(person)
        return max(tracks.values(), key=len, default=())

    def _calibrated(self) -> CalibrationProgress:
        try:
            calibration = calibrate(self._of_one_person(), self._model)
        except CalibrationError as error:
            return CalibrationProgress("failed", problem=str(error))
        return CalibrationProgress("done", calibration=calibration)


class _Soles:
    """The vertices of both feet of one shape, each riding on its joint."""

    def __init__(self, model: BodyModel, betas: Float32) -> None:
        self._model = model
        # Padded as `shaped` does: a user may have fewer coefficients than the model.
        self._rest = model.shaped(betas, np.zeros(0, np.float32)).rest
        self._vertices = [np.flatnonzero(np.isin(model.part, foot)) for foot in _FEET]

    def heights(self, person: Person, up: Float64) -> list[float]:
        """Return how high the lowest point of each foot is along `up`, metres."""
        p = person.params
        shaped = self._model.shaped(p.betas, p.expression)
        motions = shaped.posed(p.rotations, p.transl).motions
        # Height along `up` is linear: one row of numbers for each joint.
        rows = np.einsum("a,jab->jb", up, motions)
        heights = []
        for vertices in self._vertices:
            row = rows[self._model.part[vertices]]
            rest = self._rest[:, vertices]
            height = np.einsum("va,av->v", row[:, :3], rest) + row[:, 3]
            heights.append(float(height.min()))
        return heights


def _robust_mean(rows: Float32 | Float64, weight: Float64) -> Float64:
    """Return the mean (n,) of rows (T, n) without those far from their median."""
    distance = np.linalg.norm(rows - np.median(rows, axis=0), axis=1)
    kept = distance <= _OUTLIER * np.median(distance)
    return np.asarray(np.average(rows[kept], axis=0, weights=weight[kept]), np.float64)


def _upright(person: Person) -> Float64:
    """Return the direction from the ankles to the neck, a unit vector (3,)."""
    joints = person.joints.astype(np.float64)
    along = joints[_NECK] - joints[_ANKLES].mean(axis=0)
    return np.asarray(along / max(np.linalg.norm(along), 1e-9), np.float64)


def _stands_in_a_t(person: Person, up: Float64) -> bool:
    for arm in _ARMS:
        shoulder, elbow, wrist = person.joints[arm].astype(np.float64)
        length = np.linalg.norm(elbow - shoulder) + np.linalg.norm(wrist - elbow)
        reach = wrist - shoulder
        span = np.linalg.norm(reach)
        if span < _STRAIGHT * length or abs(reach @ up) > _LEVEL_SINE * span:
            return False
    return True


def _across(vector: Float64, up: Float64) -> Float64:
    """Return the part of `vector` (3,) that is level."""
    return np.asarray(vector - (vector @ up) * up, np.float64)
