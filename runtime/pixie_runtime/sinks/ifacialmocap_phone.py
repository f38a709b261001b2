"""Plays the phone of the iFacialMocap app: sends a face to the computers that ask."""

import contextlib
import ipaddress
import socket
from typing import Any

from pixie_runtime.addresses import Address
from pixie_runtime.errors import SinkError
from pixie_runtime.face_ports import IFACIALMOCAP_PORT
from pixie_runtime.sinks import Tick, Traffic
from pixie_runtime.sinks.faces import FaceWeights
from pixie_runtime.sinks.ifacialmocap import first_face
from pixie_runtime.sinks.ifacialmocap_messages import (
    LONGEST_REQUEST_BYTES,
    parse_request,
)

_MOST_RECEIVERS = 8
_MOST_REQUESTS_A_FRAME = 32


class IFacialMocapPhone:
    """Streams a face to the computers that ask for it, as the app on a phone does.

    Answers go to the asker's address at the protocol's port. Only askers in private
    networks are answered, a few at a time: whoever forges a sender's address must not
    make this machine flood a stranger's. Anything but a request is ignored.

    Args:
        address: Where to listen; loopback unless the user wants otherwise.
        face: Weights of a person's face.
        answer_port: Where askers listen.

    Raises:
        SinkError: the address cannot be listened at.
    """

    def __init__(
        self,
        address: Address,
        *,
        face: FaceWeights,
        answer_port: int = IFACIALMOCAP_PORT,
    ) -> None:
        self._face = face
        self._answer_port = answer_port
        self._socket = _listening(address)
        self._address = Address(address.host, self._socket.getsockname()[1])
        self._receivers: dict[str, str] = {}
        """What separates names and values, by the asker's host; oldest first."""
        self._asked = self._sent = self._dropped = 0

    @property
    def name(self) -> str:
        """`ifacialmocap` and the address that it listens at."""
        return f"ifacialmocap at {self._address}"

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self._address

    @property
    def dropped(self) -> int:
        """Datagrams that could not be sent."""
        return self._dropped

    @property
    def traffic(self) -> Traffic:
        """Datagrams sent and dropped, and who receives them."""
        clients = len(self._receivers)
        return Traffic(self._sent, self._dropped, clients, self._asked)

    def send(self, tick: Tick) -> None:
        """Hear who asks, then send everybody the face, if one is seen."""
        self._hear()
        datagrams: dict[str, bytes | None] = {}
        for host, separator in list(self._receivers.items()):
            if separator not in datagrams:
                datagrams[separator] = first_face(tick, self._face, separator=separator)
            datagram = datagrams[separator]
            if datagram is not None:
                self._send(datagram, host)

    def close(self) -> None:
        """Free the socket."""
        self._socket.close()

    def _hear(self) -> None:
        for _ in range(_MOST_REQUESTS_A_FRAME):
            try:
                # One byte more, so that what is too long does not look like a request.
                datagram, sender = self._socket.recvfrom(LONGEST_REQUEST_BYTES + 1)
            except ConnectionError:
                continue  # somebody stopped listening; they may ask again
            except OSError:
                return  # nobody asks
            request, host = parse_request(datagram), str(sender[0])
            if request is None or not _is_near(host):
                continue
            if host not in self._receivers:
                self._asked += 1
            self._receivers.pop(host, None)
            self._receivers[host] = request.separator
            if len(self._receivers) > _MOST_RECEIVERS:
                del self._receivers[next(iter(self._receivers))]

    def _send(self, datagram: bytes, host: str) -> None:
        try:
            self._socket.sendto(datagram, (host, self._answer_port))
        except OSError:
            self._dropped += 1
        else:
            self._sent += 1


def _listening(address: Address) -> socket.socket:
    """Return a socket bound to the address.

    Raises:
        SinkError: it cannot be.
    """
    with contextlib.ExitStack() as opened:
        try:
            found = socket.getaddrinfo(
                address.host, address.port, type=socket.SOCK_DGRAM
            )
            family, _, _, _, place = min(found, key=_prefers_ipv4)
            listening = opened.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            listening.bind(place)
        except OSError as error:
            raise SinkError(
                f"cannot listen for iFacialMocap receivers at {address}: "
                f"{error.strerror or error}; if a receiver on this machine uses that "
                "port, send to it instead: --ifacialmocap 127.0.0.1"
            ) from error
        listening.setblocking(False)
        opened.pop_all()
    return listening


def _prefers_ipv4(entry: tuple[Any, ...]) -> bool:
    return bool(entry[0] != socket.AF_INET)


def _is_near(host: str) -> bool:
    return not ipaddress.ip_address(host.partition("%")[0]).is_global
