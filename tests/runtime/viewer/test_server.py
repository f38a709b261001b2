"""The server, over real sockets."""

import asyncio
import http.client
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

import pixie_runtime
from pixie_runtime.addresses import Address
from pixie_runtime.errors import SinkError
from pixie_runtime.viewer.commands import Command, Record
from pixie_runtime.viewer.server import ViewerServer
from pixie_runtime.viewer.wire import FRAME, PICTURE
from tests.runtime.viewer.pages import open_page

STATIC = Path(pixie_runtime.__file__).parent / "viewer/static"
FREE = Address("127.0.0.1", 0)


class Desk:
    """Remembers what was asked for."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.fails = False
        self.takes_s = 0.0
        self.may_end = threading.Event()
        self.may_end.set()

    def state(self) -> Mapping[str, Any]:
        return {"asked": {"times": len(self.commands)}}

    def handle(self, command: Command) -> None:
        self.commands.append(command)
        time.sleep(self.takes_s)
        self.may_end.wait()
        if self.fails:
            raise RuntimeError("the desk is broken")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def server(desk: Desk) -> Iterator[ViewerServer]:
    server = ViewerServer(FREE, hello={"title": "a test"}, desk=desk)
    yield server
    server.close()


def url_of(server: ViewerServer) -> str:
    return f"http://{server.address}"


def frame(number: int) -> bytes:
    return FRAME.to_bytes(4, "little") + number.to_bytes(4, "little")


def number_of(message: bytes) -> int:
    return int.from_bytes(message[4:8], "little")


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def get(
    server: ViewerServer, path: str, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.address.port)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body, dict(response.getheaders())


def test_every_file_of_the_page_is_served_and_nothing_else(
    server: ViewerServer,
) -> None:
    for path in STATIC.iterdir():
        status, body, headers = get(server, f"/{path.name}?again=1")
        assert (status, body) == (200, path.read_bytes())
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert get(server, "/")[1] == (STATIC / "index.html").read_bytes()
    for other in ("/../wire.py", "/%2e%2e/wire.py", "/static/app.js", "/nothing"):
        assert get(server, other)[0] == 404


def test_no_file_of_the_page_names_another_server() -> None:
    for path in STATIC.iterdir():
        named = set(re.findall(r"(?:https?:)?//[\w.]+\.\w+", path.read_text()))
        assert named <= {"http://www.w3.org"}, path.name


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Host": "evil.example:8700", "Origin": "http://evil.example:8700"},
    ],
)
def test_other_names_and_pages_get_nothing(
    server: ViewerServer, headers: dict[str, str]
) -> None:
    status, body, _ = get(server, "/", **headers)
    assert status == 403
    assert b"<html" not in body


def test_a_website_cannot_open_the_socket(server: ViewerServer) -> None:
    with (
        pytest.raises(InvalidStatus, match="403"),
        open_page(url_of(server), origin="http://evil.example"),
    ):
        pass
    own = f"http://127.0.0.1:{server.address.port}"
    with open_page(url_of(server), origin=own) as page:
        assert page.next()[1]["title"] == "a test"


def test_what_a_page_asks_for_is_done_and_answered(
    server: ViewerServer, desk: Desk
) -> None:
    with open_page(url_of(server)) as page:
        page.send("record", True)
        page.wait_for_state(asked={"times": 1})
    assert desk.commands == [Record(True)]


class SlowAtFirst(Desk):
    """Its first look at itself takes long, and finds what was so when it began."""

    def __init__(self) -> None:
        super().__init__()
        self.first_may_end = threading.Event()
        self.is_first = True
        self.first_has_ended = False

    def state(self) -> Mapping[str, Any]:
        found = super().state()
        if self.is_first:
            self.is_first = False
            self.first_may_end.wait()
            self.first_has_ended = True
        return found


def test_a_look_that_took_long_does_not_undo_what_is_told_since() -> None:
    desk = SlowAtFirst()
    server = ViewerServer(FREE, hello={"title": "a test"}, desk=desk)
    times = []
    with open_page(url_of(server)) as page:
        wait_until(lambda: not desk.is_first)
        with open_page(url_of(server)) as other:
            other.send("record", True)
            other.wait_for_state(asked={"times": 1})
        desk.first_may_end.set()
        wait_until(lambda: desk.first_has_ended)
        page.send("record", False)
        while 2 not in times:
            times.append(page.wait_for("state")["asked"]["times"])
    server.close()

    assert 0 not in times
    assert times == sorted(times)


def test_a_button_that_breaks_is_told_and_the_page_goes_on(
    server: ViewerServer, desk: Desk
) -> None:
    desk.fails = True
    with open_page(url_of(server)) as page:
        page.send("record", True)
        while not (state := page.wait_for("state"))["fault"]:
            pass
        assert state["fault"] == "RuntimeError: the desk is broken"
        server.publish({"frame": frame(1)})
        assert number_of(page.wait_for("frame")) == 1


def test_a_page_goes_on_while_a_button_takes_its_time(
    server: ViewerServer, desk: Desk
) -> None:
    desk.may_end.clear()
    with open_page(url_of(server)) as page:
        page.send("record", False)
        wait_until(lambda: desk.commands)
        for number in range(4):
            wait_until(lambda: server.is_awaited)
            server.publish({"frame": frame(number)})
            assert number_of(page.wait_for("frame")) == number
            page.send("ready")
        desk.may_end.set()


def test_a_flood_of_commands_neither_piles_up_nor_holds_up_the_end(desk: Desk) -> None:
    server = ViewerServer(FREE, hello={}, desk=desk)
    url, deaf = url_of(server), {"close_timeout": 0.1}
    desk.takes_s = 0.01
    with open_page(url, **deaf) as flood, open_page(url, **deaf) as other:
        for _ in range(1500):
            flood.send("record", True)
        other.send("record", False)
        wait_until(lambda: Record(False) in desk.commands)
        assert len(desk.commands) < 500
        begun_s = time.monotonic()
        server.close()
        assert time.monotonic() - begun_s < 5


def test_a_page_that_does_not_draw_gets_two_frames_and_then_only_the_newest(
    server: ViewerServer,
) -> None:
    with open_page(url_of(server)) as page:
        wait_until(lambda: server.is_awaited)
        for number in range(1, 3):
            server.publish({"frame": frame(number)})
            assert number_of(page.wait_for("frame")) == number
        assert not server.is_awaited
        for number in range(3, 60):
            server.publish({"frame": frame(number)})
        page.send("ready")
        assert number_of(page.wait_for("frame")) == 59


def test_pictures_are_sent_only_to_pages_that_show_them(server: ViewerServer) -> None:
    picture = PICTURE.to_bytes(4, "little")
    with open_page(url_of(server)) as page:
        wait_until(lambda: server.shows_pictures)
        page.send("pictures", False)
        wait_until(lambda: not server.shows_pictures)
        server.publish({"frame": frame(1), "picture": picture})
        server.publish({"frame": frame(2)})
        kinds = [page.next()[0] for _ in range(4)]
    assert "picture" not in kinds


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"shutdown": true}', 1008),
        ("not JSON", 1008),
        (b"binary", 1008),
        ('{"seek": ' + "0" * 5000 + "}", 1009),
    ],
)
def test_a_peer_that_talks_nonsense_is_hung_up_on_and_nobody_else(
    server: ViewerServer, desk: Desk, message: str | bytes, code: int
) -> None:
    with open_page(url_of(server)) as good, open_page(url_of(server)) as bad:
        bad.connection.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            bad.wait_for("anything more")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code
        server.publish({"frame": frame(7)})
        assert number_of(good.wait_for("frame")) == 7
    assert desk.commands == []


def test_a_page_that_vanishes_in_the_middle_of_a_frame_is_forgotten(
    server: ViewerServer,
) -> None:
    large = frame(1) + bytes(5_000_000)
    with open_page(url_of(server)) as other:
        # A client that waits for a farewell keeps its socket meanwhile.
        with open_page(url_of(server), close_timeout=0.5) as page:
            wait_until(lambda: server.page_count == 2)
            server.publish({"frame": large})
            page.connection.socket.shutdown(socket.SHUT_RDWR)
        wait_until(lambda: server.page_count == 1)
        assert number_of(other.wait_for("frame")) == 1
        other.send("ready")
        server.publish({"frame": frame(2)})
        assert number_of(other.wait_for("frame")) == 2


def test_more_than_eight_pages_are_told_so(server: ViewerServer) -> None:
    with ExitStack() as pages:
        for _ in range(8):
            pages.enter_context(open_page(url_of(server)))
        wait_until(lambda: server.page_count == 8)
        with (
            pytest.raises(InvalidStatus, match="503"),
            open_page(url_of(server)),
        ):
            pass


def test_there_are_eight_pages_even_if_forty_come_at_once(server: ViewerServer) -> None:
    url = url_of(server).replace("http", "ws", 1) + "/socket"

    async def come() -> int:
        pages = [connect(url, max_size=None) for _ in range(40)]
        came = await asyncio.gather(*pages, return_exceptions=True)
        count = server.page_count
        opened = [page for page in came if isinstance(page, ClientConnection)]
        await asyncio.gather(*(page.close() for page in opened))
        assert len(opened) == count
        return count

    assert asyncio.run(come()) == 8


def test_a_port_in_use_and_a_foreign_address_are_one_sentence(
    server: ViewerServer, desk: Desk
) -> None:
    with pytest.raises(SinkError, match=r"in use; .* --view PORT"):
        ViewerServer(server.address, hello={}, desk=desk)
    with pytest.raises(SinkError, match="not an address of this machine"):
        ViewerServer(Address("192.0.2.1", 0), hello={}, desk=desk)


def test_after_closing_the_port_is_free_again(desk: Desk) -> None:
    first = ViewerServer(FREE, hello={}, desk=desk)
    with open_page(url_of(first)) as page:
        first.close()
        with pytest.raises(ConnectionClosed):
            page.wait_for("anything more")
    second = ViewerServer(first.address, hello={}, desk=desk)
    assert urlsplit(url_of(second)).port == first.address.port
    second.close()
