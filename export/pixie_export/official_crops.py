"""Crops as the official code makes them, to its last bit (pixie-network, section 8).

The live path cuts the same squares (`pixie_runtime.crops`); here the similarity that
places them is found in the release's own mixture of float32 and float64, since the
hundred-thousandth of a pixel that it errs by is seen by a comparison.
"""

import numpy as np
import numpy.typing as npt

from pixie_runtime.bundle import CropSpec
from pixie_runtime.crops import Square, part_places
from pixie_runtime.resampling import Taps
from pixie_runtime.types import Float32, Float64, UInt8

FloatArray = npt.NDArray[np.floating]


def box_size(box: Float32, spec: CropSpec) -> int:
    """Return the side in pixels of the square about (left, top, right, bottom)."""
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    return int(spec.body_scale * max(width, height))


def body_similarity(box: Float32, size: int, spec: CropSpec) -> Float64:
    """Return the matrix (3, 3) from a picture to its body crop of `size` pixels."""
    side = box_size(box, spec)
    centre = (box[:2] + box[2:]) / np.float32(2)
    corners = np.array([[-1, -1], [-1, 1], [1, -1]], np.float32) * np.float32(side / 2)
    return similarity(centre + corners, _square_corners(size))


def picture_similarity(picture: UInt8, size: int) -> Float64:
    """Return the matrix (3, 3) from a whole picture (H, W, 3) to `size` pixels.

    Three corners cannot all be met unless the picture is square.
    """
    height, width = picture.shape[:2]
    corners = np.array([[0, 0], [0, height - 1], [width - 1, 0]], np.float64)
    return similarity(corners, _square_corners(size))


def similarity(source: FloatArray, target: Float64) -> Float64:
    """Return the similarity (3, 3) that brings points (n, 2) closest to others.

    Least squares after Umeyama (1991); means and variance of `source` keep its type.
    """
    mean, aim = source.mean(axis=0), target.mean(axis=0)
    source, target = source - mean, target - aim
    U, stretch, V = np.linalg.svd(target.T @ source / len(source))
    matrix = np.eye(3)
    # In this order: the quotient is rounded to the type of `source`.
    scale = 1.0 / source.var(axis=0).sum() * stretch.sum()
    matrix[:2, 2] = aim - scale * (U @ V @ mean)
    matrix[:2, :2] = scale * (U @ V)
    return matrix


def warped(picture: UInt8, matrix: Float64, size: int) -> Float32:
    """Return a picture (H, W, 3) seen through `matrix`: (3, size, size) in [0, 1].

    Bilinear, zeros outside.
    """
    back = np.linalg.inv(matrix)
    row, column = np.mgrid[:size, :size].astype(np.float64)
    x = back[0, 0] * column + back[0, 1] * row + back[0, 2]
    y = back[1, 0] * column + back[1, 1] * row + back[1, 2]
    height, width = picture.shape[:2]
    left, top = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
    total = np.zeros((size, size, 3))
    for rows, in_row in ((top, 1 - (y - top)), (top + 1, y - top)):
        for columns, in_column in ((left, 1 - (x - left)), (left + 1, x - left)):
            inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
            sample = picture[rows.clip(0, height - 1), columns.clip(0, width - 1)]
            total += sample / 255.0 * (in_row * in_column * inside)[..., None]
    return np.moveaxis(total, -1, 0).astype(np.float32)


def part_crop(hd: Float32, square: Square, spec: CropSpec) -> Float32:
    """Cut a part's square out of the fine picture (3, H, H) of a body's square."""
    rows, columns = (
        Taps.at(part_places(centre, square.side, spec), spec.hd_size)
        for centre in (square.y, square.x)
    )
    fine = hd.astype(np.float64)
    by_row = np.einsum("sk,cskw->csw", rows.weight, fine[:, rows.index])
    crop = np.einsum("sk,cysk->cys", columns.weight, by_row[:, :, columns.index])
    return np.asarray(crop, np.float32)


def _square_corners(size: int) -> Float64:
    return np.array([[0, 0], [0, size - 1], [size - 1, 0]], np.float64)
