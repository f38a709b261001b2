"""Opens the outputs that go out over the network, as the options ask for them."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pixie_runtime.addresses import Address
from pixie_runtime.sinks import Sink
from pixie_runtime.sinks.osc import OscSink
from pixie_runtime.sinks.port_per_person import PortPerPerson
from pixie_runtime.stream_options import StreamOptions

if TYPE_CHECKING:
    from pixie_runtime.sinks.websocket_messages import StreamInfo


def open_network_sinks(options: StreamOptions, info: "StreamInfo") -> Iterator[Sink]:
    """Yield them, one opened after the other.

    Raises:
        SinkError: one cannot be opened.
    """
    yield from _open_datagram_sinks(options)
    for address in options.websocket_addresses:
        # Not at the top: the server's library takes a tenth of a second.
        from pixie_runtime.sinks.websocket import WebsocketSink
        from pixie_runtime.web_origins import check_origins

        origins = check_origins(options.websocket_origin, option="--websocket-origin")
        yield WebsocketSink(address, info, origins=origins)


def _open_datagram_sinks(options: StreamOptions) -> Iterator[Sink]:
    """Yield what goes out over UDP, with `--port-per-person` a port for each person."""

    def open_osc(address: Address) -> Sink:
        return OscSink(address, datagram_bytes=options.datagram)

    openers: dict[str, Callable[[Address], Sink]] = {"--osc": open_osc}
    for option, address in options.datagram_addresses:
        if options.port_per_person is None:
            yield openers[option](address)
        else:
            yield PortPerPerson(openers[option], address, options.port_per_person)
