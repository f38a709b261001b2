"""Sends a person to VMC receivers: Unity, Unreal, VTuber programs, Blender."""

import time
from collections.abc import Callable, Iterator
from itertools import chain

from pixie_runtime.addresses import Address
from pixie_runtime.ground import Ground
from pixie_runtime.humanoid import UPRIGHT, humanoid_pose
from pixie_runtime.humanoid_root import rooted
from pixie_runtime.sinks import Tick
from pixie_runtime.sinks.datagrams import DatagramSink
from pixie_runtime.sinks.faces import FaceWeights
from pixie_runtime.sinks.osc_bundles import datagrams
from pixie_runtime.sinks.pace import Pace
from pixie_runtime.sinks.port_per_person import Places
from pixie_runtime.sinks.vmc_expressions import expressions
from pixie_runtime.sinks.vmc_messages import (
    CalibrationState,
    Status,
    expression_messages,
    own_messages,
    pose_messages,
    status_messages,
)
from pixie_runtime.types import Person
from pixie_runtime.vmc_settings import VmcSettings


class VmcSink(DatagramSink):
    """Streams one person to one receiver; `docs/vmc.md` lists the messages.

    The protocol knows of one person only. Of several, the one who was there first is
    sent; `PortPerPerson` sends each to a port of their own.

    Args:
        address: Of the receiver.
        settings: What the stream is like.
        face: Returns a person's weights of ARKit's units, (52,).
        ground: Where the world's origin is, if it is on the ground; shared by sinks
            whose people are to stand on one ground.
        clock_ns: The clock of `Frame.grabbed_ns`.

    Raises:
        SinkError: the host's name cannot be resolved.
    """

    def __init__(
        self,
        address: Address,
        settings: VmcSettings,
        *,
        face: FaceWeights,
        ground: Ground | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        super().__init__("vmc", address, "VMC")
        self._settings = settings
        self._face = face
        self._ground = ground or Ground()
        self._clock_ns = clock_ns
        self._pace = Pace(settings.rate_hz)
        self._place = Places(1)
        self._began_ns: int | None = None
        self._seen = False

    def send(self, tick: Tick) -> None:
        """Send that we are there and, if somebody is in view, all about them.

        Receivers keep the last pose while nobody is.
        """
        (person,) = self._place.assign(tick.people)
        if person is not None:
            self._seen = True
            self._ground.observe(person)
        grabbed_ns = tick.frame.grabbed_ns
        if self._began_ns is None:
            self._began_ns = grabbed_ns
        if not self._pace.lets_through(grabbed_ns / 1e9):
            return
        time_s = (grabbed_ns - self._began_ns) / 1e9
        messages = [status_messages(self._status(time_s, person is not None))]
        if person is not None:
            latency_ms = (self._clock_ns() - grabbed_ns) / 1e6
            messages.append(self._person_messages(person, latency_ms))
        limit = self._settings.datagram_bytes
        for datagram in datagrams(chain.from_iterable(messages), limit):
            self._sender.send(datagram)

    def _person_messages(self, person: Person, latency_ms: float) -> Iterator[bytes]:
        on_ground = self._settings.origin == "ground"
        world = self._ground.world_from_camera() if on_ground else UPRIGHT
        pose = rooted(humanoid_pose(person, world), self._settings.root)
        yield from pose_messages(pose)
        yield from own_messages(person, latency_ms)
        values = expressions(self._face(person), self._settings.expressions)
        yield from expression_messages(values)

    def _status(self, time_s: float, tracking: bool) -> Status:
        if not self._seen:
            calibration = CalibrationState.WAITING
        elif self._settings.origin == "ground" and not self._ground.settled:
            calibration = CalibrationState.CALIBRATING
        else:
            calibration = CalibrationState.CALIBRATED
        return Status(self._seen, calibration, tracking, time_s)
