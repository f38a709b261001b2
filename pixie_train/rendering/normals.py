"""Normals of meshes, differentiable."""

import torch
from torch import Tensor


def vertex_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Return unit normals (B, V, 3): the mean of the adjoining faces', by their area.

    A vertex without triangles has the normal 0. Where faces are counter-clockwise from
    outside in a right-handed frame, normals point outwards.

    Args:
        vertices: (B, V, 3).
        faces: (F, 3) integers.
    """
    # One gather and one scatter for the whole batch, rows of the batch side by side.
    rows = vertices.transpose(0, 1)
    a, b, c = (rows.index_select(0, faces[:, corner]) for corner in range(3))
    area = torch.linalg.cross(b - a, c - a)
    total = torch.zeros_like(rows)
    for corner in range(3):
        total = total.index_add(0, faces[:, corner], area)
    return unit(total).transpose(0, 1)


def unit(vectors: Tensor) -> Tensor:
    """Return vectors (..., 3) of length 1; those shorter than 1e-20 become shorter."""
    # The square of a millimetre triangle's area is near float32's smallest number.
    largest = vectors.detach().abs().amax(-1, keepdim=True).clamp_min(1e-20)
    scaled = vectors / largest
    length = scaled.square().sum(-1, keepdim=True).clamp_min(1e-12).sqrt()
    return scaled / length
