"""Takes in the viewer: the same page as for a live run, with a timeline."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pixie_runtime.addresses import Address
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.errors import UsageError
from pixie_runtime.takes import Take
from pixie_runtime.takes.track import break_s
from pixie_runtime.types import Float64, Person
from pixie_runtime.viewer.addresses import urls_of
from pixie_runtime.viewer.body_file import body_file
from pixie_runtime.viewer.commands import Command, Play, Seek, Speed
from pixie_runtime.viewer.playback import Playback
from pixie_runtime.viewer.server import ViewerServer
from pixie_runtime.viewer.shapes import Shapes
from pixie_runtime.viewer.wire import VERSION, Counts, body_message, frame_message

_MOST_PER_SECOND = 60.0
_TIMELINE_COLUMNS = 240


class TakeDesk:
    """The page's buttons on a take."""

    def __init__(self, playback: Playback) -> None:
        self._playback = playback

    def state(self) -> Mapping[str, Any]:
        """Return what the page shows about it, as JSON's types."""
        play = self._playback
        return {"playback": {"playing": play.playing, "speed": play.speed}}

    def handle(self, command: Command) -> None:
        """Do what was asked for; what makes no sense here is left undone."""
        match command:
            case Play(True):
                self._playback.play()
            case Play(False):
                self._playback.pause()
            case Seek(time_s):
                self._playback.seek(time_s)
            case Speed(factor):
                self._playback.set_speed(factor)


class TakeShow:
    """Serves a page that plays takes of one recording side by side.

    Args:
        takes: One for each person, on one clock; at least one.
        address: Where to listen; port 0 takes a free one.
        title: What the page calls it.
        model: The body that the takes' parameters are for; default: the one that ships.
        playback: Where it stands; default: at the beginning, played.

    Raises:
        UsageError: a take has more coefficients than the body model.
        SinkError: the address cannot be listened on.
    """

    def __init__(
        self,
        takes: Sequence[Take],
        address: Address,
        *,
        title: str,
        model: BodyModel | None = None,
        playback: Playback | None = None,
    ) -> None:
        model = model or embedded_body_model()
        for take in takes:
            _check_fits(take, model)
        self._takes = takes
        self._breaks_s = [break_s(take.timestamps_s) for take in takes]
        self._start_s = min(float(take.timestamps_s[0]) for take in takes)
        end_s = max(float(take.timestamps_s[-1]) for take in takes)
        self.playback = playback or Playback(end_s - self._start_s)
        self._n_expression = model.n_expression
        self._shapes = Shapes(model)
        self._last: bytes | None = None
        body = body_message(body_file(model))
        self._server = ViewerServer(
            address,
            hello={
                "version": VERSION,
                "mode": "take",
                "title": title,
                "duration_s": self.playback.duration_s,
                "timeline": _timeline(takes, self._start_s, end_s),
            },
            desk=TakeDesk(self.playback),
            on_page=lambda: self._first_messages(body),
            option="--serve",
        )
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="take", daemon=True)
        self._thread.start()

    @property
    def address(self) -> Address:
        """Where the page is served."""
        return self._server.address

    @property
    def urls(self) -> tuple[str, ...]:
        """Where to open the page: on this machine, then on others."""
        return urls_of(self.address)

    def close(self) -> None:
        """Part from the pages and free the port."""
        self._ended.set()
        self._thread.join()
        self._server.close()

    def _first_messages(self, body: bytes) -> dict[str, bytes]:
        frame = {} if self._last is None else {"frame": self._last}
        return {"body": body, **self._shapes.messages, **frame}

    def _run(self) -> None:
        shown: list[int | None] | None = None
        fastest = max(take.fps for take in self._takes)
        while not self._ended.wait(self._pause_s(fastest)):
            time_s = self._start_s + self.playback.position_s
            rows = [
                _row_at(take.timestamps_s, time_s, unseen_s)
                for take, unseen_s in zip(self._takes, self._breaks_s, strict=True)
            ]
            if rows == shown or not (self._server.is_awaited or shown is None):
                continue
            self._show(time_s, rows)
            shown = rows

    def _pause_s(self, fps: float) -> float:
        return 1 / min(max(fps * self.playback.speed, 10.0), _MOST_PER_SECOND)

    def _show(self, time_s: float, rows: Sequence[int | None]) -> None:
        people: list[Person] = [
            take.person(row)
            for take, row in zip(self._takes, rows, strict=True)
            if row is not None
        ]
        messages = self._shapes.update(people)
        self._last = messages["frame"] = frame_message(
            people,
            timestamp_s=time_s - self._start_s,
            index=people[0].frame_index if people else 0,
            counts=Counts(self._takes[0].fps, 0.0, 0, 0),
            shapes=self._shapes.versions,
            n_expression=self._n_expression,
        )
        self._server.publish(messages)


def view_take(
    take: Take | Sequence[Take],
    address: Address,
    *,
    title: str = "take",
    model: BodyModel | None = None,
    tell: Callable[[Address, str], None] = lambda address, url: None,
    until: threading.Event | None = None,
) -> None:
    """Play takes in a web page until `until` is set, or Ctrl-C.

    Args:
        take: What to play; several people's takes of one recording side by side.
        address: Where to listen; port 0 takes a free one.
        title: What the page calls it.
        model: The body that the parameters are for; default: the one that ships.
        tell: Told where the page is served, and its address on this machine.
        until: Ends it.

    Raises:
        UsageError: a take has more coefficients than the body model.
        SinkError: the address cannot be listened on.
    """
    takes = [take] if isinstance(take, Take) else take
    show = TakeShow(takes, address, title=title, model=model)
    try:
        tell(show.address, show.urls[0])
        (until or threading.Event()).wait()
    except KeyboardInterrupt:
        pass
    finally:
        show.close()


def _row_at(timestamps_s: Float64, time_s: float, unseen_s: float) -> int | None:
    """Return the frame that is seen at a moment, None where nobody was recorded.

    Args:
        timestamps_s: Of the frames, (T,).
        time_s: The moment.
        unseen_s: Who was not recorded for longer is not shown.
    """
    row = int(np.searchsorted(timestamps_s, time_s + 1e-9, side="right")) - 1
    if row < 0 or time_s - timestamps_s[row] > unseen_s:
        return None
    return row


def _timeline(
    takes: Sequence[Take], start_s: float, end_s: float
) -> list[dict[str, Any]]:
    """Return for each take how sure the body was along the timeline, in [0, 1]."""
    moments = np.linspace(start_s, end_s, _TIMELINE_COLUMNS)
    lines = []
    for take in takes:
        times, unseen_s = take.timestamps_s, break_s(take.timestamps_s)
        rows = [_row_at(times, moment, unseen_s) for moment in moments]
        sure = [0.0 if row is None else take.confidences[row, 0] for row in rows]
        lines.append({"track": take.track_id, "body": np.round(sure, 2).tolist()})
    return lines


def _check_fits(take: Take, model: BodyModel) -> None:
    n_betas, n_expression = take.betas_per_frame.shape[1], take.expression.shape[1]
    if n_betas > model.n_betas or n_expression > model.n_expression:
        raise UsageError(
            f"the take has {n_betas} shape and {n_expression} expression coefficients, "
            f"the body model {model.name} has {model.n_betas} and "
            f"{model.n_expression}; name the body model that it was made with"
        )
