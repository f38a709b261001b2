"""The pages of docs/receivers/web-page.md, in a real browser."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from pixie_runtime.addresses import Address
from pixie_runtime.face import ARKIT_INDEX, ARKIT_NAMES
from pixie_runtime.sinks.websocket import WebsocketSink
from pixie_runtime.sinks.websocket_admission import Admission
from pixie_runtime.sinks.websocket_messages import StreamInfo
from pixie_runtime.types import Float32, PartConfidence, Person, StageTimes
from tests.browser import browser_page, needs_browser
from tests.runtime.people import make_person, make_tick

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "04_websocket_receiver.html"
GUIDE = ROOT / "docs" / "receivers" / "web-page.md"
INFO = StreamInfo("embedded", 50, 43, arkit_names=ARKIT_NAMES)
TOKEN = "open-sesame"
PAGES = Admission(origins=["null"])
"""A page opened as a file has the origin `null`."""

pytestmark = needs_browser


def awake(person: Person) -> Float32:
    """Return a face whose mouth is open."""
    weights = np.zeros(52, np.float32)
    weights[ARKIT_INDEX["jawOpen"]] = 1.0
    return weights


def until(page: Page, truth: str, meanwhile: Callable[[], object]) -> None:
    """Wait until an expression is true in the page; calls `meanwhile` over and over."""
    deadline = time.monotonic() + 20
    while not page.evaluate(truth):
        assert time.monotonic() < deadline, f"never came true: {truth}"
        meanwhile()
        page.wait_for_timeout(20)


def now(person: Person) -> Person:
    return replace(person, times=StageTimes(grabbed_ns=time.monotonic_ns()))


def colours_at(page: Page, points: list[tuple[float, float]]) -> Any:
    """Return the canvas' colours, RGBA, at some of its pixels."""
    script = """(points) => {
        const context = document.querySelector("canvas").getContext("2d");
        return points.map(([x, y]) => [...context.getImageData(x, y, 1, 1).data]);
    }"""
    return page.evaluate(script, points)


def test_stick_figure_of_the_guide_is_where_the_person_is(tmp_path: Path) -> None:
    sink = WebsocketSink(Address("127.0.0.1", 0), INFO, admission=PAGES)
    (html,) = re.findall(r"```html\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert "ws://127.0.0.1:8765" in html
    path = tmp_path / "stick-figure.html"
    path.write_text(html.replace("127.0.0.1:8765", str(sink.address)))
    person = make_person(3)
    ends = person.joints[[0, 1, 4, 7]].tolist()  # pelvis, left hip, knee, ankle
    shown = [(300 + 500 * x / z, 300 + 500 * y / z) for x, y, z in ends]
    middles = [((a + c) / 2, (b + d) / 2) for (a, b), (c, d) in pairwise(shown)]
    with browser_page() as page:
        page.goto(path.as_uri())
        drawn = "context.getImageData(0, 0, 600, 600).data.some((value) => value)"
        until(page, drawn, lambda: sink.send(make_tick(person)))
        for x, y in middles:
            around = [(x + i, y + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
            opacity = max(alpha for *_, alpha in colours_at(page, around))
            assert opacity > 60, "each bone is a line there"
        until(page, f"!({drawn})", lambda: sink.send(make_tick()))
    sink.close()


def test_example_shows_people_numbers_and_faces_and_comes_back(tmp_path: Path) -> None:
    admission = Admission(origins=["null"], token=TOKEN)
    first = WebsocketSink(
        Address("127.0.0.1", 0), INFO, face=awake, admission=admission
    )
    # Sure of all their parts: what is unsure is hardly drawn.
    sure_parts = PartConfidence(body=0.9, left_hand=0.8, right_hand=0.7, face=0.6)
    people = [
        replace(make_person(number, track_id=number), confidence=sure_parts)
        for number in range(2)
    ]

    def send() -> None:
        first.send(make_tick(*(now(person) for person in people)))

    address = f"{EXAMPLE.as_uri()}?url=ws://{first.address}&token={TOKEN}"
    asked: list[str] = []
    with browser_page(width=900, height=700) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        status = "document.getElementById('status').textContent"
        until(page, f"{status} === '2 in view'", send)
        # Frames and their age are those of the stream, within what this machine does.
        until(page, "Number(element('fps').textContent) > 0", send)
        assert 0 <= int(page.evaluate("element('age').textContent")) < 2000
        sure = page.evaluate(
            "[...document.querySelectorAll('.part i')]"
            ".map((bar) => Number(bar.style.getPropertyValue('--sure')))"
        )
        confidence = people[0].confidence
        assert sure == pytest.approx(
            [
                confidence.body,
                confidence.left_hand,
                confidence.right_hand,
                confidence.face,
            ]
        )
        # The lower lip hangs by what jawOpen says.
        assert page.evaluate("element('mouth').getAttribute('d')").endswith("26 -28 0")
        # Where a shin is, there is something drawn that is not the background.
        middles = [
            0.5 * (person.joints[4] + person.joints[7]).astype(float)
            for person in people
        ]
        # Drawn and looked at in one go, once the camera, which eases towards people
        # with every frame, has arrived: a busy machine draws few.
        script = """(points) => {
            view.yaw = 0, view.pitch = 0;
            for (let frame = 0; frame < 60; frame++) follow();
            draw();
            const context = document.querySelector("canvas").getContext("2d");
            const around = ([x, y]) => context.getImageData(x - 3, y - 3, 7, 7).data;
            return points.map(onScreen).map((point) => [...around(point)]);
        }"""
        # Bones that hang before one another have dark edges: a pixel could be on one.
        for seen in page.evaluate(script, [middle.tolist() for middle in middles]):
            colours = np.reshape(seen, (-1, 4))[:, :3].max(axis=1)
            assert np.median(colours) > 90, colours
        page.screenshot(path=str(tmp_path / "page.png"))

        # Turned by the mouse, it is seen from the side.
        before = page.evaluate("view.yaw")
        page.mouse.move(600, 300)
        page.mouse.down()
        page.mouse.move(750, 300)
        page.mouse.up()
        assert page.evaluate("view.yaw") == pytest.approx(before + 1, abs=0.01)

        until(page, f"{status} === 'nobody in view'", lambda: first.send(make_tick()))
        first.close()
        until(page, f"{status}.startsWith('no stream at ws://')", lambda: None)
        again = WebsocketSink(first.address, INFO, face=awake, admission=admission)
        until(
            page,
            f"{status} === '1 in view'",
            lambda: again.send(make_tick(now(people[1]))),
        )
        again.close()
    assert asked == [address], "nothing from elsewhere"
