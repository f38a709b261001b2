"""Faces cut out upright and of one size, as recognition networks were trained on.

Who is recognised depends much on how a face lies in its picture, so faces are turned,
scaled and moved until five of their points lie where the network is used to them.
"""

import torch
from torch import Tensor
from torch.nn import functional

EYE_CORNERS_AND_NOSE = (45, 42, 36, 39, 33)
"""Of iBUG's 68: the left eye's outer and inner corner, the right one's, the nose's
base."""
_TEMPLATE = (
    (0.8595674595992, 0.2134981538014),
    (0.6460604764104, 0.2289674387677),
    (0.1205750620789, 0.2137274526848),
    (0.3340850613712, 0.2290642403242),
    (0.4901123135679, 0.6277975316475),
)
"""Where dlib, which the network's training faces were cut by, has them in a face of
side 1 (its `get_face_chip_details`; Boost licence)."""


def aligned(
    picture: Tensor, landmarks: Tensor, *, size: int, padding: float = 0.25
) -> Tensor:
    """Cut faces out; differentiable with respect to the pictures.

    Args:
        picture: (B, C, H, W).
        landmarks: iBUG's 68 in [-1, 1] over the picture, edges to edges, (B, 68, 2).
        size: side of what is returned.
        padding: room around the template, in its sides. dlib's network: 0.25.

    Returns:
        (B, C, size, size), bilinear, black where the picture ends. Where pixels of the
        picture are finer than those returned it is averaged before.
    """
    M = similarity(landmarks, padding=padding)
    H, W = picture.shape[-2:]
    # A pixel of the chip covers so many of the picture, along one axis.
    step = (M[:, :, 0].norm(dim=1) * min(H, W) / size).mean()
    factor = max(1, int(step.round()))
    if factor > 1:
        # The rest at the right and bottom, less than a coarse pixel, stays in place.
        right, bottom = -W % factor, -H % factor
        padded = functional.pad(picture, (0, right, 0, bottom))
        picture = functional.avg_pool2d(padded, factor)
        stretched = picture.new_tensor([W / (W + right), H / (H + bottom)])
        M = M * stretched[:, None]
        M = torch.cat([M[..., :2], M[..., 2:] + (stretched - 1)[:, None]], dim=2)
    grid = functional.affine_grid(
        M.to(picture), [len(picture), picture.shape[1], size, size], align_corners=False
    )
    return functional.grid_sample(picture, grid, align_corners=False)


def similarity(landmarks: Tensor, *, padding: float = 0.25) -> Tensor:
    """Return what maps places in the face's square to places in the picture, (B, 2, 3).

    Both run from -1 to 1. The least squares fit of a rotation with one scale and a
    shift, without reflection (Umeyama 1991, in the plane).

    Args:
        landmarks: iBUG's 68 in [-1, 1] over the picture, (B, 68, 2).
        padding: room around the template, in its sides.
    """
    points = landmarks[:, list(EYE_CORNERS_AND_NOSE)].detach()
    template = points.new_tensor(_TEMPLATE)
    own = (template + padding) / (1 + 2 * padding) * 2 - 1
    own_mean, mean = own.mean(0), points.mean(1, keepdim=True)
    a, b = own - own_mean, points - mean
    # As complex numbers: b = (c + i s) a.
    power = a.square().sum()
    c = (b * a).sum((1, 2)) / power
    s = (a[:, 0] * b[..., 1] - a[:, 1] * b[..., 0]).sum(1) / power
    turn = torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], 1)
    shift = mean[:, 0] - (turn @ own_mean)
    return torch.cat([turn, shift[..., None]], dim=2)
