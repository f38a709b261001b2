"""Held-out pictures with the truth's body and the network's drawn over them."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import Tensor

from pixie_runtime.smplx import (
    JAW,
    JOINT_COUNT,
    JOINT_INDEX,
    LEFT_EYE,
    PARENTS,
    RIGHT_EYE,
    RIGHT_HAND_JOINTS,
)
from pixie_runtime.types import UInt8
from pixie_train.batch import Batch, CropKind, Targets
from pixie_train.body_model import TorchSurface
from pixie_train.key_points import FACE_POINTS, RIGHT_HAND_POINTS
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.passes import StagePass
from pixie_train.predictions import Predictions
from pixie_train.rendering.bodies import BodyRasteriser

_TRUE, _SAID = (90, 255, 90), (255, 80, 200)
_SIDE = 256
_OPACITY = 0.7
_WRIST = JOINT_INDEX["right_wrist"]
_POINTS = {
    CropKind.BODY: list(range(JOINT_COUNT)),
    CropKind.HEAD: list(FACE_POINTS),
    CropKind.HAND: list(RIGHT_HAND_POINTS),
}
_JOINTS = {
    CropKind.BODY: range(JOINT_COUNT),
    CropKind.HEAD: (JOINT_INDEX["head"], JAW, LEFT_EYE, RIGHT_EYE),
    CropKind.HAND: (_WRIST, *RIGHT_HAND_JOINTS),
}
"""Whose surface is drawn: parts' experts say nothing of the rest of the body."""


@dataclass(frozen=True, eq=False)
class _People:
    """Bodies over their crops."""

    betas: Tensor
    expression: Tensor
    rotations: Tensor
    camera: Tensor
    drawn: Tensor
    """(B,) booleans."""


class Overlays:
    """Draws rows of pictures of one kind."""

    def __init__(self, body: TrainingBody, kind: CropKind) -> None:
        """Get a body's surface ready, or the part of it that a kind is about."""
        skeleton = body.key_points.surface.skeleton
        self._key_points, self._kind = body.key_points, kind
        self._surface = TorchSurface(
            body.model, n_betas=skeleton.n_betas, n_expression=skeleton.n_expression
        )
        of_part = np.isin(body.model.weights_by_joint.argmax(0), list(_JOINTS[kind]))
        part = replace(
            body.model, faces=body.model.faces[of_part[body.model.faces].all(1)]
        )
        self._draw_true = BodyRasteriser(part, colour=_TRUE)
        self._draw_said = BodyRasteriser(part, colour=_SAID)
        self._device = torch.device("cpu")

    @torch.no_grad()
    def __call__(self, passes: StagePass, batch: Batch) -> UInt8:
        """Return two rows (512, 256 B, 3): the truth green above, the network pink.

        The lower row has the truth's key points too.

        Args:
            passes: of the network to look at; is put in evaluation mode.
            batch: of the kind.
        """
        self._device = next(passes.parameters()).device
        said = _said(passes.eval(), batch.to(self._device))
        people = _People(
            said.betas.cpu(),
            said.expression.cpu(),
            said.rotations.cpu(),
            said.camera.cpu(),
            torch.ones(len(batch), dtype=torch.bool),
        )
        points, targets = said.points_2d.cpu(), batch.targets
        upper = self._over(batch, self._true(targets), self._draw_true)
        lower = self._over(batch, people, self._draw_said)
        for index in range(len(batch)):
            known = targets.xy_confidence[index] > 0
            for row in (upper, lower):
                _points(row[index], targets.xy[index], known, batch.kind, _TRUE)
            there = torch.ones_like(known)
            _points(lower[index], points[index], there, batch.kind, _SAID)
        return np.concatenate([np.concatenate(row, axis=1) for row in (upper, lower)])

    def _over(self, batch: Batch, people: _People, draw: BodyRasteriser) -> list[UInt8]:
        vertices = self._surface(
            people.betas, people.expression, people.rotations
        ).vertices
        # Networks that have just begun may say anything.
        camera = people.camera.nan_to_num().clamp(-50, 50)
        layer = draw(vertices.nan_to_num(), camera, _SIDE)
        layer = replace(layer, mask=layer.mask * people.drawn[:, None, None, None])
        pictures = [
            cv2.resize(picture.permute(1, 2, 0).cpu().numpy(), (_SIDE, _SIDE))
            for picture in batch.pictures.image
        ]
        planes = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2) / 255
        drawn = (layer.over(planes, _OPACITY) * 255).round().to(torch.uint8)
        return list(drawn.permute(0, 2, 3, 1).contiguous().numpy())

    def _true(self, targets: Targets) -> _People:
        """Return the true bodies, of what is known of them.

        A weak-perspective camera is fitted to the key points in the picture.
        """
        betas = torch.where(targets.betas_known, targets.betas, 0)
        expression = torch.where(targets.expression_known, targets.expression, 0)
        R, drawn = _true_rotations(targets, self._kind)
        # They are where the network is.
        there = (tensor.to(self._device) for tensor in (betas, expression, R))
        points = self._key_points(*there).cpu()
        return _People(betas, expression, R, _camera(points, targets), drawn)


