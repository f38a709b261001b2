"""One open page: the newest of each kind of message, sent when the page can take it.

The page says `ready` after it has drawn. So a slow page, a slow network or a tab in the
background gets fewer frames, never old ones, and costs nothing in between.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from pixie_runtime.viewer.commands import Command, Pictures, Ready, parse

_IN_FLIGHT = 2
"""Frames on their way to a page at one time: one to draw, one on the network."""
_SOCKET_BUFFER_BYTES = 64 * 1024
_STALLED_S = 20
"""How long a peer may leave its buffers full before it is taken for dead."""
_POLICY_VIOLATION = 1008
FRAME, PICTURE = "frame", "picture"
"""Keys of what is sent only to a page that is ready; all else goes out at once."""


class PageClient:
    """A connection, what waits to be sent over it, and how much it can take."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._waiting: dict[str, str | bytes] = {}
        self._credit = _IN_FLIGHT
        self._changed = asyncio.Event()
        self.wants_pictures = True
        """Whether the page shows the camera's pictures."""
        raw = connection.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER_BYTES)

    @property
    def is_ready(self) -> bool:
        """Whether something sent now would leave at once."""
        return self._credit > 0 and FRAME not in self._waiting

    def put(self, key: str, message: str | bytes) -> None:
        """Leave a message, in place of an unsent one of the same key."""
        # Taken out first: a frame goes to the end, behind the shape that it needs.
        self._waiting.pop(key, None)
        self._waiting[key] = message
        self._changed.set()

    async def serve(self, handle: Callable[[Command], Awaitable[None]]) -> None:
        """Send what is put in and hand on what the page asks for, until it leaves."""
        sending = asyncio.create_task(self._send_all())
        try:
            async for text in self._connection:
                await self._take(parse(text), handle)
        except ConnectionClosed:
            pass
        except ValueError as error:
            await self._connection.close(_POLICY_VIOLATION, str(error)[:120])
        finally:
            sending.cancel()
            await asyncio.wait([sending])

    async def _take(
        self, command: Command, handle: Callable[[Command], Awaitable[None]]
    ) -> None:
        if isinstance(command, Ready):
            self._credit = min(self._credit + 1, _IN_FLIGHT)
            self._changed.set()
        elif isinstance(command, Pictures):
            self.wants_pictures = command.wanted
        else:
            await handle(command)

    async def _send_all(self) -> None:
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                messages = self._take_waiting()
                async with asyncio.timeout(_STALLED_S):
                    for message in messages:
                        await self._connection.send(message)
        except ConnectionClosed:
            return
        except TimeoutError:
            self._connection.transport.abort()

    def _take_waiting(self) -> list[str | bytes]:
        """Take what may be sent now, in the order in which it was put in."""
        held = () if self._credit else (FRAME, PICTURE)
        waiting, self._waiting = self._waiting, {}
        self._waiting = {key: waiting[key] for key in held if key in waiting}
        self._credit -= FRAME in waiting and FRAME not in held
        return [message for key, message in waiting.items() if key not in held]
