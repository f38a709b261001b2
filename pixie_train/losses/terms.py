"""The terms that a crop has: which equation is applied to what, in one table."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pixie_train.batch import CropKind, Targets, unit_range
from pixie_train.key_points import FACE_POINTS, face68
from pixie_train.losses import parameters, photometric, points, priors, update
from pixie_train.losses.choices import Choices
from pixie_train.losses.identity import FaceEmbedding, identity
from pixie_train.losses.reduction import Cost
from pixie_train.losses.shape import GenderedShape
from pixie_train.predictions import Predictions


@dataclass(frozen=True, eq=False)
class Case:
    """One pass: what was regressed, what is known, and how to compare."""

    said: Predictions
    known: Targets
    image: Tensor
    """(B, 3, S, S) uint8."""
    choices: Choices
    shape: GenderedShape
    embed: FaceEmbedding | None


Costs = Callable[[Case], list[Cost]]


@dataclass(frozen=True)
class Term:
    """One summand of the loss."""

    kinds: frozenset[CropKind]
    """The crops that have it."""
    costs: Costs
    """What it costs; several are added up, nothing is 0."""


def _points_2d(*chosen: list[int]) -> Costs:
    return lambda case: [
        points.points_2d(
            case.said.points_2d,
            case.known.xy,
            case.known.xy_confidence,
            some,
            case.choices.elements,
        )
        for some in chosen
    ]


def _points_3d(*chosen: tuple[list[int], tuple[list[int], ...]]) -> Costs:
    return lambda case: [
        points.points_3d(
            case.said.points_3d,
            case.known.xyz,
            case.known.xyz_confidence,
            some,
            roots,
            case.choices.elements,
        )
        for some, roots in chosen
    ]


def _closure(pairs: Callable[[Choices], tuple[tuple[int, int], ...]]) -> Costs:
    return lambda case: [
        points.closure(
            face68(case.said.points_2d),
            face68(case.known.xy),
            face68(case.known.xy_confidence),
            pairs(case.choices),
            case.choices.elements,
        )
    ]


def _rotations(
    of: Callable[[Case], tuple[Tensor, Tensor, Tensor]], *chosen: list[int]
) -> Costs:
    return lambda case: [
        parameters.rotations(
            *of(case), some, case.choices.elements, case.choices.columns
        )
        for some in chosen
    ]


def _coefficients(of: Callable[[Case], tuple[Tensor, Tensor, Tensor]]) -> Costs:
    return lambda case: [parameters.coefficients(*of(case), case.choices.elements)]


def _relative(case: Case) -> tuple[Tensor, Tensor, Tensor]:
    known = case.known
    return case.said.rotations, known.rotations, known.rotations_known


def _absolute(case: Case) -> tuple[Tensor, Tensor, Tensor]:
    return case.said.absolute, case.known.absolute, case.known.absolute_known


def _betas(case: Case) -> tuple[Tensor, Tensor, Tensor]:
    return case.said.betas, case.known.betas, case.known.betas_known


def _expression(case: Case) -> tuple[Tensor, Tensor, Tensor]:
    known = case.known
    return case.said.expression, known.expression, known.expression_known


def _photometric(case: Case) -> list[Cost]:
    rendered, skin = case.said.rendered, case.known.face_mask
    if rendered is None or skin is None:
        return []
    picture = unit_range(case.image)
    return [photometric.photometric(rendered, picture, skin, case.choices.elements)]


def _identity(case: Case) -> list[Cost]:
    rendered, skin = case.said.rendered, case.known.face_mask
    if rendered is None or skin is None or case.embed is None:
        return []
    picture = unit_range(case.image)
    # A landmark that nobody labelled is where the network has it.
    labelled = face68(case.known.xy_confidence)[..., None] > 0
    said = face68(case.said.points_2d).detach()
    landmarks = torch.where(labelled, face68(case.known.xy), said)
    return [identity(case.embed, rendered, picture, skin, landmarks, case.choices)]


def _texture(case: Case) -> list[Cost]:
    texture = case.said.texture
    return [] if texture is None else [priors.texture(texture)]


def _light(case: Case) -> list[Cost]:
    light = case.said.light
    return [] if light is None else [priors.light(light)]


def _update(case: Case) -> list[Cost]:
    features, choices = case.said.features, case.choices
    if features is None:
        return []
    return [
        update.update(features, choices.elements, detach_fused=choices.detach_fused)
    ]


_BODY = frozenset({CropKind.BODY})
_HEAD = frozenset({CropKind.HEAD})
_WITH_FACE = frozenset({CropKind.BODY, CropKind.HEAD})
_WITH_HANDS = frozenset({CropKind.BODY, CropKind.HAND})

TERMS: dict[str, Term] = {
    "body_2d": Term(_BODY, _points_2d(points.BODY_POINTS)),
    "body_3d": Term(_BODY, _points_3d((points.BODY_POINTS, points.BODY_ROOTS))),
    "body_pose": Term(_BODY, _rotations(_relative, parameters.BODY_ROTATIONS)),
    "root_pose": Term(_BODY, _rotations(_relative, parameters.ROOT_ROTATION)),
    "betas": Term(_WITH_FACE, _coefficients(_betas)),
    "hand_2d": Term(_WITH_HANDS, _points_2d(*points.HAND_POINTS)),
    "hand_3d": Term(
        _WITH_HANDS, _points_3d(*((hand, (hand[:1],)) for hand in points.HAND_POINTS))
    ),
    "wrist_pose": Term(
        _WITH_HANDS,
        _rotations(_absolute, [parameters.LEFT_WRIST], [parameters.RIGHT_WRIST]),
    ),
    "finger_pose": Term(_WITH_HANDS, _rotations(_relative, *parameters.HAND_ROTATIONS)),
    "face_2d": Term(_WITH_FACE, _points_2d(FACE_POINTS)),
    "eyelids": Term(_WITH_FACE, _closure(lambda choices: choices.eyelid_pairs)),
    "lips": Term(_WITH_FACE, _closure(lambda choices: choices.lip_pairs)),
    "head_pose": Term(_WITH_FACE, _rotations(_absolute, [parameters.HEAD])),
    "jaw_pose": Term(_WITH_FACE, _rotations(_relative, parameters.JAW_ROTATION)),
    "expression": Term(_WITH_FACE, _coefficients(_expression)),
    "photometric": Term(_HEAD, _photometric),
    "identity": Term(_HEAD, _identity),
    "expression_prior": Term(
        _WITH_FACE, lambda case: [priors.expression(case.said.expression)]
    ),
    "jaw_prior": Term(
        _WITH_FACE,
        lambda case: [priors.jaw(case.said.jaw, case.choices.jaw_opens_about)],
    ),
    "yaw_prior": Term(
        _HEAD,
        lambda case: [
            priors.yaw(case.said.absolute[:, 0], case.choices.largest_yaw_deg)
        ],
    ),
    "shape_prior": Term(
        _WITH_FACE, lambda case: [case.shape(case.said.betas, case.known.gender)]
    ),
    "texture_prior": Term(_HEAD, _texture),
    "light_prior": Term(_HEAD, _light),
    "update": Term(_BODY, _update),
}
"""By the name of its weight in `TermWeights`, in the order of the paper's equations."""
