"""Which of a bundle's shape and expression coefficients mean something on a body."""

from dataclasses import dataclass
from typing import Self

from pixie_runtime.body import BodyModel
from pixie_runtime.bundle import Manifest
from pixie_runtime.errors import BundleError
from pixie_runtime.types import Float32


@dataclass(frozen=True, slots=True)
class Coefficients:
    """How many coefficients carry over: all, or none where the body is another one.

    Rotations mean the same on every SMPL-X skeleton; the directions that shape and
    expression scale belong to one model file.
    """

    n_betas: int
    n_expression: int
    warning: str | None
    """What the user should know about it, one sentence."""

    @classmethod
    def of(cls, manifest: Manifest, model: BodyModel) -> Self:
        """Return what of the bundle's results `model` can take.

        Raises:
            BundleError: the manifest promises more than its own body model has.
        """
        spec = manifest.body_model
        if spec.sha256 != model.sha256:
            return cls(
                0,
                0,
                f"bundle {manifest.name} was made for the body model {spec.name}: "
                f"{model.name} gets its rotations, and keeps its mean shape and "
                "neutral face",
            )
        if spec.n_betas > model.n_betas or spec.n_expression > model.n_expression:
            raise BundleError(
                f"bundle {manifest.name} gives {spec.n_betas} shape and "
                f"{spec.n_expression} expression coefficients, its body model "
                f"{model.name} has {model.n_betas} and {model.n_expression}; export "
                "it again"
            )
        return cls(spec.n_betas, spec.n_expression, None)

    def kept(self, betas: Float32, expression: Float32) -> tuple[Float32, Float32]:
        """Return of one person's coefficients those that mean something."""
        return betas[: self.n_betas], expression[: self.n_expression]


class TellsCoefficients:
    """What every estimator tells of the parameters that it gives."""

    _coefficients: Coefficients

    @property
    def warning(self) -> str | None:
        """What the user should know about the results, one sentence."""
        return self._coefficients.warning

    @property
    def n_betas(self) -> int:
        """How many shape coefficients a person gets."""
        return self._coefficients.n_betas

    @property
    def n_expression(self) -> int:
        """How many expression coefficients a person gets."""
        return self._coefficients.n_expression
