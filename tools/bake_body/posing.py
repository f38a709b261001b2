"""Poses the baked file for pictures and checks, with nothing but numpy."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pixie_runtime.smplx import JOINT_INDEX
from tools.bake_body import skinning, smplx_layout
from tools.bake_body.arrays import Float, Int
from tools.bake_body.geometry import matrix_of
from tools.bake_body.skinning import Rig


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """What to do to the body; everything left out stays at rest."""

    joints: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    """Joint name to rotation vector in degrees."""
    arkit: dict[str, float] = field(default_factory=dict)
    """ARKit name to score; a name without Left or Right means both."""
    betas: Float | None = None
    """Shape coefficients."""


class BakedBody:
    """A `pixie-body-1` file, opened."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            self.file: dict[str, npt.NDArray[np.generic]] = dict(file)
        self._smplx = {
            key: np.asarray(value, np.float64)
            for key, value in smplx_layout.convert(self.file).items()
        }
        self.faces: Int = np.asarray(self.file["f"], np.int64)
        self.group: Int = np.asarray(self.file["group"], np.int64)
        self.rest: Float = self._smplx["v_template"]
        self.joints: Float = self._smplx["J_regressor"] @ self.rest

    def expression(self, arkit: dict[str, float]) -> Float:
        """Return the expression coefficients of ARKit scores."""
        names = [str(n) for n in self.file["arkit_names"]]
        scores = np.zeros(len(names))
        for name, score in arkit.items():
            for suffix in ("", "Left", "Right"):
                if name + suffix in names:
                    scores[names.index(name + suffix)] = score
        return np.asarray(self.file["arkit_to_expression"], np.float64) @ scores

    def posed(self, pose: Pose) -> Float:
        """Return the vertices (V, 3) of a pose, in metres."""
        shapedirs = self._smplx["shapedirs"]
        shaped = self.rest.copy()
        if pose.betas is not None:
            shaped += shapedirs[:, :, : len(pose.betas)] @ pose.betas
        joints = self._smplx["J_regressor"] @ shaped
        coefficients = self.expression(pose.arkit)
        shaped += shapedirs[:, :, 300 : 300 + len(coefficients)] @ coefficients
        rotations = {
            JOINT_INDEX[name]: matrix_of(np.radians(degrees))
            for name, degrees in pose.joints.items()
        }
        for joint, R in rotations.items():
            if joint:
                rows = skinning.feature_rows(joint)
                shaped += self._smplx["posedirs"][:, :, rows] @ skinning.features(R)
        return Rig(shaped, joints, self._smplx["weights"]).posed(rotations)

    def phenotype(self, **values: float) -> Float:
        """Return the shape coefficients of a person described by phenotypes."""
        labels = [str(label) for label in self.file["phenotype_labels"]]
        person = {label: 0.5 for label in labels if "*" not in label}
        person |= {"age": 0.66, "height": 0.365}
        person |= dict.fromkeys(("african", "asian", "caucasian"), 1 / 3)
        person |= values
        row = [np.prod([person[p] for p in label.split("*")]) for label in labels]
        return np.asarray(row @ np.asarray(self.file["phenotype_to_betas"], np.float64))
