"""A body model: the arrays of one model file, ready to be shaped."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime.body.directions import Directions
from pixie_runtime.body.posing import ShapedBody
from pixie_runtime.types import Float32, UInt8

Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False, kw_only=True)
class BodyModel:
    """One body model in SMPL-X's layout; its arrays are read-only.

    Lengths are metres in the body frame (x to the person's left, y up, z out of the
    chest). Optional arrays are None where the file does not have them.
    """

    name: str
    sha256: str
    """Of the file, in hexadecimal."""
    v_template: Float32
    """Mean body, (V, 3)."""
    faces: Int32
    """Triangles, counter-clockwise from outside, (F, 3)."""
    shape_field: Float32
    """Vertex displacement per unit of each beta, (n_betas, 3, V)."""
    expression_field: Directions
    """Vertex displacement per unit of each expression coefficient."""
    pose_fields: tuple[Directions, ...]
    """For each of the joints 1 to 54 the displacement per entry of R - I, row-major."""
    weights_by_joint: Float32
    """Skinning weights, (55, V); a vertex's weights add up to 1."""
    J_regressor: Float32
    """Rest joints out of shaped vertices, (55, V)."""
    J_template: Float32
    """Rest joints of the mean body, (55, 3)."""
    J_shapedirs: Float32
    """Their displacement per unit of each beta, (55, 3, n_betas)."""
    J_expressiondirs: Float32
    """Their displacement per unit of each expression coefficient, (55, 3, n)."""
    part: UInt8
    """The joint that moves each vertex most, (V,)."""

    lmk_faces_idx: Int32 | None = None
    """Triangles of the 51 face landmarks (iBUG 68 without the jaw line), (51,)."""
    lmk_bary_coords: Float32 | None = None
    """Corner weights in those triangles, (51, 3)."""
    dynamic_lmk_faces_idx: Int32 | None = None
    """Triangles of the jaw line's 17 points by `contour_row`, (79, 17)."""
    dynamic_lmk_bary_coords: Float32 | None = None
    """Corner weights in those triangles, (79, 17, 3)."""
    mediapipe468_faces_idx: Int32 | None = None
    """Triangles of MediaPipe's face mesh points, (468,)."""
    mediapipe468_bary_coords: Float32 | None = None
    """Corner weights in those triangles, (468, 3)."""
    arkit_names: tuple[str, ...] | None = None
    """ARKit's names of the facial units that the expressions were made of."""
    arkit_to_expression: Float32 | None = None
    """expression = scores @ this, (len(arkit_names), n_expression)."""
    jaw_open_angle: float | None = None
    """Radians about the jaw's x axis that ARKit's jawOpen = 1 stands for."""
    betas_mean_male: Float32 | None = None
    """Mean of men's betas, (n_betas,); likewise below."""
    betas_cov_male: Float32 | None = None
    betas_mean_female: Float32 | None = None
    betas_cov_female: Float32 | None = None
    hands_mean: Float32 | None = None
    """Mean pose of left and right fingers, which some programs count fingers from:
    axis-angles of joints 25 to 54, (30, 3). Posing never adds it."""
    vt: Float32 | None = None
    """Texture coordinates, (T, 2), in [0, 1]."""
    ft: Int32 | None = None
    """Their triangles, (F, 3)."""

    @property
    def vertex_count(self) -> int:
        """Number V of vertices."""
        return len(self.v_template)

    @property
    def n_betas(self) -> int:
        """How many shape coefficients the model has."""
        return len(self.shape_field)

    @property
    def n_expression(self) -> int:
        """How many expression coefficients the model has."""
        return len(self.expression_field.values)

    @property
    def shapedirs(self) -> Float32:
        """`shape_field` in the model file's order, (V, 3, n_betas); a view."""
        return self.shape_field.transpose(2, 1, 0)

    @property
    def expressiondirs(self) -> Float32:
        """Expression displacements, (V, 3, n_expression), made on demand."""
        return self.expression_field.dense().transpose(2, 1, 0)

    @property
    def posedirs(self) -> Float32:
        """Pose correctives, (V, 3, 486), dense, made on demand."""
        fields = [field.dense() for field in self.pose_fields]
        return np.concatenate(fields).transpose(2, 1, 0)

    @property
    def weights(self) -> Float32:
        """Skinning weights in the model file's order, (V, 55); a view."""
        return self.weights_by_joint.T

    def shaped(self, betas: Float32, expression: Float32) -> ShapedBody:
        """Give the body a shape and an expression; makes no vertices yet.

        Args:
            betas: (n,) with n at most `n_betas`; what is missing is 0.
            expression: (n,) with n at most `n_expression`; what is missing is 0.
        """
        betas = self._padded("betas", betas, self.n_betas)
        expression = self._padded("expression", expression, self.n_expression)
        joints = self.J_template + self.J_shapedirs @ betas
        joints += self.J_expressiondirs @ expression
        return ShapedBody(self, betas, expression, joints)

    def identity(self, betas: Float32) -> Float32:
        """Return the rest vertices at `betas` (n_betas,) as a fresh (3, V) array."""
        displacement = betas @ self.shape_field.reshape(self.n_betas, -1)
        return self._template_rows + displacement.reshape(3, -1)

    @cached_property
    def _template_rows(self) -> Float32:
        return np.ascontiguousarray(self.v_template.T)

    def _padded(self, name: str, values: npt.NDArray[Any], length: int) -> Float32:
        if values.ndim != 1 or len(values) > length:
            raise ValueError(
                f"{name} has shape {values.shape}, but the body model {self.name} "
                f"takes a vector of at most {length}"
            )
        padded = np.zeros(length, np.float32)
        padded[: len(values)] = values
        return padded
