"""A mesh out of parameters by our code: one person, another pose every time."""

from itertools import cycle
from pathlib import Path

import numpy as np

from pixie_runtime import rotations as rot
from pixie_runtime.body import load_body_model
from pixie_runtime.skinning import SkinnerKind, open_skinner
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.types import Float32

_POSES = 16


class SkinningSubject:
    """Shape, expression and pose to vertices."""

    def __init__(
        self,
        *,
        body: str,
        kind: SkinnerKind,
        n_betas: int,
        n_expression: int,
        threads: int = 2,
    ) -> None:
        """Load the body and make the skinner ready.

        Args:
            body: a body model file.
            kind: what makes the meshes.
            n_betas: shape coefficients that are given, if the file has so many.
            n_expression: the same of the expression.
            threads: cores that one mesh may use.

        Raises:
            MissingExtraError: it is not installed.
            ModelFileError: the file cannot be used.
        """
        self._model = load_body_model(Path(body))
        self._skinner = open_skinner(self._model, kind, threads=threads)
        betas, expressions, poses = parameters(n_betas, n_expression)
        self._betas = betas[: self._model.n_betas]
        self._expressions = expressions[:, : self._model.n_expression]
        quaternions = rot.from_rotvec(poses).astype(np.float32)
        self._turn = cycle(range(_POSES))
        self._rotations = quaternions
        self._transl = np.zeros(3, np.float32)
        self.description = f"{self._model.name}: {self._skinner.description}"

    def run(self) -> None:
        """Make the next mesh."""
        self.vertices()

    def vertices(self) -> Float32:
        """Return it, (V, 3)."""
        index = next(self._turn)
        shaped = self._model.shaped(self._betas, self._expressions[index])
        posed = shaped.posed(self._rotations[index], self._transl)
        return self._skinner.vertices(posed)


def parameters(n_betas: int, n_expression: int) -> tuple[Float32, Float32, Float32]:
    """Return betas (n,), expressions (16, n), rotation vectors (16, 55, 3)."""
    rng = np.random.default_rng(0)
    betas = rng.normal(0, 1, n_betas).astype(np.float32)
    expressions = rng.normal(0, 1, (_POSES, n_expression)).astype(np.float32)
    poses = rng.normal(0, 0.4, (_POSES, JOINT_COUNT, 3)).astype(np.float32)
    return betas, expressions, poses
