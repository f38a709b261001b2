"""A real browser without a window: Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
from playwright.sync_api import ConsoleMessage, Page, sync_playwright

CHROMIUM = shutil.which("chromium")

needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here; scripts/receivers installs it"
)

_QUIET = (
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_WEBGL = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")


@contextmanager
def browser_page(
    *,
    width: int = 1280,
    height: int = 800,
    scheme: Literal["dark", "light"] = "dark",
    webgl: bool = False,
    touch: bool = False,
) -> Iterator[Page]:
    """Open an empty page in a browser of its own, with a profile of its own.

    Whatever the page throws, or writes to its console as an error, fails the test at
    the end; that a stream is not there is no error of the page. With `webgl` the page
    can draw in 3D, on the processor; with `touch` it is on a phone.
    """
    wrong: list[str] = []

    def note(said: ConsoleMessage) -> None:
        if said.type == "error" and "WebSocket connection to" not in said.text:
            wrong.append(said.text)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*_QUIET, *(_WEBGL if webgl else ())]
        )
        page = browser.new_page(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            is_mobile=touch,
            has_touch=touch,
        )
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", note)
        try:
            yield page
        finally:
            browser.close()
    assert wrong == []
