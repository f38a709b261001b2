"""`pixie-bench skinning`: meshes out of parameters, beside the smplx package."""

import shutil
import tempfile
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from pixie_bench.bodies import write_dense, write_embedded
from pixie_bench.cases import SKINNING, SkinningCase
from pixie_bench.gpu import require_gpu
from pixie_bench.results import Findings, timing_results
from pixie_bench.settings import Announce, Settings, silent
from pixie_bench.spreads import in_turns
from pixie_bench.worker_process import WorkerProcess
from pixie_runtime.errors import EngineError, ModelFileError, PixieError

_PEER = "smplx"
_MORE_RUNS = 10
"""A mesh takes a millisecond: so many times the runs of a turn cost nothing."""


def run_skinning(settings: Settings, announce: Announce = silent) -> Findings:
    """Measure every skinning case that can run here; announce each."""
    found = Findings()
    with tempfile.TemporaryDirectory() as folder:
        # The package tells a model's kind by its file's name.
        names = {"dense": "SMPLX_DENSE.npz", "embedded": "SMPLX_EMBEDDED.npz"}
        files = {body: Path(folder) / name for body, name in names.items()}
        if settings.body_model is None:
            write_dense(files["dense"])
        else:
            _copy(settings.body_model, files["dense"])
        write_embedded(files["embedded"])
        for case in SKINNING:
            if settings.only in case.name:
                announce(case.name)
                try:
                    found += _measure(case, files[case.body], settings)
                except PixieError as error:
                    found += Findings(left_out=(f"{case.name}: {error}",))
    return found


def _copy(source: Path, target: Path) -> None:
    """Copy a user's file.

    Raises:
        ModelFileError: it cannot be read.
    """
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise ModelFileError(f"cannot read {source}: {error.strerror}") from error


def _measure(case: SkinningCase, body: Path, settings: Settings) -> Findings:
    if case.on_gpu:
        require_gpu()
    left_out = tuple[str, ...]()
    with ExitStack() as opened:
        ours = opened.enter_context(_ours(case, body, settings))
        contenders = [ours]
        try:
            contenders.append(opened.enter_context(_smplx(case, body, settings)))
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


def _ours(case: SkinningCase, body: Path, settings: Settings) -> WorkerProcess:
    """Start what makes the case's meshes.

    Raises:
        EngineError: it cannot run here.
    """
    given = _given(case, body)
    if case.on_gpu:
        on_card = {**given, "through": case.kind}
        return WorkerProcess.of(case.name, "device-skinning", on_card)
    on_cores = {**given, "kind": case.kind, "threads": settings.threads}
    return WorkerProcess.of(case.name, "skinning", on_cores)


def _smplx(case: SkinningCase, body: Path, settings: Settings) -> WorkerProcess:
    """Start the package on the same body.

    Raises:
        EngineError: it is not installed, or cannot run.
    """
    if find_spec("smplx") is None or find_spec("torch") is None:
        raise EngineError("pip install smplx torch")
    given = {**_given(case, body), "threads": settings.threads}
    return WorkerProcess.of(_PEER, "smplx", given)


def _given(case: SkinningCase, body: Path) -> dict[str, str | int]:
    """Return what ours and the peer are told alike."""
    return {
        "body": str(body),
        "n_betas": case.n_betas,
        "n_expression": case.n_expression,
    }
