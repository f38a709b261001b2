"""The smoother of one person where frames can wait: it knows what comes next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations as rot
from pixie_runtime.body import BodyModel
from pixie_runtime.local_fit import SIGMA_TIMES_CUTOFF, parabola_weights
from pixie_runtime.smoothing.measurement import Trust
from pixie_runtime.smoothing.one_euro import TrustFactor
from pixie_runtime.smoothing.parts import settings_by_joint
from pixie_runtime.smoothing.person import Followed, PersonSmoother, settings_by_axis
from pixie_runtime.smoothing.settings import SmoothingSettings
from pixie_runtime.types import Float64, Person

LOOK_AHEAD_S = 0.15
"""How much of what comes after a frame, and before it, is looked at, seconds."""

_CUTOFF_TIMES = 1.5
"""The cut-off, in live filters' cut-offs at rest. Without their delay to pay for it, it
need not rise with speed, and what moves and what rests are both calmer than live."""
_REACH = 3.0
"""Standard deviations beyond which nothing is looked at."""
_IS_BACK_WITHIN = 0.5
"""Of a leap: who is nearer than that to where it began has come back."""


@dataclass(slots=True, eq=False)
class _Moment:
    person: Person
    followed: Followed


class HindsightSmoother:
    """Smooths one person by what comes before and after each frame.

    What is to be believed is judged frame by frame as live (`PersonSmoother`): hands
    and limbs that are not seen are held and relax, hands that turn too fast are
    doubted, the shape settles. Then around each frame a parabola is fitted to the
    neighbours, which has no delay; not across a start afresh.

    Two things are known better than live. What was not seen for a moment goes straight
    from where it was last seen to where it is seen again. And a body that turns faster
    than people can is not doubted until that has lasted, which would be late when it is
    true: it waits until it is back, and then it never leapt, or until its time has come
    to be passed on.
    """

    def __init__(
        self, model: BodyModel, settings: SmoothingSettings | None = None
    ) -> None:
        self._model = model
        self._settings = s = settings or SmoothingSettings()
        self._judge = PersonSmoother(s, factor=TrustFactor)
        self._moments: list[_Moment] = []
        self._next = 0
        """Index in `_moments` of the first that was not taken."""
        self._leapt: list[Person] = []
        """Who comes after them and may be a mistake, from the leap on."""
        self._last_sure: Person | None = None

    def add(self, person: Person) -> None:
        """Take in an estimate; persons in order of time."""
        if not self._leapt and not self._leaps(person):
            self._follow(person)
        elif self._leapt and self._is_back(person):
            for mistake in self._leapt:
                self._follow(mistake, is_body_believed=False)
            self._leapt = []
            self._follow(person)
        else:
            self._leapt.append(person)

    def take(self) -> Person:
        """Return the next person, smoothed by all who were added so far.

        As many as were added can be taken, in the same order.
        """
        if self._next == len(self._moments):
            true, *others = self._leapt
            self._leapt = []
            self._follow(true)
            for person in others:
                self.add(person)
        here = self._moments[self._next]
        fitted = self._fitted().applied_to(here.person, self._model)
        self._next += 1
        self._forget(here.person.timestamp_s - LOOK_AHEAD_S)
        return fitted

    def _leaps(self, person: Person) -> bool:
        """Whether the body turned faster than people can."""
        last, s = self._last_sure, self._settings
        if last is None or not self._continues(last, person):
            return False
        elapsed_s = person.timestamp_s - last.timestamp_s
        most_deg = s.sudden_deg + s.fastest_turn_deg_per_s * elapsed_s
        return _turned(last, person) > most_deg

    def _is_back(self, person: Person) -> bool:
        """Whether the body is again where it was before the leap."""
        last, leapt = self._last_sure, self._leapt[0]
        if last is None or not self._continues(leapt, person):
            return False
        return _turned(last, person) < _IS_BACK_WITHIN * _turned(last, leapt)

    def _continues(self, earlier: Person, person: Person) -> bool:
        """Whether it is the same person, soon after, and the body is seen."""
        elapsed_s = person.timestamp_s - earlier.timestamp_s
        return (
            person.track_id == earlier.track_id
            and 0 < elapsed_s <= self._settings.gap_s
            and self._is_body_sure(person)
        )

    def _is_body_sure(self, person: Person) -> bool:
        is_seen = Trust.of(person, self._settings).joints[0] > 0
        return bool(is_seen and np.isfinite(person.params.rotations[0]).all())

    def _follow(self, person: Person, *, is_body_believed: bool = True) -> None:
        followed = self._judge.follow(
            person, self._model, is_body_believed=is_body_believed
        )
        followed = replace(followed, rotations=followed.rotations.copy())
        moment = _Moment(person, followed)
        if self._moments and not followed.starts:
            self._bridge_to(moment)
        self._moments.append(moment)
        if is_body_believed and self._is_body_sure(person):
            self._last_sure = person

    def _bridge_to(self, moment: _Moment) -> None:
        """Let what is seen again have gone straight there from where it was seen."""
        now, before = moment.followed, self._moments[-1].followed
        joints = now.is_joint_seen & ~before.is_joint_seen
        numbers = now.is_number_seen & ~before.is_number_seen
        if not (joints.any() or numbers.any()):
            return
        moments = self._moments[self._start(-1) :]
        times_s = self._times([*moments, moment])
        piece = [one.followed for one in moments]
        _bridge(
            [one.rotations for one in piece],
            now.rotations,
            np.stack([one.is_joint_seen & joints for one in piece]),
            times_s,
            rot.slerp,
        )
        _bridge(
            [one.numbers for one in piece],
            now.numbers,
            np.stack([one.is_number_seen & numbers for one in piece]),
            times_s,
            _between,
        )

    def _fitted(self) -> Followed:
        """Return the next moment's motion, read off what was fitted around it."""
        moments, here = self._moments, self._moments[self._next]
        end = self._next + 1
        while end < len(moments) and not moments[end].followed.starts:
            end += 1
        around = moments[self._start(self._next) : end]
        away_s = self._times(around) - here.person.timestamp_s
        own = here.followed.rotations
        wxyz = np.stack([one.followed.rotations for one in around])
        steps = rot.to_rotvec(rot.multiply(rot.inverse(own), wxyz))
        numbers = np.stack([one.followed.numbers for one in around])
        weights = _weights(away_s, _cutoffs(self._settings, numbers.shape[1] - 3))
        joints = len(own)
        turn = np.einsum("jw,wja->ja", weights[:joints], steps)
        turned = rot.normalise(rot.multiply(own, rot.from_rotvec(turn)))
        return replace(
            here.followed,
            rotations=np.asarray(turned, np.float64),
            numbers=np.einsum("nw,wn->n", weights[joints:], numbers),
        )

    def _start(self, index: int) -> int:
        """Return where the unbroken motion begins that this moment is part of."""
        start = range(len(self._moments))[index]
        while start > 0 and not self._moments[start].followed.starts:
            start -= 1
        return start

    def _forget(self, before_s: float) -> None:
        """Drop what is too old to be looked at again."""
        old = int(np.count_nonzero(self._times(self._moments[: self._next]) < before_s))
        del self._moments[:old]
        self._next -= old

    @staticmethod
    def _times(moments: list[_Moment]) -> Float64:
        return np.array([one.person.timestamp_s for one in moments])


