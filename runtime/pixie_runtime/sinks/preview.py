"""A window with the body over the picture it was seen in."""

import atexit
import os
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import MissingExtraError, SinkError
from pixie_runtime.newest import NewestSlot
from pixie_runtime.rendering import open_rasteriser
from pixie_runtime.sinks import Tick
from pixie_runtime.sinks.painting import Painter
from pixie_runtime.skinning import open_skinner
from pixie_runtime.types import UInt8

_POLL_S = 1 / 30
"""How often the window listens to its keys while no picture comes."""

_TITLE = "pixie-live (Esc or q ends)"

_NO_SCREEN = (
    "there is no screen for the preview window ({}); run it on a desktop, or write an "
    "overlay video instead"
)

_DRIVER_VARIABLE = "SDL_VIDEODRIVER"


class PreviewSink:
    """Shows the newest tick in a window; what it has no time for, it leaves out.

    The window lives in a thread of its own, so that drawing holds nobody up. Closing
    it, Esc or q sets `closed` and calls `on_close`; ticks sent later are ignored.
    """

    def __init__(
        self,
        model: BodyModel,
        *,
        on_close: Callable[[], None] = lambda: None,
        max_side: int = 960,
        opacity: float = 0.85,
    ) -> None:
        """Open the window.

        Args:
            model: The body that the parameters belong to.
            on_close: Called from the window's thread when the user closes it.
            max_side: Larger pictures are shrunk to this many pixels.
            opacity: How much of the picture a body hides, 0 to 1.

        Raises:
            MissingExtraError: pygame is not installed.
            SinkError: There is no screen.
        """
        self._pygame = _import_pygame()
        if not _screen_is_named():
            raise SinkError(_NO_SCREEN.format("neither X11 nor Wayland is running"))
        self._on_close = on_close
        self._painter = Painter(
            model,
            opacity=opacity,
            max_side=max_side,
            skinner=open_skinner(model),
            surface=open_rasteriser(),
        )
        self._newest: NewestSlot[Tick] = NewestSlot()
        self._closed_by_user = False
        self._failure: str | None = None
        self._opened = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="pixie-preview", daemon=True
        )
        self._thread.start()
        # SDL crashes when the interpreter ends under a window that is still drawn.
        atexit.register(self.close)
        self._opened.wait()
        if self._failure is not None:
            raise SinkError(self._failure)

    @property
    def name(self) -> str:
        """What a status line calls it."""
        return "preview"

    @property
    def dropped(self) -> int:
        """Ticks that were never shown because a newer one came."""
        return self._newest.dropped

    @property
    def closed(self) -> bool:
        """Whether the user closed the window."""
        return self._closed_by_user

    def send(self, tick: Tick) -> None:
        """Show the tick next. Raises SinkError when the window broke."""
        if self._failure is not None:
            raise SinkError(self._failure)
        self._newest.put(tick)

    def close(self) -> None:
        """Close the window."""
        self._newest.close()
        if threading.current_thread() is not self._thread:
            self._thread.join()
        atexit.unregister(self.close)

    def _run(self) -> None:
        # SDL wants its window and its events in one thread, whichever it is.
        pygame = self._pygame
        try:
            pygame.display.init()
            _refuse_invisible(pygame)
            pygame.display.set_caption(_TITLE)
            pygame.display.set_mode((640, 360))
            self._opened.set()
            self._show_until_closed(pygame)
        except Exception as error:  # pygame.error, or a fault in drawing
            self._failure = (
                f"the preview window failed ({error})"
                if self._opened.is_set()
                else _NO_SCREEN.format(error)
            )
        finally:
            pygame.display.quit()
            self._newest.close()
            self._opened.set()
        if self._closed_by_user:
            self._on_close()

    def _show_until_closed(self, pygame: ModuleType) -> None:
        while True:
            self._closed_by_user = any(
                _asks_to_close(pygame, event) for event in pygame.event.get()
            )
            if self._closed_by_user:
                return
            try:
                tick = self._newest.get(timeout_s=_POLL_S)
            except TimeoutError:
                continue
            if tick is None:
                return
            if tick.frame.image.size:
                self._show(pygame, self._painter.paint(tick))

    @staticmethod
    def _show(pygame: ModuleType, picture: UInt8) -> None:
        size = picture.shape[1::-1]
        screen = pygame.display.get_surface()
        if screen.get_size() != size:
            screen = pygame.display.set_mode(size)
        surface = pygame.image.frombuffer(picture.tobytes(), size, "RGB")
        screen.blit(surface, (0, 0))
        pygame.display.flip()


def _asks_to_close(pygame: ModuleType, event: Any) -> bool:
    if event.type == pygame.KEYDOWN:
        return event.key in (pygame.K_ESCAPE, pygame.K_q)
    return bool(event.type == pygame.QUIT)


def _screen_is_named() -> bool:
    """Whether the environment names a screen; asked first, for SDL would complain."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", _DRIVER_VARIABLE)
    return sys.platform != "linux" or any(os.environ.get(name) for name in names)


def _refuse_invisible(pygame: ModuleType) -> None:
    """Raise where SDL found no screen and fell back to drawing into nowhere."""
    driver = pygame.display.get_driver()
    if driver in ("offscreen", "dummy") and driver != os.environ.get(_DRIVER_VARIABLE):
        raise pygame.error("the one that the environment names cannot be reached")


def _import_pygame() -> ModuleType:
    # Otherwise it greets on standard output.
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    try:
        import pygame
    except ImportError as error:
        raise MissingExtraError("the preview window", "view") from error
    return pygame
