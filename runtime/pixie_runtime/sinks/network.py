"""Opens the outputs that go out over the network, as the options ask for them."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from pixie_runtime.addresses import Address
from pixie_runtime.body import BodyModel
from pixie_runtime.face import ARKIT_NAMES, FaceMap
from pixie_runtime.ground import Ground
from pixie_runtime.sinks import Sink
from pixie_runtime.sinks.faces import Faces, FaceWeights
from pixie_runtime.sinks.ifacialmocap import IFacialMocapSink
from pixie_runtime.sinks.ifacialmocap_phone import IFacialMocapPhone
from pixie_runtime.sinks.live_link_face import LiveLinkFaceSink
from pixie_runtime.sinks.osc import OscSink
from pixie_runtime.sinks.port_per_person import PortPerPerson
from pixie_runtime.sinks.vmc import VmcSink
from pixie_runtime.sinks.websocket_messages import StreamInfo
from pixie_runtime.stream_options import StreamOptions
from pixie_runtime.web_origins import check_origins

_ONE_PORT_FOR_ALL = ("--live-link-face",)
"""Outputs whose receivers tell people apart and listen at one port only."""


def open_network_sinks(
    options: StreamOptions,
    model: BodyModel,
    info: StreamInfo,
    *,
    ground: Ground | None = None,
) -> Iterator[Sink]:
    """Yield them, one opened after the other.

    Args:
        options: Which, and where.
        model: The body model of the people who will be sent.
        info: How many coefficients they have.
        ground: What avatars stand on; found by the stream itself if none is given.

    Raises:
        SinkError: one cannot be opened.
    """
    face_map = FaceMap.of(model, info.n_expression)
    face = Faces(face_map)
    yield from _open_datagram_sinks(options, face, ground or Ground())
    for address in options.ifacialmocap_places:
        yield IFacialMocapPhone(address, face=face)
    info = replace(info, arkit_names=ARKIT_NAMES, face_note=face_map.note)
    yield from _open_websockets(options, info, face)


def _open_datagram_sinks(
    options: StreamOptions, face: FaceWeights, ground: Ground
) -> Iterator[Sink]:
    """Yield what goes out over UDP, with `--port-per-person` a port for each person."""

    def open_osc(address: Address) -> Sink:
        return OscSink(address, datagram_bytes=options.datagram, face=face)

    def open_vmc(address: Address) -> Sink:
        settings = options.vmc_settings
        return VmcSink(address, settings, face=face, ground=ground)

    def open_live_link_face(address: Address) -> Sink:
        return LiveLinkFaceSink(address, face=face, subject=options.live_link_subject)

    def open_ifacialmocap(address: Address) -> Sink:
        return IFacialMocapSink(address, face=face)

    openers: dict[str, Callable[[Address], Sink]] = {
        "--osc": open_osc,
        "--vmc": open_vmc,
        "--live-link-face": open_live_link_face,
        "--ifacialmocap": open_ifacialmocap,
    }
    for option, address in options.datagram_addresses:
        if options.port_per_person is None or option in _ONE_PORT_FOR_ALL:
            yield openers[option](address)
        else:
            yield PortPerPerson(openers[option], address, options.port_per_person)


def _open_websockets(
    options: StreamOptions, info: StreamInfo, face: FaceWeights
) -> Iterator[Sink]:
    if not options.websocket:
        return
    # Not at the top: the server's library takes a tenth of a second.
    from pixie_runtime.sinks.websocket import WebsocketSink
    from pixie_runtime.sinks.websocket_admission import Admission
    from pixie_runtime.sinks.websocket_tls import server_context

    tls = None
    if options.websocket_tls is not None:
        certificate, key = options.websocket_tls
        tls = server_context(certificate, key)
    admission = Admission(
        origins=check_origins(options.websocket_origin, option="--websocket-origin"),
        token=options.token,
        max_clients=options.websocket_clients,
    )
    for address in options.websocket_addresses:
        yield WebsocketSink(address, info, face=face, admission=admission, tls=tls)
