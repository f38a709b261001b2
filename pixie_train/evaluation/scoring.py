"""From estimates to figures, as each benchmark has them.

A scorer is given every case once and says at the end what came out. Figures are
millimetres unless their name says else. People who were not found have no error; how
many they were is counted beside the figures, and in AGORA's by the F1 score.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from pixie_runtime.errors import ModelFileError, SourceError
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.types import Float32, Float64
from pixie_train.evaluation import agora_metrics
from pixie_train.evaluation.alignment import Alignment, align
from pixie_train.evaluation.anatomy import Anatomy
from pixie_train.evaluation.cases import Case, Estimate
from pixie_train.evaluation.face_scan import (
    LANDMARKS_OF_51,
    FaceRegion,
    scan_distances,
    summary,
)
from pixie_train.evaluation.hand_metrics import hand_errors
from pixie_train.evaluation.motion_metrics import acceleration_error, jitter
from pixie_train.evaluation.point_errors import (
    MM,
    aligned_joint_error,
    joint_error,
    mean_of,
    part_errors,
    rooted_vertex_error,
    vertex_error,
)
from pixie_train.evaluation.surface_distance import Surface

Figures = dict[str, float]
_ROOTS = {"All": 0, "Left hand": 20, "Right hand": 21, "Face": 12}
"""Pelvis, wrists, neck: what MPVPE is about."""


class Scorer(Protocol):
    """Makes figures of estimates."""

    key: str
    """The figure by which pictures are called good or bad."""

    def add(self, case: Case, estimate: Estimate | None) -> Figures:
        """Take one case and return its figures; none where nobody was found."""
        ...

    def finish(self) -> Figures:
        """Return the figures of everything."""
        ...


@dataclass(eq=False)
class WholeBodyScorer:
    """Whole bodies with a true mesh: EHF (paper, Tables 1 and 2), synthetic people."""

    anatomy: Anatomy
    key: str = "PA-V2V All"
    _rows: list[Figures] = field(default_factory=list)

    def add(self, case: Case, estimate: Estimate | None) -> Figures:
        """Take one case and return its figures."""
        if estimate is None or case.truth.vertices is None:
            return {}
        true = np.asarray(case.truth.vertices, np.float32)
        check_topology(self.anatomy, len(true))
        if case.truth.joints is not None:
            joints = estimate.joints, np.asarray(case.truth.joints, np.float32)
        else:
            regressor = self.anatomy.model.J_regressor
            joints = regressor @ estimate.vertices, regressor @ true
        figures = self._meshes(estimate.vertices, true, *joints)
        figures |= self._joints(estimate.vertices, true, *joints)
        if case.truth.scan is not None:
            scan = case.truth.scan()
            moved = align(estimate.vertices, true, "similarity")(estimate.vertices)
            surface = Surface(moved, self.anatomy.model.faces.astype(np.int64))
            gaps = surface.distances(scan) * MM
            figures["PA-P2S mean"] = float(gaps.mean())
            figures["PA-P2S median"] = float(np.median(gaps))
        self._rows.append(figures)
        return figures

    def finish(self) -> Figures:
        """Return the means over all cases."""
        return mean_of(self._rows)

    def _meshes(
        self, found: Float32, true: Float32, joints: Float32, true_joints: Float32
    ) -> Figures:
        parts = self.anatomy.parts
        figures: Figures = {}
        kinds: dict[str, Alignment] = {"PA-V2V": "similarity", "TR-V2V": "translation"}
        for prefix, how in kinds.items():
            figures[f"{prefix} All"] = vertex_error(found, true, how)
            errors = part_errors(found, true, parts, how)
            figures |= {f"{prefix} {name}": e for name, e in errors.items()}
            if errors.keys() == parts.keys():
                figures[f"{prefix} FB"] = agora_metrics.full_body(*errors.values())
        parts = {"All": np.arange(len(true)), **parts}
        for name, root in _ROOTS.items():
            rows = parts[name]
            figures[f"MPVPE {name}"] = rooted_vertex_error(
                found[rows], true[rows], joints[root], true_joints[root]
            )
        both = [figures[f"MPVPE {side} hand"] for side in ("Left", "Right")]
        figures["MPVPE Hands"] = float(np.mean(both))
        return figures

    def _joints(
        self, found: Float32, true: Float32, joints: Float32, true_joints: Float32
    ) -> Figures:
        found14 = self.anatomy.joints14(found, joints)
        true14 = self.anatomy.joints14(true, true_joints)
        figures = {
            "MPJPE-14": joint_error(found14, true14),
            "PA-MPJPE-14": aligned_joint_error(found14, true14),
        }
        for side in ("left", "right"):
            start = JOINT_INDEX[f"{side}_index1"]
            rows = [JOINT_INDEX[f"{side}_wrist"], *range(start, start + 15)]
            figures[f"PA-MPJPE {side.capitalize()} hand"] = aligned_joint_error(
                joints[rows], true_joints[rows]
            )
        return figures


@dataclass(eq=False)
class JointScorer:
    """Fourteen joints in videos: 3DPW (paper, Table 3)."""

    anatomy: Anatomy
    fps: float = 30.0
    key: str = "PA-MPJPE-14"
    _rows: list[Figures] = field(default_factory=list)
    _track: list[tuple[int, Float64, Float64]] = field(default_factory=list)
    _group: str = ""
    _steady: list[Figures] = field(default_factory=list)

    def add(self, case: Case, estimate: Estimate | None) -> Figures:
        """Take one case and return its figures."""
        if case.group != self._group:
            self._end_track()
            self._group = case.group
        if estimate is None or case.truth.joints14 is None:
            return {}
        found = self.anatomy.joints14(estimate.vertices, estimate.joints)
        true = np.asarray(case.truth.joints14, np.float64)
        figures = {
            "TR-MPJPE-14": joint_error(found, true),
            "PA-MPJPE-14": aligned_joint_error(found, true),
        }
        self._rows.append(figures)
        self._track.append((case.number, np.asarray(found, np.float64), true))
        return figures

    def finish(self) -> Figures:
        """Return the means over all cases, and over videos of how steady they are."""
        self._end_track()
        return mean_of(self._rows) | mean_of(self._steady)

    def _end_track(self) -> None:
        """Take the runs of pictures without a gap; three in a row have a change."""
        numbers = np.array([number for number, _, _ in self._track])
        breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
        for run in np.split(np.arange(len(numbers)), breaks):
            if len(run) < 4:
                continue
            found = np.array([self._track[k][1] for k in run])
            true = np.array([self._track[k][2] for k in run])
            # Where a camera moves or depth is guessed is not what people shake by.
            hips = [points[:, 2:4].mean(1, keepdims=True) for points in (found, true)]
            found, true = found - hips[0], true - hips[1]
            self._steady.append(
                {
                    "acceleration error (mm/frame²)": acceleration_error(found, true),
                    "jitter (m/s³)": jitter(found, self.fps),
                    "true jitter (m/s³)": jitter(true, self.fps),
                }
            )
        self._track = []


@dataclass(eq=False)
class HandScorer:
    """A right hand's points and mesh: FreiHAND (paper, Table 5)."""

    anatomy: Anatomy
    key: str = "PA-MPJPE"
    _rows: list[Figures] = field(default_factory=list)

    def add(self, case: Case, estimate: Estimate | None) -> Figures:
        """Take one case and return its figures; F-scores are shares."""
        if estimate is None or case.truth.hand is None:
            return {}
        figures = hand_errors(
            self.anatomy.right_hand_points(estimate),
            case.truth.hand,
            estimate.vertices[self.anatomy.right_hand],
            case.truth.hand_vertices,
        )
        self._rows.append(figures)
        return figures

    def finish(self) -> Figures:
        """Return the means over all cases."""
        return mean_of(self._rows)


