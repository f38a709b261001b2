"""A mesh out of parameters on a CUDA card: one person, another pose every time."""

from itertools import cycle
from pathlib import Path

import numpy as np

from pixie_bench.skinning_subject import parameters
from pixie_runtime import rotations as rot
from pixie_runtime.body import load_body_model
from pixie_runtime.skinning.device_skinner import (
    DeviceMeshes,
    Launcher,
    open_cuda_skinner,
)
from pixie_runtime.types import Float32, SmplxParams


class DeviceSkinningSubject:
    """Shape, expression and pose to vertices that stay on the card."""

    def __init__(
        self, *, body: str, through: Launcher, n_betas: int, n_expression: int
    ) -> None:
        """Load the body and upload it.

        Args:
            body: a body model file.
            through: the library that launches the kernels.
            n_betas: shape coefficients that are given, if the file has so many.
            n_expression: the same of the expression.

        Raises:
            EngineError: there is no card, or it is too old or too full.
            MissingExtraError: the library is not installed.
            ModelFileError: the file cannot be used.
        """
        model = load_body_model(Path(body))
        self._skinner = open_cuda_skinner(model, through, people=1)
        betas, expressions, poses = parameters(n_betas, n_expression)
        quaternions = rot.from_rotvec(poses).astype(np.float32)
        self._people = cycle(
            SmplxParams(
                betas=betas[: model.n_betas],
                expression=expression[: model.n_expression],
                rotations=rotations,
                transl=np.zeros(3, np.float32),
            )
            for expression, rotations in zip(expressions, quaternions, strict=True)
        )
        self.description = f"{model.name}: {self._skinner.description}"

    def run(self) -> None:
        """Make the next mesh, and wait until the card is done with it."""
        self._skin().vertices.device.synchronise()

    def vertices(self) -> Float32:
        """Return the next mesh's, (V, 3), copied to the host."""
        vertices: Float32 = self._skin().vertices.to_numpy()[0]
        return vertices

    def _skin(self) -> DeviceMeshes:
        return self._skinner.skin([next(self._people)])
