"""From scores to sentences: means over people and seeds, paired differences, verdicts.

A difference is taken person by person between two outputs that saw the same pictures.
A claim holds if its mean difference is an improvement in every seed and the mean over
seeds is more than twice its standard error over people (seeds share the people, so the
people's error does not shrink with their number).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_train.ablation.scores import PARTS, Table
from pixie_train.gender import Gender

Scores = Mapping[str, Table]
"""What `Ablation.score` returns for one seed."""
Floats = npt.NDArray[np.float32]
GENDERS = {"women": Gender.FEMALE, "men": Gender.MALE}
_BASELINE_ARMS = {
    "moderated": "",
    "separate": ", trained apart",
    "experts": ", experts alone",
}
"""Where a baseline is from: another output of the moderated network, a network trained
end to end for both baselines, or experts that never saw one another."""
_BINS = 10


@dataclass(frozen=True)
class Difference:
    """A variant against a baseline, millimetres; below 0 the variant is better."""

    metric: str
    """What was measured, on which pictures."""
    variant: str
    baseline: str
    ours: float
    """The variant's mean over people and seeds."""
    theirs: float
    """The baseline's."""
    mean: float
    """Of the paired differences."""
    seeds: tuple[float, ...]
    """Mean difference of each seed."""
    error: float
    """Standard error of the mean over people, of differences averaged over seeds."""

    @property
    def verdict(self) -> str:
        """Say `better`, `worse` or `no clear difference`."""
        clear = abs(self.mean) > 2 * self.error
        if clear and max(self.seeds) < 0:
            return "better"
        if clear and min(self.seeds) > 0:
            return "worse"
        return "no clear difference"

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**asdict(self), "verdict": self.verdict}


@dataclass(frozen=True)
class Confidence:
    """How much a moderator trusts the part's expert, by how much of it is covered."""

    part: str
    edges: tuple[float, ...]
    """Of the covered share's bins."""
    weights: tuple[float, ...]
    """Mean weight in each; not a number where nobody is in it."""
    spread: tuple[float, ...]
    """Standard deviation of that mean over seeds."""
    correlation: tuple[float, ...]
    """Rank correlation of weight and covered share, for each seed."""


@dataclass(frozen=True)
class Findings:
    """Everything that comes out of an ablation."""

    seeds: int
    people: int
    fusion: tuple[Difference, ...]
    """Claim (a)."""
    confidence: tuple[Confidence, ...]
    """Claim (a), Fig. 2."""
    gendered: tuple[Difference, ...]
    """Claim (b)."""
    expert_shape: tuple[Difference, ...]
    """Claim (c)."""
    mean_body: dict[str, float]
    """What the mean body's `shape` and `shape_scaled` errors are: a training whose
    shapes are further off has seen none, whatever it is compared with."""

    def as_json(self) -> dict[str, Any]:
        """Return them as JSON has them."""
        return {
            "seeds": self.seeds,
            "people": self.people,
            "mean_body": self.mean_body,
            "confidence": [asdict(c) for c in self.confidence],
            **{
                name: [d.as_json() for d in getattr(self, name)]
                for name in ("fusion", "gendered", "expert_shape")
            },
        }


def findings(scores: Sequence[Scores]) -> Findings:
    """Compare everything that the claims are about."""
    first = scores[0]["moderated/clean"]
    return Findings(
        seeds=len(scores),
        people=len(first["covered"]),
        fusion=tuple(_fusion(scores)),
        confidence=tuple(_confidence(scores, i) for i in range(len(PARTS))),
        gendered=tuple(_gendered(scores)),
        expert_shape=tuple(_expert_shape(scores)),
        mean_body={
            name: float(first[f"mean_body/{name}"].mean())
            for name in ("shape", "shape_scaled")
        },
    )


