"""A bundle's network `whole` beside the same weights in eager PyTorch.

Both get the same crops of the demo clip and give the same parameters. PyTorch runs in
a process of its own, idle while the engine runs, and the other way round.
"""

import multiprocessing
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pixie_bench.machine import Bystanders, machine
from pixie_runtime.bundle import Bundle
from pixie_runtime.engine_kinds import EngineKind, Precision
from pixie_runtime.engines import Engine
from pixie_runtime.engines.choosing import choose
from pixie_runtime.errors import (
    BundleError,
    EngineError,
    MissingExtraError,
    PixieError,
    UsageError,
)
from pixie_runtime.fusion_rules import FusionRules
from pixie_runtime.types import Float32

Form = Literal["released", "lean"]
"""How PyTorch runs the network. `released`: as the release does, with a coarse pass by
way of the whole mesh, each hand by itself, and the whole mesh again. `lean`: no more
than the parameters take, as our graph does."""
FORMS: tuple[Form, ...] = ("released", "lean")
_WARM_UP = 2


@dataclass(frozen=True)
class Setting:
    """What PyTorch is to run."""

    checkpoint: Path
    body_model: Path
    threads: int


@dataclass(frozen=True, eq=False)
class Ready:
    """What PyTorch's process says when it has loaded everything."""

    description: str
    pictures: Mapping[str, Float32]
    """What `whole` takes of pictures, by its names, (N, 3, S, S)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one person took, milliseconds."""

    clock: float
    cpu: float
    """Of all threads; on a busy machine the fairer of the two, with one thread each."""


class Stopwatch:
    """Measures what is done until `cost` is asked for."""

    def __init__(self) -> None:
        self._clock_s, self._cpu_s = time.perf_counter(), time.process_time()

    def cost(self) -> Cost:
        """Return what was spent since the start."""
        clock_s = time.perf_counter() - self._clock_s
        return Cost(clock_s * 1e3, (time.process_time() - self._cpu_s) * 1e3)


@dataclass(frozen=True)
class EagerResult:
    """What one run of the comparison measured."""

    setup: str
    engine: tuple[Cost, ...]
    eager: Mapping[Form, tuple[Cost, ...]]
    degrees: float
    """Largest angle between a joint's rotation by the engine and by PyTorch."""

    def lines(self) -> Iterator[str]:
        """Yield the table, and what it was measured on."""
        yield f"{'from crops to parameters':26}{'clock, ms':>22}{'CPU, ms':>20}"
        yield f"{'':26}{'median':>8}{'p95':>8}{'times':>6}{'median':>14}{'times':>6}"
        rows = {
            "the bundle's engine": self.engine,
            "eager, as released": self.eager["released"],
            "eager, parameters only": self.eager["lean"],
        }
        ours = _medians(self.engine)
        for name, costs in rows.items():
            clock, cpu = _medians(costs)
            p95 = float(np.percentile([cost.clock for cost in costs], 95))
            yield (
                f"{name:26}{clock:8.1f}{p95:8.1f}{clock / ours[0]:6.2f}"
                f"{cpu:14.1f}{cpu / ours[1]:6.2f}"
            )
        yield f"largest difference of a joint's rotation: {self.degrees:.2g} degrees"
        yield self.setup


