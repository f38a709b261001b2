"""`pixie-bench landmarks`: the landmark chain, beside MediaPipe Holistic."""

from contextlib import ExitStack
from pathlib import Path

from pixie_bench import holistic_oracle
from pixie_bench.cases import LANDMARKS, LandmarkCase
from pixie_bench.results import Findings, timing_results
from pixie_bench.settings import Announce, Settings, silent
from pixie_bench.spreads import in_turns
from pixie_bench.worker_process import WorkerProcess
from pixie_runtime.errors import EngineError, PixieError
from pixie_runtime.sources.opening import demo_clip

_PEER = "MediaPipe Holistic"
_MORE_RUNS = 4
"""So that a turn is some seconds of the clip."""


def run_landmarks(settings: Settings, announce: Announce = silent) -> Findings:
    """Measure every landmark case that can run here; announce each."""
    found = Findings()
    for case in LANDMARKS:
        if settings.only in case.name:
            announce(case.name)
            try:
                found += _measure(case, settings)
            except PixieError as error:
                found += Findings(left_out=(f"{case.name}: {error}",))
    return found


def _measure(case: LandmarkCase, settings: Settings) -> Findings:
    clip = settings.video or demo_clip()
    given = {
        "video": str(clip),
        "engine": case.engine,
        "precision": case.precision,
        "threads": settings.threads,
    }
    left_out: tuple[str, ...] = ()
    with ExitStack() as opened:
        ours = opened.enter_context(WorkerProcess.of(case.name, "landmarks", given))
        contenders = [ours]
        try:
            contenders.append(opened.enter_context(_holistic(settings, clip)))
        except PixieError as error:
            left_out = (f"{case.name} has no peer: {error}",)
        turns = in_turns(
            contenders,
            rounds=settings.rounds,
            runs=settings.runs * _MORE_RUNS,
            warm_up=settings.warm_up,
        )
        beside = (contenders[-1].description, turns[_PEER]) if len(turns) > 1 else None
        results = timing_results(case.name, turns[case.name], beside)
        return Findings(results, left_out, {case.name: ours.description})


def _holistic(settings: Settings, clip: Path) -> WorkerProcess:
    """Start MediaPipe Holistic on the clip.

    Raises:
        EngineError: it cannot run in the other Python, or none was named.
    """
    if settings.oracle_python is None:
        raise EngineError("name a Python with mediapipe 0.10.21 with --oracle-python")
    command = [str(settings.oracle_python), holistic_oracle.__file__, str(clip)]
    return WorkerProcess(_PEER, command)
