"""A person's expression, jaw and eyes as weights of ARKit's 52 units."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.face.arkit import ARKIT_INDEX, ARKIT_NAMES
from pixie_runtime.face.units import box_least_squares
from pixie_runtime.smplx import JAW, JOINT_COUNT, LEFT_EYE, RIGHT_EYE
from pixie_runtime.types import Float32, Float64, Person

_JAW_OPEN = ARKIT_INDEX["jawOpen"]
_PROBE = 0.05
"""Radians by which the jaw is turned to see what it moves."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceMap:
    """How one body model's face is said in ARKit's units.

    A weight says how much of ARKit's unit the face shows. Expression coefficients, and
    a jaw that moves sideways, displace the mesh; the weights of the units other than
    `jawOpen` and `eyeLook*` are those in [0, 1] whose own displacements together come
    nearest to that one. `jawOpen` is how far the jaw joint is open, `eyeLook*` where
    the eye joints look.
    """

    note: str | None
    """What is not estimated, one sentence."""
    units: npt.NDArray[np.intp]
    """Places in ARKIT_NAMES of the u units that the expression is made of, (u,)."""
    gram: Float64
    """Products of the units' displacements with each other, (u, u), square metres."""
    from_expression: Float64
    """Their products with displacements per expression coefficient, (u, n)."""
    from_jaw: Float64
    """Their products with displacements per radian of the jaw about y and z, (u, 2)."""
    jaw_open_angle: float
    """Radians about x at which the jaw is as open as `jawOpen` = 1."""
    eye_look_angles: Mapping[str, float]
    """Radians of the left eye at which `eyeLook*Left` = 1: pitch, or yaw."""

    @classmethod
    def of(cls, model: BodyModel, n_expression: int) -> Self:
        """Return the map for people on `model` who have `n_expression` coefficients.

        Of a model that does not say how its expressions relate to ARKit's units, only
        the jaw and the eyes are told; `note` then says so.
        """
        known = model if model.arkit_names is not None else embedded_body_model()
        names, to_expression = known.arkit_names, known.arkit_to_expression
        angle, looks = known.jaw_open_angle, known.eye_look_angles
        assert names is not None
        assert to_expression is not None
        assert angle is not None
        assert looks is not None
        field = known.expression_field
        basis = field.values.astype(np.float64)
        units = to_expression.astype(np.float64) @ basis
        from_expression = units @ basis[:n_expression].T
        if known is not model:
            from_expression = np.zeros((len(units), n_expression))
        jaw = _jaw_displacements(known)[:, :, field.vertices].reshape(2, -1)
        return cls(
            note=_GAZE if known is model else _GAZE + _UNKNOWN.format(name=model.name),
            units=np.array([ARKIT_INDEX[name] for name in names], np.intp),
            gram=units @ units.T,
            from_expression=from_expression,
            from_jaw=units @ jaw.T,
            jaw_open_angle=angle,
            eye_look_angles=looks,
        )

    def weights(self, person: Person) -> Float32:
        """Return the weights (52,) in [0, 1], in the order of ARKIT_NAMES."""
        params = person.params
        jaw = rotations.to_rotvec(params.rotations[JAW])
        weights = np.zeros(len(ARKIT_NAMES), np.float32)
        product = self.from_expression @ params.expression + self.from_jaw @ jaw[1:]
        weights[self.units] = box_least_squares(self.gram, product)
        weights[_JAW_OPEN] = np.clip(jaw[0] / self.jaw_open_angle, 0.0, 1.0)
        for side, joint in (("Left", LEFT_EYE), ("Right", RIGHT_EYE)):
            for name, weight in self._looks(params.rotations[joint], side).items():
                weights[ARKIT_INDEX[name]] = weight
        return weights

    def _looks(self, wxyz: Float32, side: str) -> dict[str, float]:
        """Return the weights of one eye's `eyeLook*` from its rotation in the head."""
        pitch, yaw = gaze(wxyz)
        # The angles are the left eye's; inwards is the other way round for the right.
        turned = {"Down": pitch, "Up": pitch}
        turned["In"] = turned["Out"] = yaw if side == "Left" else -yaw
        return {
            f"eyeLook{way}{side}": min(
                max(0.0, by / self.eye_look_angles[f"eyeLook{way}"]), 1.0
            )
            for way, by in turned.items()
        }


_UNKNOWN = ", nor is the face but for its jaw: nothing is known of {name}'s expressions"
_GAZE = "gaze is not estimated (eyeLook stays 0): the landmarks have no irises"


def gaze(wxyz: Float32) -> tuple[float, float]:
    """Return where an eye turned by `wxyz` (4,) looks, in radians.

    Returns:
        Pitch, positive downwards, and yaw, positive to the person's left.
    """
    x, y, z = rotations.apply(wxyz, np.array([0, 0, 1], np.float32)).tolist()
    return float(-np.arcsin(np.clip(y, -1, 1))), float(np.arctan2(x, z))


def _jaw_displacements(model: BodyModel) -> Float64:
    """Return the vertices' displacement per radian of the jaw about y and z, (2, 3, V).

    With the mean face in rest pose.
    """
    face = model.shaped(np.zeros(0, np.float32), np.zeros(0, np.float32))
    moved = []
    for axis in (1, 2):
        ends = []
        for angle in (_PROBE, -_PROBE):
            pose = rotations.identity(JOINT_COUNT)
            turn = np.zeros(3, np.float32)
            turn[axis] = angle
            pose[JAW] = rotations.from_rotvec(turn)
            ends.append(face.posed(pose, np.zeros(3, np.float32)).vertices())
        moved.append((ends[0] - ends[1]).T / (2 * _PROBE))
    return np.asarray(moved, np.float64)
