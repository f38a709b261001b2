"""A person's expression, jaw and eyes as weights of ARKit's 52 units."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from pixie_runtime import rotations
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.face.angles import Turn
from pixie_runtime.face.arkit import ARKIT_INDEX, ARKIT_NAMES
from pixie_runtime.face.displacements import Displacements, own_displacements
from pixie_runtime.face.fitted import can_be_fitted, fitted_displacements
from pixie_runtime.face.units import box_least_squares
from pixie_runtime.smplx import JAW, LEFT_EYE, RIGHT_EYE
from pixie_runtime.types import Float32, Float64, Person

_JAW_OPEN = ARKIT_INDEX["jawOpen"]
_LOOKS_DOWN, _LOOKS_OUT = np.radians((35.0, 40.0)).tolist()
"""How far eyes turn at `eyeLook*` = 1, radians: down or up, out or in. As a phone's: in
the example of iFacialMocap's page 6.03 degrees down go with 0.17, 2.44 in with 0.06."""
_MISMATCH_M, _USUAL = 1e-3, 0.5
"""How far corresponding points of two models move differently, and how large weights
are: of what explains the points equally well, fitted maps take the plainest face."""


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
    """What is fitted or not estimated, one sentence."""
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

    @classmethod
    def of(cls, model: BodyModel, n_expression: int) -> Self:
        """Return the map for people on `model` who have `n_expression` coefficients.

        Exact where the model was made of ARKit's units, as the embedded body was;
        fitted where its file says where the landmarks of the face lie; else only the
        jaw and the eyes are told. `note` says which.
        """
        moved, note = _displacements(model, n_expression)
        doubt = 0.0 if moved.names == model.arkit_names else (_MISMATCH_M / _USUAL) ** 2
        return cls(
            note=note,
            units=np.array([ARKIT_INDEX[name] for name in moved.names], np.intp),
            gram=moved.units @ moved.units.T + doubt * np.eye(len(moved.names)),
            from_expression=moved.units @ moved.expression.T,
            from_jaw=moved.units @ moved.jaw.T,
            jaw_open_angle=moved.jaw_open_angle,
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
            turn = Turn.of(params.rotations[joint])
            outwards = turn.yaw if side == "Left" else -turn.yaw
            for way, share in (
                ("Down", turn.pitch / _LOOKS_DOWN),
                ("Up", -turn.pitch / _LOOKS_DOWN),
                ("Out", outwards / _LOOKS_OUT),
                ("In", -outwards / _LOOKS_OUT),
            ):
                place = ARKIT_INDEX[f"eyeLook{way}{side}"]
                weights[place] = min(max(0.0, share), 1.0)
        return weights


_EYES = (
    "gaze and lids need eyes at least 12 pixels wide in the picture; brows and tongue "
    "are hardly estimated"
)


def _displacements(model: BodyModel, n_expression: int) -> tuple[Displacements, str]:
    """Return what moves the face with so many coefficients, and the sentence on it."""
    if model.arkit_names is not None:
        moved, note = own_displacements(model), _EYES
    elif n_expression and can_be_fitted(model):
        moved = fitted_displacements(model)
        note = (
            f"{model.name}'s expression is fitted to ARKit's units, not exact; {_EYES}"
        )
    else:
        moved = own_displacements(embedded_body_model())
        still = np.zeros((n_expression, moved.units.shape[1]))
        moved = replace(moved, expression=still)
        note = f"{model.name} has no landmarks to fit its expression by; {_EYES}"
    if not n_expression:
        note = f"the bundle gives no expression on {model.name}, only the jaw; {_EYES}"
    return replace(moved, expression=moved.expression[:n_expression]), note
