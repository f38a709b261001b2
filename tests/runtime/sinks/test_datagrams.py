import errno
import os
import shutil
import socket
import subprocess
import sys
import time

import pytest

from pixie_runtime.addresses import Address
from pixie_runtime.errors import SinkError
from pixie_runtime.sinks.datagrams import DatagramSender


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_datagrams_arrive_whole_from_one_port_and_are_counted() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        sender = DatagramSender(Address("127.0.0.1", receiver.getsockname()[1]), "OSC")
        for content in (b"one", b"two"):
            sender.send(content)
        came = [receiver.recvfrom(100) for _ in range(2)]
        sender.close()
    assert [content for content, _ in came] == [b"one", b"two"]
    assert came[0][1] == came[1][1]
    assert (sender.sent, sender.dropped, sender.warnings) == (2, 0, ())


def test_every_datagram_is_either_sent_or_dropped() -> None:
    sender = DatagramSender(Address("127.0.0.1", free_udp_port()), "OSC")
    for _ in range(20):
        sender.send(b"anybody?")
    # What the system took and did not hear of yet counts as sent.
    assert sender.sent + sender.dropped == 20
    assert sender.dropped >= 18
    sender.close()


def test_receiver_that_restarts_is_heard_of_again() -> None:
    port = free_udp_port()
    sender = DatagramSender(Address("127.0.0.1", port), "OSC")
    for _ in range(3):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", port))
            receiver.settimeout(5)
            sender.send(b"here again")
            assert receiver.recv(100) == b"here again"
            for _ in range(50):
                sender.send(b"and again")
            assert not sender.warnings, "all is well"
        for _ in range(3):
            sender.send(b"away")
        assert sender.warnings == (f"OSC to 127.0.0.1:{port}: nobody listens there",)
    sender.close()
    assert sender.dropped >= 6


def test_datagram_too_long_for_the_network_is_one_sentence_that_names_the_option() -> (
    None
):
    sender = DatagramSender(Address("127.0.0.1", free_udp_port()), "OSC")
    sender.send(bytes(70_000))
    sender.close()
    (warning,) = sender.warnings
    assert warning.endswith(
        "datagrams of 70000 bytes do not pass this network; choose fewer with "
        "--datagram"
    )


def test_unknown_host_is_one_sentence() -> None:
    with pytest.raises(
        SinkError,
        match=r"^cannot send VMC to no-such-host\.invalid:1: the host 'no-such-host\."
        r"invalid' is not known \(.*\); check its spelling or give its IP address$",
    ):
        DatagramSender(Address("no-such-host.invalid", 1), "VMC")


def test_system_without_room_drops_and_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sender = DatagramSender(Address("127.0.0.1", free_udp_port()), "OSC")

    def full(*args: object) -> None:
        raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))

    with monkeypatch.context() as patch:
        patch.setattr(sender, "_send_now", full)
        started = time.monotonic()
        sender.send(b"x")
    assert time.monotonic() - started < 1
    sender.close()
    assert (sender.sent, sender.dropped) == (0, 1)


SMALL_NETWORK = """
import socket, sys
from pixie_runtime.addresses import Address
from pixie_runtime.sinks.osc import OscSink
from tests.runtime.people import make_person, make_tick
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", 0))
receiver.settimeout(5)
sink = OscSink(
    Address("127.0.0.1", receiver.getsockname()[1]), datagram_bytes=int(sys.argv[1])
)
sink.send(make_tick(make_person(0)))
traffic = sink.traffic
sizes = [len(receiver.recv(70_000)) for _ in range(traffic.sent)]
with open("/proc/net/snmp") as table:
    names, values = (line.split() for line in table if line.startswith("Ip:"))
print(traffic.dropped, max(sizes), dict(zip(names, values))["FragCreates"])
"""
CAN_UNSHARE = (
    shutil.which("unshare") is not None
    and shutil.which("ip") is not None
    and subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode
    == 0
)


@pytest.mark.skipif(not CAN_UNSHARE, reason="not allowed to make a network of its own")
@pytest.mark.parametrize("limit", [1400, 512])
def test_network_with_small_packets_passes_all_and_whole_where_asked(
    limit: int,
) -> None:
    done = subprocess.run(
        [
            *("unshare", "--net", "sh", "-c"),
            'ip link set lo mtu 576 up && exec "$0" -c "$1" "$2"',
            *(sys.executable, SMALL_NETWORK, str(limit)),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    dropped, longest, fragments = map(int, done.stdout.split())
    assert dropped == 0
    assert longest <= limit
    assert (fragments > 0) == (limit > 548), "in pieces where longer than the network's"
