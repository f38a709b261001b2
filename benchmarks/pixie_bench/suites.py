"""All suites by name, run one after the other into one report."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from pixie_bench.machine import Bystanders
from pixie_bench.provenance import commit, machine_facts, versions
from pixie_bench.results import Findings, Report
from pixie_bench.settings import Announce, Settings, silent

SuiteName = Literal["engines", "chain", "skinning", "landmarks", "outputs"]
SUITES: tuple[SuiteName, ...] = (
    "engines",
    "chain",
    "skinning",
    "landmarks",
    "outputs",
)


_IDLE_S = 1.0
_QUIET_CORES = 0.3


@dataclass(frozen=True, slots=True)
class Pictures:
    """What some suites draw, where asked."""

    roofline: Path | None = None
    trace: Path | None = None


def run_suites(
    names: Sequence[SuiteName],
    settings: Settings,
    pictures: Pictures = Pictures(),
    announce: Announce = silent,
) -> Report:
    """Run some suites.

    Args:
        names: which.
        settings: what to run, and how often.
        pictures: files to write; what cannot be is said among what was left out.
        announce: is told which one runs, and each of its cases.

    Raises:
        PixieError: the clip cannot be read; what cannot run on this machine is left
            out instead, with a sentence.
    """
    date = datetime.now(UTC).isoformat(timespec="seconds")
    found = Findings()
    others = [_others()]
    for name in names:
        announce(f"{name} ...")
        found += _suite(name, pictures)(settings, lambda case: announce(f"  {case}"))
    others.append(_others())
    facts: Mapping[str, object] = {**machine_facts(), "load": _load(*others)}
    return Report(
        machine=facts,
        commit=commit(),
        versions=versions(),
        results=found.results,
        left_out=found.left_out,
        notes=found.notes,
        date=date,
    )


def _others() -> float | None:
    """Return how many cores others use while we do nothing; None if not known.

    Later the contenders' own processes cannot be told from others.
    """
    with Bystanders() as bystanders:
        time.sleep(_IDLE_S)
    return bystanders.cores


def _load(before: float | None, after: float | None) -> str:
    """Return it as a sentence, which warns where numbers should not be believed."""
    if before is None or after is None:
        return "what other processes did is not known"
    text = f"other processes used {before:.2f} cores before and {after:.2f} after"
    if max(before, after) > _QUIET_CORES:
        text += ": THE MACHINE WAS BUSY, do not publish these numbers"
    return text


def _suite(
    name: SuiteName, pictures: Pictures
) -> Callable[[Settings, Announce], Findings]:
    """Return a suite; imported only now, since some import much."""
    match name:
        case "engines":
            from pixie_bench.engines_suite import run_engines

            return partial(run_engines, plot=pictures.roofline)
        case "chain":
            from pixie_bench.chain_suite import run_chain

            return partial(run_chain, trace=pictures.trace)
        case "skinning":
            from pixie_bench.skinning_suite import run_skinning

            return run_skinning
        case "landmarks":
            from pixie_bench.landmarks_suite import run_landmarks

            return run_landmarks
        case "outputs":
            from pixie_bench.outputs_suite import run_outputs

            return run_outputs
