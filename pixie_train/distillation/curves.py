"""The log of a distillation as plots."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from pixie_train.output_files import write_figure
from pixie_train.picture_training.log import PLOT, plot

HELD_OUT = "held_out/"
"""Before the names of figures of lessons that are not learned."""
DISTANCE = "distance.png"

Rows = Sequence[dict[str, float]]


def compared(figures: dict[str, float]) -> dict[str, float]:
    """Return the figures of the lessons held out, by their own names."""
    return {
        name.removeprefix(HELD_OUT): value
        for name, value in figures.items()
        if name.startswith(HELD_OUT)
    }


def draw(history: Rows, folder: Path) -> None:
    """Draw the losses, and the distance to the teacher over that of its mean answer.

    Raises:
        SinkError: a plot cannot be written.
    """
    rows = [{n: v for n, v in row.items() if HELD_OUT not in n} for row in history]
    if any("loss" in row for row in rows):
        plot(rows, folder / PLOT)
    _draw_distance(history, folder / DISTANCE)


def _draw_distance(history: Rows, path: Path) -> None:
    mpl.use("Agg")
    rows = [(row["step"], compared(row)) for row in history]
    rows = [(step, figures) for step, figures in rows if figures]
    if not rows:
        return
    figure = Figure(figsize=(6, 5), layout="constrained")
    panel = figure.subplots()
    for name, first in rows[0][1].items():
        ratios = [figures[name] / max(first, 1e-9) for _, figures in rows]
        panel.plot([step for step, _ in rows], ratios, label=name)
    panel.axhline(1, color="black", linewidth=0.8, linestyle=":")
    panel.set(
        xlabel="step",
        ylabel="distance over that of the teacher's mean answer",
        title="people held out",
        ylim=(0, None),
    )
    panel.legend(fontsize="x-small", ncols=2)
    write_figure(figure, path)
