"""Several people: each followed by a landmarker of their own, newcomers looked for."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from pixie_runtime.landmarks import Sighting, pixels_of
from pixie_runtime.landmarks.models import LandmarkModels
from pixie_runtime.landmarks.orientation import swapped
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.landmarks.regions import Region
from pixie_runtime.landmarks.search import BodySearch, places, without
from pixie_runtime.rates import Rates
from pixie_runtime.types import Frame, PersonLandmarks, PoseLandmarks, UInt8

_LOOK_EVERY_S = 0.1
"""How often newcomers are looked for while somebody is in view: in one place a time."""
_RECENT_S = 1.0
"""Where somebody was earlier than that says nothing of where they were going."""
_REMEMBERED_S = 10.0
"""Who is found again later than that is taken for somebody else."""
_IS_FOLLOWED = 0.15
"""A body detected this near to one that is followed is that one: the distance of their
squares, in sides of the larger."""
_IS_SAME = 0.12
"""Two people whose landmarks are this near to one another are one: their mean distance,
in heights of the larger."""
_SURE = 0.97
"""Score of a body that is found beside others. In eight clips people had 0.99 and more
when they were found, furniture 0.91 at most."""
_PROVEN = 3
"""In how many frames one after the other a newcomer beside others is followed before
they are anybody: what moves is taken for two bodies in one frame and the next."""
_WALKS = 0.5
"""How far from where somebody was last seen they may be found again at once, and how
much further with every second, in sides of their square."""


class _Seat:
    """A landmarker for one of the people, and what is known of who that is."""

    def __init__(
        self, models: LandmarkModels, *, body_suffices: bool, rates: Rates | None
    ) -> None:
        self._landmarker = PixieLandmarker(
            models=models, body_suffices=body_suffices, rates=rates, finder=self
        )
        self._offered: Region | None = None
        self.forget()

    def forget(self) -> None:
        """Begin with nobody."""
        self._landmarker.reset()
        self.is_somebody_else()
        self._seen_s = 0.0

    def is_somebody_else(self) -> None:
        """Forget who it was; whoever is followed is new."""
        self.track_id: int | None = None
        self.looks = 0
        """In how many frames it was this body."""
        self._place: Region | None = None
        self._velocity = np.zeros(2)

    @property
    def is_taken(self) -> bool:
        """Whether a body is followed now."""
        return self._landmarker.body_region is not None

    def find(self, image: UInt8) -> Sequence[Region]:
        """Return where the landmarker is to begin: what this seat was offered."""
        offered, self._offered = self._offered, None
        return () if offered is None else (offered,)

    def reset(self) -> None:
        """Offer nobody."""
        self._offered = None

    def follow(self, frame: Frame) -> PersonLandmarks | None:
        """Return the body that is followed; None where it was lost."""
        landmarks = self._landmarker.detect(frame, parts_without_body=False)
        return None if landmarks.pose is None else landmarks

    def parts(self, frame: Frame) -> PersonLandmarks:
        """Return hands and face, of somebody who has no body in the picture."""
        landmarks = self._landmarker.detect(frame)
        if not landmarks.is_empty:
            self._place, self._seen_s = None, frame.timestamp_s
        return landmarks

    def begin(self, region: Region, frame: Frame) -> PersonLandmarks | None:
        """Return the body in `region`, followed from now on; None if none is there."""
        self._landmarker.reset()
        self._offered = region
        return self.follow(frame)

    def let_go(self) -> None:
        """Follow nobody from now on, and remember who it was."""
        self._landmarker.reset()

    def seen(self, time_s: float) -> None:
        """Remember where the body is."""
        place, before = self._landmarker.body_region, self._place
        passed = time_s - self._seen_s
        self._velocity = np.zeros(2)
        if place is not None and before is not None and 0 < passed <= _RECENT_S:
            self._velocity = (_centre(place) - _centre(before)) / passed
        self._place, self._seen_s = place, time_s
        self.looks += 1

    def is_remembered(self, time_s: float) -> bool:
        """Whether it is still known who was here."""
        return self.track_id is not None and self.unseen_s(time_s) <= _REMEMBERED_S

    def unseen_s(self, time_s: float) -> float:
        """For how long nobody was seen from here."""
        return time_s - self._seen_s

    def strayed(self, time_s: float) -> float:
        """How far the body followed now is from where it should be, in its sides."""
        place, before = self._landmarker.body_region, self._place
        if place is None or before is None:
            return np.inf
        expected = _centre(before) + self._velocity * self.unseen_s(time_s)
        return float(np.linalg.norm(_centre(place) - expected)) / before.size

    def distance(self, region: Region, time_s: float) -> float:
        """How far `region` is from where somebody may have gone who was last seen here.

        In their sides; infinite where that is too far. Of whom only hands or face were
        seen the body may be anywhere.
        """
        if not self.is_remembered(time_s):
            return np.inf
        if self._place is None:
            return _WALKS
        away = float(np.linalg.norm(_centre(region) - _centre(self._place)))
        away /= max(self._place.size, region.size)
        return away if away <= _WALKS * (1 + self.unseen_s(time_s)) else np.inf

    def was_in(self, place: Region) -> bool:
        """Whether the body was last seen in an upright square of the picture."""
        if self._place is None:
            return False
        away = np.abs(_centre(self._place) - _centre(place))
        return bool((away <= place.size / 2).all())

    def covers(self, region: Region) -> bool:
        """Whether a body detected in `region` is the one that is followed."""
        place = self._landmarker.body_region
        if place is None:
            return False
        away = float(np.linalg.norm(_centre(region) - _centre(place)))
        return away < _IS_FOLLOWED * max(place.size, region.size)

    def close(self) -> None:
        """Free what the landmarker holds."""
        self._landmarker.close()


class Crowd:
    """Up to so many people in one stream of frames, each with a number that stays.

    Everybody is followed from frame to frame as one person alone is. Newcomers, and who
    was lost, are looked for ten times a second, and in every frame while nobody is in
    view; a newcomer beside others is shown from the third frame on. Who is found near
    to where somebody was lost gets their number back; who was away for ten seconds is
    somebody else. Where two landmarkers come to follow the same body, as happens when
    people cross, the one that had to jump lets go.
    """

    def __init__(
        self,
        most: int,
        *,
        models: LandmarkModels | None = None,
        body_suffices: bool = False,
        rates: Rates | None = None,
    ) -> None:
        """Load the networks, which all share.

        Args:
            most: How many people are followed at once.
            models: Engines for the networks; the shipped ones by default.
            body_suffices: As for `PixieLandmarker`.
            rates: Likewise.

        Raises:
            BundleError: The package's model files are missing or damaged.
        """
        models = models or LandmarkModels.shipped()
        self._search = BodySearch(models)
        self._seats = [
            _Seat(models, body_suffices=body_suffices, rates=rates) for _ in range(most)
        ]
        self._next_id = 0
        self._looked_s = -np.inf
        self._turn = 0

    def detect_people(self, frame: Frame) -> tuple[Sighting, ...]:
        """Return who is in `frame`, by number; somebody empty where nobody is.

        Raises:
            SourceError: The picture has no pixels.
        """
        image, now_s = pixels_of(frame), frame.timestamp_s
        followed = [seat for seat in self._seats if seat.is_taken]
        looks = {seat: seat.follow(frame) for seat in followed}
        seen = {seat: look for seat, look in looks.items() if look is not None}
        self._part(seen, now_s)
        for seat in seen:
            seat.seen(now_s)
        lost = [seat for seat in followed if seat not in seen]
        if len(seen) < len(self._seats) and (lost or self._is_time(seen, now_s)):
            self._looked_s = now_s
            self._welcome(image, frame, seen, self._where(image, lost))
        if not seen:
            return (self._parts(frame),)
        shown = self._shown(seen)
        sightings = (Sighting(self._number(seat), seen[seat]) for seat in shown)
        return tuple(sorted(sightings, key=lambda one: one.track_id))

    def reset(self) -> None:
        """Forget everybody: the next frame is looked at afresh."""
        for seat in self._seats:
            seat.forget()
        self._next_id = 0
        self._looked_s = -np.inf
        self._turn = 0

    def close(self) -> None:
        """Free what the models hold."""
        for seat in self._seats:
            seat.close()

    def _is_time(self, seen: Mapping[_Seat, PersonLandmarks], now_s: float) -> bool:
        if not seen:
            return True
        return not 0 <= now_s - self._looked_s < _LOOK_EVERY_S

    def _part(self, seen: dict[_Seat, PersonLandmarks], now_s: float) -> None:
        """Let each body be followed from one seat only: where it moved the least."""
        by_jump = sorted(seen, key=lambda seat: seat.strayed(now_s))
        kept: list[_Seat] = []
        for seat in by_jump:
            if any(_are_one(seen[seat], seen[other]) for other in kept):
                seat.let_go()
                del seen[seat]
            else:
                kept.append(seat)

    def _welcome(
        self,
        image: UInt8,
        frame: Frame,
        seen: dict[_Seat, PersonLandmarks],
        where: Sequence[Region],
    ) -> None:
        """Look for bodies that nobody follows in some places, and follow them."""
        for place in where:
            while len(seen) < len(self._seats):
                rest = without(image, [look.pose for look in seen.values()])
                found = self._search.find_in(place, rest)
                new = [one for one in found if not any(s.covers(one) for s in seen)]
                if not any(self._follow(one, frame, seen) for one in new):
                    break

    def _follow(
        self, region: Region, frame: Frame, seen: dict[_Seat, PersonLandmarks]
    ) -> bool:
        """Follow the body that was detected in `region`; False if nobody new is there.

        From the seat of whoever is missed and may have come there, or else from the one
        that was empty for longest.
        """
        now_s = frame.timestamp_s
        free = [seat for seat in self._seats if seat not in seen]
        if not free:
            return False
        free.sort(key=lambda seat: (seat.is_remembered(now_s), -seat.unseen_s(now_s)))
        seat = min(free, key=lambda seat: seat.distance(region, now_s))
        is_new = not np.isfinite(seat.distance(region, now_s))
        landmarks = seat.begin(region, frame)
        if landmarks is None or landmarks.pose is None:
            return False
        is_doubtful = bool(seen) and landmarks.pose.score < _SURE
        if is_doubtful or any(_are_one(landmarks, other) for other in seen.values()):
            seat.let_go()
            return False
        if is_new:
            seat.is_somebody_else()
        seat.seen(now_s)
        seen[seat] = landmarks
        return True

    def _where(self, image: UInt8, lost: Sequence[_Seat]) -> Sequence[Region]:
        """Return where to look now.

        Everywhere in the first picture, wherever somebody was lost who is not there any
        more, and otherwise in one place a time.
        """
        everywhere = places(image)
        turn, self._turn = self._turn, self._turn + 1
        if turn == 0:
            return everywhere
        if lost:
            return [
                place for place in everywhere if any(one.was_in(place) for one in lost)
            ]
        return [everywhere[turn % len(everywhere)]]

    def _parts(self, frame: Frame) -> Sighting:
        """Return whose hands or face are seen where there is no body, if anybody's."""
        first = self._seats[0]
        if not first.is_remembered(frame.timestamp_s):
            first.is_somebody_else()
        landmarks = first.parts(frame)
        number = self._next_id if landmarks.is_empty else self._number(first)
        return Sighting(number, landmarks)

    def _shown(self, seen: Iterable[_Seat]) -> list[_Seat]:
        """Return those that are known, or proven; all where none is, as at first."""
        known = [
            seat for seat in seen if seat.track_id is not None or seat.looks >= _PROVEN
        ]
        return known or list(seen)

    def _number(self, seat: _Seat) -> int:
        if seat.track_id is None:
            seat.track_id = self._next_id
            self._next_id += 1
        return seat.track_id


def _are_one(one: PersonLandmarks, other: PersonLandmarks) -> bool:
    """Whether both are of one body, whichever side each takes for the left."""
    if one.pose is None or other.pose is None:
        return False
    a, b = one.pose.image[:, :2], other.pose.image[:, :2]
    mirrored = swapped(other.pose).image[:, :2]
    height = max(_height(one.pose), _height(other.pose))
    apart = min(np.linalg.norm(a - c, axis=1).mean() for c in (b, mirrored))
    return bool(apart < _IS_SAME * height)


def _height(pose: PoseLandmarks) -> float:
    return float(np.ptp(pose.image[:, :2], axis=0).max())


def _centre(region: Region) -> np.typing.NDArray[np.float64]:
    return np.array([region.x, region.y])
