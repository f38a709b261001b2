"""`pixie-bench chain`: the whole program on a clip, each time in a fresh process."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from pixie_bench.cases import LIVE, LiveCase
from pixie_bench.chain_trace import chain_tracks
from pixie_bench.gpu import require_gpu
from pixie_bench.results import Findings, Result
from pixie_bench.settings import Announce, Settings, silent
from pixie_bench.timeline import trace_events, write_trace
from pixie_runtime.errors import EngineError, PixieError
from pixie_runtime.options import Options

_ROUNDS = 2
"""Each is a fresh process, with a first frame of its own."""


def run_chain(
    settings: Settings, announce: Announce = silent, *, trace: Path | None = None
) -> Findings:
    """Measure the program's rate, latency, first frame and memory with each bundle.

    Args:
        settings: what to run, and how long.
        announce: is told each case, in every round.
        trace: file for a timeline of the last case that ran; if it cannot be made,
            that is said.
    """
    found, measured = Findings(), dict[str, list[dict[str, Any]]]()
    cases = [case for case in LIVE if settings.only in case.name]
    for turn in range(1, _ROUNDS + 1):
        for case in cases:
            announce(f"{case.name}, round {turn} of {_ROUNDS}")
            try:
                measured.setdefault(case.name, []).append(_live(case, settings))
            except PixieError as error:
                sentence = f"{case.name}: {error}"
                if sentence not in found.left_out:
                    found += Findings(left_out=(sentence,))
    ran = [case for case in cases if measured.get(case.name)]
    for case in ran:
        found += _findings(case, measured[case.name])
    if trace is not None and ran:
        try:
            tracks = chain_tracks(_options(ran[-1], settings), threads=settings.threads)
            write_trace(trace, trace_events(tracks))
        except PixieError as error:
            found += Findings(left_out=(f"trace: {error}",))
    return found


def _live(case: LiveCase, settings: Settings) -> dict[str, Any]:
    """Run `pixie-bench live` in a process of its own; return what it wrote.

    Raises:
        BundleError: there is no such bundle.
        EngineError: it failed, or needs a GPU that is not there.
    """
    if case.on_gpu:
        require_gpu()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "live.json"
        command = [sys.executable, "-c", _PROGRAM, "live"]
        command += ["--seconds", str(settings.seconds), "--json", str(path)]
        command += ["--engine", case.engine, "--precision", case.precision]
        if case.rates is not None:
            command += ["--rates", case.rates]
        if case.bundle is not None:
            command += ["--bundle", str(settings.bundle(case.bundle))]
        if settings.video is not None:
            command += ["--video", str(settings.video)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not path.exists():
            said = done.stderr.strip().splitlines() or ["it said nothing"]
            raise EngineError(said[-1].removeprefix("pixie-bench: "))
        measured: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return measured


_PROGRAM = "import sys; from pixie_bench.cli import main; sys.exit(main())"


def _findings(case: LiveCase, runs: Sequence[dict[str, Any]]) -> Findings:
    """Return the medians over the rounds; of first frames the last, on a warm disk."""

    def middle(*path: str) -> float | None:
        values = []
        for run in runs:
            value: Any = run
            for name in path:
                value = value[name]
            values.append(value)
        return None if None in values else float(median(values))

    wanted = [
        (case.name, "fps", "1/s", middle("fps")),
        (case.name, "latency_p50", "ms", middle("latency_ms", "p50")),
        (case.name, "latency_p95", "ms", middle("latency_ms", "p95")),
        (case.name, "latency_p99", "ms", middle("latency_ms", "p99")),
        ("first-frame", case.label, "s", runs[-1]["first_frame_s"]),
        ("memory", case.label, "MB", middle("resident_mb")),
        ("memory", f"{case.label}, peak", "MB", middle("peak_resident_mb")),
    ]
    wanted += [
        (case.name, f"{stage}_p50", "ms", middle("stages_ms", stage, "p50"))
        for stage in runs[0]["stages_ms"]
    ]
    results = tuple(
        Result(name, metric, round(value, 3), unit)
        for name, metric, unit, value in wanted
        if value is not None
    )
    return Findings(results, notes={case.name: runs[0]["engine"]})


def _options(case: LiveCase, settings: Settings) -> Options:
    return Options(
        video=settings.video,
        demo=settings.video is None,
        loop=True,
        as_fast_as_possible=True,
        bundle=None if case.bundle is None else settings.bundle(case.bundle),
        engine=case.engine,
        precision=case.precision,
        rates=case.rates,
    )
