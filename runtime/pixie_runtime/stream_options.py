"""The options of everything that streams people out over the network.

`pixie-live` has them, and so has whatever plays a take; docstrings are the help.
"""

from dataclasses import dataclass
from typing import Annotated

import tyro

from pixie_runtime.addresses import Address, parse_addresses
from pixie_runtime.datagram_sizes import (
    DEFAULT_DATAGRAM_BYTES,
    LARGEST_DATAGRAM_BYTES,
    SMALLEST_DATAGRAM_BYTES,
)
from pixie_runtime.errors import UsageError
from pixie_runtime.web_origins import check_origins

_Receivers = Annotated[
    tuple[str, ...],
    tyro.conf.UseAppendAction,
    tyro.conf.arg(metavar="HOST:PORT", help_behavior_hint=""),
]
_Servers = Annotated[
    tuple[str, ...],
    tyro.conf.UseAppendAction,
    tyro.conf.arg(metavar="[HOST:]PORT", help_behavior_hint=""),
]
_Origins = Annotated[
    tuple[str, ...],
    tyro.conf.UseAppendAction,
    tyro.conf.arg(metavar="ORIGIN", help_behavior_hint=""),
]
_Count = Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")]


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """Where people are streamed to, while they move."""

    osc: _Receivers = ()
    """Send OSC messages there, over UDP. May be repeated."""
    datagram: Annotated[int, tyro.conf.arg(metavar="BYTES")] = DEFAULT_DATAGRAM_BYTES
    """Send no datagram longer than this: less where a VPN or
    a mobile network loses longer ones."""
    port_per_person: _Count = None
    """Send each of up to N people to a port of their own: PORT,
    PORT + 1 and so on."""
    websocket: _Servers = ()
    """Serve a websocket there; without HOST on 127.0.0.1.
    May be repeated."""
    websocket_origin: _Origins = ()
    """Let web pages from there connect too:
    SCHEME://HOST[:PORT], null (pages opened as a file) or *.
    May be repeated."""

    def __post_init__(self) -> None:
        _ = self.websocket_addresses
        if self.websocket_origin and not self.websocket:
            raise UsageError("--websocket-origin needs --websocket")
        check_origins(self.websocket_origin, option="--websocket-origin")
        if not SMALLEST_DATAGRAM_BYTES <= self.datagram <= LARGEST_DATAGRAM_BYTES:
            raise UsageError(
                f"--datagram {self.datagram}: expected {SMALLEST_DATAGRAM_BYTES} to "
                f"{LARGEST_DATAGRAM_BYTES} bytes"
            )
        self._check_ports()

    @property
    def osc_addresses(self) -> tuple[Address, ...]:
        """Where to send OSC.

        Raises:
            UsageError: one is no address, or given twice.
        """
        return parse_addresses(self.osc, option="--osc")

    @property
    def websocket_addresses(self) -> tuple[Address, ...]:
        """Where to serve websockets.

        Raises:
            UsageError: one is no address, or given twice.
        """
        return parse_addresses(
            self.websocket, option="--websocket", default_host="127.0.0.1"
        )

    @property
    def datagram_addresses(self) -> tuple[tuple[str, Address], ...]:
        """Where datagrams go: the option and the address, of every such output."""
        return tuple(("--osc", address) for address in self.osc_addresses)

    @property
    def is_sent(self) -> bool:
        """Whether anything goes out over the network."""
        return bool(self.datagram_addresses or self.websocket)

    def _check_ports(self) -> None:
        sent_to, ports = self.datagram_addresses, self.port_per_person
        if ports is None:
            return
        if not sent_to:
            raise UsageError("--port-per-person needs an output over UDP, as --osc")
        if ports < 1:
            raise UsageError(f"--port-per-person {ports}: expected 1 or more")
        for option, address in sent_to:
            if address.port + ports - 1 > 65535:
                raise UsageError(
                    f"{option} {address}: --port-per-person {ports} ends beyond "
                    "port 65535; start lower"
                )