def _said(passes: StagePass, batch: Batch) -> Predictions:
    match batch.kind:
        case CropKind.HEAD:
            return passes.head(batch)
        case CropKind.HAND:
            return passes.hand(batch)
        case CropKind.BODY if passes.run.stage == "body":
            return passes.body(batch)
        case CropKind.BODY:
            return passes.whole(batch, torch.zeros(len(batch), 3, 3))[0]


def _true_rotations(targets: Targets, kind: CropKind) -> tuple[Tensor, Tensor]:
    """Return rotations as the experts say them, and whether all of them are known."""
    if kind is CropKind.BODY:
        return targets.rotations, targets.rotations_known.all(1)
    R = torch.eye(3).repeat(len(targets.xy), JOINT_COUNT, 1, 1)
    part, joints = (0, [JAW]) if kind is CropKind.HEAD else (2, [*RIGHT_HAND_JOINTS])
    R[:, joints] = targets.rotations[:, joints]
    # The root bears a part's turn, whatever hangs between them is not drawn.
    R[:, 0] = targets.absolute[:, part]
    known = targets.rotations_known[:, joints].all(1)
    return R, known & targets.absolute_known[:, part]


def _camera(points: Tensor, targets: Targets) -> Tensor:
    """Return s, tx, ty (B, 3) that lead from points to the picture, least squares."""
    weight = targets.xy_confidence[..., None]
    total = weight.sum(1, keepdim=True).clamp_min(1e-6)
    here, there = points[..., :2], torch.where(weight > 0, targets.xy, 0)
    centre, middle = ((weight * p).sum(1, keepdim=True) / total for p in (here, there))
    spread = (weight * (here - centre).square()).sum((1, 2)).clamp_min(1e-9)
    s = (weight * (here - centre) * (there - middle)).sum((1, 2)) / spread
    shift = (middle / s[:, None, None] - centre)[:, 0]
    return torch.cat([s[:, None], shift], dim=1)


def _points(
    tile: UInt8, xy: Tensor, known: Tensor, kind: CropKind, colour: tuple[int, int, int]
) -> None:
    # Networks that have just begun may say anything; far away is drawn far away.
    pixels = ((xy.clamp(-4, 4) * 0.5 + 0.5) * _SIDE * 16).round().int().tolist()
    points = _POINTS[kind]
    for point in points:
        if not known[point]:
            continue
        cv2.circle(tile, pixels[point], 24, colour, -1, cv2.LINE_AA, 4)
        parent = PARENTS[point] if point < JOINT_COUNT else -1
        if parent in points and known[parent]:
            cv2.line(tile, pixels[parent], pixels[point], colour, 1, cv2.LINE_AA, 4)
