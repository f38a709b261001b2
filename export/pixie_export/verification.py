"""What it means that an engine's numbers differ from torch's, stage by stage."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pixie_export.parity import Difference
from pixie_runtime.errors import BundleError
from pixie_runtime.types import Float32, Float64


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and largest of many distances."""

    mean: float
    largest: float

    @classmethod
    def of(cls, distances: Float64) -> "Spread":
        """Return the spread of any number of distances."""
        return cls(float(distances.mean()), float(distances.max()))


@dataclass(frozen=True, slots=True)
class StageReport:
    """One stage's results against the recorded ones."""

    stage: str
    differences: tuple[Difference, ...]
    angles: Spread | None = None
    """Degrees between joint rotations."""
    vertices: Spread | None = None
    """Millimetres between the bodies' surfaces."""
    joints: Spread | None = None
    """Millimetres between the bodies' joints."""
    pixels: Spread | None = None
    """Pixels between the bodies' key points, in a crop drawn 1080 pixels high."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still the same network: the defaults are for float32 engines."""

    degrees: float = 0.05
    """Largest angle between a joint's rotations."""
    millimetres: float = 0.1
    """Largest distance between a vertex' or joint's places."""
    relative: float = 1e-3
    """Largest difference of a stage's result, fed with the recorded input, over the
    size (root mean square) of that result."""


@dataclass(frozen=True, slots=True)
class MeanLimits:
    """What a network of fewer bits may cost, in the mean over people and joints."""

    degrees: float = 0.5
    """Mean angle between a joint's rotations."""
    millimetres: float | None = None
    """Mean distance between a vertex' places; default: no limit of its own."""

    @classmethod
    def of(cls, precision: str) -> "MeanLimits | None":
        """Return the limits for a manifest's precision; None for float32."""
        degrees = _MEAN_DEGREES.get(precision)
        return None if degrees is None else cls(degrees)


_MEAN_DEGREES = {
    "float16": 0.5,
    "bfloat16": 0.5,
    "int8": 2.0,
    "int8 for TensorRT": 2.0,
}


@dataclass(frozen=True, slots=True)
class Verification:
    """A bundle's networks on some engine against torch."""

    alone: tuple[StageReport, ...]
    """Each stage fed with its recorded input."""
    chained: tuple[StageReport, ...]
    """Each stage fed with what the engine made of the stages before it."""

    def require(self, limits: Limits) -> None:
        """Refuse what computes something else.

        Raises:
            BundleError: some stage is beyond the limits.
        """
        for report in (*self.alone, *self.chained):
            for what, spread, limit, unit in (
                ("joint angles", report.angles, limits.degrees, "degrees"),
                ("vertices", report.vertices, limits.millimetres, "mm"),
                ("joints", report.joints, limits.millimetres, "mm"),
            ):
                # A NaN is beyond every limit.
                if spread is not None and not spread.largest <= limit:
                    raise _beyond(report.stage, what, spread.largest, limit, unit)
        for report in self.alone:
            for row in report.differences:
                if not row.relative <= limits.relative:
                    found, limit = row.relative, limits.relative
                    raise _beyond(report.stage, row.tensor, found, limit, "of its size")

    def require_mean(self, limits: MeanLimits) -> None:
        """Refuse a network of fewer bits that lost too much on its way to people.

        Raises:
            BundleError: some stage's people are beyond the limits.
        """
        for report in self.chained:
            for what, spread, limit, unit in (
                ("joint angles", report.angles, limits.degrees, "degrees"),
                ("vertices", report.vertices, limits.millimetres, "mm"),
            ):
                if spread is None or limit is None or spread.mean <= limit:
                    continue
                raise BundleError(
                    f"{report.stage}: {what} differ from float32's by "
                    f"{spread.mean:.3g} {unit} in the mean, at most {limit:g} is "
                    "allowed; use a higher precision, or allow more (--help says how)"
                )


def _beyond(
    stage: str, what: str, found: float, limit: float, unit: str
) -> BundleError:
    return BundleError(
        f"{stage}: {what} differ from the reference by {found:.3g} {unit}, at most "
        f"{limit:g} is allowed; use another engine or export the bundle again"
    )


def angles_between(found: Float32, expected: Float32) -> Float64:
    """Return the degrees (...) between rotation matrices (..., 3, 3)."""
    # |A - B| = 2 sqrt(2) sin(angle / 2): exact for small angles, where the trace's
    # arc cosine is not.
    gap = np.linalg.norm(found.astype(np.float64) - expected, axis=(-2, -1))
    half = np.arcsin(np.clip(gap / np.sqrt(8), 0, 1))
    return np.asarray(np.degrees(2 * half), np.float64)


def millimetres_between(found: Float32, expected: Float32) -> Float64:
    """Return the distances (...) between points (..., 3) in metres."""
    gap = np.linalg.norm(found.astype(np.float64) - expected, axis=-1)
    return np.asarray(1000 * gap, np.float64)


def pixels_between(
    found: Float32, expected: Float32, ours: Float32, theirs: Float32
) -> Float64:
    """Return the distances (N, P) between key points in a crop of 1080 pixels.

    Args:
        found: points (N, P, 3) in the crop camera's axes, metres.
        expected: likewise.
        ours: the camera (N, 3) that sees `found`: s, tx, ty.
        theirs: that which sees `expected`.
    """
    gap = _projected(found, ours) - _projected(expected, theirs)
    return np.asarray(np.linalg.norm(gap, axis=-1) * 540, np.float64)


def _projected(points: Float32, camera: Float32) -> Float64:
    camera = camera[:, None].astype(np.float64)
    return np.asarray(camera[..., :1] * (points[..., :2] + camera[..., 1:]), np.float64)


def table(reports: Sequence[StageReport]) -> Iterator[str]:
    """Yield the lines of a table: tensors, then what their differences mean."""
    yield f"{'stage':<12}{'tensor':<20}{'largest':>10}{'rms':>10}{'of its size':>13}"
    for report in reports:
        stage = report.stage
        for row in report.differences:
            yield (
                f"{stage:<12}{row.tensor:<20}{row.largest:>10.1e}{row.rms:>10.1e}"
                f"{row.relative:>13.1e}"
            )
            stage = ""
        for what, spread, unit in (
            ("joint angles", report.angles, "degrees"),
            ("vertices", report.vertices, "mm"),
            ("joints", report.joints, "mm"),
            ("key points", report.pixels, "pixels at 1080p"),
        ):
            if spread is not None:
                yield (
                    f"{'':<12}= {what:<18}{spread.mean:.5f} {unit} in the mean, "
                    f"{spread.largest:.5f} at most"
                )
