"""Serves people over websockets: any number of viewers, none of which can stall us.

The server runs in a thread of its own. `send` encodes a tick once and leaves it there;
each client has a mailbox in which a newer frame of the same person replaces an unsent
one, so that a slow client sees fewer frames but never old ones.
"""

import asyncio
import errno
import logging
import threading
import time
from collections.abc import Collection, Sequence
from concurrent.futures import Future
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import NegotiationError
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from pixie_runtime.addresses import Address
from pixie_runtime.errors import SinkError
from pixie_runtime.rest_offsets import rest_offsets
from pixie_runtime.sinks import Tick, Traffic
from pixie_runtime.sinks.websocket_clients import Client, ClientStatus, Message
from pixie_runtime.sinks.websocket_messages import (
    BINARY,
    JSON,
    Moment,
    StreamInfo,
    alive_text,
    hello_text,
    person_record,
    shape_text,
)
from pixie_runtime.types import Float32
from pixie_runtime.web_origins import origin_allowed

_MAX_INCOMING_BYTES = 1024
_WRITE_LIMIT_BYTES = 4 * 1024
_PING_INTERVAL_S = 5
_PING_TIMEOUT_S = 10
_OPEN_TIMEOUT_S = 2
"""For the handshake; short, because the end of the stream waits for those begun."""
_CLOSE_TIMEOUT_S = 1
_DRAIN_S = 0.5
"""How long the last frames may take to leave when the stream ends."""
_NEW_SHAPE_BETAS = 0.1
"""Standard deviations by which a coefficient moves before a shape is sent anew."""


