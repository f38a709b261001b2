"""Where head and hands are, seen from the body: the squares that part crops cover.

This is the paper's body-driven attention (section 3.2): the coarse body's projected key
points say where the part experts look.
"""

import torch
from torch import Tensor

from pixie_train.key_points import FACE_POINTS, LEFT_HAND_POINTS, RIGHT_HAND_POINTS


def part_boxes(
    points_2d: Tensor, *, hd_size: int, head_scale: float, hand_scale: float
) -> Tensor:
    """Return the squares around head, left hand and right hand, (B, 3, 3).

    Each is centre x, centre y and side in pixels of the fine picture of the body's
    square: the middle of the part's points, and the longer side of their box times the
    part's scale (spec: pixie-network, section 8.3).

    Args:
        points_2d: projected key points, (B, 145, 2), in [-1, 1] over the body's square.
        hd_size: side of the fine picture of that square, pixels.
        head_scale: side of the head's square over the extent of its 68 points.
        hand_scale: side of a hand's square over the extent of its 21 points.
    """
    pixels = (points_2d * 0.5 + 0.5) * hd_size
    parts = (
        (FACE_POINTS, head_scale),
        (LEFT_HAND_POINTS, hand_scale),
        (RIGHT_HAND_POINTS, hand_scale),
    )
    squares = [
        _square(
            pixels.index_select(1, torch.tensor(points, device=pixels.device)), scale
        )
        for points, scale in parts
    ]
    return torch.stack(squares, dim=1)


def _square(points: Tensor, scale: float) -> Tensor:
    """Return centre and side (B, 3) of the square around `points` (B, P, 2)."""
    low, high = points.amin(1), points.amax(1)
    side = (high - low).amax(1, keepdim=True) * scale
    return torch.cat([(low + high) / 2, side], dim=1)