@dataclass(eq=False)
class FaceScorer:
    """A face's shape against a scan: NoW (paper, Table 4).

    The scans have no expression, so the estimate's is left out: its mesh is the body's
    at rest with the estimated shape. Figures are over all points of all scans.
    """

    anatomy: Anatomy
    key: str = "median"
    metrical: bool = False
    distances: list[Float64] = field(default_factory=list)

    def add(self, case: Case, estimate: Estimate | None) -> Figures:
        """Take one case and return its figures."""
        truth = case.truth
        if estimate is None or truth.scan is None or truth.scan_landmarks is None:
            return {}
        surface, landmarks = neutral_head(self.anatomy, estimate)
        scan, points = truth.scan(), np.asarray(truth.scan_landmarks)
        if not FaceRegion().mask(scan, points).any():
            raise SourceError(
                f"{case.name}: no point of its scan is near the scan's landmarks; get "
                "both of one download"
            )
        errors = scan_distances(
            surface, landmarks, scan, points, metrical=self.metrical
        )
        self.distances.append(errors)
        return summary(errors)

    def finish(self) -> Figures:
        """Return NoW's three figures."""
        return summary(np.concatenate(self.distances)) if self.distances else {}


@dataclass(eq=False)
class CrowdScorer:
    """Everybody in pictures of many: AGORA (the table of later papers)."""

    anatomy: Anatomy
    key: str = "MVE FB"
    found: agora_metrics.Detection = field(
        default_factory=lambda: agora_metrics.Detection(0, 0, 0)
    )
    _rows: list[Figures] = field(default_factory=list)
    _estimates: list[agora_metrics.Body] = field(default_factory=list)
    _people: list[agora_metrics.Body] = field(default_factory=list)
    _group: str = ""

    def add(self, case: Case, estimate: Estimate | None) -> Figures:
        """Take one person; figures are those of the estimate made for them."""
        truth = case.truth
        if truth.vertices is None or truth.joints is None or truth.pixels is None:
            return {}
        if case.group != self._group:
            self._end_picture()
            self._group = case.group
        pixels, vertices, joints = (
            np.asarray(a, np.float64)
            for a in (truth.pixels, truth.vertices, truth.joints)
        )
        check_topology(self.anatomy, len(vertices))
        person = agora_metrics.Body(pixels, vertices, joints)
        self._people.append(person)
        if estimate is None:
            return {}
        body = self._body(estimate, len(pixels), len(joints))
        self._estimates.append(body)
        return agora_metrics.body_errors(body, person, self.anatomy.agora_parts)

    def finish(self) -> Figures:
        """Return means over the pairs, normalised ones, and the detection's figures."""
        self._end_picture()
        errors = mean_of(self._rows)
        return {
            **errors,
            **agora_metrics.normalised(errors, self.found),
            "F1 (share)": self.found.f1,
            "precision (share)": self.found.precision,
            "recall (share)": self.found.recall,
        }

    def _body(self, estimate: Estimate, n_pixels: int, n: int) -> agora_metrics.Body:
        joints = estimate.joints if n == 55 else self.anatomy.joints127(estimate)
        pixels = estimate.camera.project(joints[:n_pixels])
        arrays = (pixels, estimate.vertices, joints)
        return agora_metrics.Body(*(np.asarray(a, np.float64) for a in arrays))

    def _end_picture(self) -> None:
        pairs, found = agora_metrics.matched(
            [body.pixels for body in self._estimates],
            [body.pixels for body in self._people],
        )
        self.found += found
        parts = self.anatomy.agora_parts
        for i, j in pairs:
            pair = self._estimates[i], self._people[j]
            self._rows.append(agora_metrics.body_errors(*pair, parts))
        self._estimates, self._people = [], []