def _turned(earlier: Person, later: Person) -> float:
    """Return by how many degrees the body is turned between two frames."""
    before, after = earlier.params.rotations[0], later.params.rotations[0]
    return float(np.degrees(rot.angle_between(before, after)))


def _bridge(
    values: Sequence[Float64],
    arrived: Float64,
    is_seen: npt.NDArray[np.bool_],
    times_s: Float64,
    between: Callable[[Float64, Float64, Float64], rot.Array],
) -> None:
    """Rewrite n items at T moments, from where each was last seen to its arrival.

    Args:
        values: At each moment, (n, ...); overwritten.
        arrived: Where they are afterwards, (n, ...).
        is_seen: Of each item that is on its way, (T, n).
        times_s: Of these moments and of the arrival, (T + 1,).
        between: Goes from one to the other by a share of the way.
    """
    last = len(is_seen) - 1 - is_seen[::-1].argmax(axis=0)
    since_s = times_s[:-1, None] - times_s[last]
    is_gone = is_seen.any(axis=0) & (since_s > 0)
    share = since_s / (times_s[-1] - times_s[last])
    start = np.stack(values)[last, np.arange(len(last))]
    for value, gone, far in zip(values, is_gone, share, strict=True):
        value[gone] = between(start[gone], arrived[gone], far[gone])


def _between(start: Float64, end: Float64, share: Float64) -> Float64:
    return start + share * (end - start)


def _cutoffs(settings: SmoothingSettings, n_expression: int) -> Float64:
    """Return those of the 55 joints, the pelvis' place and the expression, Hz."""
    by_item = [*settings_by_joint(settings), *settings_by_axis(settings)]
    by_item += [settings.expression] * n_expression
    return np.array([_CUTOFF_TIMES * one.cutoff_hz for one in by_item])


def _weights(away_s: Float64, cutoff_hz: Float64) -> Float64:
    """Return the neighbours' weights for each of n items (n, W).

    Args:
        away_s: How far each neighbour is, seconds (W,).
        cutoff_hz: Of each item, (n,).
    """
    kinds, kind = np.unique(cutoff_hz, return_inverse=True)
    distance = away_s * (kinds / SIGMA_TIMES_CUTOFF)[:, None]
    inside = (np.abs(distance) <= _REACH) & (np.abs(away_s) <= LOOK_AHEAD_S + 1e-6)
    return parabola_weights(distance, inside)[kind]
