"""`pixie-bench landmarks`: the landmark chain, beside MediaPipe Holistic."""

from contextlib import ExitStack

from pixie_bench import holistic_oracle
from pixie_bench.cases import LANDMARKS, LandmarkCase
from pixie_bench.results import Findings, timing_results
from pixie_bench.settings import Announce, Settings, silent
from pixie_bench.spreads import in_turns
from pixie_bench.worker_process import WorkerProcess
from pixie_runtime.errors import PixieError
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
        if settings.oracle_python is None:
            left_out = (
                f"{case.name} has no peer: name a Python with mediapipe 0.10.21 with "
                "--oracle-python",
            )
        else:
            command = [str(settings.oracle_python), holistic_oracle.__file__, str(clip)]
            contenders.append(opened.enter_context(WorkerProcess(_PEER, command)))
        turns = in_turns(
            contenders,
            rounds=settings.rounds,
            runs=settings.runs * _MORE_RUNS,
            warm_up=settings.warm_up,
        )
        beside = (contenders[-1].description, turns[_PEER]) if len(turns) > 1 else None
        results = timing_results(case.name, turns[case.name], beside)
        return Findings(results, left_out, {case.name: ours.description})
