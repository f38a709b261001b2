import time
from datetime import datetime

import numpy as np
import pytest

from pixie_runtime.addresses import Address
from pixie_runtime.errors import SinkError
from pixie_runtime.sinks import Sink, Tick
from pixie_runtime.sinks.live_link_face import LiveLinkFaceSink
from pixie_runtime.types import Float32, Person
from tests.runtime.face.people import facing_the_camera, turned
from tests.runtime.people import make_tick
from tests.runtime.sinks.live_link_face_decoder import NAMES, Packet, decode
from tests.runtime.sinks.udp_receivers import received, receiver


def weights(person: Person) -> Float32:
    """Give every person a face of their own."""
    return np.linspace(0, (person.track_id + 1) / 10, 52, dtype=np.float32)


def sent(*ticks: Tick, count: int) -> list[Packet]:
    """Return what a receiver gets of the ticks: so many packets and no more."""
    with receiver() as (listening, port):
        sink: Sink = LiveLinkFaceSink(Address("127.0.0.1", port), face=weights)
        for tick in ticks:
            sink.send(tick)
        packets = [decode(datagram) for datagram in received(listening, count)]
        sink.close()
        assert sink.dropped == 0
    return packets


def test_each_person_is_a_subject_with_a_face_of_their_own() -> None:
    people = [facing_the_camera(track_id=1), facing_the_camera(track_id=4)]
    packets = sent(make_tick(*people), count=2)
    assert [packet.subject for packet in packets] == ["pixie-1", "pixie-4"]
    assert len({packet.uuid for packet in packets}) == 2
    for person, packet in zip(people, packets, strict=True):
        assert packet.values is not None
        expected = weights(person).tolist()
        assert [packet.values[name] for name in NAMES[:52]] == expected


def test_a_head_turned_to_its_left_has_a_positive_yaw() -> None:
    person = turned(facing_the_camera(), head=(0, 0.4, 0))
    (packet,) = sent(make_tick(person), count=1)
    assert packet.values is not None
    assert packet.values["HeadYaw"] == pytest.approx(0.4, abs=1e-6)
    assert packet.values["HeadPitch"] == pytest.approx(0, abs=1e-6)


def test_a_face_that_is_not_seen_is_no_face() -> None:
    (packet,) = sent(make_tick(facing_the_camera(face=0.0)), count=1)
    assert packet.subject == "pixie-0"
    assert packet.values is None


def test_who_left_has_no_face_for_a_second_and_is_then_forgotten() -> None:
    staying = facing_the_camera(track_id=1)
    both = make_tick(facing_the_camera(track_id=0), staying)
    packets = sent(both, *[make_tick(staying)] * 40, count=2 + 40 + 30)
    farewells = [packet for packet in packets[2:] if packet.subject == "pixie-0"]
    assert len(farewells) == 30
    assert all(packet.values is None for packet in farewells)


def test_receivers_list_the_first_subject_before_anybody_is_there() -> None:
    (packet,) = sent(make_tick(), count=1)
    assert packet.subject == "pixie-0"
    assert packet.values is None


def test_the_time_is_the_local_time_at_which_the_picture_was_taken() -> None:
    person = facing_the_camera()
    tick = make_tick(person)
    age_s = (time.monotonic_ns() - tick.frame.grabbed_ns) / 1e9
    taken = datetime.fromtimestamp(time.time() - age_s)
    midnight = taken.replace(hour=0, minute=0, second=0, microsecond=0)
    (packet,) = sent(tick, count=1)
    difference = packet.seconds - (taken - midnight).total_seconds()
    assert (difference + 43200) % 86400 - 43200 == pytest.approx(0, abs=2)


def test_a_name_of_the_users_own_begins_every_subject() -> None:
    with receiver() as (listening, port):
        sink = LiveLinkFaceSink(
            Address("127.0.0.1", port), face=weights, subject="Bühne"
        )
        sink.send(make_tick(facing_the_camera(track_id=2)))
        (datagram,) = received(listening, 1)
        sink.close()
    assert decode(datagram).subject == "Bühne-2"


def test_an_unknown_host_is_one_sentence() -> None:
    with pytest.raises(SinkError, match="cannot send Live Link Face to no-such-host"):
        LiveLinkFaceSink(Address("no-such-host.invalid", 11111), face=weights)