def _fusion(scores: Sequence[Scores]) -> list[Difference]:
    found = []
    for level in ("clean", "mild", "heavy"):
        for metric in ("hands_tr", "hands_pa", "head_tr", "head_pa", "all_pa"):
            ours = [
                _errors(s[f"moderated/{level}"], "moderated", metric) for s in scores
            ]
            for arm, note in _BASELINE_ARMS.items():
                for output, name in (("body", "naive body"), ("part", "copy-paste")):
                    theirs = [
                        _errors(s[f"{arm}/{level}"], output, metric) for s in scores
                    ]
                    found.append(
                        compare(
                            f"{metric} {level}", "moderated", name + note, ours, theirs
                        )
                    )
    return found


def _gendered(scores: Sequence[Scores]) -> list[Difference]:
    found = []
    gender = scores[0]["gendered/clean"]["gender"]
    groups = {name: gender == number for name, number in GENDERS.items()}
    groups = {"everybody": np.ones(len(gender), bool), **groups}
    for metric in ("shape", "shape_scaled"):
        for level in ("clean", "mild"):
            for name, who in groups.items():
                if not who.any():
                    continue
                ours, theirs = (
                    [s[f"{arm}/{level}"][metric][who] for s in scores]
                    for arm in ("gendered", "ungendered")
                )
                found.append(
                    compare(
                        f"{metric} {level}, {name}",
                        "gendered",
                        "ungendered",
                        ours,
                        theirs,
                    )
                )
    return found


def _expert_shape(scores: Sequence[Scores]) -> list[Difference]:
    found = []
    for metric in ("shape", "shape_scaled"):
        for level in ("clean", "mild", "heavy"):
            ours = [s[f"moderated/{level}"][f"moderated/{metric}"] for s in scores]
            for arm in ("moderated", "separate"):
                theirs = [s[f"{arm}/{level}"][f"body/{metric}"] for s in scores]
                found.append(
                    compare(
                        f"{metric} {level}",
                        "fused head feature",
                        "body feature" + _BASELINE_ARMS[arm],
                        ours,
                        theirs,
                    )
                )
    return found


def compare(
    metric: str,
    variant: str,
    baseline: str,
    ours: Sequence[Floats],
    theirs: Sequence[Floats],
) -> Difference:
    """Compare errors (N,) of the same people, one array for each seed."""
    paired = np.stack(ours) - np.stack(theirs)
    people = paired.mean(0)
    error = float(people.std(ddof=1) / np.sqrt(len(people))) if len(people) > 1 else 0.0
    return Difference(
        metric=metric,
        variant=variant,
        baseline=baseline,
        ours=float(np.mean(ours)),
        theirs=float(np.mean(theirs)),
        mean=float(paired.mean()),
        seeds=tuple(paired.mean(1).tolist()),
        error=error,
    )


def _errors(table: Table, output: str, metric: str) -> Floats:
    if not metric.startswith("hands"):
        return table[f"{output}/{metric}"]
    kind = metric.removeprefix("hands")
    both = [table[f"{output}/{side}_hand{kind}"] for side in ("left", "right")]
    return np.asarray((both[0] + both[1]) / 2, np.float32)


def _confidence(scores: Sequence[Scores], part: int) -> Confidence:
    edges = np.linspace(0, 1, _BINS + 1)
    tables = [s["moderated/sweep"] for s in scores]
    covered = tables[0]["covered"][:, part]
    place = np.digitize(covered, edges[1:-1])
    weights = np.stack([table["weights"][:, part] for table in tables])
    means = np.full((len(tables), _BINS), np.nan)
    for number in range(_BINS):
        if (place == number).any():
            means[:, number] = weights[:, place == number].mean(1)
    return Confidence(
        part=PARTS[part],
        edges=tuple(edges.tolist()),
        weights=tuple(means.mean(0).tolist()),
        spread=tuple(means.std(0).tolist()),
        correlation=tuple(_rank_correlation(covered, w) for w in weights),
    )


def _rank_correlation(a: Floats, b: Floats) -> float:
    """Return Spearman's coefficient; 0 where one of them is constant."""
    first, second = _ranks(a), _ranks(b)
    if min(first.std(), second.std()) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: Floats) -> npt.NDArray[np.float64]:
    """Return ranks, the mean one where values are equal."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    mean: npt.NDArray[np.float64] = (last - (count - 1) / 2)[place]
    return mean
