"""Serves the viewer's page and feeds it; a thin shell around pure parts.

The server runs in a thread of its own with an event loop of its own. Messages are put
in from any thread; each page has room for the newest of each kind.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from itertools import count
from typing import Any, Protocol

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from pixie_runtime.addresses import Address
from pixie_runtime.server_thread import ServerThread
from pixie_runtime.viewer.access import refusal
from pixie_runtime.viewer.clients import PICTURE, PageClient
from pixie_runtime.viewer.commands import MAX_BYTES, Command
from pixie_runtime.viewer.pages import Page, static_pages
from pixie_runtime.wording import fault

_SOCKET_PATH = "/socket"
_MAX_PAGES = 8
_MOST_WAITING = 32
"""Commands that wait to be done; pages that send more have to wait themselves."""
_STATE_PERIOD_S = 0.2
"""How often a page is told what has changed about recording and the like."""
_OPEN_TIMEOUT_S = 5
"""For a handshake or a file; the largest of these has some tens of kilobytes."""
_CLOSE_TIMEOUT_S = 1
_PING_S = 10


class Desk(Protocol):
    """What the page's buttons act on."""

    def state(self) -> Mapping[str, Any]:
        """Return what the page shows about it, as JSON's types."""
        ...

    def handle(self, command: Command) -> None:
        """Do what was asked for; in a thread of its own, it may take a moment."""
        ...


class ViewerServer:
    """Serves the page to up to eight browsers.

    Args:
        address: Where to listen; port 0 takes a free one.
        hello: What the page is told first, as JSON's types.
        desk: What the buttons act on.
        on_page: Called when a page connects, in the server's thread; what it returns
            is sent to that page first, by key.
        option: The option that names the port.

    Raises:
        SinkError: the address cannot be listened on.
    """

    def __init__(
        self,
        address: Address,
        *,
        hello: Mapping[str, Any],
        desk: Desk,
        on_page: Callable[[], Mapping[str, bytes]] = dict,
        option: str = "--view",
    ) -> None:
        self._host = address.host
        self._hello = json.dumps({"kind": "hello", **hello})
        self._pages = static_pages()
        self._desk = desk
        self._on_page = on_page
        self._clients: set[PageClient] = set()
        # One at a time: what was pressed first is done first.
        self._acting = ThreadPoolExecutor(1, thread_name_prefix="viewer desk")
        self._room = asyncio.Semaphore(_MOST_WAITING)
        self._fault = ""
        self._looks = count(1)
        self._told = (0, "")
        self._server = ServerThread(
            address,
            lambda: self._listen(address),
            self._work,
            name="viewer server",
            failing="cannot serve the viewer",
            option=option,
        )
        self.address = self._server.address
        """Where browsers connect to."""

    @property
    def is_awaited(self) -> bool:
        """Whether some page would take a frame now."""
        return any(client.is_ready for client in tuple(self._clients))

    @property
    def shows_pictures(self) -> bool:
        """Whether some page would take a picture now."""
        clients = tuple(self._clients)
        return any(client.is_ready and client.wants_pictures for client in clients)

    @property
    def page_count(self) -> int:
        """How many pages are open."""
        return len(self._clients)

    def publish(self, messages: Mapping[str, str | bytes]) -> None:
        """Leave messages for every page, each in place of an unsent one of its key."""
        self._server.call(lambda: self._publish(messages))

    def close(self) -> None:
        """Part from the pages and free the port; what still waits is not done."""
        self._acting.shutdown(cancel_futures=True)
        self._server.close()

    def _publish(self, messages: Mapping[str, str | bytes]) -> None:
        for client in self._clients:
            for key, message in messages.items():
                if key != PICTURE or client.wants_pictures:
                    client.put(key, message)

    async def _listen(self, address: Address) -> Server:
        return await serve(
            self._handle,
            address.host,
            address.port,
            process_request=self._process_request,
            compression=None,  # it would cost more than the network saves
            max_size=MAX_BYTES,
            max_queue=4,
            ping_interval=_PING_S,
            ping_timeout=_PING_S,
            open_timeout=_OPEN_TIMEOUT_S,
            close_timeout=_CLOSE_TIMEOUT_S,
            logger=_logger(),
        )

    async def _work(self, stop: asyncio.Event) -> None:
        telling = asyncio.create_task(self._keep_telling())
        await stop.wait()
        telling.cancel()

    async def _keep_telling(self) -> None:
        """Tell the pages what has changed, as long as there are any."""
        told = ""
        while True:
            if self._clients:
                state = self._newer(await asyncio.to_thread(self._state))
                if state != told:
                    self._publish({"state": state})
                told = state
            await asyncio.sleep(_STATE_PERIOD_S)

    def _state(self) -> tuple[int, str]:
        """Return the state, and the number of the look at it."""
        number = next(self._looks)
        state = {"kind": "state", "fault": self._fault, **self._desk.state()}
        return number, json.dumps(state)

    def _newer(self, seen: tuple[int, str]) -> str:
        """Return what to tell: this state, or what a later look has already found.

        Looks overtake one another, for each may have to wait for the desk.
        """
        self._told = max(self._told, seen)
        return self._told[1]

    async def _handle(self, connection: ServerConnection) -> None:
        client = PageClient(connection)
        client.put("hello", self._hello)
        for key, message in self._on_page().items():
            client.put(key, message)
        # Before anything is waited for: who comes meanwhile finds the place taken.
        self._clients.add(client)
        try:
            seen = await asyncio.to_thread(self._state)
            client.put("state", self._newer(seen))
            await client.serve(self._act)
        finally:
            self._clients.discard(client)

    async def _act(self, command: Command) -> None:
        """Have it done, in order; a page goes on meanwhile, unless too much waits."""
        await self._room.acquire()
        try:
            doing = self._acting.submit(self._desk.handle, command)
        except RuntimeError:  # closed by now
            self._room.release()
        else:
            doing.add_done_callback(self._acted)

    def _acted(self, done: Future[None]) -> None:
        self._server.call(self._room.release)
        if done.cancelled():
            return
        error = done.exception()
        self._fault = "" if error is None else fault(error)
        seen = self._state()
        self._server.call(lambda: self._publish({"state": self._newer(seen)}))

    def _process_request(
        self, connection: ServerConnection, request: Request
    ) -> Response | None:
        """Serve a file, or turn a request away; None lets a websocket begin."""
        headers = request.headers
        problem = refusal(
            headers.get_all("Host"),
            headers.get_all("Origin"),
            listening_on=self._host,
        )
        if problem is not None:
            return connection.respond(HTTPStatus.FORBIDDEN, f"{problem}.\n")
        path = request.path.partition("?")[0]
        if path == _SOCKET_PATH:
            if len(self._clients) < _MAX_PAGES:
                return None
            sentence = f"There are {_MAX_PAGES} pages already.\n"
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, sentence)
        page = self._pages.get(path)
        if page is None:
            return connection.respond(HTTPStatus.NOT_FOUND, "There is no such page.\n")
        return _response(page)


def _response(page: Page) -> Response:
    headers = Headers(
        {
            "Content-Type": page.content_type,
            "Content-Length": str(len(page.body)),
            "Connection": "close",
            **page.headers,
        }
    )
    return Response(HTTPStatus.OK, "OK", headers, page.body)


def _logger() -> logging.Logger:
    """Return the server's logger: silent unless the application configures logging."""
    logger = logging.getLogger("pixie_runtime.viewer")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return logger
