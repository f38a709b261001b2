"""Bilinear sampling of maps at scattered points, differentiable in both."""

import torch
from torch import Tensor


def sampled(maps: Tensor, sample: Tensor, uv: Tensor) -> Tensor:
    """Return what maps have at points, (n, C); beyond the edge as on the edge.

    Args:
        maps: (B, C, S, S); texel (row, column) has its centre at u = (column + 1/2) /
            S, v = (row + 1/2) / S.
        sample: which map each point is on, (n,).
        uv: (n, 2).
    """
    size = maps.shape[-1]
    rows = maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])
    place = (uv * size - 0.5).clamp(0, size - 1)
    first = place.detach().floor().clamp_max(size - 2)
    along = place - first
    column, row = first.long().unbind(-1)
    corner = (sample * size + row) * size + column
    right, down = along[:, :1], along[:, 1:]
    top = torch.lerp(_at(rows, corner), _at(rows, corner + 1), right)
    bottom = torch.lerp(_at(rows, corner + size), _at(rows, corner + size + 1), right)
    return torch.lerp(top, bottom, down)


def _at(rows: Tensor, place: Tensor) -> Tensor:
    return rows.index_select(0, place)
