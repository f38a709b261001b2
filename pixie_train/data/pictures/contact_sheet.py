"""Samples side by side, with what is known of them drawn over."""

from collections.abc import Sequence

import cv2
import numpy as np

from pixie_runtime.smplx import JOINT_COUNT, PARENTS
from pixie_runtime.types import Float32, UInt8
from pixie_train.batch import CropKind
from pixie_train.data.pictures.sample import PART_POINTS, Sample

_SEEN, _HIDDEN, _BONE = (90, 255, 90), (255, 90, 60), (255, 255, 255)
_MASK, _BOXES = (255, 220, 0), ((255, 0, 200), (0, 200, 255), (255, 160, 0))
_BOX_SCALES = (2.0, 2.4, 2.4)
_BODY = 22


def contact_sheet(
    samples: Sequence[Sample], kind: CropKind, *, columns: int = 6, tile: int = 256
) -> UInt8:
    """Return pictures in rows, (H, W, 3).

    Bones are white, key points green where seen and red where hidden, the squares of
    head, left and right hand purple, blue and orange (thin: not to be seen), the face's
    skin outlined in yellow.
    """
    tiles = [drawn_over(sample, kind, tile) for sample in samples]
    blank = np.zeros((tile, tile, 3), np.uint8)
    tiles += [blank] * (-len(tiles) % columns)
    rows = [
        np.concatenate(tiles[start : start + columns], axis=1)
        for start in range(0, len(tiles), columns)
    ]
    return np.concatenate(rows)


def drawn_over(sample: Sample, kind: CropKind, size: int) -> UInt8:
    """Return a sample's picture at `size` pixels, (size, size, 3), with its truth."""
    way = cv2.INTER_AREA if size < sample.size else cv2.INTER_CUBIC
    resized = cv2.resize(sample.picture, (size, size), interpolation=way)
    canvas = np.asarray(resized, np.uint8)
    pixels = sample.pixels * (size / sample.size)
    _draw_mask(canvas, sample)
    points = list(range(JOINT_COUNT)) if kind is CropKind.BODY else _shown(sample, kind)
    for joint in points:
        if joint < JOINT_COUNT and PARENTS[joint] in points:
            _line(canvas, pixels[PARENTS[joint]], pixels[joint])
    for point in points:
        colour = _SEEN if sample.seen[point] else _HIDDEN
        radius = 2 if point < _BODY or kind is not CropKind.BODY else 1
        cv2.circle(
            canvas, _fixed(pixels[point]), radius * 12, colour, -1, cv2.LINE_AA, 4
        )
    if kind is CropKind.BODY:
        _draw_boxes(canvas, sample, pixels)
    return canvas


def _shown(sample: Sample, kind: CropKind) -> list[int]:
    if kind is CropKind.HEAD:
        return PART_POINTS[0]
    middle = [
        np.abs(sample.pixels[p].mean(0) - sample.size / 2).max() for p in PART_POINTS
    ]
    return PART_POINTS[1 if middle[1] < middle[2] else 2]


def _draw_mask(canvas: UInt8, sample: Sample) -> None:
    mask = cv2.resize(sample.skin.astype(np.uint8), canvas.shape[:2])
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, outlines, -1, _MASK, 1)


def _draw_boxes(canvas: UInt8, sample: Sample, pixels: Float32) -> None:
    parts = zip(PART_POINTS, _BOXES, _BOX_SCALES, sample.covered, strict=True)
    for points, colour, scale, covered in parts:
        low, high = pixels[points].min(0), pixels[points].max(0)
        half = float((high - low).max()) * scale / 2
        middle = (low + high) / 2
        if covered < 0.95:
            ends = _fixed(middle - half), _fixed(middle + half)
            cv2.rectangle(canvas, *ends, colour, 1, cv2.LINE_AA, 4)


def _line(canvas: UInt8, a: Float32, b: Float32) -> None:
    cv2.line(canvas, _fixed(a), _fixed(b), _BONE, 1, cv2.LINE_AA, 4)


def _fixed(point: Float32) -> tuple[int, int]:
    """Return a pixel position in sixteenths, as cv2 counts with centres at integers."""
    x, y = np.round((point.clip(-4000, 4000) - 0.5) * 16).astype(int).tolist()
    return x, y
