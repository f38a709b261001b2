"""How a landmark detector errs: the noise that synthetic landmarks get.

Imitates MediaPipe's pose, hand and face landmarks on video: jitter that grows where
a landmark is hidden or outside the picture, 3D that leans, is flattened in depth and
sometimes bends a limb the wrong way, parts that are not found. The figures are of the
size found between MediaPipe's landmarks and the truth on 400 rendered bodies
(`tools.landmark_offsets` prints them): 2D errors of 1.7 % of the spread where visible,
12 % where hidden; 3D turned by 10 degrees, depth scaled by 0.62, hips a sixth too wide.
"""

import torch
from torch import Tensor

from pixie_train.data.sampling import Dice
from pixie_train.rotations import matrix_from_rotvec

_CHAINS = (
    (11, 13, 15, (17, 19, 21)),
    (12, 14, 16, (18, 20, 22)),
    (23, 25, 27, (29, 31)),
    (24, 26, 28, (30, 32)),
)
"""Pose landmarks of each limb: root, middle, end, what hangs on the end."""
_SHOULDERS, _HIPS = [11, 12], [23, 24]
_LEFT_ARM, _RIGHT_ARM = [11, 13, 15, 17, 19, 21], [12, 14, 16, 18, 20, 22]


def image_noise(dice: Dice, shape: tuple[int, int], hidden: Tensor) -> Tensor:
    """Return 2D errors (B, P, 2) in units of the person's spread.

    Args:
        dice: where chance comes from.
        shape: B, P.
        hidden: (B, P) booleans, occluded or outside the picture.
    """
    count, points = shape
    sharpness = torch.exp(dice.uniform(count, 1, low=-5.2, high=-3.7))
    sd = sharpness * torch.where(hidden, dice.uniform(count, 1, low=3, high=12), 1.0)
    shared = dice.normal(count, 1, 2) * 0.5
    return (dice.normal(count, points, 2) + shared) * sd[..., None]


def squeeze(dice: Dice, count: int) -> Tensor:
    """Return how far beyond what the picture shows landmarks are put, (count, 1, 1).

    0: all that is cut off lies on the edge; 1: where it truly is. Legs behind a desk
    are mostly put somewhere on the desk's edge.
    """
    near_edge = dice.uniform(count, 1, 1, high=0.12)
    beyond = dice.uniform(count, 1, 1, low=0.1, high=1.0)
    return torch.where(dice.chance(count, 1, 1, p=0.4), near_edge, beyond)


def world_pose(dice: Dice, true: Tensor, hidden: Tensor, squeezed: Tensor) -> Tensor:
    """Return 3D pose landmarks as a detector would give them.

    Args:
        dice: where chance comes from.
        true: (B, 33, 3) metres, origin mid-hip, axes of a camera that looks at them.
        hidden: (B, 33) booleans.
        squeezed: (B, 1, 1) of `squeeze`: a trunk whose hips were put too high looks
            foreshortened, and is taken to lean towards the camera.
    """
    count = len(true)
    true = true @ _lean_forward(dice, hidden, squeezed).transpose(-1, -2)
    noisy = _misshapen(true) * torch.exp(dice.normal(count, 1, 1, sd=0.08))
    noisy = noisy @ _righting(dice, noisy).transpose(-1, -2)
    depth = dice.uniform(count, 1, 1, low=0.6, high=1.15)
    noisy = noisy * torch.cat([torch.ones(count, 1, 2), depth], dim=-1)
    noisy = noisy @ dice.turns(count, sd_deg=(7, 9, 2))
    _bend_limbs(dice, noisy)
    sd = torch.exp(dice.uniform(count, 1, 1, low=-5.0, high=-3.6))
    sd = sd * torch.where(hidden, 2.5, 1.0)[..., None]
    noisy = noisy + dice.normal(*true.shape) * sd * torch.tensor([1.0, 1.0, 1.6])
    return noisy - noisy[:, 23:25].mean(1, keepdim=True)


