"""Batches side by side with their targets drawn over: what a network is really given.

Whatever was cut, mirrored, scaled or hidden on the way is in the picture: points that
lie where they should here are right in training.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from pixie_runtime.smplx import JOINT_COUNT, PARENTS
from pixie_runtime.types import Float32, UInt8
from pixie_train.batch import Batch
from pixie_train.data.pictures.sample import Bools

_SURE, _UNSURE = (90, 255, 90), (255, 90, 60)
_BONE, _MASK = (255, 255, 255), (255, 220, 0)
_SURE_FROM = 0.5


def batch_sheet(batches: Sequence[Batch], *, columns: int = 6) -> UInt8:
    """Return every sample of some batches in rows, (H, W, 3).

    Bones are white, key points green where their confidence is above a half, else red,
    those without are left out; the face's skin is outlined in yellow.
    """
    tiles = [_drawn(batch, k) for batch in batches for k in range(len(batch))]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [
        np.concatenate(tiles[start : start + columns], axis=1)
        for start in range(0, len(tiles), columns)
    ]
    return np.concatenate(rows)


def _drawn(batch: Batch, k: int) -> UInt8:
    """Return a sample's picture with its targets, (S, S, 3)."""
    image = batch.pictures.image[k].permute(1, 2, 0).numpy()
    canvas = np.ascontiguousarray(image, np.uint8)
    size = len(canvas)
    # As networks project: +1 is one pixel beyond the centre of the crop's last.
    at = (batch.targets.xy[k].numpy() + 1) / 2 * size
    confidence = batch.targets.xy_confidence[k].numpy()
    if batch.targets.face_mask is not None:
        _outline(canvas, batch.targets.face_mask[k, 0].numpy())
    known = confidence > 0
    for joint, parent in enumerate(PARENTS):
        if parent >= 0 and known[joint] and known[parent]:
            cv2.line(canvas, _fixed(at[parent]), _fixed(at[joint]), _BONE, 1, 16, 4)
    for point in np.flatnonzero(known):
        colour = _SURE if confidence[point] > _SURE_FROM else _UNSURE
        radius = max(size / (130 if point < JOINT_COUNT else 180), 1.0)
        cv2.circle(canvas, _fixed(at[point]), round(radius * 16), colour, -1, 16, 4)
    return canvas


def _outline(canvas: UInt8, mask: Bools) -> None:
    found, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    cv2.drawContours(canvas, found, -1, _MASK, 1)


def _fixed(point: Float32) -> tuple[int, int]:
    """Return a pixel in sixteenths, as cv2 counts with centres at integers."""
    x, y = np.round(point.clip(-4000, 4000) * 16).astype(int).tolist()
    return x, y
