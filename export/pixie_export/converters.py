"""The two ways to fewer bits: 16 of them in floating point, or 8 as integers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import onnx

from pixie_export.activation_ranges import activation_ranges
from pixie_export.graph_files import Announce, silent
from pixie_export.half_choice import GroupCost, group_costs, groups
from pixie_export.half_graph import Half, in_half
from pixie_export.int8_choice import choose_int8
from pixie_export.judging import ENCODERS, Cost, Judge
from pixie_export.precision_bundle import Converted
from pixie_export.quantised_graph import Dialect, observed
from pixie_export.small_weights import with_small_weights
from pixie_export.verification import MeanLimits
from pixie_runtime.errors import BundleError
from pixie_runtime.types import Float32

_REGRESSORS = ("coarse", "fuse", "head_alone", "hand_alone")
"""Networks whose time goes into reading weights."""
_AT_MOST = 0.1
"""Share of the limits that a network's weights in 8 bits may cost."""


@dataclass(frozen=True, slots=True)
class HalfConverter:
    """To float16 or bfloat16, what is worth it and does no harm."""

    to: Half
    judge: Judge
    limits: MeanLimits
    announce: Announce = silent

    @property
    def precision(self) -> str:
        """What the manifest calls it."""
        return str(self.to)

    def convert(self, stage: str, model: onnx.ModelProto) -> Converted:
        """Return a network whose heavy groups of nodes compute in 16 bits."""
        worth = [group for group in groups(model, self.to) if group.worth]
        self.announce(f"measuring {stage} in {self.to}")
        costs = list(group_costs(stage, model, self.to, self.judge, self.limits, worth))
        halved = frozenset[str]().union(*(c.group.nodes for c in costs if not c.kept))
        return Converted(in_half(model, halved, self.to), _kept(costs))


def _kept(costs: Iterable[GroupCost]) -> str:
    kept = [cost.group.name for cost in costs if cost.kept]
    return ", ".join(["all other arithmetic", *kept])


@dataclass(frozen=True, slots=True)
class Int8Converter:
    """Encoders to 8-bit integers; the regressors' weights too."""

    crops: Mapping[str, Sequence[Float32]]
    """What each encoder was shown for calibration, (1, 3, S, S) each."""
    judge: Judge
    limits: MeanLimits
    dialect: Dialect = "cpu"
    mixed: bool = True
    """Whether layers that cost too much may stay float32."""
    threads: int = 2
    announce: Announce = silent

    @property
    def precision(self) -> str:
        """What the manifest calls it."""
        return "int8" if self.dialect == "cpu" else "int8 for TensorRT"

    def convert(self, stage: str, model: onnx.ModelProto) -> Converted:
        """Return a network of integer convolutions, or of integer weights.

        Raises:
            BundleError: an encoder has no convolutions to quantise.
        """
        if stage in ENCODERS:
            return self._encoder(stage, model)
        if stage in _REGRESSORS and self.dialect == "cpu":
            small = with_small_weights(model)
            cost = Cost.of(self.judge.of(stage, small), self.limits)
            if not self.mixed or cost.share <= _AT_MOST:
                return Converted(small, "all arithmetic; weights are int8")
        return Converted(model, "everything")

    def _encoder(self, stage: str, model: onnx.ModelProto) -> Converted:
        tensors = observed(model)
        if not tensors:
            raise BundleError(
                f"the network {stage!r} has no convolutions, which int8 is for; use "
                "--to fp16 or bf16"
            )
        self.announce(f"calibrating {stage} on {len(self.crops[stage])} crops")
        ranges = activation_ranges(
            model,
            tensors,
            ({"image": crop} for crop in self.crops[stage]),
            threads=self.threads,
        )
        self.announce(f"measuring {stage} in int8")
        chosen = choose_int8(
            stage,
            model,
            ranges,
            self.judge,
            self.limits,
            self.dialect,
            mixed=self.mixed,
            announce=self.announce,
        )
        quantised = chosen.model
        if self.dialect == "cpu":
            quantised = with_small_weights(quantised)
        names = ", ".join(["normalisation, pooling", *chosen.kept])
        return Converted(quantised, names)
