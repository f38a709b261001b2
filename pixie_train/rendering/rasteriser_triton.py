"""The z-buffer as a kernel for CUDA cards, a program for each triangle.

Triton comes with torch's CUDA packages on Linux, so it costs nothing to install. Every
program goes through its triangle's box, `_BLOCK` pixels at a time, and takes minima of
(depth, number of the triangle) as one 64-bit integer: what a pixel sees does not
depend on which program comes first. Sums are in float64 and are not fused, so that it
agrees with the other rasterisers to the bit.

It has not run on a card yet. Triton's interpreter has run it on the CPU, and Triton has
compiled it for cards.
"""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from pixie_train.rendering.nearest import FREE, LEAST_AREA, winners

_BLOCK = 32
"""Pixels at once: one for each thread of a warp. A face's triangles are small."""


def by_triton(
    points: Tensor, faces: Tensor, size: tuple[int, int], *, cull: bool = True
) -> Tensor:
    """Do what `rasteriser.visible_triangles` does, on a card; arguments as there."""
    height, width = size
    points = points.detach().float().contiguous()
    corners = faces.int().contiguous()
    best = torch.full((len(points), height, width), FREE, device=points.device)
    if len(points) and len(corners):
        with launched_on(points.device):
            draw_kernel()[(len(corners), len(points))](
                points,
                corners,
                best,
                points.shape[1],
                height,
                width,
                CULL=cull,
                LEAST_AREA=LEAST_AREA,
                BLOCK=_BLOCK,
                num_warps=1,
                # To fuse products and sums would round them otherwise than elsewhere.
                enable_fp_fusion=False,
            )
    return winners(best)


def launched_on(device: torch.device) -> AbstractContextManager[object]:
    """Make a card the one that Triton launches on: it looks at no tensor's own."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


@cache
def draw_kernel() -> Any:
    """Return the kernel for Triton to compile, or interpret (TRITON_INTERPRET=1)."""
    return triton.jit(_draw)


# Triton reads annotations too and knows none of ours.
def _draw(  # type: ignore[no-untyped-def]
    points,
    corners,
    best,
    vertices,
    height,
    width,
    CULL: tl.constexpr,
    LEAST_AREA: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Draw one triangle of one sample into `best` (B, H, W)."""
    triangle = tl.program_id(0)
    sample = tl.program_id(1).to(tl.int64)
    a = points + (sample * vertices + tl.load(corners + 3 * triangle)) * 3
    b = points + (sample * vertices + tl.load(corners + 3 * triangle + 1)) * 3
    c = points + (sample * vertices + tl.load(corners + 3 * triangle + 2)) * 3
    ax, ay = tl.load(a).to(tl.float64), tl.load(a + 1).to(tl.float64)
    bx, by = tl.load(b).to(tl.float64), tl.load(b + 1).to(tl.float64)
    cx, cy = tl.load(c).to(tl.float64), tl.load(c + 1).to(tl.float64)
    az, bz = tl.load(a + 2).to(tl.float64), tl.load(b + 2).to(tl.float64)
    cz = tl.load(c + 2).to(tl.float64)
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    # What is not a number fails every comparison.
    drawn = (tl.abs(area) >= LEAST_AREA) & (tl.abs(area) < float("inf"))
    if CULL:
        drawn = drawn & (area < 0)
    if drawn:
        left = tl.ceil(tl.maximum(tl.minimum(tl.minimum(ax, bx), cx), 0.0))
        right = tl.floor(tl.minimum(tl.maximum(tl.maximum(ax, bx), cx), width - 1.0))
        top = tl.ceil(tl.maximum(tl.minimum(tl.minimum(ay, by), cy), 0.0))
        bottom = tl.floor(tl.minimum(tl.maximum(tl.maximum(ay, by), cy), height - 1.0))
        # Boxes beside the picture end before they begin, by more than int32 may hold.
        across = tl.maximum(right - left + 1, 0.0).to(tl.int64)
        down = tl.maximum(bottom - top + 1, 0.0).to(tl.int64)
        count = across * down
        for start in range(0, count, BLOCK):
            place = start + tl.arange(0, BLOCK)
            column = left + (place % across).to(tl.float64)
            row = top + (place // across).to(tl.float64)
            wa = ((bx - column) * (cy - row) - (by - row) * (cx - column)) / area
            wb = ((cx - column) * (ay - row) - (cy - row) * (ax - column)) / area
            wc = ((ax - column) * (by - row) - (ay - row) * (bx - column)) / area
            depth = (wa * az + wb * bz + wc * cz).to(tl.float32)
            inside = (wa >= 0) & (wb >= 0) & (wc >= 0) & (depth < float("inf"))
            inside = inside & (place < count)
            # Integers in the order of float32 numbers; -0 becomes 0.
            bits = (depth + 0.0).to(tl.int32, bitcast=True)
            ordered = (bits ^ ((bits >> 31) & 0x7FFFFFFF)).to(tl.int64)
            key = (ordered << 32) | triangle
            pixel = (sample * height + row.to(tl.int64)) * width + column.to(tl.int64)
            tl.atomic_min(best + pixel, key, mask=inside, sem="relaxed")
