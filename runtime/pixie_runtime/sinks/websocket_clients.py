"""One websocket client: a mailbox that keeps the newest, and what empties it."""

import asyncio
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from websockets.asyncio.server import ServerConnection, broadcast
from websockets.exceptions import ConnectionClosed

from pixie_runtime.sinks.websocket_messages import JSON, person_text

_SOCKET_BUFFER_BYTES = 16 * 1024
"""Left to the system, megabytes of old frames would queue up for a slow client."""
_STALLED_S = 10
"""How long a peer may leave its buffers full before it is taken for dead."""


@dataclass(frozen=True, slots=True)
class ClientStatus:
    """A connected client, as a status line shows it."""

    peer: str
    """Its address, `HOST:PORT`."""
    format: str
    """The subprotocol that it speaks."""
    sent: int
    """Frames sent to it."""
    dropped: int
    """Frames overwritten because it was slow."""


@dataclass(frozen=True, eq=False)
class Message:
    """Something to send; a later one of the same key makes it worthless."""

    key: str
    content: str | npt.NDArray[np.void]
    """JSON text for every client, or a person's record for each in its format."""

    @property
    def is_frame(self) -> bool:
        """Whether it is a person's frame and counts as one."""
        return not isinstance(self.content, str)

    @cached_property
    def binary(self) -> str | bytes:
        """What a `pixie.v1.bin` client receives."""
        return self.content if isinstance(self.content, str) else self.content.tobytes()

    @cached_property
    def json(self) -> str:
        """What a `pixie.v1.json` client receives."""
        return (
            self.content if isinstance(self.content, str) else person_text(self.content)
        )


class Mailbox:
    """Holds the newest message of each key; not thread-safe, one event loop's own."""

    def __init__(self) -> None:
        self._messages: dict[str, Message] = {}
        self._filled = asyncio.Event()
        self.dropped = 0
        """Frames that were overwritten before they were taken."""

    @property
    def is_empty(self) -> bool:
        """Whether everything put in was taken or overwritten."""
        return not self._messages

    def put(self, message: Message) -> None:
        """Add a message, in the place of an untaken one of the same key."""
        # Taken out first: the new one goes to the end, behind the shape it needs.
        if self._messages.pop(message.key, None) is not None and message.is_frame:
            self.dropped += 1
        self._messages[message.key] = message
        self._filled.set()

    async def take(self) -> list[Message]:
        """Wait until there is something; return all of it, oldest first."""
        await self._filled.wait()
        self._filled.clear()
        taken, self._messages = self._messages, {}
        return list(taken.values())


class Client:
    """A connection, its mailbox and its counts."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._json = connection.subprotocol == JSON
        # Kept, because a connection that was cut off by TLS forgets it.
        host, port = connection.remote_address[:2]
        self._peer = f"{host}:{port}"
        self._sending = True
        self._sent = 0
        self.mailbox = Mailbox()
        raw = connection.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER_BYTES)

    @property
    def status(self) -> ClientStatus:
        """Who this is and how it fares."""
        return ClientStatus(
            peer=self._peer,
            format=self._connection.subprotocol or "none",
            sent=self._sent,
            dropped=self.mailbox.dropped,
        )

    @property
    def keeps_up(self) -> bool:
        """Whether everything so far has left this machine's hands."""
        return self.is_idle and not self._connection.transport.get_write_buffer_size()

    @property
    def is_idle(self) -> bool:
        """Whether all that was put into its mailbox has been sent."""
        return self.mailbox.is_empty and not self._sending

    def send_now(self, messages: Iterable[Message]) -> None:
        """Send to a client that keeps up, without waiting.

        Waking a task of its own for each of many clients would cost several times as
        much; what a client does not take at once stays in its buffers, and it keeps up
        no longer.
        """
        for message in messages:
            broadcast([self._connection], self._encoded(message))
            self._sent += message.is_frame

    def abort(self) -> None:
        """Cut the connection without a word: a stalled peer would not read one."""
        self._connection.transport.abort()

    async def serve(self, hello: str) -> None:
        """Say hello, then send what comes into the mailbox until the peer leaves."""
        sending = asyncio.create_task(self._send_all(hello))
        try:
            # Peers have nothing to say, but unread messages would hold up their pongs.
            async for _ in self._connection:
                pass
        except ConnectionClosed:
            pass
        finally:
            sending.cancel()
            await asyncio.wait([sending])

    async def _send_all(self, hello: str) -> None:
        try:
            await self._send(hello)
            while True:
                self._sending = False
                messages = await self.mailbox.take()
                self._sending = True
                for message in messages:
                    await self._send(self._encoded(message))
                    self._sent += message.is_frame
        except ConnectionClosed:
            return
        except TimeoutError:
            self.abort()

    def _encoded(self, message: Message) -> str | bytes:
        return message.json if self._json else message.binary

    async def _send(self, data: str | bytes) -> None:
        # Pings do not help here: they wait behind what cannot be sent.
        async with asyncio.timeout(_STALLED_S):
            await self._connection.send(data)
