"""The iFacialMocap outputs on real sockets, with computers that ask and that do not."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from pixie_runtime.addresses import Address
from pixie_runtime.errors import SinkError
from pixie_runtime.sinks import Sink
from pixie_runtime.sinks.ifacialmocap import IFacialMocapSink
from pixie_runtime.sinks.ifacialmocap_phone import IFacialMocapPhone
from pixie_runtime.types import Float32, Person
from tests.runtime.face.people import facing_the_camera
from tests.runtime.people import make_tick
from tests.runtime.sinks.udp_receivers import is_silent, received, receiver

REQUEST = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
FACE = make_tick(facing_the_camera())


def weights(person: Person) -> Float32:
    """Give every person a face of their own."""
    return np.full(52, (person.track_id + 1) / 10, np.float32)


@contextmanager
def phone(answer_port: int) -> Iterator[IFacialMocapPhone]:
    listening = IFacialMocapPhone(
        Address("127.0.0.1", 0), face=weights, answer_port=answer_port
    )
    try:
        yield listening
    finally:
        listening.close()


def ask(
    of: IFacialMocapPhone, request: bytes = REQUEST, *, host: str = "127.0.0.1"
) -> None:
    """Ask from a port of its own, as computers do: it is not where they listen."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind((host, 0))
        asking.sendto(request, (of.address.host, of.address.port))


def test_a_receiver_that_does_not_ask_gets_every_face() -> None:
    with receiver() as (listening, port):
        sink: Sink = IFacialMocapSink(Address("127.0.0.1", port), face=weights)
        sink.send(FACE)
        sink.send(make_tick())
        sink.send(make_tick(facing_the_camera(face=0.0)))
        (datagram,) = received(listening, 1)
        sink.close()
    assert b"jawOpen-10|" in datagram
    assert sink.dropped == 0


def test_of_several_people_the_first_whose_face_is_seen_is_sent() -> None:
    hidden, seen = (facing_the_camera(track_id=i, face=0.5 * i) for i in (0, 1))
    with receiver() as (listening, port):
        sink = IFacialMocapSink(Address("127.0.0.1", port), face=weights)
        sink.send(make_tick(hidden, seen, facing_the_camera(track_id=2)))
        (datagram,) = received(listening, 1)
        sink.close()
    assert b"jawOpen-20|" in datagram


def test_nobody_is_sent_anything_before_they_ask() -> None:
    with receiver() as (listening, port), phone(port) as sink:
        sink.send(FACE)
        assert is_silent(listening)
        assert sink.traffic.clients == 0
        ask(sink)
        sink.send(FACE)
        sink.send(FACE)
        assert len(received(listening, 2)) == 2
        assert (sink.traffic.sent, sink.traffic.clients) == (2, 1)


def test_the_second_version_is_sent_to_whoever_asks_for_it() -> None:
    with receiver() as (listening, port), phone(port) as sink:
        ask(sink, REQUEST + b"|sendDataVersion=v2")
        sink.send(FACE)
        (datagram,) = received(listening, 1)
    assert b"jawOpen&10|" in datagram


@pytest.mark.parametrize(
    "nonsense",
    [b"", b"hello", REQUEST[:-1], REQUEST + b"x" * 60_000, bytes(range(256)) * 4],
)
def test_anything_but_a_request_is_ignored(nonsense: bytes) -> None:
    with receiver() as (listening, port), phone(port) as sink:
        ask(sink, nonsense)
        sink.send(FACE)
        assert is_silent(listening)
        assert sink.traffic.clients == 0


def test_who_asks_again_is_sent_each_face_once() -> None:
    with receiver() as (listening, port), phone(port) as sink:
        for _ in range(5):
            ask(sink)
        sink.send(FACE)
        assert len(received(listening, 1)) == 1
        assert sink.traffic.connections == 1


@pytest.mark.skipif(
    sys.platform != "linux", reason="127.0.0.2 is an address of its own"
)
def test_the_newest_askers_are_served_and_no_more_than_eight() -> None:
    hosts = [f"127.0.0.{number}" for number in range(2, 12)]
    with receiver(hosts[0]) as (first, port), receiver(hosts[-1], port) as (last, _):
        with phone(port) as sink:
            for host in hosts:
                ask(sink, host=host)
            sink.send(FACE)
            assert sink.traffic.clients == 8
        assert is_silent(first)
        assert len(received(last, 1)) == 1


def test_a_flood_of_requests_holds_up_no_frame() -> None:
    with receiver() as (listening, port), phone(port) as sink:
        for _ in range(200):
            ask(sink, b"nonsense")
        ask(sink)
        for _ in range(7):  # 32 are heard with each frame
            sink.send(FACE)
        assert len(received(listening, 1)) == 1


def test_strangers_from_outside_are_not_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A forged sender's address must not turn us into somebody's flood."""
    with receiver() as (_, port), phone(port) as sink:
        heard = iter(
            [(REQUEST, ("93.184.215.14", 4000)), (REQUEST, ("10.1.2.3", 4000))]
        )

        class Network:
            def recvfrom(self, size: int) -> tuple[bytes, tuple[str, int]]:
                try:
                    return next(heard)
                except StopIteration:
                    raise BlockingIOError from None

            def sendto(self, datagram: bytes, to: tuple[str, int]) -> None:
                assert to == ("10.1.2.3", port)

            def close(self) -> None: ...

        sink._socket.close()
        monkeypatch.setattr(sink, "_socket", Network())
        sink.send(FACE)
        assert sink.traffic.clients == 1


def test_a_port_in_use_is_one_sentence_that_says_what_to_do() -> None:
    with receiver() as (_, port), pytest.raises(SinkError) as caught:
        IFacialMocapPhone(Address("127.0.0.1", port), face=weights)
    sentence = str(caught.value)
    assert f"127.0.0.1:{port}" in sentence
    assert "--ifacialmocap 127.0.0.1" in sentence
