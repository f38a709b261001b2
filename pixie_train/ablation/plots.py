"""Plots of what came out."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pixie_train.ablation.claims import Confidence, Difference, Findings
from pixie_train.ablation.report import metric_name
from pixie_train.output_files import write_figure

_OURS = "#2b6cb0"
_BASELINES = {
    "naive body": "#c05621",
    "copy-paste": "#718096",
    "copy-paste, experts alone": "#2f855a",
}
_LEVELS = ("clean", "mild", "heavy")
_METRICS = ("hands_tr", "hands_pa", "head_tr", "head_pa")


def draw_plots(folder: Path, found: Findings) -> list[Path]:
    """Write the three plots; returns their paths.

    Raises:
        SinkError: one cannot be written.
    """
    mpl.use("Agg")
    figures = {
        "fusion.png": _fusion(found.fusion),
        "confidence.png": _confidence(found.confidence),
        "shape.png": _shape(found),
    }
    paths = []
    for name, figure in figures.items():
        paths.append(folder / name)
        write_figure(figure, paths[-1], dpi=110)
    return paths


def _fusion(differences: Sequence[Difference]) -> Figure:
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    for axes, metric in zip(figure.subplots(1, 4), _METRICS, strict=True):
        for baseline, colour in _BASELINES.items():
            chosen = [_find(differences, f"{metric} {n}", baseline) for n in _LEVELS]
            heights = [d.theirs for d in chosen]
            axes.plot(_LEVELS, heights, "o--", c=colour, label=baseline)
        heights = [
            _find(differences, f"{metric} {n}", "naive body").ours for n in _LEVELS
        ]
        axes.plot(_LEVELS, heights, "o-", c=_OURS, label="moderated", lw=2)
        axes.set(title=metric_name(f"{metric} x").removesuffix(", x"), ylim=(0, None))
        axes.grid(alpha=0.3)
    first = figure.axes[0]
    first.set_ylabel("mm")
    first.legend(fontsize="small")
    return figure


def _confidence(confidence: Sequence[Confidence]) -> Figure:
    figure = Figure(figsize=(6.5, 3.8), layout="constrained")
    axes = figure.subplots()
    for c in confidence:
        edges = np.array(c.edges)
        middle = 100 * (edges[:-1] + edges[1:]) / 2
        axes.errorbar(
            middle,
            c.weights,
            yerr=c.spread,
            marker="o",
            capsize=3,
            label=c.part.replace("_", " "),
        )
    axes.set(
        xlabel="covered share of the part, %",
        ylabel="moderator's weight of the part's expert",
        xlim=(0, 100),
    )
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def _shape(found: Findings) -> Figure:
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    _bars(
        left, [d for d in found.gendered if "clean" in d.metric], "gender in the loss"
    )
    _bars(right, found.expert_shape, "fused head feature against body's")
    return figure


def _bars(axes: Axes, differences: Sequence[Difference], title: str) -> None:
    """Draw differences with twice their standard error, and each seed's."""
    places = np.arange(len(differences))[::-1]
    means = [d.mean for d in differences]
    errors = [2 * d.error for d in differences]
    axes.barh(places, means, xerr=errors, color=_OURS, alpha=0.6, capsize=3)
    for place, d in zip(places, differences, strict=True):
        axes.plot(d.seeds, [place] * len(d.seeds), "k.", ms=4)
    apart = [", apart" if d.baseline.endswith("apart") else "" for d in differences]
    names = [
        metric_name(d.metric) + note for d, note in zip(differences, apart, strict=True)
    ]
    axes.set_yticks(places, names, fontsize="small")
    axes.axvline(0, color="k", lw=0.8)
    axes.set(title=title, xlabel="difference, mm (below 0: better)")


def _find(differences: Sequence[Difference], metric: str, baseline: str) -> Difference:
    return next(d for d in differences if d.metric == metric and d.baseline == baseline)
