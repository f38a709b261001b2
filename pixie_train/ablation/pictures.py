"""Pictures of what came out: a hand that is covered more and more, predicted shapes."""

import cv2
import numpy as np
import torch

from pixie_runtime.body import BodyModel
from pixie_runtime.rendering.marks import draw_text
from pixie_runtime.rendering.mesh import draw_mesh
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.types import Camera, Float32, UInt8
from pixie_train.ablation.crops import CropSet, cut_person, upright
from pixie_train.ablation.degrade import Degradation
from pixie_train.ablation.eyes import Eyes
from pixie_train.ablation.network import AblationPixie, Sights
from pixie_train.ablation.outline import OUTLINE_SIGHT, taken_apart
from pixie_train.ablation.scores import Table
from pixie_train.data.pictures.augmentation import occluded
from pixie_train.data.pictures.dataset import Samples, View
from pixie_train.gender import Gender

_SHARES = (0.0, 0.15, 0.3, 0.45, 0.6, 0.8, 1.0)
_TILE = 144
_ROWS = 3
_TALL = 300
_OUTLINED = 8


def covering(
    network: AblationPixie, people: Samples, eyes: Eyes, view: View, part: int
) -> UInt8:
    """Return rows of a part that one and the same thing covers more and more.

    Of the first people who stand upright and whose part can be seen; each crop says the
    moderator's weight of the part's expert.

    Args:
        network: trained.
        people: held-out ones.
        eyes: what looks at them.
        view: of the body's crops.
        part: 0 head, 1 left hand, 2 right hand.
    """
    rows: list[UInt8] = []
    for index in range(len(people)):
        if len(rows) == _ROWS:
            break
        sample = people[index]
        R = torch.from_numpy(sample.rotations[:1])
        if sample.covered[part] > 0.1 or not upright(R):
            continue
        tiles = []
        for share in _SHARES:
            random = np.random.default_rng((7, index))  # the same thing every time
            hidden = occluded(sample, part, share, random) if share else sample
            still = np.random.default_rng(0)
            person = cut_person(hidden, eyes, Degradation(), view, still)
            weight = float(_weights(network, person.sights)[part])
            tiles.append(_labelled(person.parts[part], f"{weight:.2f}"))
        rows.append(np.concatenate(tiles, axis=1))
    if not rows:
        return np.zeros((_TILE, _TILE * len(_SHARES), 3), np.uint8)
    return np.concatenate(rows)


def outlines(people: Samples, eyes: Eyes, view: View) -> UInt8:
    """Return the first people who stand upright, above what is seen of their outlines.

    Head, trunk, arms and legs, the left ones on the right.

    Args:
        people: held-out ones.
        eyes: what looks at them.
        view: of the body's crops.
    """
    columns: list[UInt8] = []
    for index in range(len(people)):
        if len(columns) == _OUTLINED:
            break
        sample = people[index]
        if upright(torch.from_numpy(sample.rotations[:1])):
            still = np.random.default_rng(0)
            person = cut_person(sample, eyes, Degradation(), view, still)
            seen = person.sights.body[0, -OUTLINE_SIGHT:].numpy()
            crop = cv2.resize(person.crop, (_TALL // 2, _TALL // 2))
            columns.append(np.concatenate([crop, _as_a_person(taken_apart(seen))]))
    if not columns:
        return np.zeros((_TALL, _TALL // 2, 3), np.uint8)
    return np.concatenate(columns, axis=1)


def _as_a_person(pieces: list[Float32]) -> UInt8:
    """Return pieces of an outline (S, S, 3) where a person has them."""
    trunk, *limbs, head = pieces
    left, right = limbs[:4], limbs[4:]
    side = _TALL // 2
    picture = np.full((side, side, 3), 60, np.uint8)
    unit = side // 15

    def put(piece: Float32, x: int, y: int, wide: int, tall: int) -> None:
        size = (wide * unit, tall * unit)
        grey = cv2.resize(piece, size, interpolation=cv2.INTER_NEAREST) * 255
        there = picture[y * unit : (y + tall) * unit, x * unit : (x + wide) * unit]
        there[:] = grey[..., None].astype(np.uint8)

    put(head[::-1], 6, 0, 3, 3)
    put(trunk, 5, 3, 5, 5)
    for limbs_of, x in ((right, 2), (left, 11)):
        for piece, y in zip(limbs_of[:2], (3, 5), strict=True):
            put(piece, x, y, 2, 2)
    for limbs_of, x in ((right, 5), (left, 8)):
        for piece, y in zip(limbs_of[2:], (9, 12), strict=True):
            put(piece, x, y, 2, 3)
    return picture


def shapes(
    model: BodyModel, people: CropSet, gendered: Table, ungendered: Table, count: int
) -> UInt8:
    """Return rows of T-posed bodies: picture, truth, with gender, without.

    The first `count` women, then the first `count` men.
    """
    assert people.thumbnails is not None
    rows: list[UInt8] = []
    for gender in (Gender.FEMALE, Gender.MALE):
        who = np.flatnonzero(people.targets.gender.numpy() == gender)[:count]
        for person in who.tolist():
            picture = people.thumbnails[person].numpy()
            tile = cv2.resize(picture, (_TALL, _TALL), interpolation=cv2.INTER_CUBIC)
            truth = people.targets.betas[person].numpy()
            bodies = [truth, gendered["betas"][person], ungendered["betas"][person]]
            meshes = [_body(model, betas) for betas in bodies]
            rows.append(np.concatenate([np.asarray(tile, np.uint8), *meshes], axis=1))
    if not rows:
        return np.zeros((_TALL, _TALL, 3), np.uint8)
    return np.concatenate(rows)


@torch.no_grad()
def _weights(network: AblationPixie, sights: Sights) -> Float32:
    """Return the weights (3,) of one person's experts."""
    network.eval()
    weights = network.core(network.encode(sights)).part_weights
    return np.asarray(weights[0].numpy(), np.float32)


def _labelled(crop: UInt8, text: str) -> UInt8:
    tile = cv2.resize(crop, (_TILE, _TILE), interpolation=cv2.INTER_CUBIC)
    return draw_text(np.ascontiguousarray(tile, np.uint8), [text])


def _body(model: BodyModel, betas: Float32) -> UInt8:
    """Return a picture of a body in T-pose, from the front."""
    whole = np.zeros(model.n_betas, np.float32)
    whole[: len(betas)] = betas
    rest = np.tile(np.array([1, 0, 0, 0], np.float32), (JOINT_COUNT, 1))
    expression = np.zeros(model.n_expression, np.float32)
    shaped = model.shaped(whole, expression)
    posed = shaped.posed(rest, np.zeros(3, np.float32))
    vertices = posed.vertices() * np.array([1, -1, -1], np.float32)
    middle = (vertices.max(0) + vertices.min(0)) / 2
    at = vertices - middle + np.array([0, 0, 6], np.float32)
    # Two metres fill nine tenths of the picture: heights can be compared.
    camera = Camera(_TALL * 0.45 * 6, (_TALL / 2, _TALL / 2), (_TALL, _TALL))
    blank = np.full((_TALL, _TALL, 3), 255, np.uint8)
    return draw_mesh(blank, np.asarray(at, np.float32), model.faces, camera)
