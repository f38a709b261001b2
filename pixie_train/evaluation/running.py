"""A subject on a benchmark: every case once, figures, and the worst of them kept."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from pixie_runtime.errors import SourceError
from pixie_train.evaluation.anatomy import Anatomy
from pixie_train.evaluation.cases import Benchmark, Case, Estimate
from pixie_train.evaluation.scoring import SCORERS, Figures, Scorer
from pixie_train.evaluation.subjects import Subject


@dataclass(frozen=True, eq=False)
class Row:
    """What came out for one case."""

    name: str
    group: str
    figures: Figures
    """Empty where nobody was found, or where the truth is withheld."""
    found: bool


@dataclass(frozen=True, eq=False)
class Bad:
    """One of the worst, with what it takes to draw it."""

    error: float
    case: Case
    estimate: Estimate


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What came out for a benchmark."""

    benchmark: str
    subject: str
    body_model: str
    figures: Figures
    rows: tuple[Row, ...]
    scorer: Scorer
    worst: tuple[Bad, ...] = field(repr=False)
    """The worst first."""
    unread: tuple[str, ...] = ()
    """Why pictures could not be read, a sentence each; they count as not found."""
    notes: tuple[str, ...] = ()

    @property
    def missed(self) -> int:
        """How many people were not found."""
        return sum(not row.found for row in self.rows)

    def values(self, name: str) -> list[float]:
        """Return a figure of every case that has it."""
        return [row.figures[name] for row in self.rows if name in row.figures]


Taker = Callable[[Case, Estimate], None]


def evaluate(
    subject: Subject,
    benchmark: Benchmark,
    anatomy: Anatomy,
    *,
    limit: int | None = None,
    keep_worst: int = 6,
    report: Callable[[int], None] = lambda done: None,
    also: Taker | None = None,
) -> Evaluation:
    """Run a subject on every case of a benchmark.

    Args:
        subject: what is evaluated.
        benchmark: on what.
        anatomy: of the subject's body.
        limit: the first so many cases only.
        keep_worst: how many of the worst are kept to be drawn.
        report: told how many cases are done.
        also: given every estimate, for submission files.
    """
    scorer = SCORERS[benchmark.protocol](anatomy)
    rows: list[Row] = []
    unread: list[str] = []
    worst: list[tuple[float, int, Bad]] = []
    count = len(benchmark) if limit is None else min(limit, len(benchmark))
    for index in range(count):
        case = benchmark[index]
        estimate = None
        try:
            estimate = subject.estimate(case, case.picture())
        except SourceError as error:
            unread.append(str(error))
        figures = scorer.add(case, estimate)
        rows.append(Row(case.name, case.group, figures, found=estimate is not None))
        if estimate is not None:
            if also is not None:
                also(case, estimate)
            if scorer.key in figures:
                error_mm = figures[scorer.key]
                entry = (error_mm, index, Bad(error_mm, case, estimate))
                heapq.heappush(worst, entry)
                if len(worst) > keep_worst:
                    heapq.heappop(worst)
        report(index + 1)
    return Evaluation(
        benchmark=benchmark.name,
        subject=subject.name,
        body_model=anatomy.model.name,
        figures=scorer.finish(),
        rows=tuple(rows),
        scorer=scorer,
        worst=tuple(bad for _, _, bad in sorted(worst, key=_by_error, reverse=True)),
        unread=tuple(unread),
        notes=(*anatomy.notes, *benchmark.notes),
    )


def _by_error(entry: tuple[float, int, Bad]) -> tuple[float, int]:
    return entry[:2]