class WebsocketSink:
    """Streams every tick to all clients; `docs/websocket.md` lists the messages.

    Args:
        address: Where to listen; port 0 takes a free one.
        info: What the hello says about the stream.
        origins: Origins of web pages allowed besides this machine's own.
        max_clients: More are turned away with HTTP 503.

    Raises:
        SinkError: the address cannot be listened on.
    """

    def __init__(
        self,
        address: Address,
        info: StreamInfo,
        *,
        origins: Collection[str] = (),
        max_clients: int = 16,
    ) -> None:
        self._info = info
        self._origins = origins
        self._max_clients = max_clients
        self._seq = 0
        self._shapes: dict[int, tuple[Float32, Float32]] = {}
        self._clients: set[Client] = set()
        self._connections = 0
        self._sent_to_gone = self._dropped_by_gone = 0
        started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(address, started)),
            name="websocket",
            daemon=True,
        )
        self._thread.start()
        try:
            self._loop, self._stop, port = started.result()
        except OSError as error:
            self._thread.join()
            raise SinkError(_cannot_listen(address, error)) from error
        self._address = Address(address.host, port)

    @property
    def name(self) -> str:
        """`websocket` and the address listened on."""
        return f"websocket {self._address}"

    @property
    def address(self) -> Address:
        """Where clients connect to."""
        return self._address

    @property
    def clients(self) -> tuple[ClientStatus, ...]:
        """Who is connected."""
        return tuple(client.status for client in tuple(self._clients))

    @property
    def dropped(self) -> int:
        """Frames that slow clients missed, all clients together."""
        now = sum(client.mailbox.dropped for client in tuple(self._clients))
        return self._dropped_by_gone + now

    @property
    def traffic(self) -> Traffic:
        """Frames sent and dropped, all clients together, and how many they are."""
        clients = self.clients
        sent = self._sent_to_gone + sum(client.sent for client in clients)
        return Traffic(sent, self.dropped, len(clients), self._connections)

    def send(self, tick: Tick) -> None:
        """Leave the tick's frames in every client's mailbox."""
        moment = Moment(self._seq, len(tick.people), time.monotonic_ns())
        self._seq += 1
        messages = self._new_shapes(tick)
        if self._clients:
            messages += [
                Message(f"person {person.track_id}", person_record(person, moment))
                for person in tick.people
            ]
            if not tick.people:
                index, time_s = tick.frame.index, tick.frame.timestamp_s
                text = alive_text(moment, frame_index=index, t_source_s=time_s)
                messages.append(Message("alive", text))
            self._loop.call_soon_threadsafe(self._publish, messages)

    def close(self) -> None:
        """Send what is left, part from the clients, free the port."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def _new_shapes(self, tick: Tick) -> list[Message]:
        """Note the shapes of those in view; return messages about the new ones."""
        shapes, messages = {}, []
        for person in tick.people:
            track, betas = person.track_id, person.params.betas
            known = self._shapes.get(track)
            if known is None or abs(betas - known[0]).max(initial=0) > _NEW_SHAPE_BETAS:
                offsets = rest_offsets(person)
                known = betas, offsets
                messages.append(Message(f"shape {track}", shape_text(track, offsets)))
            shapes[track] = known
        # Replaced as a whole: the server's thread reads it for newcomers' hello.
        self._shapes = shapes
        return messages

    def _publish(self, messages: Sequence[Message]) -> None:
        for client in self._clients:
            for message in messages:
                client.mailbox.put(message)

    async def _serve(
        self,
        address: Address,
        started: "Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]]",
    ) -> None:
        stop = asyncio.Event()
        try:
            server = await serve(
                self._handle,
                address.host,
                address.port,
                process_request=self._process_request,
                select_subprotocol=_select_subprotocol,
                compression=None,  # it would cost milliseconds and memory per client
                max_size=_MAX_INCOMING_BYTES,
                max_queue=1,
                write_limit=_WRITE_LIMIT_BYTES,
                ping_interval=_PING_INTERVAL_S,
                ping_timeout=_PING_TIMEOUT_S,
                open_timeout=_OPEN_TIMEOUT_S,
                close_timeout=_CLOSE_TIMEOUT_S,
                logger=_logger(),
            )
        except Exception as error:  # whatever it is, `__init__` waits for it
            started.set_exception(error)
            return
        port = next(iter(server.sockets)).getsockname()[1]
        started.set_result((asyncio.get_running_loop(), stop, port))
        await stop.wait()
        await self._drain()
        server.close()
        await server.wait_closed()

    async def _drain(self) -> None:
        """Give the last frames a moment to leave; cut off clients that are stuck."""
        deadline = time.monotonic() + _DRAIN_S
        while busy := [client for client in self._clients if not client.is_idle]:
            if time.monotonic() > deadline:
                for client in busy:
                    client.abort()
                return
            await asyncio.sleep(0.005)

    async def _handle(self, connection: ServerConnection) -> None:
        client = Client(connection)
        self._clients.add(client)
        self._connections += 1
        shapes = {track: offsets for track, (_, offsets) in self._shapes.items()}
        zero = time.time() - time.monotonic()
        try:
            await client.serve(hello_text(self._info, shapes, unix_time_at_zero_s=zero))
        finally:
            self._clients.discard(client)
            self._sent_to_gone += client.status.sent
            self._dropped_by_gone += client.mailbox.dropped

    def _process_request(
        self, connection: ServerConnection, request: Request
    ) -> Response | None:
        """Turn a client away before the handshake, or return None."""
        if len(self._clients) >= self._max_clients:
            return connection.respond(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"There are {self._max_clients} clients already.\n",
            )
        host = next(iter(request.headers.get_all("Host")), None)
        for origin in request.headers.get_all("Origin"):
            if not origin_allowed(origin, host_header=host, extra=self._origins):
                return connection.respond(
                    HTTPStatus.FORBIDDEN,
                    f"Pages from {origin} may not listen; "
                    f"allow them with --websocket-origin {origin}\n",
                )
        return None


def _select_subprotocol(
    connection: ServerConnection, offered: Sequence[Subprotocol]
) -> Subprotocol | None:
    """Take the client's first that we speak; who offers none gets binary frames."""
    for subprotocol in offered:
        if subprotocol in (BINARY, JSON):
            return subprotocol
    if offered:
        raise NegotiationError(f"expected one of the subprotocols {BINARY}, {JSON}")
    return None


def _logger() -> logging.Logger:
    """Return the server's logger: silent unless the application configures logging."""
    logger = logging.getLogger("pixie_runtime.websocket")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return logger


def _cannot_listen(address: Address, error: OSError) -> str:
    start = f"cannot listen for websockets on {address}"
    if error.errno == errno.EADDRINUSE:
        return (
            f"{start}: the port is in use; end the program that has it or choose "
            "another port with --websocket PORT"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{start}: {address.host} is not an address of this machine"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{start}: not permitted; choose a port above 1023"
    return f"{start}: {error.strerror or error}"
