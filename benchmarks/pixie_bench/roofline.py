"""How near a network comes to what the machine can do: floors, shares, a plot.

The roofline model: Williams, Waterman, Patterson, CACM 52(4), 2009.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pixie_bench.graph_cost import Cost
from pixie_bench.peak import Arithmetic, Peak
from pixie_runtime.errors import MissingExtraError, SinkError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BYTES: dict[Arithmetic, int] = {"float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}
"""Of a weight."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A network on the roofline."""

    name: str
    arithmetic: Arithmetic
    cost: Cost
    milliseconds: float

    @property
    def gflops(self) -> float:
        """10^9 operations a second that it did."""
        return 2 * self.cost.macs / self.milliseconds / 1e6

    @property
    def intensity(self) -> float:
        """Operations for each byte of weights, read once a run."""
        return 2 * self.cost.macs / (self.cost.weights * BYTES[self.arithmetic])

    def floor_ms(self, peak: Peak) -> float:
        """Return the time below which this machine cannot go: arithmetic or weights.

        Raises KeyError where the peak of the arithmetic is not known.
        """
        compute_ms = 2 * self.cost.macs / peak.gflops[self.arithmetic] / 1e6
        stream_ms = self.cost.weights * BYTES[self.arithmetic] / peak.gbytes / 1e6
        return max(compute_ms, stream_ms)

    def share(self, peak: Peak) -> float:
        """Return the floor over the time, in [0, 1] but for noise."""
        return self.floor_ms(peak) / self.milliseconds


@dataclass(frozen=True, slots=True)
class Roofs:
    """What a processor or card can do, and the networks that ran on it."""

    title: str
    peak: Peak
    placed: Sequence[Placed]


def draw(path: Path, machines: Sequence[Roofs]) -> None:
    """Draw each machine's roofs and the networks under them, side by side.

    Args:
        path: picture to write; its ending says what kind.
        machines: what is drawn.

    Raises:
        MissingExtraError: matplotlib is not installed.
        SinkError: the picture cannot be written.
    """
    if find_spec("matplotlib") is None:
        raise MissingExtraError("drawing a roofline", "train")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8 * len(machines), 5), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(machines), squeeze=False)[0]
    for axes, machine in zip(panels, machines, strict=True):
        _draw_panel(axes, machine)
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise SinkError(f"cannot write {path}: {error}") from error


def _draw_panel(axes: "Axes", machine: Roofs) -> None:
    peak, placed = machine.peak, machine.placed
    ridges = [gflops / peak.gbytes for gflops in peak.gflops.values()]
    low = min([1.0, *(ridge / 2 for ridge in ridges)])
    high = max([10_000.0, *(2 * one.intensity for one in placed)])
    colours: dict[str, str] = {}
    for index, (arithmetic, gflops) in enumerate(peak.gflops.items()):
        colours[arithmetic] = f"C{index}"
        ridge = gflops / peak.gbytes
        axes.loglog(
            [low, ridge, high],
            [low * peak.gbytes, gflops, gflops],
            colours[arithmetic],
            label=f"{arithmetic}: {gflops:.0f} GFLOP/s ({peak.by[arithmetic]})",
        )
    for one in placed:
        colour = colours.get(one.arithmetic, "black")
        axes.plot(one.intensity, one.gflops, "o", color=colour)
        label = f"{one.name}, {one.milliseconds:.3g} ms"
        axes.annotate(
            label,
            (one.intensity, one.gflops),
            textcoords="offset points",
            xytext=(-6, -3),
            ha="right",
            fontsize=8,
        )
    axes.set_xlabel("operations a byte of weights")
    axes.set_ylabel("10⁹ operations a second")
    axes.set_title(f"{machine.title}; memory {peak.gbytes:.0f} GB/s", fontsize=9)
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(loc="lower right", fontsize=8)
