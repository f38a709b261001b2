"""Sends people over OSC, as UDP datagrams that nothing waits for."""

import contextlib
import socket
from typing import Any

from pixie_runtime.addresses import Address
from pixie_runtime.errors import SinkError
from pixie_runtime.sinks import Tick
from pixie_runtime.sinks.osc_messages import alive_datagram, person_datagrams


class OscSink:
    """Streams every tick to one receiver; `docs/osc.md` lists the messages.

    A receiver that is not there, or a network that is down, costs nothing but counted
    drops: the stream goes on and is heard as soon as somebody listens again.

    Raises:
        SinkError: the host's name cannot be resolved.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._family, self._peer = _resolve(address)
        self._socket = socket.socket(self._family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        if self._family == socket.AF_INET:
            # Else an address such as 192.168.1.255 is refused.
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._connected = False
        self._dropped = 0
        self._warning: str | None = None

    @property
    def name(self) -> str:
        """`osc` and the receiver's address."""
        return f"osc {self._address}"

    @property
    def dropped(self) -> int:
        """Datagrams that are known not to have arrived."""
        return self._dropped

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence about the first datagram that was lost, if any was."""
        return () if self._warning is None else (self._warning,)

    def send(self, tick: Tick) -> None:
        """Send the liveness message, then each person's datagrams."""
        self._send(alive_datagram(tick))
        for person in tick.people:
            for datagram in person_datagrams(person):
                self._send(datagram)

    def close(self) -> None:
        """Free the socket."""
        self._socket.close()

    def _send(self, datagram: bytes) -> None:
        try:
            self._send_now(datagram)
        except ConnectionRefusedError as error:
            # The system tells of an earlier datagram's fate instead of sending this
            # one: count that one, and this one goes out at the second try.
            self._drop(error)
            with contextlib.suppress(OSError):
                self._send_now(datagram)
        except OSError as error:
            self._drop(error)

    def _send_now(self, datagram: bytes) -> None:
        if not self._connected:
            # Only a connected socket hears that nobody listens at the other end. It is
            # connected here so that a network that comes up later is found.
            self._socket.connect(self._peer)
            self._connected = True
        self._socket.send(datagram)

    def _drop(self, error: OSError) -> None:
        self._dropped += 1
        if self._warning is None:
            self._warning = (
                f"OSC to {self._address}: {error.strerror or error}; "
                "datagrams are lost until a receiver listens there"
            )


def _resolve(address: Address) -> tuple[socket.AddressFamily, Any]:
    """Look the host up; IPv4 first, which is what OSC receivers listen on."""
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise SinkError(
            f"cannot send OSC to {address}: the host {address.host!r} is not known "
            f"({error.strerror}); check its spelling or give its IP address"
        ) from error
    family, _, _, _, peer = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, peer
