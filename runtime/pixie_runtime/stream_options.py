"""The options of everything that streams people out over the network.

`pixie-live` has them, and so has whatever plays a take; docstrings are the help.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from pixie_runtime.addresses import Address, parse_addresses
from pixie_runtime.datagram_sizes import (
    DEFAULT_DATAGRAM_BYTES,
    LARGEST_DATAGRAM_BYTES,
    SMALLEST_DATAGRAM_BYTES,
)
from pixie_runtime.errors import UsageError
from pixie_runtime.face_ports import (
    DEFAULT_SUBJECT,
    IFACIALMOCAP_PORT,
    LIVE_LINK_FACE_PORT,
    check_subject,
)
from pixie_runtime.option_types import optional_count, optional_number
from pixie_runtime.vmc_settings import (
    VMC_PORT,
    Origin,
    RootMode,
    VmcSettings,
    parse_expression_names,
)
from pixie_runtime.web_origins import check_origins
from pixie_runtime.web_tokens import read_token

_Receivers = Annotated[
    tuple[str, ...],
    tyro.conf.UseAppendAction,
    tyro.conf.arg(metavar="HOST:PORT", help_behavior_hint=""),
]
_Hosts = Annotated[
    tuple[str, ...],
    tyro.conf.UseAppendAction,
    tyro.conf.arg(metavar="HOST[:PORT]", help_behavior_hint=""),
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
_Token = Annotated[
    str | None, tyro.conf.arg(metavar="TOKEN|@FILE", help_behavior_hint="")
]
_CertificateAndKey = Annotated[
    tuple[Path, Path] | None,
    tyro.conf.arg(metavar="CERT KEY", help_behavior_hint=""),
]
_Root = Annotated[RootMode, tyro.conf.arg(metavar="hips|root|both")]
_Origin = Annotated[Origin, tyro.conf.arg(metavar="ground|camera")]
_Expressions = Annotated[
    tuple[str, ...],
    tyro.conf.UseAppendAction,
    tyro.conf.arg(metavar="vrm0|vrm1|arkit|arkit-pascal", help_behavior_hint=""),
]
_Rate = Annotated[
    float | None, optional_number(), tyro.conf.arg(metavar="HZ", help_behavior_hint="")
]
_Count = Annotated[
    int | None, optional_count(), tyro.conf.arg(metavar="N", help_behavior_hint="")
]


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """Where people are streamed to, while they move; each output may be repeated."""

    osc: _Receivers = ()
    """Send OSC messages there, over UDP."""
    vmc: _Hosts = ()
    """Send VMC there, for avatars in Unity, Unreal, Blender
    and VTuber programs; without PORT to 39539."""
    vmc_root: _Root = "hips"
    """What moves the avatar through its world: its hips,
    its root, or both: the root on the ground, the hips
    above it."""
    vmc_origin: _Origin = "ground"
    """Where the middle of that world is: on the ground
    where the person was first seen, or at the camera."""
    vmc_blends: _Expressions = ()
    """Send the face by the names of VRM 0 (default), VRM 1,
    ARKit, or ARKit's in PascalCase; several with commas."""
    vmc_rate: _Rate = None
    """Send VMC at most so many times a second."""
    live_link_face: _Hosts = ()
    """Send faces to Unreal there, as the Live Link Face app
    does; without PORT to 11111."""
    live_link_subject: Annotated[str, tyro.conf.arg(metavar="NAME")] = DEFAULT_SUBJECT
    """What Unreal calls them, with the person's number:
    pixie-0."""
    ifacialmocap: _Hosts = ()
    """Send a face there, as the iFacialMocap app does;
    without PORT to 49983."""
    ifacialmocap_listen: _Hosts = ()
    """Be that app's phone: wait at this address of this
    computer for others that ask for a face; 0.0.0.0 is
    every address that it has."""
    datagram: Annotated[int, tyro.conf.arg(metavar="BYTES")] = DEFAULT_DATAGRAM_BYTES
    """Send no datagram longer than this: less where a VPN
    or a mobile network loses longer ones."""
    port_per_person: _Count = None
    """Send each of up to N people to a port of their own:
    PORT, PORT + 1 and so on."""
    websocket: _Servers = ()
    """Serve a websocket there; without HOST on 127.0.0.1."""
    websocket_origin: _Origins = ()
    """Let web pages from there connect too:
    SCHEME://HOST[:PORT], null (pages opened as a file)
    or *. May be repeated."""
    websocket_token: _Token = field(default=None, repr=False)
    """Let in only who knows this: 8 letters and digits or
    more; @FILE keeps it out of the list of processes."""
    websocket_tls: _CertificateAndKey = None
    """Encrypt the websocket (wss) with a certificate and
    its key (.pem)."""
    websocket_clients: Annotated[int, tyro.conf.arg(metavar="N")] = 128
    """Let in so many at one time."""

    def __post_init__(self) -> None:
        self._check_websocket()
        if not SMALLEST_DATAGRAM_BYTES <= self.datagram <= LARGEST_DATAGRAM_BYTES:
            raise UsageError(
                f"--datagram {self.datagram}: expected {SMALLEST_DATAGRAM_BYTES} to "
                f"{LARGEST_DATAGRAM_BYTES} bytes"
            )
        self._check_vmc()
        self._check_faces()
        self._check_ports()

    @property
    def osc_addresses(self) -> tuple[Address, ...]:
        """Where to send OSC.

        Raises:
            UsageError: one is no address, or given twice.
        """
        return parse_addresses(self.osc, option="--osc")

    @property
    def vmc_addresses(self) -> tuple[Address, ...]:
        """Where to send VMC.

        Raises:
            UsageError: one is no address, or given twice.
        """
        return parse_addresses(self.vmc, option="--vmc", default_port=VMC_PORT)

    @property
    def vmc_settings(self) -> VmcSettings:
        """What a VMC stream is like.

        Raises:
            UsageError: there are no expressions of such names.
        """
        return VmcSettings(
            root=self.vmc_root,
            origin=self.vmc_origin,
            expressions=parse_expression_names(self.vmc_blends, option="--vmc-blends")
            or ("vrm0",),
            rate_hz=self.vmc_rate,
            datagram_bytes=self.datagram,
        )

    @property
    def live_link_face_addresses(self) -> tuple[Address, ...]:
        """Where to send faces as Live Link Face does.

        Raises:
            UsageError: one is no address, or given twice.
        """
        return parse_addresses(
            self.live_link_face,
            option="--live-link-face",
            default_port=LIVE_LINK_FACE_PORT,
        )

    @property
    def ifacialmocap_addresses(self) -> tuple[Address, ...]:
        """Where to send a face as iFacialMocap does.

        Raises:
            UsageError: one is no address, or given twice.
        """
        return parse_addresses(
            self.ifacialmocap, option="--ifacialmocap", default_port=IFACIALMOCAP_PORT
        )

    @property
    def ifacialmocap_places(self) -> tuple[Address, ...]:
        """Where to wait for iFacialMocap's receivers to ask.

        Raises:
            UsageError: one is no address, or given twice.
        """
        return parse_addresses(
            self.ifacialmocap_listen,
            option="--ifacialmocap-listen",
            default_port=IFACIALMOCAP_PORT,
        )

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
    def token(self) -> str | None:
        """What every websocket client has to know.

        Raises:
            UsageError: it is no token, or the file with it cannot be read.
        """
        text = self.websocket_token
        return None if text is None else read_token(text, option="--websocket-token")

    @property
    def datagram_addresses(self) -> tuple[tuple[str, Address], ...]:
        """Where datagrams go: the option and the address, of every such output."""
        given = {
            "--osc": self.osc_addresses,
            "--vmc": self.vmc_addresses,
            "--live-link-face": self.live_link_face_addresses,
            "--ifacialmocap": self.ifacialmocap_addresses,
        }
        return tuple(
            (option, address)
            for option, addresses in given.items()
            for address in addresses
        )

    @property
    def is_sent(self) -> bool:
        """Whether anything goes out over the network."""
        return bool(
            self.datagram_addresses or self.ifacialmocap_listen or self.websocket
        )

    def _check_websocket(self) -> None:
        _ = self.websocket_addresses
        given = (
            ("--websocket-origin", self.websocket_origin),
            ("--websocket-token", self.websocket_token),
            ("--websocket-tls", self.websocket_tls),
        )
        for option, value in given:
            if value and not self.websocket:
                raise UsageError(f"{option} needs --websocket")
        check_origins(self.websocket_origin, option="--websocket-origin")
        _ = self.token
        if self.websocket_clients < 1:
            raise UsageError(
                f"--websocket-clients {self.websocket_clients}: expected 1 or more"
            )

    def _check_vmc(self) -> None:
        changed = (
            ("--vmc-root", self.vmc_root != "hips"),
            ("--vmc-origin", self.vmc_origin != "ground"),
            ("--vmc-blends", bool(self.vmc_blends)),
            ("--vmc-rate", self.vmc_rate is not None),
        )
        for option, is_changed in changed:
            if is_changed and not self.vmc:
                raise UsageError(f"{option} needs --vmc")
        _ = self.vmc_settings
        if self.vmc_rate is not None and not 1 <= self.vmc_rate <= 1000:
            raise UsageError(
                f"--vmc-rate {self.vmc_rate:g}: expected 1 to 1000 times a second"
            )

    def _check_faces(self) -> None:
        _ = self.ifacialmocap_places
        check_subject(self.live_link_subject, option="--live-link-subject")
        if self.live_link_subject != DEFAULT_SUBJECT and not self.live_link_face:
            raise UsageError("--live-link-subject needs --live-link-face")

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
