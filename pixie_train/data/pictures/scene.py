"""A person before a camera: parameters, and the square that is photographed."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.types import Camera, Float32
from pixie_train import rotations
from pixie_train.batch import CropKind
from pixie_train.data.hands import HandSampler
from pixie_train.data.motion import MotionBank
from pixie_train.data.pictures.config import PictureConfig
from pixie_train.data.pictures.sample import HEAD, LEFT, PART_POINTS, RIGHT
from pixie_train.data.poses import PoseSampler
from pixie_train.data.sampling import Dice
from pixie_train.data.traits import Traits
from pixie_train.data.views import FACING_US, draw_view

_HEAD_CHAIN = (3, 6, 9, 12, 15)
_WRIST_CHAINS = {LEFT: (3, 6, 9, 13, 16, 18, 20), RIGHT: (3, 6, 9, 14, 17, 19, 21)}
_DISTANCE_M = {
    CropKind.BODY: (1.7, 7.0),
    CropKind.HEAD: (0.4, 2.5),
    CropKind.HAND: (0.35, 2.0),
}
_MARGIN = {CropKind.BODY: 1.1, CropKind.HEAD: 2.8, CropKind.HAND: 3.4}
"""Side of the picture over the extent of body or part: a body's crop is the picture;
part pictures have room for the crops' jitter (largest scale, and twice the shift)."""
_NEAREST_M = 0.15


@dataclass(frozen=True, eq=False)
class Parameters:
    """One person, numpy."""

    betas: Float32
    expression: Float32
    R: Float32
    """(55, 3, 3); row 0 in camera axes."""
    gender: int
    part: int
    """What a head's or hand's picture is of."""


class SceneSampler:
    """Draws people and cameras."""

    def __init__(
        self, config: PictureConfig, model: BodyModel, bank: MotionBank
    ) -> None:
        self._config = config
        self._poses = PoseSampler(bank)
        self._hands = HandSampler(model)
        self._traits = Traits(model, n_betas=model.n_betas)

    def parameters(self, own: Dice, dice: Dice) -> Parameters:
        """Draw a person: `own` decides who, `dice` what they do."""
        betas, gender = self._traits.shapes(own, 1)
        expression = self._traits.expressions(dice, 1)
        body = self._poses.sample(dice, 1, legs_seen=torch.ones(1, dtype=torch.bool))
        jaw, fingers = self._traits.jaws(dice, 1), self._hands.sample(dice, 1)
        eyes = torch.eye(3).expand(1, 2, 3, 3)
        part = HEAD if self._config.kind is CropKind.HEAD else LEFT
        if self._config.kind is CropKind.HAND and bool(dice.chance(1, p=0.5)):
            part = RIGHT
        R = torch.cat([body, jaw, eyes, fingers], dim=1)[0]
        R[0] = self._towards_camera(dice, R, part)
        return Parameters(
            betas[0].numpy().astype(np.float32),
            expression[0].numpy().astype(np.float32),
            R.numpy().astype(np.float32),
            gender=int(gender),
            part=part,
        )

    def _towards_camera(self, dice: Dice, R: Tensor, part: int) -> Tensor:
        """Return the root's rotation in camera axes."""
        facing = draw_view(dice, 1).R_camera_world[0]
        head, hand = _head_rotation(dice), _any_rotation(dice)
        mostly = bool(dice.chance(1, p=0.5))
        if self._config.kind is CropKind.HEAD:
            return head @ _chain(R, _HEAD_CHAIN).T
        if self._config.kind is CropKind.HAND and mostly:
            return hand @ _chain(R, _WRIST_CHAINS[part]).T
        return facing @ R[0]


def place(
    random: np.random.Generator, kind: CropKind, points: Float32, vertices: Float32
) -> Float32:
    """Draw how far and how much aside of the camera's axis a person is.

    Args:
        random: chance.
        kind: bodies are farther away.
        points: what is photographed, (n, 3), metres.
        vertices: all of the person, (V, 3), same axes.

    Returns:
        What is to be added to all of them, (3,), metres.
    """
    low, high = np.log(_DISTANCE_M[kind])
    distance = np.exp(random.uniform(low, high))
    aside = random.normal(0, 0.15, 2)
    middle = (points.min(0) + points.max(0)) / 2
    shift = np.array([*(aside * distance), distance]) - middle
    shift[2] += max(0.0, _NEAREST_M - float(vertices[:, 2].min() + shift[2]))
    return np.asarray(shift, np.float32)


def framed(
    random: np.random.Generator,
    config: PictureConfig,
    points: Float32,
    vertices: Float32,
    rest: Float32,
) -> Camera:
    """Return the camera that takes a square picture; its centre may lie outside.

    Args:
        random: chance.
        config: what is photographed, and how large.
        points: the part's key points, (n, 3), camera axes; unused for bodies.
        vertices: the person's, (V, 3), camera axes.
        rest: the same on the mean body at rest, (V, 3), which says what is where.
    """
    shown = points
    if config.kind is CropKind.BODY:
        shown = vertices
        if random.random() < config.truncated:
            lowest = random.choice([-0.75, -0.45, -0.1, 0.15])
            shown = vertices[(rest[:, 1] > lowest) & (np.abs(rest[:, 0]) < 0.6)]
    flat = shown[:, :2] / shown[:, 2:]
    low, high = flat.min(0), flat.max(0)
    side = float((high - low).max()) * _MARGIN[config.kind]
    corner = (low + high) / 2 - side / 2
    size = config.size * config.supersampling
    focal = size / side
    x, y = (-corner * focal).tolist()
    return Camera(focal_px=focal, centre_px=(x, y), size_px=(size, size))


def target_points(kind: CropKind, part: int) -> list[int]:
    """Return the key points that a picture is of."""
    return (
        PART_POINTS[part] if kind is not CropKind.BODY else list(JOINT_INDEX.values())
    )


def _head_rotation(dice: Dice) -> Tensor:
    """Draw a head's absolute rotation: most look at the camera, some far aside."""
    turn = torch.zeros(3)
    wide = bool(dice.chance(1, p=0.3))
    turn[1] = torch.deg2rad(dice.normal(1, sd=55 if wide else 25).clamp(-100, 100))[0]
    tilt = dice.turns(1, sd_deg=(14, 0, 10))[0]
    return tilt @ FACING_US @ rotations.matrix_from_rotvec(turn)


def _any_rotation(dice: Dice) -> Tensor:
    """Draw a rotation, all equally likely."""
    return rotations.matrix_from_6d(dice.normal(6))


def _chain(R: Tensor, joints: tuple[int, ...]) -> Tensor:
    turned = torch.eye(3)
    for joint in joints:
        turned = turned @ R[joint]
    return turned