SCORERS: dict[str, Callable[[Anatomy], Scorer]] = {
    "whole": WholeBodyScorer,
    "joints": JointScorer,
    "hand": HandScorer,
    "face": FaceScorer,
    "crowd": CrowdScorer,
}
"""By the benchmark's `protocol`."""


def check_topology(anatomy: Anatomy, count: int) -> None:
    """Check that a benchmark's meshes are of the body that is evaluated.

    Raises:
        ModelFileError: they are not.
    """
    model = anatomy.model
    if count != model.vertex_count:
        raise ModelFileError(
            f"the benchmark's meshes have {count} vertices and the body model "
            f"{model.name} has {model.vertex_count}; use --body-model with the model "
            "that the benchmark was made with"
        )


def neutral_head(anatomy: Anatomy, estimate: Estimate) -> tuple[Surface, Float64]:
    """Return a head without expression and NoW's landmarks on it, metres."""
    model = anatomy.model
    rest = model.shaped(estimate.params.betas, np.zeros(0, np.float32)).vertices()
    landmarks = anatomy.inner_landmarks(rest)[list(LANDMARKS_OF_51)]
    wanted = np.isin(np.arange(model.vertex_count), anatomy.face)
    faces = model.faces[wanted[model.faces].all(1)]
    used, numbered = np.unique(faces, return_inverse=True)
    surface = Surface(
        rest[used].astype(np.float64), numbered.reshape(-1, 3).astype(np.int64)
    )
    return surface, landmarks.astype(np.float64)
