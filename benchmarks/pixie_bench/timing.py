"""What ran when: clocks around networks and landmarkers, none inside them."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from pixie_runtime.engines import AnyArray, Engine
from pixie_runtime.landmarks import Landmarker
from pixie_runtime.types import Frame, PersonLandmarks


@dataclass(frozen=True, slots=True)
class Run:
    """Something that ran once, on the clock of `time.monotonic_ns`."""

    name: str
    began_ns: int
    ended_ns: int

    @property
    def milliseconds(self) -> float:
        """How long it took."""
        return (self.ended_ns - self.began_ns) / 1e6


class Clock:
    """Notes what runs; whoever reads it takes the notes away."""

    def __init__(self) -> None:
        self._runs: list[Run] = []

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Note what happens inside, unless it fails."""
        began_ns = time.monotonic_ns()
        yield
        self._runs.append(Run(name, began_ns, time.monotonic_ns()))

    def take(self) -> tuple[Run, ...]:
        """Return what ran since the last time, in order of its end."""
        runs, self._runs = tuple(self._runs), []
        return runs


class TimedEngine:
    """An engine whose every run is noted."""

    def __init__(self, name: str, engine: Engine, clock: Clock) -> None:
        self._name = name
        self._engine = engine
        self._clock = clock

    @property
    def description(self) -> str:
        """What runs the network."""
        return self._engine.description

    @property
    def input_shapes(self) -> Mapping[str, tuple[int | str, ...]]:
        """Each input's shape by name; a str stands for a free axis."""
        return self._engine.input_shapes

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in the network's order."""
        return self._engine.output_names

    def infer(self, inputs: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        """Run once; every input by name. The returned arrays belong to the caller."""
        with self._clock.running(self._name):
            return self._engine.infer(inputs)

    def close(self) -> None:
        """Free the network; `infer` may not be called afterwards."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class TimedLandmarker:
    """A landmarker whose every look is noted as "landmarks"."""

    def __init__(self, landmarker: Landmarker, clock: Clock) -> None:
        self._landmarker = landmarker
        self._clock = clock

    def detect(self, frame: Frame) -> PersonLandmarks:
        """Return what is in `frame`."""
        with self._clock.running("landmarks"):
            return self._landmarker.detect(frame)

    def reset(self) -> None:
        """Forget the person."""
        self._landmarker.reset()

    def close(self) -> None:
        """Free what the models hold."""
        self._landmarker.close()