def _misshapen(true: Tensor) -> Tensor:
    """Return landmarks (B, 33, 3) with the detector's own proportions."""
    points = true.clone()
    points[:, _HIPS] = points[:, _HIPS] * 1.15
    middle = points[:, _SHOULDERS].mean(1, keepdim=True)
    shift = 0.95 * (points[:, _SHOULDERS] - middle) + middle - points[:, _SHOULDERS]
    points[:, _LEFT_ARM] += shift[:, :1]
    points[:, _RIGHT_ARM] += shift[:, 1:]
    return points


def _righting(dice: Dice, points: Tensor) -> Tensor:
    """Return rotations (B, 3, 3) that set leaning bodies more upright.

    The detector believes that people stand before level cameras, and underestimates
    how far they lean towards or away from it.
    """
    up = points[:, _SHOULDERS].mean(1)
    lean = torch.atan2(up[:, 2], -up[:, 1]).clamp(-1.0, 1.0)
    rotvec = torch.zeros(len(points), 3)
    rotvec[:, 0] = lean * dice.uniform(len(points), low=-0.05, high=0.45)
    return matrix_from_rotvec(rotvec)


def _lean_forward(dice: Dice, hidden: Tensor, squeezed: Tensor) -> Tensor:
    """Return rotations (B, 3, 3) that lean bodies without visible hips forward."""
    count = len(hidden)
    cut_off = hidden[:, _HIPS].all(-1) & dice.chance(count, p=0.6)
    degrees = dice.uniform(count, low=-5, high=60) * (1 - squeezed[:, 0, 0])
    rotvec = torch.zeros(count, 3)
    rotvec[:, 0] = torch.deg2rad(degrees * cut_off)
    return matrix_from_rotvec(rotvec)


def _bend_limbs(dice: Dice, points: Tensor) -> None:
    """Move limbs in depth, in place: mostly a little, sometimes to the mirror image."""
    count = len(points)
    for root, middle, end, tips in _CHAINS:
        outer = [end, *tips]
        for joint, moved in ((root, [middle, *outer]), (middle, outer)):
            depth = points[:, moved[0], 2] - points[:, joint, 2]
            shift = dice.normal(count, sd=0.055)
            flip = dice.chance(count, p=0.03)
            shift = torch.where(flip, -2 * depth, shift)
            points[:, moved, 2] += shift[:, None]


def visibility(dice: Dice, hidden: Tensor) -> Tensor:
    """Return visibilities (B, P) in [0, 1] for `hidden` (B, P)."""
    seen = 1 - dice.normal(*hidden.shape, sd=0.08).abs()
    unseen = dice.uniform(*hidden.shape).square() * 0.9
    wrong = dice.chance(*hidden.shape, p=0.05)
    # Hips behind a desk are often said to be visible.
    wrong[:, _HIPS] ^= hidden[:, _HIPS] & dice.chance(len(hidden), 1, p=0.3)
    return torch.where(hidden ^ wrong, unseen, seen).clamp(0, 1)


def hand_image_noise(dice: Dice, count: int) -> Tensor:
    """Return 2D errors (count, 21, 2) in units of the hand's spread."""
    sd = torch.exp(dice.uniform(count, 1, 1, low=-4.6, high=-2.7))
    return dice.normal(count, 21, 2) * sd


def world_hand(dice: Dice, true: Tensor) -> Tensor:
    """Return 3D hand landmarks (B, 21, 3) as a detector would give them."""
    count = len(true)
    noisy = true * torch.exp(dice.normal(count, 1, 1, sd=0.1))
    squash = dice.uniform(count, 1, 1, low=0.7, high=1.2)
    noisy = noisy * torch.cat([torch.ones(count, 1, 2), squash], dim=-1)
    noisy = noisy @ dice.turns(count, sd_deg=(8, 8, 3))
    sd = torch.exp(dice.uniform(count, 1, 1, low=-6.5, high=-4.9))
    return noisy + dice.normal(*true.shape) * sd


def face_noise(dice: Dice, count: int, points: int) -> Tensor:
    """Return errors (count, points, 3) of face points in units of the face's spread."""
    sd = torch.exp(dice.uniform(count, 1, 1, low=-6.0, high=-4.3))
    return dice.normal(count, points, 3) * sd * torch.tensor([1.0, 1.0, 2.0])
