"""A page without a browser: speaks to the viewer as the page's modules do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import connect
from websockets.sync.connection import Connection

from pixie_runtime.viewer.wire import BODY, FRAME, PICTURE, SHAPE

KINDS = {FRAME: "frame", PICTURE: "picture", SHAPE: "shape", BODY: "body"}


class Page:
    """An open page."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def send(self, name: str, value: Any = True) -> None:
        self.connection.send(json.dumps({name: value}))

    def next(self, timeout_s: float = 5.0) -> tuple[str, Any]:
        """Return the next message and what kind it is; text is read."""
        message = self.connection.recv(timeout_s)
        if isinstance(message, str):
            read = json.loads(message)
            return read["kind"], read
        return KINDS[int.from_bytes(message[:4], "little")], message

    def wait_for(self, kind: str, timeout_s: float = 5.0) -> Any:
        """Return the next message of a kind; what comes before it is left out."""
        while True:
            found, message = self.next(timeout_s)
            if found == kind:
                return message

    def wait_for_state(self, timeout_s: float = 5.0, **parts: Any) -> dict[str, Any]:
        """Return the next state in which each named part has these values."""
        while True:
            state: dict[str, Any] = self.wait_for("state", timeout_s)
            if all(
                state[part].get(name) == value
                for part, values in parts.items()
                for name, value in values.items()
            ):
                return state

    def frames(self) -> Iterator[bytes]:
        """Yield frames as they come, telling that each was drawn."""
        while True:
            frame = self.wait_for("frame")
            self.send("ready")
            yield frame


@contextmanager
def open_page(url: str, **options: Any) -> Iterator[Page]:
    """Open the page at a viewer's address."""
    socket = url.replace("http", "ws", 1) + "/socket"
    with connect(socket, max_size=None, **options) as connection:
        yield Page(connection)
