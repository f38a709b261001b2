"""Records as samples: the square of a picture file around what a record is about.

Samples of real pictures go through the same crops, mirrors and augmentations as
synthetic ones; what a data set does not know is kept beside them (`Known`) and taken
out of the batch again.
"""

from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np
import torch

from pixie_runtime.errors import SourceError
from pixie_runtime.smplx import MIRRORED_JOINTS
from pixie_runtime.sources.images import read_picture
from pixie_runtime.types import Camera, Float32, UInt8
from pixie_train.batch import Batch, CropKind
from pixie_train.data.pictures.mirroring import MIRRORED_POINTS
from pixie_train.data.pictures.sample import HEAD, LEFT, PART_POINTS, RIGHT, Sample
from pixie_train.data.record import Bools, Record

WINDOWS = {CropKind.BODY: 1.2, CropKind.HEAD: 2.8, CropKind.HAND: 3.4}
"""Side of a window over the extent of what it is about: bodies as the release's boxes
with a little air, heads and hands so that every jittered square lies inside."""
ENOUGH = 0.5
"""Share of a part's key points at which it counts as there: a wrist is no hand yet,
the skeleton's fingers without tips are, and the inner landmarks are a face."""
WITH_JAW_LINE = 4 / 3
"""How much larger a face is with its jaw line than the inner landmarks alone: in the
median of 60 synthetic bodies; 1.13 to 1.54 for nine in ten of them."""
_JAW_LINE = PART_POINTS[HEAD][51:]
WITH_TIPS = 1.17
"""The same of a hand with its finger tips and its wrist and joints alone: in the median
of 200 poses; 1.11 to 1.27 for nine in ten."""
_TIPS = 16
"""Points of a hand from which on they are tips."""


@dataclass(frozen=True, eq=False)
class Known:
    """What of a sample a data set knows."""

    pixels: Float32
    """Confidences, (145,)."""
    xyz: Float32
    """(145,)."""
    rotations: Bools
    """(55,)."""
    absolute: Bools
    """(3,)."""
    n_betas: int
    n_expression: int
    """How many coefficients are known."""

    @classmethod
    def of(cls, record: Record) -> Self:
        """Take what a record says of itself."""
        return cls(
            record.pixels.confidence,
            record.xyz.confidence,
            record.rotations.known,
            record.absolutes().known,
            len(record.betas),
            len(record.expression),
        )

    def mirrored(self) -> Self:
        """Return the same of a mirrored sample."""
        points, joints = list(MIRRORED_POINTS), list(MIRRORED_JOINTS)
        return replace(
            self,
            pixels=self.pixels[points],
            xyz=self.xyz[points],
            rotations=self.rotations[joints],
            absolute=self.absolute[[HEAD, RIGHT, LEFT]],
        )

    def limit(self, batch: Batch) -> Batch:
        """Return a batch of one with what is not known taken out."""
        targets = batch.targets
        n_betas, n_expression = targets.betas.shape[-1], targets.expression.shape[-1]
        limited = replace(
            targets,
            xy_confidence=targets.xy_confidence * torch.from_numpy(self.pixels),
            xyz_confidence=targets.xyz_confidence * torch.from_numpy(self.xyz),
            rotations_known=targets.rotations_known & torch.from_numpy(self.rotations),
            absolute_known=targets.absolute_known & torch.from_numpy(self.absolute),
            betas_known=targets.betas_known & (torch.arange(n_betas) < self.n_betas),
            expression_known=targets.expression_known
            & (torch.arange(n_expression) < self.n_expression),
        )
        return replace(batch, targets=limited)


@dataclass(frozen=True, eq=False)
class Place:
    """A square of a picture, and how large it is in the sample."""

    start: Float32
    """Its upper left corner in the picture, (2,)."""
    scale: float
    """Pixels of the sample for one of the picture."""
    size: int
    """Pixels of the sample along a side."""

    @classmethod
    def around(cls, record: Record, largest: int) -> Self:
        """Return the square around what a record is about.

        Args:
            record: what is shown.
            largest: side in pixels at most; larger squares are scaled down.

        Raises:
            SourceError: the record says nothing of where it looks.
        """
        box = box_of(record)
        side = float((box[2:] - box[:2]).max()) * WINDOWS[record.kind]
        start = np.asarray((box[:2] + box[2:]) / 2 - side / 2, np.float32)
        size = int(np.clip(round(side), 32, largest))
        return cls(start, size / side, size)

    def of(self, pixels: Float32) -> Float32:
        """Return pixels (..., 2) of the picture as pixels of the sample."""
        return np.asarray((pixels - self.start) * self.scale, np.float32)

    def camera(self, whole: Camera, *, mirrored: bool) -> Camera:
        """Return the camera that takes this square where `whole` takes the picture."""
        x, y = self.of(np.array(whole.centre_px, np.float32)).tolist()
        centre = (self.size - x if mirrored else x, y)
        return Camera(whole.focal_px * self.scale, centre, (self.size, self.size))