def measure_eager(
    folder: Path,
    checkpoint: Path,
    *,
    rounds: int = 12,
    engine: EngineKind = "auto",
    precision: Precision = "float32",
    threads: int = 2,
) -> EagerResult:
    """Run a bundle's network and the checkpoint that it was made of in turns.

    Args:
        folder: the bundle's.
        checkpoint: `pixie_model.tar`.
        rounds: how often each is run.
        engine: what runs the bundle; `auto`: the best that is present.
        precision: arithmetic of the engine.
        threads: of the engine and of PyTorch.

    Raises:
        BundleError, ModelFileError: a file cannot be used.
        EngineError: the engine cannot.
        MissingExtraError: PyTorch, or the engine, is not installed.
        UsageError: a number is below 1.
    """
    if min(rounds, threads) < 1:
        raise UsageError("--rounds and --threads: expected 1 or more")
    if find_spec("torch") is None or find_spec("onnx") is None:
        raise MissingExtraError("pixie-bench eager", "export")
    bundle = Bundle.open(folder)
    body_model = bundle.body_model_path
    if bundle.manifest.kind != "image" or body_model is None:
        raise BundleError(
            f"bundle {bundle.manifest.name} was not made of an official checkpoint: "
            "it is of another kind or holds no body model; expected what pixie-export "
            "official writes"
        )
    maker = choose(engine, precision=precision, threads=threads)
    with (
        maker.open(bundle.path_of("whole")) as whole,
        _PyTorch.started(Setting(checkpoint, body_model, threads)) as pytorch,
        Bystanders(pytorch.process) as bystanders,
    ):
        turns = _Turns(whole, pytorch)
        for index in range(rounds + _WARM_UP):
            turns.take(index)
    setup = (
        f"bundle {bundle.manifest.name} in {bundle.manifest.precision}; "
        f"{maker.description}; "
        f"{pytorch.ready.description}; {threads} threads each; {machine()}; "
        f"{bystanders.text()}"
    )
    return EagerResult(
        setup,
        tuple(turns.engine[_WARM_UP:]),
        {form: tuple(turns.eager[form][_WARM_UP:]) for form in FORMS},
        turns.degrees,
    )


class _PyTorch:
    """The other process."""

    def __init__(self, connection: Connection, process: int) -> None:
        self._connection = connection
        self.process = process
        """Its number."""
        first = self._answer()
        if isinstance(first, PixieError):
            raise first
        assert isinstance(first, Ready)
        self.ready: Ready = first

    @classmethod
    @contextmanager
    def started(cls, setting: Setting) -> Iterator["_PyTorch"]:
        """Start it and wait until it is ready; at the end stop it.

        Raises:
            PixieError: what the process finds wrong with a file.
        """
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, setting), daemon=True)
        process.start()
        theirs.close()
        try:
            assert process.pid is not None
            yield cls(ours, process.pid)
            ours.send(None)
            process.join()
        finally:
            process.kill()
            ours.close()

    def run(self, crops: Mapping[str, Float32], form: Form) -> tuple[Cost, Float32]:
        """Return what it took and rotations (1, 55, 3, 3)."""
        self._connection.send((crops, form))
        cost, rotations = self._answer()
        return cost, rotations

    def _answer(self) -> Any:
        try:
            return self._connection.recv()
        except EOFError:
            raise EngineError(
                "PyTorch's process ended without an answer: what it said is above"
            ) from None


def _serve(connection: Connection, setting: Setting) -> None:
    # By name: PyTorch must not come into this process, nor where it is missing.
    import_module("pixie_bench.eager_torch").serve(connection, setting)


class _Turns:
    """Runs the engine and PyTorch's two forms one after the other."""

    def __init__(self, whole: Engine, pytorch: _PyTorch) -> None:
        self._whole = whole
        self._pytorch = pytorch
        self._given = {
            "present": np.ones((1, 3), np.float32),
            "rules": FusionRules.release().row()[None],
        }
        self.engine: list[Cost] = []
        self.eager: dict[Form, list[Cost]] = {form: [] for form in FORMS}
        self.degrees = 0.0

    def take(self, index: int) -> None:
        """Run each on one of the sets of crops."""
        pictures = self._pytorch.ready.pictures
        count = len(pictures["image_body"])
        crops = {n: a[[index % count]] for n, a in pictures.items()}
        stopwatch = Stopwatch()
        outputs = self._whole.infer({**crops, **self._given})
        self.engine.append(stopwatch.cost())
        for form in FORMS:
            cost, rotations = self._pytorch.run(crops, form)
            self.eager[form].append(cost)
            angle = largest_angle(outputs["rotations"], rotations)
            self.degrees = max(self.degrees, angle)


def _medians(costs: Sequence[Cost]) -> tuple[float, float]:
    clock = np.median([cost.clock for cost in costs])
    return float(clock), float(np.median([cost.cpu for cost in costs]))


def largest_angle(R_a: Float32, R_b: Float32) -> float:
    """Return the largest angle between matrices (..., 3, 3), degrees."""
    chord = np.linalg.norm(R_a.astype(np.float64) - R_b, axis=(-2, -1))
    half = np.arcsin(np.clip(chord / np.sqrt(8), 0, 1))
    return float(np.degrees(2 * half).max())
