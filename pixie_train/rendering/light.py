"""Second-order spherical harmonics light (spec: pixie-network, section 9)."""

import torch
from torch import Tensor

from pixie_train.data.pictures.light import FACTORS


def shading(normals: Tensor, light: Tensor, sample: Tensor) -> Tensor:
    """Return how bright matt white is at points, (n, 3) RGB.

    Terms are 1, x, y, z, xy, xz, yz, xx - yy, 3zz - 1 of the normal, each times its
    constant and the light's coefficient. Light that comes out negative stays so: cut
    off, it would have no gradient to become positive by.

    Args:
        normals: unit vectors in the light's axes, (n, 3).
        light: (B, 9, 3), bands by RGB.
        sample: whose light falls on each point, (n,), ascending.
    """
    x, y, z = normals.unbind(-1)
    terms = [torch.ones_like(x), x, y, z, x * y, x * z, y * z, x * x - y * y]
    basis = torch.stack([*terms, 3 * z * z - 1], -1)
    bands = (
        light * torch.tensor(FACTORS, dtype=light.dtype, device=light.device)[:, None]
    )
    counts = torch.bincount(sample, minlength=len(light)).tolist()
    # A product for each sample: with one for each point, that is what rendering costs.
    parts = zip(torch.split(basis, counts), bands, strict=True)
    return torch.cat([basis @ band for basis, band in parts])
