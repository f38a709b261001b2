"""Sends faces to Unreal as the Live Link Face app does."""

import time
from datetime import datetime

from pixie_runtime.addresses import Address
from pixie_runtime.face import FaceAngles
from pixie_runtime.face_ports import DEFAULT_SUBJECT
from pixie_runtime.sinks import Tick
from pixie_runtime.sinks.datagrams import DatagramSink
from pixie_runtime.sinks.faces import FaceWeights
from pixie_runtime.sinks.live_link_face_messages import face_datagram, no_face_datagram
from pixie_runtime.types import Person

_FAREWELLS = 30
"""Frames in which a person who left is still said to have no face: one datagram may be
lost, and the avatar would keep its last expression."""


class LiveLinkFaceSink(DatagramSink):
    """Streams every face to one receiver, each person as a subject of their own.

    Args:
        address: Of the receiver.
        face: Weights of a person's face.
        subject: What the subjects' names begin with; the person's number follows.

    Raises:
        SinkError: the host's name cannot be resolved.
    """

    def __init__(
        self, address: Address, *, face: FaceWeights, subject: str = DEFAULT_SUBJECT
    ) -> None:
        super().__init__("live-link-face", address, "Live Link Face")
        self._face = face
        self._subject = subject
        self._farewells: dict[int, int] = {}
        """Who is not in view, and in how many frames more that is said."""
        self._epoch_ns = time.time_ns() - time.monotonic_ns()

    def send(self, tick: Tick) -> None:
        """Send a datagram for each person, also for those who just left.

        Where nobody was seen yet, the first subject has no face, so that receivers list
        it.
        """
        taken_s = self._time_of_day_s(tick.frame.grabbed_ns)
        for person in tick.people:
            self._sender.send(self._datagram(person, taken_s))
            self._farewells[person.track_id] = _FAREWELLS
        absent = set(self._farewells) - {person.track_id for person in tick.people}
        for track_id in sorted(absent):
            self._sender.send(no_face_datagram(self._name_of(track_id), taken_s))
            self._farewells[track_id] -= 1
            if not self._farewells[track_id]:
                del self._farewells[track_id]
        if not self._farewells and not tick.people:
            self._sender.send(no_face_datagram(self._name_of(0), taken_s))

    def _datagram(self, person: Person, taken_s: float) -> bytes:
        subject = self._name_of(person.track_id)
        if not person.confidence.face:
            return no_face_datagram(subject, taken_s)
        weights, angles = self._face(person), FaceAngles.of(person)
        return face_datagram(subject, taken_s, weights, angles)

    def _name_of(self, track_id: int) -> str:
        return f"{self._subject}-{track_id}"

    def _time_of_day_s(self, moment_ns: int) -> float:
        """Return the local time of day of a moment of the monotonic clock."""
        moment = datetime.fromtimestamp((self._epoch_ns + moment_ns) / 1e9)
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        return (moment - midnight).total_seconds()
