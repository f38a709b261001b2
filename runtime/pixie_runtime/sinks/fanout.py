"""One sink made of several, of which none can take the others down."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack

from pixie_runtime.errors import SinkError
from pixie_runtime.sinks import Sink, Tick, Traffic, traffic_of
from pixie_runtime.wording import sentence_of


class Fanout:
    """Sends every tick to every sink; one that fails is closed and left out.

    That holds for faults of ours as well: the sentence then names the kind of error.

    Sinks may have `warnings`, sentences for the user, a `greeting`, one line to begin
    with, and a `summary`, one line about what they made; those of all are in
    `warnings`, `greetings` and `summaries`.
    """

    def __init__(self, sinks: Iterable[Sink]) -> None:
        self.sinks: tuple[Sink, ...] = tuple(sinks)
        """All of them, failed ones included."""
        self._working = list(self.sinks)
        self._failures: list[str] = []

    @property
    def name(self) -> str:
        """The sinks' names, joined."""
        return ", ".join(sink.name for sink in self.sinks) or "no output"

    @property
    def dropped(self) -> int:
        """Messages given up by all sinks together."""
        return sum(sink.dropped for sink in self.sinks)

    @property
    def traffic(self) -> Mapping[str, Traffic]:
        """What each sink has passed on, by its name."""
        return {sink.name: traffic_of(sink) for sink in self.sinks}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the sinks want to be known, and which failed; each sentence once."""
        said = [
            warning for sink in self.sinks for warning in getattr(sink, "warnings", ())
        ]
        return tuple(dict.fromkeys([*said, *self._failures]))

    @property
    def greetings(self) -> tuple[str, ...]:
        """What the sinks say at the beginning, one line each of those that do."""
        return self._lines("greeting")

    @property
    def summaries(self) -> tuple[str, ...]:
        """What the sinks made so far, one line each of those that tell."""
        return self._lines("summary")

    def send(self, tick: Tick) -> None:
        """Pass the tick to all working sinks.

        Raises:
            SinkError: none works any longer.
        """
        for sink in tuple(self._working):
            try:
                sink.send(tick)
            except Exception as error:
                self._fail(sink, error)
        if self.sinks and not self._working:
            raise SinkError("no output is left: " + "; ".join(self._failures))

    def close(self) -> None:
        """Close all sinks, whatever happens to any of them.

        Raises:
            SinkError: some sink failed, now or earlier; the sentence tells of each.
        """
        with ExitStack() as stack:
            while self._working:
                stack.callback(self._close, self._working.pop())
        if self._failures:
            raise SinkError("; ".join(self._failures))

    def _lines(self, name: str) -> tuple[str, ...]:
        said = (getattr(sink, name, "") for sink in self.sinks)
        return tuple(line for line in said if line)

    def _fail(self, sink: Sink, error: Exception) -> None:
        self._working.remove(sink)
        self._failures.append(sentence_of(error, sink.name))
        self._close(sink)

    def _close(self, sink: Sink) -> None:
        try:
            sink.close()
        except Exception as error:
            self._failures.append(sentence_of(error, sink.name))
