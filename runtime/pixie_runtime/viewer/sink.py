"""Shows a run in web pages: the newest frame wins, and nobody waits for a browser."""

import threading
import time
from collections import deque
from collections.abc import Callable

from pixie_runtime.addresses import Address
from pixie_runtime.body import BodyModel
from pixie_runtime.errors import SinkError
from pixie_runtime.newest import NewestSlot
from pixie_runtime.sinks import Tick
from pixie_runtime.viewer.addresses import greeting, urls_of
from pixie_runtime.viewer.body_file import body_file
from pixie_runtime.viewer.pictures import Pictures
from pixie_runtime.viewer.server import Desk, ViewerServer
from pixie_runtime.viewer.shapes import Shapes
from pixie_runtime.viewer.wire import VERSION, Counts, body_message, frame_message

_WINDOW_S = 3.0
"""Over which frames per second are counted."""


class ViewerSink:
    """Serves a page that shows every tick it has time for; see docs/viewer.md.

    `send` leaves the tick for a thread of its own, which encodes it if a page waits for
    one: a run that nobody watches pays next to nothing. What comes meanwhile replaces
    what was not taken, and is counted.
    """

    def __init__(
        self,
        address: Address,
        model: BodyModel,
        desk: Desk,
        *,
        title: str,
        source_dropped: Callable[[], int] = int,
    ) -> None:
        """Open the page.

        Args:
            address: Where to listen; port 0 takes a free one.
            model: The body that the people's parameters are for.
            desk: What the page's buttons act on.
            title: What is captured: the source's description.
            source_dropped: How many frames the source has dropped so far.

        Raises:
            SinkError: the address cannot be listened on.
        """
        self._n_expression = model.n_expression
        self._pictures = Pictures()
        self._shapes = Shapes(model)
        body = body_message(body_file(model))
        self._server = ViewerServer(
            address,
            hello={"version": VERSION, "mode": "live", "title": title},
            desk=desk,
            on_page=lambda: {"body": body, **self._shapes.messages},
        )
        self._newest: NewestSlot[tuple[Tick, float]] = NewestSlot()
        self._moments: deque[float] = deque()
        self._source_dropped = source_dropped
        self._not_shown = 0
        self._failure: str | None = None
        self._thread = threading.Thread(target=self._run, name="viewer", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """`viewer` and the address listened on."""
        return f"viewer {self._server.address}"

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self._server.address

    @property
    def urls(self) -> tuple[str, ...]:
        """Where to open the page."""
        return urls_of(self._server.address)

    @property
    def greeting(self) -> str:
        """Where to open the page, and who can, one line."""
        return greeting(self._server.address)

    @property
    def pages(self) -> int:
        """How many pages are open."""
        return self._server.page_count

    @property
    def dropped(self) -> int:
        """Frames that no page showed although one was open: it was still drawing."""
        return self._newest.dropped + self._not_shown

    @property
    def is_awaited(self) -> bool:
        """Whether some page would take a frame now."""
        return self._server.is_awaited

    def send(self, tick: Tick) -> None:
        """Show the tick next. Raises SinkError when the viewer broke."""
        if self._failure is not None:
            raise SinkError(self._failure)
        now = time.monotonic()
        self._moments.append(now)
        while self._moments[0] < now - _WINDOW_S:
            self._moments.popleft()
        if self._server.page_count:
            self._newest.put((tick, self._fps()))

    def close(self) -> None:
        """Part from the pages and free the port."""
        self._newest.close()
        self._thread.join()
        self._server.close()

    def _fps(self) -> float:
        span = self._moments[-1] - self._moments[0]
        return (len(self._moments) - 1) / span if span > 0 else 0.0

    def _run(self) -> None:
        try:
            for tick, fps in self._newest:
                if self._server.is_awaited:
                    self._show(tick, fps)
                else:
                    self._not_shown += 1
        except Exception as error:  # a fault of ours must not pass in silence
            self._failure = f"the viewer failed ({error})"

    def _show(self, tick: Tick, fps: float) -> None:
        messages = self._shapes.update(tick.people)
        now_ns = time.monotonic_ns()
        counts = Counts(
            fps=fps,
            latency_ms=(now_ns - tick.frame.grabbed_ns) / 1e6,
            frames_dropped=self._source_dropped(),
            not_shown=self.dropped,
        )
        messages["frame"] = frame_message(
            tick.people,
            timestamp_s=tick.frame.timestamp_s,
            index=tick.frame.index,
            counts=counts,
            shapes=self._shapes.versions,
            n_expression=self._n_expression,
        )
        if self._server.shows_pictures:
            picture = self._pictures.message(tick)
            if picture is not None:
                messages["picture"] = picture
        self._server.publish(messages)
