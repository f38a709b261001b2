"""What training needs of the body model that it is done for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pixie_runtime.body import BodyModel
from pixie_train.config import CoreConfig
from pixie_train.key_points import KeyPoints
from pixie_train.shape_file import gaussians_for
from pixie_train.shape_gaussians import ShapeGaussians
from pixie_train.utilities import read_utilities


@dataclass(frozen=True, eq=False)
class TrainingBody:
    """A body model as losses see it."""

    model: BodyModel
    """The body."""
    key_points: KeyPoints
    """Its 145 key points, of as many coefficients as are regressed."""
    gaussians: ShapeGaussians
    """How its shapes are distributed."""
    notes: tuple[str, ...] = ()
    """A sentence for each thing that is lost with this model."""

    @classmethod
    def of(
        cls,
        model: BodyModel,
        core: CoreConfig,
        *,
        utilities: Path | None = None,
        gaussians: Path | None = None,
    ) -> Self:
        """Get a body model ready.

        Args:
            model: the body.
            core: how many coefficients are regressed.
            utilities: folder with key point files of the release; None: none.
            gaussians: file of `pixie-train shape-gaussians`; None: the model's own.

        Raises:
            ModelFileError: a file is damaged or of another body, or the model has fewer
                coefficients or no face landmarks.
        """
        tables, notes = read_utilities(utilities, model)
        shapes, note = gaussians_for(model, gaussians, core.n_betas)
        key_points = KeyPoints(
            model, tables, n_betas=core.n_betas, n_expression=core.n_expression
        )
        # What the embedded body lacks by design is no news to its users.
        told = notes if utilities is not None else ()
        return cls(model, key_points, shapes, told + ((note,) if note else ()))
