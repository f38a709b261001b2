"""What a network says of a batch, in the form that losses and metrics compare.

One function for each kind of crop turns the regressors' vectors into it. `key_points`
is `pixie_train.key_points.KeyPoints` of the body model that is trained for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from pixie_train import rotations
from pixie_train.camera import project
from pixie_train.full_precision import full_precision
from pixie_train.key_points import KeyPoints
from pixie_train.networks.decoding import decode, decode_hand, decode_head
from pixie_train.networks.pixie import PixieOutput, RawParams


@dataclass(frozen=True, eq=False)
class FeaturePairs:
    """What equation (17) brings together: head, left hand and right hand."""

    body: Tensor
    """Body-derived features e, (B, 3, D)."""
    fused: Tensor
    """What the moderators made of them and the parts' own, (B, 3, D)."""
    present: Tensor
    """(B, 3), 0 where a part had no picture."""

    @classmethod
    def of(cls, pixie: PixieOutput, present: Tensor) -> Self:
        """Take the features of one pass; `present` is that of its `Features`."""
        e, fused = pixie.extracted.stacked(), pixie.features.stacked()
        return cls(_at_least_float32(e), _at_least_float32(fused), present)


@dataclass(frozen=True, eq=False)
class RenderedFace:
    """A face drawn over its crop."""

    image: Tensor
    """(B, 3, H, W) RGB, about [0, 1]: light that is too bright or too dark is not cut
    off, so that it has a gradient; anything outside the mask."""
    mask: Tensor
    """(B, 1, H, W) in [0, 1]: where the face was drawn."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """B people as regressed. Camera axes: x right, y down, z away from us."""

    points_2d: Tensor
    """Key points in the picture, (B, 145, 2), in [-1, 1] over it."""
    points_3d: Tensor
    """Key points in metres, (B, 145, 3), camera axes, about the rest pelvis."""
    rotations: Tensor
    """(B, 55, 3, 3): row 0 absolute, the others relative to the parent."""
    absolute: Tensor
    """Head, left wrist, right wrist in camera axes, (B, 3, 3, 3)."""
    betas: Tensor
    """(B, n_betas)."""
    expression: Tensor
    """(B, n_expression)."""
    jaw: Tensor
    """The jaw's intrinsic x, y, z angles in radians, (B, 3)."""
    camera: Tensor
    """Weak perspective of this picture, (B, 3): s, tx, ty."""
    texture: Tensor | None = None
    """Heads only: albedo coefficients, (B, n_texture)."""
    light: Tensor | None = None
    """Heads only: spherical harmonics light, (B, 9, 3): bands by RGB."""
    rendered: RenderedFace | None = None
    """Heads only: the face drawn by a `losses.photometric.FaceRenderer`."""
    features: FeaturePairs | None = None
    """Bodies only."""


def of_person(
    raw: RawParams, key_points: KeyPoints, features: FeaturePairs | None = None
) -> Predictions:
    """Decode one regression of whole people.

    Args:
        raw: `PixieOutput.fused`, or what one expert says: `body_only`, `part_only`.
        key_points: of the body.
        features: what equation (17) compares; None: nothing.
    """
    raw = RawParams(_full(raw.body), _full(raw.head), _full(raw.hands))
    with full_precision(raw.head["shape"]):
        person = decode(raw)
        points = key_points(person.betas, person.expression, person.rotations)
        points_2d = project(points, person.camera)[..., :2]
    return Predictions(
        points_2d=points_2d,
        points_3d=points,
        rotations=person.rotations,
        absolute=person.absolute,
        betas=person.betas,
        expression=person.expression,
        jaw=raw.head["jaw_pose"],
        camera=person.camera,
        features=features,
    )


def of_head(
    shared: Mapping[str, Tensor], own: Mapping[str, Tensor], key_points: KeyPoints
) -> Predictions:
    """Decode heads seen alone.

    Args:
        shared: of the regressor that body and head share (`head_outputs`).
        own: of the head's own one (`head_own_outputs`).
        key_points: of the body.
    """
    shared, own = _full(shared), _full(own)
    camera = own["head_cam"]
    with full_precision(camera):
        R = decode_head(shared)
        points = key_points(shared["shape"], shared["exp"], R)
        points_2d = project(points, camera)[..., :2]
    nothing = torch.eye(3, dtype=R.dtype, device=R.device).expand(len(R), 2, 3, 3)
    return Predictions(
        points_2d=points_2d,
        points_3d=points,
        rotations=R,
        absolute=torch.cat([R[:, :1], nothing], dim=1),
        betas=shared["shape"],
        expression=shared["exp"],
        jaw=shared["jaw_pose"],
        camera=camera,
        texture=own["tex"],
        light=own["light"].reshape(-1, 9, 3),
    )


def of_hand(
    shared: Mapping[str, Tensor],
    own: Mapping[str, Tensor],
    key_points: KeyPoints,
    betas: Tensor | None = None,
) -> Predictions:
    """Decode right hands seen alone.

    Args:
        shared: of the regressor that body and hands share (`HAND_OUTPUTS`).
        own: of the hands' own one (`HAND_OWN_OUTPUTS`).
        key_points: of the body.
        betas: (B, n_betas), which a hand's expert does not regress; None: the mean
            body, as in the release.
    """
    shared, own = _full(shared), _full(own)
    camera, skeleton = own["hand_cam"], key_points.surface.skeleton
    if betas is None:
        betas = camera.new_zeros(len(camera), skeleton.n_betas)
    expression = camera.new_zeros(len(camera), skeleton.n_expression)
    with full_precision(camera):
        R = decode_hand(shared)
        points = key_points(betas, expression, R)
        points_2d = project(points, camera)[..., :2]
        wrist = rotations.matrix_from_6d(shared["right_wrist_pose"])
    nothing = torch.eye(3, dtype=R.dtype, device=R.device).expand(len(R), 2, 3, 3)
    return Predictions(
        points_2d=points_2d,
        points_3d=points,
        rotations=R,
        absolute=torch.cat([nothing, wrist[:, None]], dim=1),
        betas=betas,
        expression=expression,
        jaw=R.new_zeros(len(R), 3),
        camera=camera,
    )


def _full(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: _at_least_float32(value) for name, value in values.items()}


def _at_least_float32(value: Tensor) -> Tensor:
    return value.float() if value.itemsize < 4 else value
