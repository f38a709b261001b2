"""Benchmarks by their names."""

from collections.abc import Callable
from pathlib import Path

from pixie_runtime.errors import UsageError
from pixie_train.evaluation.benchmarks.agora import read_agora
from pixie_train.evaluation.benchmarks.ehf import read_ehf
from pixie_train.evaluation.benchmarks.freihand import read_freihand
from pixie_train.evaluation.benchmarks.now import read_now
from pixie_train.evaluation.benchmarks.threedpw import read_3dpw
from pixie_train.evaluation.cases import Benchmark
from pixie_train.evaluation.smpl import smpl_of

BENCHMARKS: dict[str, Callable[[Path, Path | None], Benchmark]] = {
    "ehf": lambda folder, _: read_ehf(folder),
    "3dpw": lambda folder, assets: read_3dpw(folder, smpl=smpl_of(assets)),
    "agora": lambda folder, _: read_agora(folder),
    "now": lambda folder, _: read_now(folder),
    "now-test": lambda folder, _: read_now(folder, "test"),
    "freihand": lambda folder, _: read_freihand(folder),
}

WITHHELD = ("now-test",)
"""Benchmarks whose truth nobody has: there is nothing to do but to submit."""


def open_benchmark(name: str, folder: Path, assets: Path | None = None) -> Benchmark:
    """Open a benchmark in a folder.

    Args:
        name: one of `BENCHMARKS`.
        folder: with the benchmark's files.
        assets: with licensed files that its truth is made with, if the user has them.

    Raises:
        UsageError: there is none of that name.
        SourceError: it is incomplete.
        ModelFileError: a file is damaged.
    """
    if name.lower() not in BENCHMARKS or not folder.name:
        raise UsageError(
            f'--benchmark "{name}:{folder}"; expected NAME:FOLDER with a name of '
            f"{', '.join(BENCHMARKS)}"
        )
    return BENCHMARKS[name.lower()](folder, assets)
