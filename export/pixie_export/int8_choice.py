"""Which part of an encoder computes in 8 bits: all of it, or all but what costs most.

Everything is quantised first. Where people then move by more than the encoder's share
of the limit, each stretch of the network is tried in float32 alone, and stretches are
given back, those that help most first, until the limit holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import onnx

from pixie_export.graph_files import Announce, silent
from pixie_export.judging import Cost, Judge
from pixie_export.quantised_graph import Dialect, Range, quantisable, quantised
from pixie_export.verification import MeanLimits

_STRETCHES = 12
_SHARE = 0.5
"""Of the limits, for one encoder of three: their errors add up in part."""


@dataclass(frozen=True, slots=True, eq=False)
class Int8Choice:
    """An encoder in 8 bits."""

    model: onnx.ModelProto
    kept: tuple[str, ...]
    """Nodes that could be quantised and are not."""
    cost: Cost


def choose_int8(
    stage: str,
    model: onnx.ModelProto,
    ranges: Mapping[str, Range],
    judge: Judge,
    limits: MeanLimits,
    dialect: Dialect,
    *,
    mixed: bool = True,
    announce: Announce = silent,
) -> Int8Choice:
    """Quantise as much of an encoder as the limits allow.

    Args:
        stage: its name.
        model: float32, its weights loaded.
        ranges: of its activations.
        judge: says what a variant costs.
        limits: of the whole bundle.
        dialect: for which engines.
        mixed: whether anything may stay float32; untrained networks gain nothing by it.
        announce: is told what is tried.
    """
    every = quantisable(model)

    def quantised_but(kept: frozenset[str]) -> tuple[onnx.ModelProto, Cost]:
        variant = quantised(model, ranges, frozenset(every) - kept, dialect)
        return variant, Cost.of(judge.of(stage, variant), limits)

    kept: frozenset[str] = frozenset()
    variant, cost = quantised_but(kept)
    if mixed and not cost.share <= _SHARE:
        length = -(-len(every) // _STRETCHES)
        stretches = [
            frozenset(every[start : start + length])
            for start in range(0, len(every), length)
        ]
        alone = {}
        for number, stretch in enumerate(stretches, start=1):
            announce(f"{stage} with part {number} of {len(stretches)} in float32")
            alone[stretch] = quantised_but(stretch)[1].share
        for stretch in sorted(stretches, key=alone.__getitem__):
            kept |= stretch
            variant, cost = quantised_but(kept)
            if cost.share <= _SHARE:
                break
    return Int8Choice(variant, tuple(n for n in every if n in kept), cost)
