"""Pictures of a training run."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from pixie_train import checkpoint
from pixie_train.output_files import write_figure


def plot_history(checkpoint_path: Path) -> Path:
    """Draw losses and errors of a run beside its checkpoint; returns the PNG's path.

    Raises:
        BundleError: there is no such checkpoint.
        SinkError: the plot cannot be written.
    """
    mpl.use("Agg")
    history = checkpoint.load(checkpoint_path).history
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name in [n for n in history[0] if n != "step"]:
        rows = [row for row in history if name in row]
        left.plot(
            [row["step"] for row in rows], [row[name] for row in rows], label=name
        )
    left.set(yscale="log", xlabel="step", ylabel="weighted loss", title="losses")
    left.legend(fontsize="small", ncols=2)
    scored = [row for row in history if "mpjpe_mm" in row]
    for name in [
        n for n in (scored[0] if scored else {}) if n.endswith(("_mm", "_deg"))
    ]:
        right.plot(
            [row["step"] for row in scored], [row[name] for row in scored], label=name
        )
    right.set(
        xlabel="step", yscale="log", title="errors on unseen people (mm, degrees)"
    )
    right.legend(fontsize="small")
    path = checkpoint_path.with_name("losses.png")
    write_figure(figure, path, dpi=110)
    return path
