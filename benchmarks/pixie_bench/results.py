"""What a run of the benchmarks found, as JSON, as a table, and beside an older run."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from pixie_bench.spreads import Turns, ratio
from pixie_runtime.errors import SourceError

FORMAT = "pixie-bench-1"
_PERCENTILES = (50, 95, 99)
_HIGHER_IS_BETTER = frozenset({"fps", "share", "GFLOP/s", "GB/s"})
"""Metrics and units of which more is better; of all others, less is."""


@dataclass(frozen=True, slots=True)
class Result:
    """One number."""

    case: str
    metric: str
    value: float
    unit: str
    peer: str | None = None
    """What it was compared with, in the same run."""
    ratio: float | None = None
    """The peer's time over ours."""

    def __post_init__(self) -> None:
        if (self.peer is None) != (self.ratio is None):
            raise ValueError(f"{self.case}: a peer needs a ratio and the reverse")

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON's types; without a peer there is no word of one."""
        return {name: v for name, v in asdict(self).items() if v is not None}


@dataclass(frozen=True, slots=True)
class Findings:
    """What one suite found."""

    results: tuple[Result, ...] = ()
    left_out: tuple[str, ...] = ()
    """Cases that could not run here, one sentence each."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """By case, what ran: the engine's description."""

    def __add__(self, other: "Findings") -> "Findings":
        return Findings(
            self.results + other.results,
            self.left_out + other.left_out,
            {**self.notes, **other.notes},
        )


def timing_results(
    case: str, ours: Turns, peer: tuple[str, Turns] | None = None
) -> tuple[Result, ...]:
    """Return a case's percentiles; with a peer, its median and the ratio too."""
    rows = [
        Result(case, f"p{p}", round(ours.percentile(p), 4), "ms") for p in _PERCENTILES
    ]
    if peer is not None:
        name, theirs = peer
        times = round(ratio(theirs, ours), 3)
        rows[0] = Result(case, "p50", rows[0].value, "ms", name, times)
        rows += [Result(case, "peer_p50", round(theirs.percentile(50), 4), "ms")]
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class Report:
    """One run of `pixie-bench`: the numbers, and where they come from."""

    machine: Mapping[str, Any]
    commit: str
    versions: Mapping[str, str]
    results: tuple[Result, ...]
    left_out: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    date: str = ""
    """When it began, ISO 8601, UTC."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON's types."""
        return {
            "format": FORMAT,
            "date": self.date,
            "machine": dict(self.machine),
            "commit": self.commit,
            "versions": dict(self.versions),
            "results": [result.as_dict() for result in self.results],
            "left_out": list(self.left_out),
            "notes": dict(self.notes),
        }

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the JSON of an older run.

        Raises:
            SourceError: it cannot be read or is of another kind.
        """
        try:
            values = json.loads(path.read_text("utf-8"))
            if values["format"] != FORMAT:
                raise ValueError(f"format {values['format']!r}, expected {FORMAT!r}")
            return cls(
                machine=values["machine"],
                commit=values["commit"],
                versions=values["versions"],
                results=tuple(Result(**one) for one in values["results"]),
                left_out=tuple(values["left_out"]),
                notes=values["notes"],
                date=values["date"],
            )
        except OSError as error:
            raise SourceError(f"cannot read {path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise SourceError(
                f"{path} is not what pixie-bench --json writes ({error}); name such a "
                "file"
            ) from error

    def markdown(self) -> Iterator[str]:
        """Yield the lines of a table for people, and what was left out."""
        yield (
            f"{self.machine.get('description', 'unknown machine')}; {self.date}; "
            f"commit {self.commit}; {self.machine.get('load', '')}"
        )
        yield ""
        yield "| case | metric | value | compared with | times as fast |"
        yield "|---|---|---:|---|---:|"
        for one in self.results:
            times = "" if one.ratio is None else f"{one.ratio:.2f}"
            yield (
                f"| {one.case} | {one.metric} | {one.value:.4g} {one.unit} "
                f"| {one.peer or ''} | {times} |"
            )
        if self.notes:
            yield ""
            yield from (f"* {case}: {note}" for case, note in self.notes.items())
        if self.left_out:
            yield ""
            yield "Left out:"
            yield ""
            yield from (f"* {sentence}" for sentence in self.left_out)


def compared(old: Sequence[Result], new: Sequence[Result]) -> Iterator[str]:
    """Yield a table of two runs: every number that both have, then what one lacks."""
    before = {(r.case, r.metric): r for r in old}
    after = {(r.case, r.metric): r for r in new}
    yield "| case | metric | before | now | change | |"
    yield "|---|---|---:|---:|---:|---|"
    for key, now in after.items():
        was = before.get(key)
        if was is None or was.unit != now.unit:
            continue
        # The peer's ratio says more than the time: it drifts with no machine.
        a, b, unit = was.value, now.value, now.unit
        rising = now.metric in _HIGHER_IS_BETTER or unit in _HIGHER_IS_BETTER
        if was.ratio is not None and now.ratio is not None and was.peer == now.peer:
            a, b, unit, rising = was.ratio, now.ratio, "times as fast", True
        yield (
            f"| {now.case} | {now.metric} | {a:.4g} {unit} | {b:.4g} {unit} "
            f"| {_change(a, b)} | {_verdict(a, b, rising=rising)} |"
        )
    for title, lacking in (
        ("only before", before.keys() - after.keys()),
        ("only now", after.keys() - before.keys()),
    ):
        if lacking:
            names = ", ".join(f"{case} {metric}" for case, metric in sorted(lacking))
            yield ""
            yield f"{title}: {names}"


def _change(a: float, b: float) -> str:
    return f"{(b / a - 1) * 100:+.1f} %" if a else "-"


def _verdict(a: float, b: float, *, rising: bool) -> str:
    """Return a word where the change is larger than what a shared machine does."""
    if not a or abs(b / a - 1) < 0.05:
        return ""
    return "better" if (b > a) == rising else "worse"