def window(record: Record, place: Place, *, n_betas: int, n_expression: int) -> Sample:
    """Return the square around what a record is about, as a sample.

    Key points that are not known are put where they leave the extent of a part's points
    what it is (`_stand_ins`); `Known.limit` takes them out of the batch.

    Args:
        record: what is shown.
        place: the square.
        n_betas: shape coefficients of the sample; those that are not known are 0.
        n_expression: likewise.

    Raises:
        SourceError: the picture or mask cannot be read, or the record says nothing of
            where it looks.
    """
    picture = _picture(record)
    corners = place.of(box_of(record).reshape(2, 2)).ravel()
    pixels = place.of(record.pixels.at)
    pixels = np.where(
        record.pixels.known[:, None], pixels, _stand_ins(record, pixels, corners)
    )
    seen = ((pixels >= 0) & (pixels <= place.size)).all(-1) & record.pixels.known
    there = [seen[points].mean() >= ENOUGH for points in PART_POINTS]
    return Sample(
        picture=_square(picture, place),
        skin=_skin(record, picture, place),
        pixels=pixels.astype(np.float32),
        seen=seen,
        xyz=record.xyz.at,
        rotations=record.rotations.R,
        absolute=record.absolutes().R,
        betas=_padded(record.betas, n_betas),
        expression=_padded(record.expression, n_expression),
        covered=1 - np.array(there, np.float32),
        gender=int(record.gender),
        identity=record.identity,
    )


def box_of(record: Record) -> Float32:
    """Return x0, y0, x1, y1 of what a record is about, pixels.

    Raises:
        SourceError: it has neither a box nor points, or they have no extent.
    """
    box = record.box
    if box is None:
        at = record.pixels.at[_points(record)]
        known = record.pixels.known[_points(record)]
        if known.any():
            box = np.concatenate([at[known].min(0), at[known].max(0)])
    if box is None or not np.isfinite(box).all() or (box[2:] - box[:2]).max() < 1:
        raise SourceError(
            f"{record.name} says nothing of where in {record.picture} it looks; "
            "expected a box, or points at least a pixel apart; leave it out"
        )
    return np.asarray(box, np.float32)


def part_box(record: Record, part: int) -> Float32 | None:
    """Return the box of a body's head, left or right hand; None: too few points."""
    if record.pixels.known[PART_POINTS[part]].mean() < ENOUGH:
        return None
    return _corners(record, record.pixels.at, part).ravel()


def _corners(record: Record, pixels: Float32, part: int) -> Float32:
    """Return the corners (2, 2) of the box of a part's known points; some must be."""
    points, known = PART_POINTS[part], record.pixels.known
    at = pixels[points][known[points]]
    corners = np.stack([at.min(0), at.max(0)])
    outer, larger = (
        (_JAW_LINE, WITH_JAW_LINE) if part == HEAD else (points[_TIPS:], WITH_TIPS)
    )
    if not known[outer].any():
        middle = corners.mean(0)
        corners = middle + (corners - middle) * larger
    return np.asarray(corners, np.float32)


def _points(record: Record) -> list[int]:
    if record.kind is CropKind.BODY:
        return list(range(len(record.pixels.at)))
    if record.kind is CropKind.HEAD:
        return PART_POINTS[HEAD]
    return PART_POINTS[LEFT if record.left else RIGHT]


def _picture(record: Record) -> UInt8:
    try:
        return read_picture(record.picture)
    except SourceError as error:
        raise SourceError(f"{record.name}: {error}") from error


def _square(picture: UInt8, place: Place) -> UInt8:
    """Return the square, black outside the picture; smaller ones averaged."""
    # Pixel centres are at halves: destination x + 0.5 = (source x + 0.5 - start) scale.
    scale, size = place.scale, place.size
    shift = (0.5 - place.start) * scale - 0.5
    to_square = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    if scale < 1:
        # Warping only looks at four pixels: what is too fine for the square goes first.
        sigma = 0.4 * (1 / scale - 1)
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), max(sigma, 0.01)))
    return np.asarray(
        cv2.warpAffine(picture, to_square, (size, size), flags=flags), np.uint8
    )


def _skin(record: Record, picture: UInt8, place: Place) -> Bools:
    if record.mask is None:
        return np.zeros((place.size, place.size), bool)
    try:
        mask = read_picture(record.mask)
    except SourceError as error:
        raise SourceError(f"{record.name}: {error}") from error
    if mask.shape != picture.shape:
        raise SourceError(
            f"the mask {record.mask} has {mask.shape[1]} x {mask.shape[0]} pixels, but "
            f"{record.picture} has {picture.shape[1]} x {picture.shape[0]}; make it "
            "anew"
        )
    return np.asarray(_square(mask, place)[..., 0] > 127)


def _stand_ins(record: Record, pixels: Float32, box: Float32) -> Float32:
    """Return places for key points that are not known, (145, 2), of the sample.

    A head's or hand's lie in the corners of its box. Of a body's parts they lie in the
    corners of the box of what is known of the part, as the record's is all of the body;
    a part of which nothing is known has no extent.

    Args:
        record: what is known.
        pixels: its key points, (145, 2).
        box: x0, y0, x1, y1 of what it is about.
    """
    corners = box.reshape(2, 2)
    places = np.tile(corners.mean(0), (len(pixels), 1))
    for part, points in enumerate(PART_POINTS):
        if record.kind is CropKind.BODY:
            if not record.pixels.known[points].any():
                continue
            corners = _corners(record, pixels, part)
        places[points] = corners[np.arange(len(points)) % 2]
    return np.asarray(places, np.float32)


def _padded(values: Float32, count: int) -> Float32:
    padded = np.zeros(count, np.float32)
    padded[: min(count, len(values))] = values[:count]
    return padded
