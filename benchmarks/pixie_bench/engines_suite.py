"""`pixie-bench engines`: networks on known crops, beside eager PyTorch."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

from pixie_bench.cases import NETWORKS, NetworkCase
from pixie_bench.gpu import require_gpu
from pixie_bench.graph_cost import Cost, graph_cost
from pixie_bench.peak import Peak, measure_peak
from pixie_bench.results import Findings, Result, timing_results
from pixie_bench.roofline import Placed, Roofs, draw
from pixie_bench.settings import Announce, Settings, silent
from pixie_bench.spreads import Turns, in_turns
from pixie_bench.worker_process import WorkerProcess
from pixie_runtime.bundle import Bundle
from pixie_runtime.errors import EngineError, MissingExtraError, PixieError

_EAGER = "eager PyTorch float32"
_PROCESSOR, _CARD = "machine-peak", "machine-peak-gpu"
"""The cases that say what networks are held against."""


def run_engines(
    settings: Settings, announce: Announce = silent, *, plot: Path | None = None
) -> Findings:
    """Measure every network case that can run here, and the machine's peaks.

    Args:
        settings: what to run, and how often.
        announce: is told each case.
        plot: picture of the roofline to write; if it cannot be, that is said.
    """
    cases = [case for case in NETWORKS if settings.only in case.name]
    found = Findings()
    placed: dict[str, list[Placed]] = {name: [] for name in _PEAKS}
    for case in cases:
        announce(case.name)
        try:
            results, turns = _measure(case, settings)
            found += results
        except PixieError as error:
            found += Findings(left_out=(f"{case.name}: {error}",))
            continue
        if case.arithmetic is not None:
            try:
                cost = _cost(settings.bundle(case.bundle))
            except PixieError as error:
                found += Findings(left_out=(f"share of {case.name}: {error}",))
                continue
            middle_ms = turns.percentile(50)
            placed[_CARD if case.on_gpu else _PROCESSOR].append(
                Placed(case.name, case.arithmetic, cost, middle_ms)
            )
    roofs = []
    for name, networks in placed.items():
        if settings.only not in name and not networks:
            continue
        announce(name)
        try:
            peak = _PEAKS[name](settings)
        except PixieError as error:
            found += Findings(left_out=(f"{name}: {error}",))
            continue
        found += _floors(name, peak, networks)
        of_threads = f", {settings.threads} threads" if name == _PROCESSOR else ""
        roofs.append(Roofs(name + of_threads, peak, networks))
    return found + _drawn(plot, roofs)


def _measure(case: NetworkCase, settings: Settings) -> tuple[Findings, Turns]:
    """Run a case, in turns with its peer."""
    if case.on_gpu:
        require_gpu()
    left_out: tuple[str, ...] = ()
    with ExitStack() as opened:
        ours = opened.enter_context(_ours(case, settings))
        contenders = [ours]
        if case.compared:
            try:
                contenders.append(opened.enter_context(_eager(settings)))
            except PixieError as error:
                left_out = (f"{case.name} has no peer: {error}",)
        turns = in_turns(
            contenders,
            rounds=settings.rounds,
            runs=settings.runs,
            warm_up=settings.warm_up,
        )
        own = turns[case.name]
        peer = (_EAGER, turns[_EAGER]) if _EAGER in turns else None
        results = timing_results(case.name, own, peer)
        if case.people > 1 or not case.compared:
            rate = 1e3 / own.percentile(50)
            results += (Result(case.name, "fps", round(rate, 2), "1/s"),)
        results += (Result(case.name, "opened", round(ours.opened_s, 3), "s"),)
        if ours.resident_mb is not None:
            resident = round(ours.resident_mb, 1)
            results += (Result(case.name, "resident", resident, "MB"),)
        notes = {case.name: ours.description}
    return Findings(results, left_out, notes), own


def _ours(case: NetworkCase, settings: Settings) -> WorkerProcess:
    """Start the case's networks.

    Raises:
        BundleError: there is no such bundle.
        EngineError: they cannot run here.
    """
    given = {"bundle": str(settings.bundle(case.bundle)), "engine": case.engine}
    if case.chained is not None:
        chain = {**given, "skinning": case.chained == "mesh"}
        return WorkerProcess.of(case.name, "device-chain", chain)
    one_by_one = {
        **given,
        "precision": case.precision,
        "threads": settings.threads,
        "people": case.people,
    }
    return WorkerProcess.of(case.name, "network", one_by_one)


def _eager(settings: Settings) -> WorkerProcess:
    """Start eager PyTorch of the full network.

    Raises:
        MissingExtraError: PyTorch is not installed.
        EngineError: it cannot run.
    """
    if find_spec("torch") is None:
        raise MissingExtraError("comparing with eager PyTorch", "export")
    return WorkerProcess.of(_EAGER, "eager", {"threads": settings.threads})


def _cost(folder: Path) -> Cost:
    """Return what one person costs: body, head, both hands, fusion."""
    bundle = Bundle.open(folder)
    one = [graph_cost(bundle.path_of(name)) for name in ("body", "head", "fuse")]
    hands = graph_cost(bundle.path_of("hand"), batch=2)
    return sum(one, start=hands)


def _floors(name: str, peak: Peak, placed: list[Placed]) -> Findings:
    """Return a machine's peaks, and how near to them the networks come."""
    results = [
        Result(name, arithmetic, round(rate, 1), "GFLOP/s")
        for arithmetic, rate in peak.gflops.items()
    ]
    results.append(Result(name, "copy", round(peak.gbytes, 1), "GB/s"))
    for one in placed:
        if one.arithmetic in peak.gflops:
            floor_ms, share = round(one.floor_ms(peak), 3), round(one.share(peak), 3)
            results.append(Result(one.name, "floor", floor_ms, "ms"))
            results.append(Result(one.name, "share", share, "of the floor"))
    by = ", ".join(f"{arithmetic} by {who}" for arithmetic, who in peak.by.items())
    return Findings(tuple(results), notes={name: by})


def _drawn(plot: Path | None, roofs: list[Roofs]) -> Findings:
    """Draw the rooflines if that is wanted; say why they could not be."""
    if plot is not None and roofs:
        try:
            draw(plot, roofs)
        except PixieError as error:
            return Findings(left_out=(f"roofline: {error}",))
    return Findings()


def _processor_peak(settings: Settings) -> Peak:
    """Measure the processor's, for as many threads as the networks have.

    Raises:
        EngineError: a library ended the process that measures.
    """
    return _in_a_process(partial(measure_peak, settings.threads))


def _gpu_peak(_: Settings) -> Peak:
    """Measure the card's.

    Raises:
        EngineError: there is none, or it cannot be measured.
        MissingExtraError: PyTorch is not installed.
    """
    require_gpu()
    if find_spec("torch") is None:
        raise MissingExtraError("measuring what a GPU can do at most", "train")
    return _in_a_process(_measured_gpu)


def _measured_gpu() -> Peak:
    # This process does without torch.
    from pixie_bench.gpu_peak import measure_gpu_peak

    return measure_gpu_peak()


def _in_a_process(measure: Callable[[], Peak]) -> Peak:
    """Measure in a process of its own.

    Raises:
        EngineError: it died.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(measure).result()
        except BrokenProcessPool:
            raise EngineError("a library ended the process that measured it") from None


_PEAKS: dict[str, Callable[[Settings], Peak]] = {
    _PROCESSOR: _processor_peak,
    _CARD: _gpu_peak,
}
"""By case, what measures a machine's roofs."""
