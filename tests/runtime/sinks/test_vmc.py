import socket
import time
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from pixie_runtime.addresses import Address
from pixie_runtime.assembly import open_sinks, open_source
from pixie_runtime.body import embedded_body_model
from pixie_runtime.calibration import calibrate
from pixie_runtime.controls import Controls
from pixie_runtime.errors import SinkError
from pixie_runtime.ground import Ground
from pixie_runtime.options import Options
from pixie_runtime.sinks import Sink, Tick
from pixie_runtime.sinks.port_per_person import PortPerPerson
from pixie_runtime.sinks.vmc import VmcSink
from pixie_runtime.sinks.websocket_messages import StreamInfo
from pixie_runtime.stream_options import StreamOptions
from pixie_runtime.types import Person
from pixie_runtime.vmc_settings import VmcSettings
from tests.runtime.people import make_person, make_tick, no_face
from tests.runtime.receivers.osc import Message, read_bundle
from tests.runtime.standing import DOWN_DEG, standing


class Port:
    """A UDP port and what has arrived there."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.senders: set[int] = set()

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self.socket.getsockname()[1])

    def datagrams(self) -> list[bytes]:
        arrived: list[bytes] = []
        while True:
            try:
                datagram, sender = self.socket.recvfrom(65536)
            except BlockingIOError:
                return arrived
            arrived.append(datagram)
            self.senders.add(sender[1])

    def messages(self) -> list[Message]:
        return [m for d in self.datagrams() for m in read_bundle(d).messages]


@pytest.fixture
def port() -> Iterator[Port]:
    opened = Port()
    with opened.socket:
        yield opened


def frames(messages: list[Message]) -> int:
    return sum(message.address == "/VMC/Ext/T" for message in messages)


def status(messages: list[Message]) -> tuple[int | float | str, ...]:
    (ok,) = (message for message in messages if message.address == "/VMC/Ext/OK")
    return ok.values


def test_empty_view_keeps_the_stream_alive_and_the_pose_as_it_was(port: Port) -> None:
    with closing(VmcSink(port.address, VmcSettings(), face=no_face)) as sink:
        sink.send(make_tick(frame_index=0))
        assert status(port.messages()) == (0, 1, 0, 0)  # nothing loaded, waiting
        sink.send(make_tick(make_person(0, frame_index=1)))
        assert status(port.messages()) == (1, 2, 0, 1)  # loaded, calibrating
        sink.send(make_tick(frame_index=90))
        gone = port.messages()
    assert [message.address for message in gone] == ["/VMC/Ext/OK", "/VMC/Ext/T"]
    assert status(gone)[0] == 1
    assert status(gone)[3] == 0


def test_time_is_that_of_capture_since_the_stream_began(port: Port) -> None:
    with closing(VmcSink(port.address, VmcSettings(), face=no_face)) as sink:
        for frame in (100, 101, 130):
            sink.send(make_tick(frame_index=frame))
    times = [m.values[0] for m in port.messages() if m.address == "/VMC/Ext/T"]
    assert times == pytest.approx([0, 0.033, 0.99])


def test_latency_is_from_grabbing_the_picture_to_sending(port: Port) -> None:
    tick = make_tick(make_person(0))

    def now() -> int:
        return tick.frame.grabbed_ns + 40_000_000

    sink = VmcSink(port.address, VmcSettings(), face=no_face, clock_ns=now)
    with closing(sink):
        sink.send(tick)
    (late,) = (m for m in port.messages() if m.address.endswith("/latency"))
    assert late.values[1] == pytest.approx(40)


def test_all_datagrams_come_from_one_port_and_none_is_too_long(port: Port) -> None:
    settings = VmcSettings(expressions=("vrm0", "arkit"), datagram_bytes=700)
    with closing(VmcSink(port.address, settings, face=no_face)) as sink:
        for frame in range(5):
            sink.send(make_tick(make_person(frame, frame_index=frame)))
        datagrams = port.datagrams()
        assert len(port.senders) == 1
        assert max(map(len, datagrams)) <= 700
        assert sink.dropped == 0
        assert sink.traffic.sent == len(datagrams)


def test_rate_is_kept(port: Port) -> None:
    settings = VmcSettings(rate_hz=10)
    sent = 0
    with closing(VmcSink(port.address, settings, face=no_face)) as sink:
        for frame in range(90):  # 33 ms each
            sink.send(make_tick(make_person(0, frame_index=frame)))
            sent += frames(port.messages())
    assert sent == pytest.approx(30, abs=1)


def test_of_several_people_the_one_who_was_there_first_is_sent(port: Port) -> None:
    first, second = make_person(0, track_id=4), make_person(1, track_id=2)

    def track(tick: Tick) -> int:
        sink.send(tick)
        (who,) = (m.values[1] for m in port.messages() if m.address.endswith("person"))
        return int(who)

    with closing(VmcSink(port.address, VmcSettings(), face=no_face)) as sink:
        assert track(make_tick(first)) == 4
        assert track(make_tick(second, first)) == 4
        assert track(make_tick(second)) == 2


def test_people_at_ports_of_their_own_stand_on_one_ground() -> None:
    ports = [Port(), Port()]
    ground = Ground()
    people = [make_person(i, track_id=i) for i in range(2)]

    def open_sink(address: Address) -> Sink:
        # The second port is wherever the system gave one.
        port = ports[address.port - 40000]
        return VmcSink(port.address, VmcSettings(), face=no_face, ground=ground)

    sink = PortPerPerson(open_sink, Address("127.0.0.1", 40000), 2)
    with closing(sink):
        sink.send(make_tick(*people))
        hips = []
        for port in ports:
            hips += [m.values[1:4] for m in port.messages() if "Hips" in m.values]
            port.socket.close()
    between = np.subtract(hips[1], hips[0])
    apart = people[1].joints[0] - people[0].joints[0]
    np.testing.assert_allclose(between, -apart, atol=1e-5)


def test_absent_receiver_costs_nothing_is_counted_and_said_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        address = Address("127.0.0.1", probe.getsockname()[1])
    with closing(VmcSink(address, VmcSettings(), face=no_face)) as sink:
        started = time.monotonic()
        for frame in range(20):
            sink.send(make_tick(make_person(0, frame_index=frame)))
        assert time.monotonic() - started < 5
        assert sink.dropped > 50
        (warning,) = sink.warnings
        assert warning.startswith(f"VMC to {address}: ")


def test_unknown_host_is_refused_at_the_start() -> None:
    with pytest.raises(
        SinkError, match=r"cannot send VMC to .*'no-such-host\.invalid'"
    ):
        VmcSink(Address("no-such-host.invalid", 39539), VmcSettings(), face=no_face)


def test_avatar_stands_upright_once_the_running_pipeline_is_calibrated(
    port: Port,
) -> None:
    """A tilted camera makes avatars lean; what the viewer calibrates ends that."""
    model = embedded_body_model()
    betas = np.zeros(model.n_betas, np.float32)
    people = [standing(model, betas, time_s=frame / 30) for frame in range(31)]
    options = Options(demo=True, streaming=StreamOptions(vmc=(str(port.address),)))
    controls = Controls()
    info = StreamInfo(model.name, model.n_betas, model.n_expression)

    def lean_deg(person: Person) -> float:
        sink.send(make_tick(person))
        (x, y, z, w) = next(
            map(float, m.values[4:8]) for m in port.messages() if "Hips" in m.values
        )
        return float(np.degrees(2 * np.arctan2(np.hypot(x, z), np.hypot(y, w))))

    with closing(open_source(options)) as source:
        (sink,) = open_sinks(options, source, model, info, {}, controls)
        with closing(sink):
            assert lean_deg(people[0]) == pytest.approx(DOWN_DEG, abs=0.1)
            controls.calibrate_with(calibrate(people, model))
            assert lean_deg(people[0]) < 5  # up is from ankles to neck, not the hips'
