"""A mesh out of parameters by the `smplx` package of PyPI, on the same poses."""

from itertools import cycle

import smplx
import torch

from pixie_bench.skinning_subject import parameters
from pixie_runtime.types import Float32


class SmplxSubject:
    """Shape, expression and pose to vertices, as the package's users do."""

    def __init__(
        self, *, body: str, n_betas: int, n_expression: int, threads: int = 2
    ) -> None:
        """Load the body.

        Args:
            body: a body model file in SMPL-X's layout.
            n_betas: shape coefficients that are given, if the file has so many.
            n_expression: the same of the expression.
            threads: of PyTorch.
        """
        torch.set_num_threads(threads)
        self._model = smplx.create(
            body,
            model_type="smplx",
            ext="npz",
            use_pca=False,
            flat_hand_mean=True,
            num_betas=n_betas,
            num_expression_coeffs=n_expression,
        )
        betas, expressions, poses = map(
            torch.from_numpy, parameters(n_betas, n_expression)
        )
        self._given = cycle(
            {
                "betas": betas[None, : self._model.num_betas],
                "expression": expression[None, : self._model.num_expression_coeffs],
                "global_orient": pose[None, 0],
                "body_pose": pose[None, 1:22].flatten(1),
                "jaw_pose": pose[None, 22],
                "leye_pose": pose[None, 23],
                "reye_pose": pose[None, 24],
                "left_hand_pose": pose[None, 25:40].flatten(1),
                "right_hand_pose": pose[None, 40:].flatten(1),
                "transl": torch.zeros(1, 3),
            }
            for expression, pose in zip(expressions, poses, strict=True)
        )
        self.description = f"smplx {_version()} on PyTorch {torch.__version__}"

    def run(self) -> None:
        """Make the next mesh."""
        self.vertices()

    @torch.no_grad()
    def vertices(self) -> Float32:
        """Return it, (V, 3)."""
        vertices: Float32 = self._model(**next(self._given)).vertices[0].numpy()
        return vertices


def _version() -> str:
    from importlib.metadata import version

    return version("smplx")
