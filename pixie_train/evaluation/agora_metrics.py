"""AGORA's measures of many people in a picture (Patel et al. 2021).

Facts from the benchmark's own documents (`docs/evaluation_metric.md` of its
repository). An estimate and a person are a pair if their joints in the picture are
nearest and the boxes about them overlap by a tenth; a person without an estimate is a
miss, an estimate without a person a false alarm. Pairs have errors: vertices (MVE) and
joints (MPJPE), body about the pelvis, a hand about its wrist, the face about the neck,
and FB = B + (LH + RH + F) / 3. The document's line breaks off before the three; with it
PIXIE's row of the benchmark's table is itself again. Divided by the F1 score of
detection they are NMVE and NMJE.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixie_runtime.types import Float64
from pixie_train.evaluation.alignment import Points
from pixie_train.evaluation.point_errors import rooted_vertex_error

LEAST_OVERLAP = 0.1
"""Intersection over union of a pair's boxes."""
ROOT_JOINTS = {"B": 0, "LH": 20, "RH": 21, "F": 12}
"""Pelvis, wrists, neck."""


@dataclass(frozen=True, eq=False)
class Body:
    """A person of a picture, as estimated or in truth."""

    pixels: Float64
    """(n, 2): joints in the picture by which pairs are found, the same n in all."""
    vertices: Float64
    """(V, 3), metres, camera."""
    joints: Float64
    """(m, 3): SMPL-X's 55, then 51 face landmarks at 76 to 126 if m is 127."""


@dataclass(frozen=True)
class Detection:
    """How many were found, over all pictures."""

    pairs: int
    missed: int
    false_alarms: int

    @property
    def precision(self) -> float:
        """Share of the estimates that belong to somebody."""
        return self.pairs / max(self.pairs + self.false_alarms, 1)

    @property
    def recall(self) -> float:
        """Share of the people who were found."""
        return self.pairs / max(self.pairs + self.missed, 1)

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def __add__(self, other: "Detection") -> "Detection":
        """Return both together."""
        return Detection(
            self.pairs + other.pairs,
            self.missed + other.missed,
            self.false_alarms + other.false_alarms,
        )


def matched(
    predicted: Sequence[Points], true: Sequence[Points]
) -> tuple[list[tuple[int, int]], Detection]:
    """Return the pairs (estimate, person) of one picture, nearest first, and the rest.

    Args:
        predicted: joints (n, 2) in the picture, of each estimate.
        true: likewise of each person.
    """
    options = sorted(
        (float(np.linalg.norm(p - t, axis=1).mean()), i, j)
        for i, p in enumerate(predicted)
        for j, t in enumerate(true)
        if _overlap(p, t) >= LEAST_OVERLAP
    )
    pairs: list[tuple[int, int]] = []
    taken: tuple[set[int], set[int]] = (set(), set())
    for _, i, j in options:
        if i not in taken[0] and j not in taken[1]:
            pairs.append((i, j))
            taken[0].add(i)
            taken[1].add(j)
    found = len(pairs)
    return pairs, Detection(found, len(true) - found, len(predicted) - found)


def body_errors(
    predicted: Body, true: Body, parts: Mapping[str, npt.NDArray[np.integer]]
) -> dict[str, float]:
    """Return MVE and MPJPE of B, LH, RH, F and FB of a pair, millimetres.

    Args:
        predicted: an estimate.
        true: the person it is paired with, with the same vertices and joints.
        parts: vertices of "B", "LH", "RH", "F".
    """
    rows = {"B": range(22), "LH": range(25, 40), "RH": range(40, 55)}
    if len(true.joints) == len(predicted.joints) == 127:
        rows["F"] = range(76, 127)
    errors: dict[str, float] = {}
    for name, joint in ROOT_JOINTS.items():
        roots = predicted.joints[joint], true.joints[joint]
        at = parts[name]
        errors[f"MVE {name}"] = rooted_vertex_error(
            predicted.vertices[at], true.vertices[at], *roots
        )
        if name in rows:
            at = np.array(rows[name])
            errors[f"MPJPE {name}"] = rooted_vertex_error(
                predicted.joints[at], true.joints[at], *roots
            )
    return with_full_body(errors)


def with_full_body(errors: dict[str, float]) -> dict[str, float]:
    """Return the errors and those called FB."""
    full = dict(errors)
    for measure in ("MVE", "MPJPE"):
        names = [f"{measure} {part}" for part in ("B", "LH", "RH", "F")]
        if all(name in errors for name in names):
            full[f"{measure} FB"] = full_body(*(errors[name] for name in names))
    return full


def full_body(body: float, left: float, right: float, face: float) -> float:
    """Return an error of body, hands and face together, FB."""
    return body + (left + right + face) / 3


def normalised(errors: Mapping[str, float], found: Detection) -> dict[str, float]:
    """Return NMVE and NMJE of body and full body: mean errors over the F1 score."""
    names = {"MVE B": "NMVE B", "MVE FB": "NMVE FB"}
    names |= {"MPJPE B": "NMJE B", "MPJPE FB": "NMJE FB"}
    return {
        new: errors[old] / found.f1 if found.f1 else float("inf")
        for old, new in names.items()
        if old in errors
    }


def _overlap(a: Points, b: Points) -> float:
    """Return intersection over union of the boxes about points (n, 2)."""
    low_a, high_a, low_b, high_b = a.min(0), a.max(0), b.min(0), b.max(0)
    common = np.maximum(np.minimum(high_a, high_b) - np.maximum(low_a, low_b), 0).prod()
    union = (high_a - low_a).prod() + (high_b - low_b).prod() - common
    return float(common / union) if union > 0 else 0.0
