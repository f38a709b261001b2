"""A port for each person, for receivers that know of one person only."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from pixie_runtime.addresses import Address
from pixie_runtime.sinks import Sink, Tick, Traffic, traffic_of
from pixie_runtime.types import Person


class Places:
    """Gives people numbered places: the lowest that nobody in view has.

    Who is lost for a while returns to their place unless somebody took it meanwhile.
    """

    def __init__(self, count: int) -> None:
        self._owners: list[int | None] = [None] * count
        """The track id that was last in each place."""

    def assign(self, people: Sequence[Person]) -> list[Person | None]:
        """Return who is in each place; people beyond the places are left out."""
        here = {person.track_id: person for person in people}
        for track_id in here:
            if track_id in self._owners:
                continue
            for place, owner in enumerate(self._owners):
                if owner not in here:
                    self._owners[place] = track_id
                    break
        return [None if owner is None else here.get(owner) for owner in self._owners]


class PortPerPerson:
    """Sends each person to a port of their own, and nobody's absence too.

    Args:
        open_sink: Opens the sink of one port.
        address: Of the first port; the others follow it.
        count: How many ports.

    Raises:
        SinkError: a sink cannot be opened.
    """

    def __init__(
        self, open_sink: Callable[[Address], Sink], address: Address, count: int
    ) -> None:
        self._places = Places(count)
        self._last_port = address.port + count - 1
        self._most_people = 0
        self._sinks: list[Sink] = []
        with ExitStack() as opened:
            for port in range(address.port, address.port + count):
                sink = open_sink(Address(address.host, port))
                opened.callback(sink.close)
                self._sinks.append(sink)
            opened.pop_all()

    @property
    def name(self) -> str:
        """The first port's name, and the last port."""
        return f"{self._sinks[0].name} to {self._last_port}"

    @property
    def dropped(self) -> int:
        """Messages given up at all ports together."""
        return sum(sink.dropped for sink in self._sinks)

    @property
    def traffic(self) -> Traffic:
        """What went to all ports together."""
        each = [traffic_of(sink) for sink in self._sinks]
        return Traffic(sum(one.sent or 0 for one in each), self.dropped)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the ports' sinks say, and whether there were more people than ports."""
        said = [
            warning for sink in self._sinks for warning in getattr(sink, "warnings", ())
        ]
        if self._most_people > len(self._sinks):
            said.append(
                f"{self.name}: {self._most_people} people were in view; raise "
                f"--port-per-person {len(self._sinks)} to send them all"
            )
        return tuple(said)

    def send(self, tick: Tick) -> None:
        """Send each port its person, or that nobody is there."""
        self._most_people = max(self._most_people, len(tick.people))
        here = self._places.assign(tick.people)
        for sink, person in zip(self._sinks, here, strict=True):
            sink.send(Tick(tick.frame, () if person is None else (person,)))

    def close(self) -> None:
        """Close all ports."""
        with ExitStack() as stack:
            for sink in self._sinks:
                stack.callback(sink.close)
