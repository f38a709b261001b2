"""What came out, as Markdown and JSON."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from pixie_runtime.errors import SinkError
from pixie_train.ablation.claims import Confidence, Difference, Findings
from pixie_train.ablation.visible import Visible

_NAMES = {
    "hands_tr": "hands TR-V2V",
    "hands_pa": "hands PA-V2V",
    "head_tr": "head TR-V2V",
    "head_pa": "head PA-V2V",
    "all_pa": "all PA-V2V",
    "shape": "shape V2V",
    "shape_scaled": "shape V2V, true height",
}


def write_report(folder: Path, found: Findings, seen: Visible) -> Path:
    """Write `report.md` and `report.json`; returns the former's path.

    Args:
        folder: where.
        found: what was compared.
        seen: what of gender and shape could be read at all.

    Raises:
        SinkError: they cannot be written.
    """
    path = folder / "report.md"
    try:
        path.write_text(markdown(found, seen))
        whole = {**found.as_json(), "visible": asdict(seen)}
        content = json.dumps(whole, indent=2, allow_nan=True) + "\n"
        path.with_suffix(".json").write_text(content)
    except OSError as error:
        raise SinkError(
            f"cannot write {path}: {error.strerror or error}; choose another --out"
        ) from error
    return path


def markdown(found: Findings, seen: Visible) -> str:
    """Return the whole report."""
    sections = [
        "# Ablation",
        f"{found.people} held-out people, {found.seeds} "
        f"{'seed' if found.seeds == 1 else 'seeds'}. Millimetres; below 0 the variant "
        "is better. ± is twice the standard error over people.",
        "## Claims",
        *sentences(found),
        "## (a) Moderated fusion",
        table(found.fusion),
        "Weight of the part's expert by how much of the part is covered:",
        confidence_table(found.confidence),
        f"The mean body is {found.mean_body['shape']:.2f} mm from these people, "
        f"{found.mean_body['shape_scaled']:.2f} at their height.",
        "## What can be seen of gender and shape",
        visible_table(seen, found.mean_body["shape"]),
        "## (b) Gendered shape loss",
        table(found.gendered),
        "## (c) Shape from the fused head feature",
        table(found.expert_shape),
    ]
    return "\n\n".join(sections) + "\n"


def sentences(found: Findings) -> list[str]:
    """Return a sentence for each claim: whether it holds, by how much."""
    lines = []
    for baseline in dict.fromkeys(d.baseline for d in found.fusion):
        chosen = [
            d
            for d in found.fusion
            if d.baseline == baseline and not d.metric.startswith("all")
        ]
        lines.append(_claim(f"(a) Moderated fusion beats {baseline}", chosen))
    fall = [value for c in found.confidence for value in c.correlation]
    holds = "holds" if max(fall) < 0 else "does not hold everywhere"
    lines.append(
        f"- (a) The weight of a part's expert falls as the part is covered: {holds} "
        f"(rank correlation {min(fall):.2f} to {max(fall):.2f})."
    )
    lines.append(
        _claim(
            "(b) The gendered shape loss lowers shape error",
            [d for d in found.gendered if "everybody" in d.metric],
            found.mean_body,
        )
    )
    for baseline in dict.fromkeys(d.baseline for d in found.expert_shape):
        chosen = [d for d in found.expert_shape if d.baseline == baseline]
        lines.append(
            _claim(
                f"(c) Shape from the fused head feature beats {baseline}",
                chosen,
                found.mean_body,
            )
        )
    return ["\n".join(lines)]


def table(differences: Sequence[Difference]) -> str:
    """Return differences as a Markdown table."""
    rows = ["| error | variant | against | variant's | its | difference | seeds | |"]
    rows.append("|---|---|---|---|---|---|---|---|")
    for d in differences:
        seeds = ", ".join(f"{value:+.2f}" for value in d.seeds)
        rows.append(
            f"| {metric_name(d.metric)} | {d.variant} | {d.baseline} | {d.ours:.2f} | "
            f"{d.theirs:.2f} | {d.mean:+.2f} ± {2 * d.error:.2f} | {seeds} | "
            f"{d.verdict} |"
        )
    return "\n".join(rows)


def confidence_table(confidence: Sequence[Confidence]) -> str:
    """Return the moderators' weights in bins as a Markdown table."""
    edges = confidence[0].edges
    bins = [
        f"{100 * low:.0f}–{100 * high:.0f} %" for low, high in itertools.pairwise(edges)
    ]
    rows = [
        f"| part | {' | '.join(bins)} | rank correlation |",
        "|" + "---|" * (len(bins) + 2),
    ]
    for c in confidence:
        cells = ["–" if np.isnan(w) else f"{w:.2f}" for w in c.weights]
        correlation = ", ".join(f"{value:.2f}" for value in c.correlation)
        name = c.part.replace("_", " ")
        rows.append(f"| {name} | {' | '.join(cells)} | {correlation} |")
    return "\n".join(rows)


def visible_table(seen: Visible, mean_body: float) -> str:
    """Return what a linear read-out tells of held-out people, as Markdown.

    Args:
        seen: what it tells.
        mean_body: the mean body's shape error, millimetres.
    """
    rows = [
        "A linear read-out, fitted to the truth of the people who are trained with:",
        "",
        "| from what is seen of the | gender told right | shape V2V |",
        "|---|---|---|",
        *(
            f"| {name} | {100 * share:.0f} % | {seen.shape[name]:.2f} |"
            for name, share in seen.gender.items()
        ),
        f"| nothing: the mean body | 50 % | {mean_body:.2f} |",
        f"| nothing but the truth about gender | 100 % | {seen.shape_of_gender:.2f} |",
    ]
    return "\n".join(rows)


def metric_name(metric: str) -> str:
    """Return what a metric on some pictures is called."""
    kind, _, level = metric.partition(" ")
    return f"{_NAMES[kind]}, {level}"


def _claim(
    says: str,
    differences: Sequence[Difference],
    mean_body: Mapping[str, float] | None = None,
) -> str:
    """Return a sentence; a claim holds where every one of its errors is lower.

    Of shapes it is not shown by trainings that are no nearer than the mean body.
    """
    better = [d for d in differences if d.verdict == "better"]
    worse = [d for d in differences if d.verdict == "worse"]
    blind = [
        d for d in differences if mean_body and d.ours >= mean_body[d.metric.split()[0]]
    ]
    if blind:
        verdict = (
            "not shown, for the variant's shapes are no nearer than the mean body's in "
            f"{len(blind)} of {len(differences)} errors"
        )
    elif len(better) == len(differences):
        verdict = "holds"
    elif not better:
        verdict = "does not hold"
    else:
        verdict = f"holds in {len(better)} of {len(differences)} errors"
    details = "; ".join(
        f"{metric_name(d.metric)} {d.mean:+.2f} ± {2 * d.error:.2f}"
        for d in differences
        if len(differences) <= 6 or d in worse
    )
    if len(differences) > 6:
        parts = [f"{len(worse)} worse" + (f": {details}" if details else "")]
        rest = len(differences) - len(better) - len(worse)
        details = "; ".join([*parts, f"{rest} without a clear difference"])
    return f"- {says}: {verdict} ({details})."
