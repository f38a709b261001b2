"""Serves people over websockets: any number of viewers, none of which can stall us.

The server runs in a thread of its own. `send` encodes a tick once and leaves it there.
Clients that keep up are written to at once; each of the others has a mailbox in which a
newer frame of the same person replaces an unsent one, so that a slow client sees fewer
frames but never old ones.
"""

import asyncio
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

import numpy as np
import numpy.typing as npt
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import NegotiationError
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from pixie_runtime.addresses import Address
from pixie_runtime.rest_offsets import rest_offsets, rest_positions
from pixie_runtime.server_thread import ServerThread
from pixie_runtime.sinks import Tick, Traffic
from pixie_runtime.sinks.faces import FaceWeights
from pixie_runtime.sinks.websocket_admission import HEADERS, Admission
from pixie_runtime.sinks.websocket_clients import Client, ClientStatus, Message
from pixie_runtime.sinks.websocket_log import server_logger
from pixie_runtime.sinks.websocket_messages import (
    BINARY,
    JSON,
    Moment,
    Shape,
    StreamInfo,
    alive_text,
    clock_text,
    hello_text,
    person_record,
    shape_text,
)
from pixie_runtime.types import Float32, Person

_MAX_INCOMING_BYTES = 1024
_WRITE_LIMIT_BYTES = 4 * 1024
_PING_INTERVAL_S = 5
_PING_TIMEOUT_S = 10
_OPEN_TIMEOUT_S = 2
"""For the handshake; short, because the end of the stream waits for those begun."""
_CLOSE_TIMEOUT_S = 1
_DRAIN_S = 0.5
"""How long the last frames may take to leave when the stream ends."""
_NEW_SHAPE_M = 0.0005
"""How far a joint at rest moves from the pelvis before a shape is sent anew."""
_CLOCK_WAS_SET_S = 0.01
"""More than a clock that is kept right drifts in a while."""


