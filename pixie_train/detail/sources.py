"""Where a face's displacement comes from: our own network, or the user's DECA."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import UsageError
from pixie_train.detail.flame_map import FlameMap, read_fixed_displacement
from pixie_train.detail.network import DetailNetwork
from pixie_train.detail.official import load_official_detail
from pixie_train.detail.state import load
from pixie_train.detail.surface import DetailSurface


class DetailSource(Protocol):
    """Gives displacements in a surface's chart."""

    @property
    def crop_size(self) -> int:
        """Side of the pictures that it looks at."""
        ...

    @property
    def head_scale(self) -> float:
        """Side of their square over the extent of the face's points."""
        ...

    def __call__(self, image: Tensor, jaw: Tensor, expression: Tensor) -> Tensor:
        """Return displacements along the normals, (B, 1, S, S), metres.

        Args:
            image: RGB heads in [0, 1], (B, 3, H, H).
            jaw: intrinsic x, y, z angles, (B, 3).
            expression: (B, n_expression).
        """
        ...


@dataclass(frozen=True, eq=False)
class TrainedDetail:
    """A network of `pixie-train detail`, whose maps are in the chart already."""

    network: DetailNetwork
    crop_size: int
    head_scale: float

    @classmethod
    def read(cls, path: Path, model: BodyModel) -> "TrainedDetail":
        """Read a run's checkpoint.

        Raises:
            BundleError: it cannot be read.
            UsageError: it was trained for another body, whose face has another chart.
        """
        state = load(path)
        if state.body_model_sha256 != model.sha256:
            raise UsageError(
                f"{path} was trained for the face of another body than {model.name}; "
                "give the --body-model that it was trained with"
            )
        pictures = state.run.pictures
        return cls(state.network(), pictures.crop_size, pictures.head_scale)

    @torch.no_grad()
    def __call__(self, image: Tensor, jaw: Tensor, expression: Tensor) -> Tensor:
        """Return displacements; see `DetailSource`."""
        displacement: Tensor = self.network(image, jaw, expression)
        return displacement


@dataclass(frozen=True, eq=False)
class DecaDetail:
    """DECA's network, whose maps are in FLAME's texture space."""

    network: DetailNetwork
    flame_map: FlameMap
    fixed: Tensor | None
    """What is added to every face, (1, 1, S, S), metres; None: nothing."""
    model: BodyModel
    surface: DetailSurface
    crop_size: int = 224
    head_scale: float = 1.6

    @classmethod
    def read(
        cls,
        model: BodyModel,
        surface: DetailSurface,
        *,
        deca: Path,
        flame_map: Path,
        fixed: Path | None = None,
    ) -> "DecaDetail":
        """Read the user's licensed files.

        Args:
            model: a body with SMPL-X's texture coordinates.
            surface: its face's chart.
            deca: deca_model.tar.
            flame_map: flame2smplx_tex_1024.npy of the release's utilities.
            fixed: DECA's fixed_displacement_256.npy.

        Raises:
            ModelFileError: one of them cannot be read or is something else.
        """
        return cls(
            load_official_detail(deca),
            FlameMap.read(flame_map),
            None if fixed is None else read_fixed_displacement(fixed),
            model,
            surface,
        )

    @torch.no_grad()
    def __call__(self, image: Tensor, jaw: Tensor, expression: Tensor) -> Tensor:
        """Return displacements; see `DetailSource`.

        Raises:
            UsageError: there are fewer expression coefficients than DECA looks at.
        """
        wanted = self.network.config.n_expression
        if expression.shape[1] < wanted:
            raise UsageError(
                f"DECA looks at {wanted} expression coefficients, the coarse face has "
                f"{expression.shape[1]}; use the official weights and SMPL-X"
            )
        flame = self.network(image, jaw, expression)
        return self.in_chart(flame if self.fixed is None else flame + self.fixed)

    def in_chart(self, flame: Tensor) -> Tensor:
        """Bring maps of FLAME's texture space into the chart."""
        texture = self.flame_map.converted(flame)
        return self.surface.from_texture(self.model, texture)
