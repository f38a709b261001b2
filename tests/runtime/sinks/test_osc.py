import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer

from pixie_runtime.addresses import Address
from pixie_runtime.sinks import Sink
from pixie_runtime.sinks.osc import OscSink
from tests.runtime.people import make_person, make_tick

Received = list[tuple[str, tuple[Any, ...]]]


@contextmanager
def osc_server(port: int = 0) -> Iterator[tuple[int, Received]]:
    """Run python-osc's server in a thread; yields its port and what it received."""
    received: Received = []
    dispatcher = Dispatcher()
    dispatcher.set_default_handler(
        lambda address, *args: received.append((address, args))
    )
    with BlockingOSCUDPServer(("127.0.0.1", port), dispatcher) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1], received
        finally:
            server.shutdown()
            thread.join()


def wait_for(received: Received, address: str) -> tuple[Any, ...]:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        for seen, args in list(received):
            if seen == address:
                return args
        time.sleep(0.005)
    raise AssertionError(f"{address} never came; got {[a for a, _ in received]}")


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_python_osc_server_receives_a_person() -> None:
    person = make_person(5, track_id=2)
    with osc_server() as (port, received):
        sink: Sink = OscSink(Address("localhost", port))
        sink.send(make_tick(person))
        wait_for(received, "/pixie/2/betas")
        sink.close()
        root = wait_for(received, "/pixie/2/root")
    assert root[:3] == tuple(person.joints[0].tolist())
    assert sum(address == "/pixie/2/joint" for address, _ in received) == 54
    assert sink.dropped == 0


def test_empty_view_sends_liveness_only() -> None:
    with osc_server() as (port, received):
        sink = OscSink(Address("127.0.0.1", port))
        sink.send(make_tick(frame_index=3))
        args = wait_for(received, "/pixie/alive")
        sink.close()
    assert args == (3, pytest.approx(0.1), 0)
    assert len(received) == 1


def test_absent_receiver_is_counted_and_said_once_and_heard_when_it_comes() -> None:
    port = free_udp_port()
    sink = OscSink(Address("127.0.0.1", port))
    started = time.monotonic()
    for frame in range(20):
        sink.send(make_tick(make_person(0, frame_index=frame)))
    assert time.monotonic() - started < 2
    assert sink.dropped > 10
    (warning,) = sink.warnings
    assert f"127.0.0.1:{port}" in warning

    with osc_server(port) as (_, received):
        sink.send(make_tick(frame_index=77))
        assert wait_for(received, "/pixie/alive")[0] == 77
    sink.close()


def test_unreachable_network_neither_raises_nor_stalls() -> None:
    # A link-local IPv6 address without a zone has no route.
    sink = OscSink(Address("fe80::1", 9000))
    started = time.monotonic()
    for frame in range(5):
        sink.send(make_tick(make_person(0, frame_index=frame)))
    assert time.monotonic() - started < 1
    assert sink.dropped >= 5
    assert len(sink.warnings) == 1
    sink.close()


def test_broadcast_address_is_allowed() -> None:
    sink = OscSink(Address("255.255.255.255", free_udp_port()))
    sink.send(make_tick())
    assert "Permission denied" not in "".join(sink.warnings)
    sink.close()
