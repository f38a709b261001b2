"""What came out, as a table, a page of Markdown and JSON."""

import json
import platform
from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime.errors import SinkError
from pixie_train.evaluation.paper import PUBLISHED, Published
from pixie_train.evaluation.running import Evaluation

Table = list[list[str]]


def table_of(result: Evaluation) -> Table:
    """Return a heading and a row for each figure, beside those that are published."""
    published = _published(result)
    names = list(result.figures)
    for figures in published.values():
        names += [name for name in figures if name not in names]
    rows = [["", result.subject, *published]]
    for name in names:
        others = [figures.get(name) for figures in published.values()]
        rows.append([name, *map(_shown, (result.figures.get(name), *others))])
    return rows


def as_text(table: Table) -> str:
    """Return a table for a terminal."""
    widths = [max(len(row[k]) for row in table) for k in range(len(table[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    return "\n".join(lines)


def as_markdown(table: Table) -> str:
    """Return a table in Markdown."""
    head, *body = ("| " + " | ".join(row) + " |" for row in table)
    rule = "|" + "---|" + "---:|" * (len(table[0]) - 1)
    return "\n".join([head, rule, *body])


def page_of(result: Evaluation, pictures: list[str]) -> str:
    """Return a page in Markdown that says everything, with the pictures named."""
    where = PUBLISHED.get(result.benchmark, ("", {}))[0]
    lines = [f"# {result.subject} on {result.benchmark}", "", counts(result), ""]
    lines += [as_markdown(table_of(result)), ""]
    lines += ["Millimetres where nothing else is said; the smaller the better."]
    if where:
        lines += [f"Published figures: {where}."]
    groups = _by_group(result)
    if groups:
        lines += ["", "## By group", "", as_markdown(groups)]
    if result.notes or result.unread:
        lines += ["", "## Notes", ""]
        lines += [f"- {note}." for note in (*result.notes, *result.unread[:20])]
    for picture in pictures:
        lines += ["", f"![{Path(picture).stem.replace('-', ' ')}]({picture})"]
    return "\n".join(lines) + "\n"


def counts(result: Evaluation) -> str:
    """Return how many there were, and who was not found, in a sentence or two."""
    sentence = (
        f"{len(result.rows)} cases on the body {result.body_model}; nobody was found "
        f"in {result.missed} of them, which have no error and are not in the means."
    )
    if result.unread:
        sentence += f" {len(result.unread)} pictures could not be read."
    return sentence


def as_json(result: Evaluation) -> dict[str, Any]:
    """Return everything as plain values."""
    return {
        "benchmark": result.benchmark,
        "subject": result.subject,
        "body_model": result.body_model,
        "cases": len(result.rows),
        "missed": result.missed,
        "figures": result.figures,
        "published": _published(result),
        "notes": list(result.notes),
        "unread": list(result.unread),
        "machine": platform.platform(),
        "rows": [
            {"name": row.name, "group": row.group, "figures": row.figures}
            for row in result.rows
        ],
    }


def write_report(result: Evaluation, folder: Path, pictures: list[str]) -> Path:
    """Write `report.md` and `report.json`; returns the page's path.

    Raises:
        SinkError: they cannot be written.
    """
    page = folder / "report.md"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(as_json(result), indent=1, default=float)
        (folder / "report.json").write_text(text + "\n", encoding="utf-8")
        page.write_text(page_of(result, pictures), encoding="utf-8")
    except OSError as error:
        raise SinkError(
            f"cannot write the report into {folder}: {error.strerror or error}; choose "
            "another place with --out"
        ) from error
    return page


def _by_group(result: Evaluation) -> Table:
    """Return the mean of the most important figure by group: challenges, videos."""
    key = result.scorer.key
    groups: dict[str, list[float]] = {}
    cases: dict[str, int] = {}
    for row in result.rows:
        cases[row.group] = cases.get(row.group, 0) + 1
        values = groups.setdefault(row.group, [])
        values += [row.figures[key]] if key in row.figures else []
    # AGORA's groups are pictures: thousands, of which nobody wants a table.
    if not 1 < len(groups) <= 100 or not any(groups.values()):
        return []
    head = ["group", "cases", "found", f"{key}, mean", "median"]
    return [head] + [
        [
            name,
            str(cases[name]),
            str(len(values)),
            _shown(float(np.mean(values)) if values else None),
            _shown(float(np.median(values)) if values else None),
        ]
        for name, values in sorted(groups.items())
    ]


def _published(result: Evaluation) -> Published:
    return PUBLISHED.get(result.benchmark, ("", {}))[1]


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if abs(value) < 1.5 else f"{value:.1f}"
