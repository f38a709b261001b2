"""Rotations on tensors: matrices inside the networks, other forms at the edges.

The same forms and names as `pixie_runtime.rotations`, differentiable; every function
takes leading batch axes. Written in few operations on many numbers: each becomes a
node of an exported graph, and a node costs microseconds however little it computes.
"""

import torch
from torch import Tensor


def unit(v: Tensor) -> Tensor:
    """Scale vectors (..., 3) to length 1; a zero vector stays zero.

    Not torch's `normalize`: its ONNX form gives not-a-number for zero vectors, and a
    tiny number added under a root is optimised away.
    """
    scaled: Tensor = v / v.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    return scaled


def cross(a: Tensor, b: Tensor) -> Tensor:
    """Return the cross product (..., 3) of vectors.

    Not torch's: its ONNX form is several nodes for each of the three numbers.
    """
    next_ = torch.tensor([1, 2, 0], device=a.device)
    last = torch.tensor([2, 0, 1], device=a.device)
    forth = a.index_select(-1, next_) * b.index_select(-1, last)
    return forth - a.index_select(-1, last) * b.index_select(-1, next_)


def orthonormal(first: Tensor, second: Tensor) -> Tensor:
    """Return right-handed axes (..., 3, 3) as columns (Gram-Schmidt).

    Args:
        first: (..., 3), any length; the first column's direction.
        second: (..., 3); the second column is as near to it as it can be.
    """
    x = unit(first)
    y = unit(second - (x * second).sum(-1, keepdim=True) * x)
    return torch.stack([x, y, cross(x, y)], dim=-1)


def matrix_from_6d(d6: Tensor) -> Tensor:
    """Turn 6D rotations (..., 6) into matrices (..., 3, 3) by Gram-Schmidt.

    The six numbers are a row-major 3x2 matrix, as in PIXIE's checkpoint: its
    orthonormalised columns and their cross product are the columns of the result.
    """
    return orthonormal(d6[..., 0::2], d6[..., 1::2])


def matrix_to_6d(R: Tensor) -> Tensor:
    """Return the 6D form (..., 6) of matrices (..., 3, 3): their first two columns."""
    return R[..., :2].flatten(-2)


def matrix_from_rotvec(w: Tensor) -> Tensor:
    """Turn rotation vectors (..., 3) into matrices (..., 3, 3) (Rodrigues)."""
    angle = w.norm(dim=-1, keepdim=True).clamp_min(1e-8)
    x, y, z = (w / angle).unbind(-1)
    zero = torch.zeros_like(x)
    K = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1)
    K = K.reshape(*K.shape[:-1], 3, 3)
    sine, cosine = angle.sin()[..., None], angle.cos()[..., None]
    eye = torch.eye(3, device=w.device)
    R: Tensor = eye + sine * K + (1 - cosine) * (K @ K)
    return R


def matrix_from_euler_xyz(angles: Tensor) -> Tensor:
    """Turn intrinsic x, y, z angles (..., 3) in radians into Rx Ry Rz (..., 3, 3)."""
    (cx, cy, cz), (sx, sy, sz) = angles.cos().unbind(-1), angles.sin().unbind(-1)
    rows = [
        [cy * cz, -cy * sz, sy],
        [cx * sz + sx * sy * cz, cx * cz - sx * sy * sz, -sx * cy],
        [sx * sz - cx * sy * cz, sx * cz + cx * sy * sz, cx * cy],
    ]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def mirror(R: Tensor) -> Tensor:
    """Mirror matrices (..., 3, 3) in the plane x = 0: M R M, M = diag(-1, 1, 1).

    Turns a left hand's rotations into those of the right hand that looks the same in
    a mirror, and back (spec: pixie-network, section 4).
    """
    signs = torch.tensor([[1.0, -1, -1], [-1, 1, 1], [-1, 1, 1]], device=R.device)
    return R * signs


def look_at(direction: Tensor) -> Tensor:
    """Return the smallest rotation (..., 3, 3) that turns `direction` onto +z.

    Args:
        direction: (..., 3), any length, with z > 0 (in front of a camera).
    """
    d = unit(direction)
    z_axis = torch.tensor([0.0, 0, 1], dtype=d.dtype, device=d.device)
    eye = torch.eye(3, dtype=d.dtype, device=d.device)
    # I + 2 z d' - (d + z)(d + z)' / (1 + d'z); z > 0 keeps the fraction harmless.
    middle = d + z_axis
    across = middle[..., :, None] * (middle / middle[..., 2:])[..., None, :]
    R: Tensor = eye + 2 * z_axis[:, None] * d[..., None, :] - across
    return R


def geodesic(a: Tensor, b: Tensor) -> Tensor:
    """Return the angle in radians (...) between matrices (..., 3, 3); no gradient."""
    trace = (a.detach() * b.detach()).sum((-2, -1))
    return torch.arccos(((trace - 1) / 2).clamp(-1, 1))


def euler_xyz_from_matrix(R: Tensor) -> Tensor:
    """Return the intrinsic x, y, z angles (..., 3) in radians of R = Rx Ry Rz.

    The y angle is within a quarter turn.
    """
    x = torch.atan2(-R[..., 1, 2], R[..., 2, 2])
    y = torch.asin(R[..., 0, 2].clamp(-1, 1))
    z = torch.atan2(-R[..., 0, 1], R[..., 0, 0])
    return torch.stack([x, y, z], dim=-1)
