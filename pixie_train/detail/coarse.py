"""The coarse face that detail is put on, as a frozen network or the truth has it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import UsageError
from pixie_runtime.smplx import JAW
from pixie_train import predictions, rotations
from pixie_train.batch import Batch, CropKind, unit_range
from pixie_train.body_model import TorchSurface
from pixie_train.camera import project
from pixie_train.key_points import FACE_POINTS, KeyPoints, SurfaceKeyPoints
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.utilities import read_utilities


@dataclass(frozen=True, eq=False)
class CoarseFaces:
    """B heads without detail, over their crops."""

    vertices: Tensor
    """(B, V, 3), metres, camera axes (x right, y down, z away from us)."""
    points: Tensor
    """In the crop, (B, V, 3): x and y in [-1, 1], and depth; less is nearer."""
    pinhole: bool
    """Whether depth is a pinhole camera's, or weak perspective's."""
    jaw: Tensor
    """The jaw's intrinsic x, y, z angles, (B, 3), radians."""
    expression: Tensor
    """(B, n_expression)."""


class CoarseNetwork(Protocol):
    """Gives the coarse faces of a batch of heads; never trained here."""

    def __call__(self, batch: Batch) -> CoarseFaces:
        """Return them, without gradients."""
        ...


class TrueFaces:
    """Heads whose parameters are known: synthetic ones, fits."""

    def __init__(self, model: BodyModel) -> None:
        """Prepare a body, all of whose coefficients the batches know."""
        self._surface = TorchSurface(
            model, n_betas=model.n_betas, n_expression=model.n_expression
        )
        tables, _ = read_utilities(None, model)
        self._points = SurfaceKeyPoints(tables, np.arange(model.vertex_count))

    @torch.no_grad()
    def __call__(self, batch: Batch) -> CoarseFaces:
        """Return what the targets say; the camera follows from the key points.

        Raises:
            UsageError: targets have fewer coefficients than the body, or no points.
        """
        known, skeleton = batch.targets, self._surface.skeleton
        sizes = known.betas.shape[1], known.expression.shape[1]
        if sizes != (skeleton.n_betas, skeleton.n_expression):
            raise UsageError(
                f"targets have {sizes[0]} betas and {sizes[1]} expression "
                f"coefficients, the body {skeleton.n_betas} and "
                f"{skeleton.n_expression}; give the "
                "view as many"
            )
        posed = self._surface(known.betas, known.expression, known.rotations)
        ours = self._points(posed)[:, FACE_POINTS]
        there = known.xyz[:, FACE_POINTS]
        shift = (there - ours).mean(1, keepdim=True)
        vertices = posed.vertices + shift
        flat = _pinhole(there, known.xy[:, FACE_POINTS])
        x_and_y = vertices[..., :2] / vertices[..., 2:] * flat[:, None, :1]
        points = torch.cat([x_and_y + flat[:, None, 1:], vertices[..., 2:]], -1)
        jaw = rotations.euler_xyz_from_matrix(known.rotations[:, JAW])
        return CoarseFaces(vertices, points, True, jaw, known.expression)


class FaceExpert:
    """The face expert of a trained network, frozen."""

    def __init__(
        self, network: ImagePixie, model: BodyModel, utilities: Path | None = None
    ) -> None:
        """Take a network, the body that it speaks of, and that body's utilities.

        Raises:
            ModelFileError: the body has fewer coefficients, or no face landmarks.
            UsageError: the network has no face expert.
        """
        core = network.config.core
        if not core.n_texture:
            raise UsageError(
                "the network has no regressor of its own for heads, which gives their "
                "camera; give one whose n_texture is not 0"
            )
        self._network = network.eval().requires_grad_(requires_grad=False)
        tables, _ = read_utilities(utilities, model)
        self._key_points = KeyPoints(
            model, tables, n_betas=core.n_betas, n_expression=core.n_expression
        )
        self._surface = TorchSurface(
            model, n_betas=core.n_betas, n_expression=core.n_expression
        )

    @torch.no_grad()
    def __call__(self, batch: Batch) -> CoarseFaces:
        """Return what the expert says of heads seen alone."""
        network = self._network
        feature = network.encode_head(unit_range(batch.pictures.image))
        shared = network.core.regress_head(feature)
        own = network.core.regress_head_own(feature)
        said = predictions.of_head(shared, own, self._key_points)
        posed = self._surface(said.betas, said.expression, said.rotations)
        points = project(posed.vertices, said.camera)
        return CoarseFaces(posed.vertices, points, False, said.jaw, said.expression)


def heads_only(batch: Batch) -> Tensor:
    """Return the skin's masks of heads, (B, 1, S, S); other batches are refused.

    Raises:
        UsageError: it is one.
    """
    skin = batch.targets.face_mask
    if batch.kind is not CropKind.HEAD or skin is None:
        found = "without masks" if batch.kind is CropKind.HEAD else batch.kind.value
        raise UsageError(
            f"detail is trained on heads with masks of their skin, found {found}"
        )
    return skin


def _pinhole(xyz: Tensor, xy: Tensor) -> Tensor:
    """Return focal length and centre, (B, 3), in half sides, that see xyz at xy.

    Args:
        xyz: camera axes, (B, P, 3).
        xy: (B, P, 2), in [-1, 1].
    """
    flat = xyz[..., :2] / xyz[..., 2:]
    apart, wide = xy - xy.mean(1, keepdim=True), flat - flat.mean(1, keepdim=True)
    focal = (apart * wide).sum((1, 2)) / wide.square().sum((1, 2))
    centre = xy.mean(1) - focal[:, None] * flat.mean(1)
    return torch.cat([focal[:, None], centre], dim=1)
