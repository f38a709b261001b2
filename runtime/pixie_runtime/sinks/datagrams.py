"""UDP to one receiver that need not be there: nothing waits, losses are counted."""

import contextlib
import errno
import socket
from typing import Any

from pixie_runtime.addresses import Address
from pixie_runtime.errors import SinkError
from pixie_runtime.sinks import Traffic


class DatagramSink:
    """What sinks that send datagrams to one address have in common: all but `send`.

    Args:
        name: What a status line calls the sink, before the address: `osc`.
        address: Of the receiver.
        what: What is sent there, for sentences: `OSC`.

    Raises:
        SinkError: the host's name cannot be resolved.
    """

    def __init__(self, name: str, address: Address, what: str) -> None:
        self._name = f"{name} {address}"
        self._sender = DatagramSender(address, what)

    @property
    def name(self) -> str:
        """What is sent, and the receiver's address."""
        return self._name

    @property
    def dropped(self) -> int:
        """Datagrams that are known not to have arrived."""
        return self._sender.dropped

    @property
    def traffic(self) -> Traffic:
        """Datagrams sent and dropped."""
        return Traffic(self._sender.sent, self._sender.dropped)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence about the first datagram that was lost, if any was."""
        return self._sender.warnings

    def close(self) -> None:
        """Free the socket."""
        self._sender.close()


_WELL_AGAIN = 20
"""So many datagrams in a row without bad news mean that somebody listens again."""


class DatagramSender:
    """Sends datagrams to one address, always from the same port.

    A receiver that is not there, or a network that is down, costs nothing but counted
    drops: the stream goes on and is heard as soon as somebody listens again.

    Args:
        address: Of the receiver.
        what: What is sent there, for sentences: `OSC`.

    Raises:
        SinkError: the host's name cannot be resolved.
    """

    def __init__(self, address: Address, what: str) -> None:
        self._address = address
        self._what = what
        family, self._peer = _resolve(address, what)
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        if family == socket.AF_INET:
            # Else an address such as 192.168.1.255 is refused.
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._connected = False
        self._sent = self._dropped = 0
        self._warning: str | None = None
        self._well = 0
        """Datagrams in a row of which nothing bad was heard."""

    @property
    def sent(self) -> int:
        """Datagrams handed to the network, as far as is known not in vain."""
        return self._sent

    @property
    def dropped(self) -> int:
        """Datagrams that are known not to have arrived."""
        return self._dropped

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence while datagrams are being lost, and for a moment after."""
        return () if self._warning is None else (self._warning,)

    def send(self, datagram: bytes) -> None:
        """Send it now or drop it."""
        try:
            self._send_now(datagram)
            self._recover()
        except ConnectionRefusedError as error:
            # The system tells of an earlier datagram's fate instead of sending this
            # one: that one is lost, and this one goes out at the second try.
            self._sent = max(self._sent - 1, 0)
            self._drop(error, datagram)
            with contextlib.suppress(OSError):
                self._send_now(datagram)
        except OSError as error:
            self._drop(error, datagram)

    def close(self) -> None:
        """Free the socket."""
        self._socket.close()

    def _send_now(self, datagram: bytes) -> None:
        if not self._connected:
            # Only a connected socket hears that nobody listens at the other end. It is
            # connected here so that a network that comes up later is found.
            self._socket.connect(self._peer)
            self._connected = True
        self._socket.send(datagram)
        self._sent += 1

    def _drop(self, error: OSError, datagram: bytes) -> None:
        self._dropped += 1
        self._well = 0
        reason = error.strerror or str(error)
        if error.errno == errno.ECONNREFUSED:
            reason = "nobody listens there"
        if error.errno == errno.EMSGSIZE:
            reason = (
                f"datagrams of {len(datagram)} bytes do not pass this network; "
                "choose fewer with --datagram"
            )
        self._warning = f"{self._what} to {self._address}: {reason}"

    def _recover(self) -> None:
        """Take the warning back once it is no longer true."""
        self._well += 1
        if self._well == _WELL_AGAIN:
            self._warning = None


def _resolve(address: Address, what: str) -> tuple[socket.AddressFamily, Any]:
    """Look the host up; IPv4 first, which is what most receivers listen on."""
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise SinkError(
            f"cannot send {what} to {address}: the host {address.host!r} is not known "
            f"({error.strerror}); check its spelling or give its IP address"
        ) from error
    family, _, _, _, peer = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, peer