class WebsocketSink:
    """Streams every tick to all clients; `docs/websocket.md` lists the messages.

    Args:
        address: Where to listen; port 0 takes a free one.
        info: What the hello says about the stream.
        face: Weights of a person's face, in the order of `info.arkit_names`; None
            where there are no names.
        admission: Who is let in; None as by default.
        tls: Makes it `wss`, with what `websocket_tls.server_context` returns.

    Raises:
        SinkError: the address cannot be listened on.
    """

    def __init__(
        self,
        address: Address,
        info: StreamInfo,
        *,
        face: FaceWeights | None = None,
        admission: Admission | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._info = info
        self._face = face
        self._admission = admission or Admission()
        self._tls = tls
        self._seq = 0
        self._shapes: dict[int, Shape] = {}
        self._unix_time_at_zero_s = _unix_time_at_zero_s()
        self._clients: set[Client] = set()
        self._connections = 0
        self._sent_to_gone = self._dropped_by_gone = 0
        self._lock = threading.Lock()
        self._outbox: dict[str, Message] = {}
        self._overtaken = 0
        self._server = ServerThread(
            address,
            lambda: self._listen(address),
            self._work,
            name="websocket",
            failing="cannot listen for websockets",
            option="--websocket",
        )
        self._address = self._server.address

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
        return self._dropped_by_gone + self._overtaken + now

    @property
    def traffic(self) -> Traffic:
        """Frames sent and dropped, all clients together, and how many they are."""
        clients = self.clients
        sent = self._sent_to_gone + sum(client.sent for client in clients)
        return Traffic(sent, self.dropped, len(clients), self._connections)

    def send(self, tick: Tick) -> None:
        """Leave the tick's frames for the server's thread, which sends them."""
        moment = Moment(self._seq, len(tick.people), time.monotonic_ns())
        self._seq += 1
        messages = [*self._new_clock(), *self._new_shapes(tick)]
        if self._clients:
            messages += [
                Message(f"person {person.track_id}", self._record(person, moment))
                for person in tick.people
            ]
            if not tick.people:
                index, time_s = tick.frame.index, tick.frame.timestamp_s
                text = alive_text(moment, frame_index=index, t_source_s=time_s)
                messages.append(Message("alive", text))
            self._hand_over(messages)

    def close(self) -> None:
        """Send what is left, part from the clients, free the port."""
        self._server.close()

    def _record(self, person: Person, moment: Moment) -> npt.NDArray[np.void]:
        arkit = None if self._face is None else self._face(person)
        return person_record(person, moment, arkit)

    def _new_clock(self) -> Iterator[Message]:
        """Yield a message if this machine's clock was set: all else is monotonic."""
        zero_s = _unix_time_at_zero_s()
        if abs(zero_s - self._unix_time_at_zero_s) > _CLOCK_WAS_SET_S:
            self._unix_time_at_zero_s = zero_s
            yield Message("clock", clock_text(zero_s))

    def _new_shapes(self, tick: Tick) -> list[Message]:
        """Note the shapes of those in view; return messages about the new ones."""
        shapes, messages = {}, []
        for person in tick.people:
            track, offsets = person.track_id, rest_offsets(person)
            shape = self._shapes.get(track)
            if shape is None or _differ(offsets, shape.rest_offsets):
                shape = Shape(person.params.betas, offsets)
                messages.append(Message(f"shape {track}", shape_text(track, shape)))
            shapes[track] = shape
        # Replaced as a whole: the server's thread reads it for newcomers' hello.
        self._shapes = shapes
        return messages

    def _hand_over(self, messages: Sequence[Message]) -> None:
        """Leave messages for the server's thread, newer ones in the place of older."""
        with self._lock:
            is_expected = bool(self._outbox)
            for message in messages:
                if self._outbox.pop(message.key, None) and message.is_frame:
                    self._overtaken += len(self._clients)
                self._outbox[message.key] = message
        if not is_expected:
            self._server.call(self._publish)

    def _publish(self) -> None:
        """Send to clients that keep up; leave it in the others' mailboxes."""
        with self._lock:
            messages, self._outbox = list(self._outbox.values()), {}
        for client in self._clients:
            if client.keeps_up:
                client.send_now(messages)
            else:
                for message in messages:
                    client.mailbox.put(message)

    async def _listen(self, address: Address) -> Server:
        return await serve(
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
            **self._encryption(),
            logger=server_logger(discreet=self._admission.token is not None),
        )

    async def _work(self, stop: asyncio.Event) -> None:
        await stop.wait()
        await self._drain()

    def _encryption(self) -> dict[str, Any]:
        """Return what the event loop's server has to know of TLS."""
        if self._tls is None:
            return {}
        return {
            "ssl": self._tls,
            "ssl_handshake_timeout": _OPEN_TIMEOUT_S,
            "ssl_shutdown_timeout": _CLOSE_TIMEOUT_S,
        }

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
        hello = hello_text(
            self._info, self._shapes, unix_time_at_zero_s=self._unix_time_at_zero_s
        )
        try:
            await client.serve(hello)
        finally:
            self._clients.discard(client)
            self._sent_to_gone += client.status.sent
            self._dropped_by_gone += client.mailbox.dropped

    def _process_request(
        self, connection: ServerConnection, request: Request
    ) -> Response | None:
        """Turn a client away before the handshake, or return None."""
        headers = {name: request.headers.get_all(name) for name in HEADERS}
        refusal = self._admission.refusal(request.path, headers, len(self._clients))
        if refusal is None:
            return None
        response = connection.respond(refusal.status, f"{refusal.sentence}\n")
        if refusal.status == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response


def _unix_time_at_zero_s() -> float:
    """Return the Unix time at zero of the monotonic clock."""
    return time.time() - time.monotonic()


def _differ(offsets: Float32, known: Float32) -> bool:
    moved = rest_positions(offsets) - rest_positions(known)
    return bool(np.linalg.norm(moved, axis=1).max() > _NEW_SHAPE_M)


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
