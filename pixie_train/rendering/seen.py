"""What pixels see of meshes, differentiable with respect to where vertices are.

The rasteriser says which triangle is at a pixel; its corner weights are computed again
here, so that autograd knows how they follow from the corners. Moving a triangle under
a pixel moves what the pixel sees along the surface. Which triangle is seen, and whether
any is, has no gradient: at a silhouette a picture changes by a jump that this leaves
out, as `losses.photometric` expects of its mask.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pixie_train.rendering.rasteriser import NOTHING, visible_triangles


@dataclass(frozen=True, eq=False)
class Seen:
    """The n pixels of a batch of pictures in which something is seen."""

    shape: tuple[int, int, int]
    """B, H, W."""
    pixel: Tensor
    """Places in the batch's pixels laid end to end, (n,), ascending."""
    sample: Tensor
    """Which picture, (n,)."""
    triangle: Tensor
    """(n,), a row of the faces."""
    corners: Tensor
    """Vertices of that triangle, (n, 3)."""
    weights: Tensor
    """Of the corners, (n, 3); they add up to 1."""

    def to(self, device: torch.device) -> "Seen":
        """Return it with its tensors on `device`."""
        tensors = self.pixel, self.sample, self.triangle, self.corners, self.weights
        return Seen(self.shape, *(tensor.to(device) for tensor in tensors))

    def of_vertices(self, values: Tensor) -> Tensor:
        """Interpolate values of vertices, (B, V, C), or (V, C) for all alike."""
        rows = self.corners
        if values.dim() == 3:
            rows = rows + (self.sample * values.shape[1])[:, None]
            values = values.flatten(0, 1)
        return self._mixed(values, rows)

    def of_corners(self, values: Tensor) -> Tensor:
        """Interpolate values of triangles' corners, (F, 3, C): (n, C)."""
        first = 3 * self.triangle[:, None]
        rows = first + torch.arange(3, device=first.device)
        return self._mixed(values.flatten(0, 1), rows)

    def picture(self, values: Tensor) -> Tensor:
        """Put values of the pixels, (n, C), into pictures (B, C, H, W), else 0."""
        B, H, W = self.shape
        empty = values.new_zeros(B * H * W, values.shape[1])
        whole = empty.index_copy(0, self.pixel, values)
        return whole.reshape(B, H, W, -1).permute(0, 3, 1, 2)

    def mask(self) -> Tensor:
        """Return where something is seen, (B, 1, H, W), 0 or 1."""
        return self.picture(self.weights.new_ones(len(self.pixel), 1))

    def _mixed(self, rows_of: Tensor, rows: Tensor) -> Tensor:
        total = rows_of.index_select(0, rows[:, 0]) * self.weights[:, :1]
        for corner in (1, 2):
            weight = self.weights[:, corner : corner + 1]
            total = total + rows_of.index_select(0, rows[:, corner]) * weight
        return total


def look(
    points: Tensor,
    faces: Tensor,
    size: tuple[int, int],
    *,
    cull: bool = True,
    pinhole: bool = False,
) -> Seen:
    """See what is nearest at every pixel.

    Args:
        points: (B, V, 3): x and y in pixels, pixel centres at integers, y down, and
            depth, positive for a pinhole.
        faces: (F, 3) integers, counter-clockwise from outside.
        size: H, W.
        cull: leave out triangles seen from behind.
        pinhole: whether a pinhole camera made `points`, so that weights are linear in
            space and not over the picture. All points must lie before the camera.
    """
    flat = points
    if pinhole:
        # Over a pinhole's picture 1 / depth is linear; minus it grows with depth.
        flat = torch.cat([points[..., :2], -1 / points[..., 2:].detach()], -1)
    triangle = visible_triangles(flat, faces, size, cull=cull).flatten()
    pixel = (triangle != NOTHING).nonzero()[:, 0]
    H, W = size
    sample = torch.div(pixel, H * W, rounding_mode="floor")
    chosen = triangle[pixel]
    corners = faces[chosen]
    rows = (corners + (sample * points.shape[1])[:, None]).flatten()
    placed = points.flatten(0, 1).index_select(0, rows).reshape(-1, 3, 3)
    centre = torch.stack(
        [pixel % W, torch.div(pixel, W, rounding_mode="floor") % H], -1
    )
    weights = _weights(placed[..., :2] - centre[:, None])
    if pinhole:
        weights = weights / placed[..., 2]
        weights = weights / weights.sum(1, keepdim=True)
    return Seen((len(points), H, W), pixel, sample, chosen, corners, weights)


def _weights(corners: Tensor) -> Tensor:
    """Return what weights of corners (n, 3, 2) give the origin, (n, 3)."""
    x, y = corners.unbind(-1)
    next_x, next_y = x.roll(-1, 1), y.roll(-1, 1)
    last_x, last_y = x.roll(1, 1), y.roll(1, 1)
    opposite = next_x * last_y - next_y * last_x
    return opposite / opposite.sum(1, keepdim=True)
