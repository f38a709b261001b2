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

BENCHMARKS: dict[str, Callable[[Path], Benchmark]] = {
    "ehf": read_ehf,
    "3dpw": read_3dpw,
    "agora": read_agora,
    "now": read_now,
    "freihand": read_freihand,
}


def open_benchmark(name: str, folder: Path) -> Benchmark:
    """Open a benchmark in a folder.

    Raises:
        UsageError: there is none of that name.
        SourceError: it is incomplete.
    """
    if name.lower() not in BENCHMARKS or not folder.name:
        raise UsageError(
            f'--benchmark "{name}:{folder}"; expected NAME:FOLDER with a name of '
            f"{', '.join(BENCHMARKS)}"
        )
    return BENCHMARKS[name.lower()](folder)
