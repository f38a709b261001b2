import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pythonosc.osc_bundle import OscBundle

from pixie_runtime.addresses import Address
from pixie_runtime.errors import SinkError
from pixie_runtime.sinks import Sink, Tick, Traffic
from pixie_runtime.sinks.osc import OscSink
from pixie_runtime.sinks.port_per_person import Places, PortPerPerson
from tests.runtime.people import make_person, make_tick

PEOPLE = [make_person(0, track_id=track_id) for track_id in range(5)]


def assigned(places: Places, *track_ids: int) -> list[int | None]:
    here = places.assign([PEOPLE[track_id] for track_id in track_ids])
    return [None if person is None else person.track_id for person in here]


def test_people_keep_their_places_whoever_comes_and_goes() -> None:
    places = Places(3)
    assert assigned(places, 0) == [0, None, None]
    assert assigned(places, 1, 0) == [0, 1, None]
    assert assigned(places, 1) == [None, 1, None]
    assert assigned(places, 1, 0) == [0, 1, None]


def test_place_of_one_who_left_is_the_next_one_s() -> None:
    places = Places(2)
    assigned(places, 0, 1)
    assert assigned(places, 1, 2) == [2, 1]
    # The first one is back, too late for the old place.
    assert assigned(places, 1, 0) == [0, 1]
    assert assigned(places, 0, 1, 2) == [0, 1]


@pytest.fixture
def receivers() -> Iterator[list[socket.socket]]:
    """Three sockets on ports that follow one another."""
    with ExitStack() as opened:
        for first in range(20_000, 60_000, 37):
            sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in "123"]
            try:
                for offset, receiver in enumerate(sockets):
                    opened.enter_context(receiver)
                    receiver.settimeout(5)
                    receiver.bind(("127.0.0.1", first + offset))
            except OSError:
                opened.close()
                continue
            yield sockets
            return


def addresses_received(receiver: socket.socket) -> set[str]:
    """Return the addresses of one tick's messages: `alive`, then the person's parts."""
    addresses: set[str] = set()
    while True:
        bundle = OscBundle(receiver.recv(2000))
        addresses |= {message.address for message in bundle}
        first, args = bundle.content(0), list(bundle.content(0))
        nobody = first.address == "/pixie/alive" and args[2] == 0
        if nobody or (first.address.endswith("/frame") and args[2] + 1 == args[3]):
            return addresses


def test_each_person_arrives_at_a_port_of_their_own(
    receivers: list[socket.socket],
) -> None:
    port = receivers[0].getsockname()[1]
    sink: Sink = PortPerPerson(OscSink, Address("127.0.0.1", port), 3)
    assert sink.name == f"osc 127.0.0.1:{port} to {port + 2}"
    sink.send(make_tick(PEOPLE[3], PEOPLE[1]))
    first, second, third = (addresses_received(receiver) for receiver in receivers)
    sink.close()
    assert "/pixie/3/root" in first
    assert "/pixie/1/root" in second
    assert not any("/pixie/3/" in address for address in second)
    assert third == {"/pixie/alive"}


class Port:
    """A sink of one port that notes whom it was sent."""

    def __init__(self, address: Address) -> None:
        if address.port == 13:
            raise SinkError("13 is not to be had")
        self.name = f"port {address}"
        self.dropped = 1
        self.traffic = Traffic(sent=3, dropped=1)
        self.warnings = (f"{address} is odd",)
        self.closed = False
        OPENED.append(self)

    def send(self, tick: Tick) -> None:
        pass

    def close(self) -> None:
        self.closed = True


OPENED: list[Port] = []


def test_counts_and_warnings_are_those_of_all_ports() -> None:
    sink = PortPerPerson(Port, Address("h", 1), 2)
    assert sink.traffic == Traffic(sent=6, dropped=2)
    sink.send(make_tick(*PEOPLE[:3]))
    sink.send(make_tick())
    assert sink.warnings == (
        "h:1 is odd",
        "h:2 is odd",
        "port h:1 to 2: 3 people were in view; raise --port-per-person 2 to send them "
        "all",
    )


def test_ports_opened_before_one_that_fails_are_closed() -> None:
    OPENED.clear()
    with pytest.raises(SinkError, match="13 is not"):
        PortPerPerson(Port, Address("h", 11), 3)
    assert [port.closed for port in OPENED] == [True, True]
