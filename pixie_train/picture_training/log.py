"""The log of a run as a table, as a plot and for TensorBoard."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import matplotlib as mpl
import torch
from matplotlib.figure import Figure
from torch import Tensor

from pixie_runtime.errors import SinkError
from pixie_train.output_files import write_figure
from pixie_train.processes import ALONE, Processes

CSV, PLOT, BOARD = "log.csv", "losses.png", "tensorboard"
_FEWEST = 1e-9

Report = Callable[[int, dict[str, float]], None]
"""Is told the step and the figures of every row of the log."""


def silent(step: int, figures: dict[str, float]) -> None:
    """Report nothing."""


class Log:
    """The rows of a run: means of figures since the row before.

    Every process keeps it, the first one writes.
    """

    def __init__(
        self,
        folder: Path,
        history: Sequence[dict[str, float]],
        start: int,
        processes: Processes = ALONE,
        report: Report = silent,
    ) -> None:
        """Go on after the rows of `history`, from the step after `start`."""
        self.history = list(history)
        self._folder, self._processes, self._report = folder, processes, report
        self._board = Board(folder / BOARD, start) if processes.lead else None
        self._forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._board is not None:
            self._board.close()

    def add(self, cost: Mapping[str, Tensor], skipped: int) -> None:
        """Note what a step of all processes cost, and what this one passed over."""
        for name, value in cost.items():
            known = self._terms.get(name)
            self._terms[name] = value.clone() if known is None else known + value
        self._count += 1
        self._skipped += skipped

    def row(self, step: int, more: Mapping[str, float] | None = None) -> None:
        """Add a row and write it; all processes must call it.

        Args:
            step: its number.
            more: what else is known at that step.

        Raises:
            SinkError: it cannot be written.
        """
        figures = {n: float(v) / self._count for n, v in self._terms.items()}
        figures = {"loss": figures.pop("total"), **figures}
        if skipped := float(self._processes.total(torch.tensor(self._skipped))):
            figures["skipped"] = skipped
        figures |= more or {}
        self._forget()
        self.history.append({"step": step, **figures})
        if self._board is not None:
            write_csv(self.history, self._folder / CSV)
            self._board.add(step, figures)
            self._report(step, figures)

    def _forget(self) -> None:
        self._terms: dict[str, Tensor] = {}
        self._count = self._skipped = 0


def write_csv(history: Sequence[dict[str, float]], path: Path) -> None:
    """Write all rows; a figure that a row lacks is empty.

    The file is written anew, so that a resumed run has no row twice.

    Raises:
        SinkError: it cannot be written.
    """
    names = list(dict.fromkeys(name for row in history for name in row))
    text = io.StringIO()
    table = csv.DictWriter(text, names, lineterminator="\n")
    table.writeheader()
    table.writerows(history)
    try:
        path.write_text(text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise SinkError(
            f"cannot write {path}: {error.strerror or error}; free space or give "
            "another --out"
        ) from error


class Board:
    """The log for TensorBoard; a resumed run replaces what it had beyond its start."""

    def __init__(self, folder: Path, start: int) -> None:
        """Write to a folder, from the step after `start`."""
        # Imported here: what only reads runs does without it.
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(folder), purge_step=start + 1)

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Write a row of the log.

        Raises:
            SinkError: it cannot be written.
        """
        try:
            for name, value in figures.items():
                self._writer.add_scalar(name, value, step)
            self._writer.flush()
        except OSError as error:
            raise SinkError(
                f"cannot write to {self._writer.logdir}: {error.strerror or error}; "
                "free space or give another --out"
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._writer.close()


def plot(history: Sequence[dict[str, float]], path: Path) -> None:
    """Draw the loss and its weighted terms, one panel a stage.

    Raises:
        SinkError: it cannot be written.
    """
    mpl.use("Agg")
    names = list(dict.fromkeys(name for row in history for name in row))
    stages = list(dict.fromkeys(n.partition("/")[0] for n in names if "/" in n))
    figure = Figure(figsize=(6 * len(stages), 5), layout="constrained")
    panels = figure.subplots(1, len(stages), squeeze=False)[0]
    for panel, stage in zip(panels, stages, strict=True):
        for name in ["loss", *(n for n in names if n.startswith(stage + "/"))]:
            rows = [row for row in history if row.get(name, 0.0) > _FEWEST]
            panel.plot(
                [row["step"] for row in rows],
                [row[name] for row in rows],
                label=name.rpartition("/")[2],
                linewidth=2.5 if name == "loss" else 1.2,
            )
        panel.set(yscale="log", xlabel="step", ylabel="weighted loss", title=stage)
        panel.legend(fontsize="x-small", ncols=2)
    write_figure(figure, path)
