"""Gives a person the gaze and the lids that were seen of their eyes."""

from dataclasses import replace

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.absence import FORGET_S
from pixie_runtime.body import BodyModel
from pixie_runtime.face.angles import head_rotation
from pixie_runtime.face.eye_view import EyeView, Side, eye_view
from pixie_runtime.smplx import LEFT_EYE, RIGHT_EYE
from pixie_runtime.types import FaceLandmarks, Float32, Person

_FROM_ARKIT = np.array([0.0, 1.0, 0.0, 0.0])
"""Half a turn about x: from ARKit's camera axes to ours (y down, z forward)."""
_MAX_YAW, _MAX_PITCH = np.radians((40.0, 35.0))
_CLOSED = 0.1
"""Opening of closed eyes: lids have a thickness, and lashes."""
_OPEN = 0.8
"""Of the usual opening; less begins to be a blink."""
_SHUT_GAZE = 0.5
"""Of the usual opening; of less the iris is not seen."""
_WIDE, _WIDEST = 1.15, 1.5
"""Of the usual opening: where eyes begin to be wide, and where they are widest."""


class UsualOpening:
    """How far a person's eyes usually are open: some quantile of what was seen.

    People differ by half, and blinks or startled looks must not count: the quantile
    rises and falls by steps that do not depend on how far off it was. The steps get
    shorter with time, so that it is about right after two seconds and calm later.
    """

    _START = 0.33
    _BOUNDS = (0.2, 0.5)
    _QUANTILE = 0.6
    _LONGEST_STEP_S = 0.2

    def __init__(self) -> None:
        self.value = self._START
        """In widths of the eye."""
        self._seen_s = 0.0
        self._last_s: float | None = None

    def update(self, opening: float, timestamp_s: float) -> None:
        """Take an opening that was seen at some time."""
        last_s, self._last_s = self._last_s, timestamp_s
        if last_s is None:
            return
        dt_s = min(max(timestamp_s - last_s, 0.0), self._LONGEST_STEP_S)
        self._seen_s += dt_s
        step = 0.6 / (3.0 + self._seen_s) * dt_s
        is_above = opening > self.value
        self.value += step * (self._QUANTILE if is_above else self._QUANTILE - 1.0)
        self.value = min(max(self.value, self._BOUNDS[0]), self._BOUNDS[1])


class EyeFollower:
    """Puts what is seen of one person's eyes into their parameters.

    Both eyes turn alike: the mean of what the two say, whose errors, outwards or
    inwards, then cancel. Lids are told in ARKit's units, so they move only on a body
    model that was made of them. Eyes that are not seen are left as they were estimated.
    Whose eyes were not seen for `FORGET_S` is taken for somebody else.
    """

    def __init__(self, model: BodyModel) -> None:
        self._lids = _Lids.of(model)
        self.reset()

    def reset(self) -> None:
        """Forget the person."""
        self._usual = UsualOpening()
        self._gaze: Float32 | None = None
        self._seen_s = 0.0

    def follow(self, person: Person, face: FaceLandmarks | None) -> Person:
        """Return the person with the eyes of the face, if they are seen."""
        views = {} if face is None else _views(person, face)
        if not views:
            return person
        if person.timestamp_s - self._seen_s > FORGET_S:
            self.reset()
        self._seen_s = person.timestamp_s
        for view in views.values():
            self._usual.update(view.opening, person.timestamp_s)
        params = person.params
        turns, expression = params.rotations.copy(), params.expression
        usual = self._usual.value
        looking = [v for v in views.values() if v.opening > _SHUT_GAZE * usual]
        if looking:
            self._gaze = _gaze(looking)
        if self._gaze is not None:
            turns[[LEFT_EYE, RIGHT_EYE]] = self._gaze
        if self._lids is not None and len(expression) == self._lids.n_expression:
            openings = {side: view.opening / usual for side, view in views.items()}
            expression = self._lids.put(expression, openings, _CLOSED / usual)
        return replace(
            person, params=replace(params, rotations=turns, expression=expression)
        )


class _Lids:
    """How lids are put into an expression that was made of ARKit's units."""

    def __init__(self, names: tuple[str, ...], to_expression: Float32) -> None:
        self._names = names
        self._to_expression = to_expression.astype(np.float64)
        self._to_scores = np.linalg.inv(self._to_expression)

    @classmethod
    def of(cls, model: BodyModel) -> "_Lids | None":
        if model.arkit_names is None or model.arkit_to_expression is None:
            return None
        return cls(model.arkit_names, model.arkit_to_expression)

    @property
    def n_expression(self) -> int:
        """How many coefficients it needs."""
        return len(self._to_expression)

    def put(
        self, expression: Float32, openings: dict[Side, float], closed: float
    ) -> Float32:
        """Return the expression with lids as far open as the usual times `openings`."""
        changes = np.zeros(len(self._names))
        scores = expression.astype(np.float64) @ self._to_scores
        for side, opening in openings.items():
            blink = np.clip((_OPEN - opening) / (_OPEN - closed), 0.0, 1.0)
            wide = np.clip((opening - _WIDE) / (_WIDEST - _WIDE), 0.0, 1.0)
            for stem, score in (("eyeBlink", blink), ("eyeWide", wide)):
                unit = self._names.index(stem + side.capitalize())
                changes[unit] = score - scores[unit]
        return np.asarray(expression + changes @ self._to_expression, np.float32)


def _views(person: Person, face: FaceLandmarks) -> dict[Side, EyeView]:
    turned = rotations.multiply(_FROM_ARKIT, head_rotation(person))
    head = np.asarray(turned, np.float64)
    views: dict[Side, EyeView] = {}
    sides: tuple[Side, ...] = ("left", "right")
    for side, eye in zip(sides, (face.left_eye, face.right_eye), strict=True):
        view = eye and eye_view(eye, side, head, person.camera)
        if view:
            views[side] = view
    return views


def _gaze(views: list[EyeView]) -> Float32:
    """Return the rotation (4,) wxyz of eyes within the head: first pitch, then yaw."""
    yaw = float(np.clip(np.mean([v.yaw for v in views]), -_MAX_YAW, _MAX_YAW))
    pitch = float(np.clip(np.mean([v.pitch for v in views]), -_MAX_PITCH, _MAX_PITCH))
    about_y, about_x = (
        rotations.from_rotvec(np.array(turn, np.float64))
        for turn in ((0.0, yaw, 0.0), (pitch, 0.0, 0.0))
    )
    return np.asarray(rotations.multiply(about_y, about_x), np.float32)
