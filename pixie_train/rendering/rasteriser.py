"""Which triangle does each pixel see? A z-buffer, on any device, without gradients.

On the CPU numba compiles a loop over triangles; on a card Triton, which comes with
torch there, compiles a program for each triangle. NVIDIA's warp would be one source for
both, but its package takes 431 MB on disk, numba is in the `train` extra already, and
warp's CPU kernels use one core. Everywhere else the same sums are tensor operations:
all pixels of all triangles' boxes side by side, and a minimum over (depth, number of
the triangle) as one 64-bit integer. All three agree to the bit. Only CPUs have run them
so far, the card's in Triton's interpreter.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor

from pixie_train.rendering.nearest import FREE, LEAST_AREA, NOTHING, keys, winners

__all__ = ["NOTHING", "by_tensors", "visible_triangles"]

_LOG = logging.getLogger(__name__)
_AT_ONCE = 1 << 24
"""Pixels of boxes that tensors hold at a time; about 1.5 GB."""


def visible_triangles(
    points: Tensor, faces: Tensor, size: tuple[int, int], *, cull: bool = True
) -> Tensor:
    """Return the number of the nearest triangle at each pixel, (B, H, W), or NOTHING.

    A pixel sees a triangle if its centre lies inside or on an edge; of equally near
    ones the first wins. Points that are not finite draw nothing.

    Args:
        points: (B, V, 3): x and y in pixels, pixel centres at integers, y down, and
            depth, where less is nearer.
        faces: (F, 3) integers, counter-clockwise from outside.
        size: H, W.
        cull: leave out triangles seen from behind.
    """
    points = points.detach().float()
    if points.device.type == "cpu" and find_spec("numba") is not None:
        return _by_loops(points, faces, size, cull)
    if points.is_cuda and find_spec("triton") is not None:
        return card_rasteriser(points.device)(points, faces, size, cull=cull)
    return by_tensors(points, faces, size, cull=cull)


@cache
def card_rasteriser(device: torch.device) -> Callable[..., Tensor]:
    """Return the kernel if Triton can compile and run it there, else `by_tensors`."""
    from pixie_train.rendering.rasteriser_triton import by_triton

    point = torch.zeros(1, 1, 3, device=device)
    triangle = torch.zeros(1, 3, dtype=torch.int64, device=device)
    try:
        by_triton(point, triangle, (1, 1))
    # It takes a driver and a C compiler, and each failure has a type of its own.
    except Exception as error:
        _LOG.warning("drawing by tensor operations, for Triton cannot run: %s", error)
        return by_tensors
    return by_triton


def _by_loops(
    points: Tensor, faces: Tensor, size: tuple[int, int], cull: bool
) -> Tensor:
    from pixie_train.rendering.rasteriser_loops import draw_loop

    draw = draw_loop()
    corners = faces.long().contiguous().numpy()
    winner = torch.full((len(points), *size), NOTHING)
    depth = torch.full((len(points), *size), torch.inf)

    def one(sample: int) -> None:
        into = winner[sample].numpy(), depth[sample].numpy()
        draw(points[sample].contiguous().numpy(), corners, cull, LEAST_AREA, *into)

    threads = min(torch.get_num_threads(), len(points))
    if threads < 2:
        for sample in range(len(points)):
            one(sample)
    else:
        # Threads of this call only: a pool that lives on would not survive a fork.
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, range(len(points))))
    return winner


def by_tensors(
    points: Tensor, faces: Tensor, size: tuple[int, int], *, cull: bool = True
) -> Tensor:
    """Do the same with tensor operations only, on any device that has float64."""
    height, width = size
    corners = points.detach().float()[:, faces.long()].flatten(0, 1)
    x, y, z = corners.double().unbind(-1)
    area = _cross(
        x[:, 1] - x[:, 0], y[:, 1] - y[:, 0], x[:, 2] - x[:, 0], y[:, 2] - y[:, 0]
    )
    drawn = (area.abs() >= LEAST_AREA) & area.isfinite()
    if cull:
        drawn &= area < 0
    x, y = x.nan_to_num(), y.nan_to_num()
    left, right = x.amin(1).clamp_min(0).ceil(), x.amax(1).clamp_max(width - 1).floor()
    top, bottom = y.amin(1).clamp_min(0).ceil(), y.amax(1).clamp_max(height - 1).floor()
    across = (right - left + 1).clamp_min(0).long()
    down = (bottom - top + 1).clamp_min(0).long()
    ends = torch.where(drawn, across * down, 0).cumsum(0)
    best = torch.full((len(points) * height * width,), FREE, device=points.device)
    total = int(ends[-1]) if len(ends) else 0
    for start in range(0, total, _AT_ONCE):
        number = torch.arange(start, min(start + _AT_ONCE, total), device=points.device)
        t = torch.searchsorted(ends, number, right=True)
        place = number - (ends - across * down)[t]
        column = left[t].long() + place % across[t]
        row = top[t].long() + place // across[t]
        dx, dy = x[t] - column[:, None], y[t] - row[:, None]
        wa = _cross(dx[:, 1], dy[:, 1], dx[:, 2], dy[:, 2]) / area[t]
        wb = _cross(dx[:, 2], dy[:, 2], dx[:, 0], dy[:, 0]) / area[t]
        wc = _cross(dx[:, 0], dy[:, 0], dx[:, 1], dy[:, 1]) / area[t]
        depth = (wa * z[t, 0] + wb * z[t, 1] + wc * z[t, 2]).float()
        inside = (wa >= 0) & (wb >= 0) & (wc >= 0) & (depth < torch.inf)
        sample = t // len(faces)
        pixel = (sample * height + row) * width + column
        key = keys(depth, t - sample * len(faces))
        best.scatter_reduce_(0, pixel[inside], key[inside], "amin")
    return winners(best).reshape(len(points), height, width)


def _cross(ax: Tensor, ay: Tensor, bx: Tensor, by: Tensor) -> Tensor:
    return ax * by - ay * bx
