"""What changing one network of a bundle costs the people that come out in the end."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol, Self

import onnx

from pixie_export.chain import CHAIN, Values, inputs_of
from pixie_export.rounded_graph import rounded
from pixie_export.verification import MeanLimits, StageReport
from pixie_export.verify import infer, reference_of, report_on, skinned
from pixie_runtime.bundle import Bundle
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.types import Float32

ENCODERS: Mapping[str, str] = {"body": "F_b", "head": "F_f", "hand": "F_h"}
"""The networks that look at pictures, and what they give."""

_RELATIVE = 0.01
"""Of what is neither angles nor a surface: rms over size that counts as the limit."""


class Judge(Protocol):
    """Compares variants of a bundle's networks with the bundle's own."""

    @property
    def stages(self) -> tuple[str, ...]:
        """The networks that can be judged."""
        ...

    def of(self, stage: str, model: onnx.ModelProto) -> StageReport:
        """Return what a variant of one network does to its people, all else equal."""
        ...


@dataclass(frozen=True, slots=True)
class Cost:
    """What a report says, in shares of what is allowed."""

    degrees: float
    """Mean joint angle; 0 where there are no people."""
    millimetres: float
    """Mean distance of vertices; 0 where there are no bodies."""
    share: float
    """The worst of the report's results over its limit."""

    @classmethod
    def of(cls, report: StageReport, limits: MeanLimits) -> Self:
        """Measure a report against limits."""
        degrees = report.angles.mean if report.angles else 0.0
        millimetres = report.vertices.mean if report.vertices else 0.0
        allowed = _SURFACE if report.angles is None else _allowed(limits)
        shares = [degrees / limits.degrees, millimetres / allowed]
        if report.angles is None and report.vertices is None:
            shares += [
                row.rms / row.size / _RELATIVE if row.size else row.rms
                for row in report.differences
            ]
        return cls(degrees, millimetres, max(shares))


_SURFACE = 0.1
"""Millimetres that a stage may cost which only poses bodies."""
_MILLIMETRES_PER_DEGREE = 10.0
"""A degree moves what is half a metre away by 9 mm."""


def _allowed(limits: MeanLimits) -> float:
    return limits.millimetres or _MILLIMETRES_PER_DEGREE * limits.degrees


class ImageJudge:
    """Judges on a bundle's recorded people; a context manager.

    An encoder's feature means nothing by itself: it is judged by the people that the
    bundle's own fusion makes of it.
    """

    def __init__(self, bundle: Bundle, *, threads: int = 2) -> None:
        """Open what poses bodies and what fuses features.

        Raises:
            BundleError: the bundle has no recorded results.
        """
        reference = reference_of(bundle)
        self._recorded: dict[str, Float32] = reference.values()
        self._networks = bundle.manifest.networks
        self._threads = threads
        with ExitStack() as opened:
            self._skinning, self._fuse = (
                opened.enter_context(
                    OnnxRuntimeEngine(bundle.path_of(name), threads=threads)
                )
                for name in ("skinning", "fuse")
            )
            self._opened = opened.pop_all()

    @property
    def stages(self) -> tuple[str, ...]:
        """The networks that can be judged, each after those that feed it."""
        return tuple(n for n in CHAIN if n in self._networks and n != "whole")

    def of(self, stage: str, model: onnx.ModelProto) -> StageReport:
        """Return what a variant of one network does to its people, all else equal."""
        content = rounded(model).SerializeToString()
        with OnnxRuntimeEngine(content, threads=self._threads) as engine:
            found = infer(engine, stage, inputs_of(stage, self._recorded))
        judged = stage
        if stage in ENCODERS:
            judged = "fuse"
            values = {
                **self._recorded,
                **{f"{stage}.{name}": array for name, array in found.items()},
            }
            found = infer(self._fuse, "fuse", inputs_of("fuse", values))
        expected = {
            spec.name: self._recorded[f"{judged}.{spec.name}"]
            for spec in self._networks[judged].outputs
        }
        return report_on(judged, found, expected, self._skin)

    def _skin(self, outputs: Values) -> Values:
        return skinned(self._skinning, outputs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._opened.close()
