"""A person's outline, cut along trunk, limbs and head: how thick each of them is.

Joints say next to nothing of how stout somebody is. MediaPipe's network of body
landmarks has one more output, which says of every pixel whether it is the person's;
live, nobody needs it, and it is left out there. What it takes to have it lies here as
`pose_outline.onnx`, made by `tools.convert_landmarks`.

A whole mask would have to be understood together with the pose. Cut into pieces that
lie along the bones, each of one size in metres across, it is the same for the same
person in every pose, as far as the landmarks are right.
"""

from dataclasses import dataclass
from importlib.resources import files

import cv2
import numpy as np
import onnx

from pixie_runtime.types import Float32, Float64, PoseLandmarks

OUTLINE = "outline"
"""The output's name: logits (1, S, S)."""
_FILE = "pose_outline.onnx"
_EARS, _SHOULDERS, _HIPS = (7, 8), (11, 12), (23, 24)
_LIMBS = (
    ((11, 13), (13, 15), (23, 25), (25, 27)),
    ((12, 14), (14, 16), (24, 26), (26, 28)),
)
"""Upper arm, forearm, thigh, shin: left, right."""
_MEASURED = (0, *_EARS, *_SHOULDERS, 13, 14, 15, 16, *_HIPS, 25, 26, 27, 28)
"""Landmarks by which metres are found in the picture."""
_SHORTEST_M = 0.3
"""Of a trunk that bends towards the camera, as it is cut."""
_LEAST_VISIBILITY = 0.05


@dataclass(frozen=True, slots=True)
class _Piece:
    """How a piece of the outline is sampled."""

    rows: int
    columns: int
    half_width_m: float
    ends: tuple[float, float] = (0.0, 1.0)
    """Where the first and the last row are, from 0 at the bone's beginning to 1."""


_TRUNK = _Piece(20, 24, 0.4, (-0.25, 1.3))
_LIMB = _Piece(8, 12, 0.18)
_HEAD = _Piece(16, 16, 0.24)
_BELOW_EARS_M, _ABOVE_EARS_M = 0.25, 0.22
_SHAPES = [
    (piece.rows, piece.columns)
    for piece in (_TRUNK, *[_LIMB] * sum(map(len, _LIMBS)), _HEAD)
]
OUTLINE_SIGHT = sum(rows * columns for rows, columns in _SHAPES)
"""How many numbers are seen of an outline."""


def with_outline(model: onnx.ModelProto) -> None:
    """Give `pose_landmark_full.onnx` the output `OUTLINE`, in place."""
    path = files("pixie_train.ablation") / _FILE
    branch = onnx.load_from_string(path.read_bytes()).graph
    there = {tensor.name for tensor in model.graph.initializer}
    model.graph.node.extend(branch.node)
    model.graph.initializer.extend(
        tensor for tensor in branch.initializer if tensor.name not in there
    )
    model.graph.output.extend(branch.output)


def outline_pieces(logits: Float32, pose: PoseLandmarks) -> Float32:
    """Return the outline of a person along the bones, each row across one of them.

    Args:
        logits: (S, S), of pixels' being the person's.
        pose: landmarks in pixels of the same square.

    Returns:
        (OUTLINE_SIGHT,), 0 to 1. Limbs' columns run from the right to the left of one
        who looks from their beginning to their end, of left limbs the other way round,
        so that a mirrored person's left arm is the right one of the person.
    """
    mask = 1 / (1 + np.exp(-logits.clip(-30, 30)))
    mask = cv2.GaussianBlur(mask.astype(np.float32), (5, 5), 0)
    xy = pose.image[:, :2].astype(np.float64)
    metre = _pixels_per_metre(pose)
    shoulders, hips = xy[list(_SHOULDERS)].mean(0), xy[list(_HIPS)].mean(0)
    ears = xy[list(_EARS)].mean(0)
    down, length = _direction(hips - shoulders)
    pieces = [
        _sampled(
            mask,
            _TRUNK,
            shoulders,
            shoulders + down * max(length, _SHORTEST_M * metre),
            metre,
        )
    ]
    for limbs, side in zip(_LIMBS, (1, -1), strict=True):
        for begins, ends in limbs:
            pieces.append(_sampled(mask, _LIMB, xy[begins], xy[ends], side * metre))
    up, _ = _direction(ears - shoulders)
    chin, crown = ears - up * _BELOW_EARS_M * metre, ears + up * _ABOVE_EARS_M * metre
    pieces.append(_sampled(mask, _HEAD, chin, crown, metre))
    return np.concatenate([piece.ravel() for piece in pieces])


def taken_apart(pieces: Float32) -> list[Float32]:
    """Return trunk, upper arm, forearm, thigh and shin left, then right, and head.

    Args:
        pieces: (OUTLINE_SIGHT,), of `outline_pieces`.

    Returns:
        (rows, columns) each.
    """
    ends = np.cumsum([rows * columns for rows, columns in _SHAPES])[:-1]
    parts = np.split(pieces, ends)
    return [part.reshape(shape) for part, shape in zip(parts, _SHAPES, strict=True)]


def _pixels_per_metre(pose: PoseLandmarks) -> float:
    """Compare the landmarks' extent in the picture with that in space."""
    points = list(_MEASURED)
    weight = pose.visibility[points].clip(_LEAST_VISIBILITY)[:, None]

    def extent(xy: Float32) -> float:
        centred = xy - (weight * xy).sum(0) / weight.sum()
        return float(np.sqrt((weight * centred**2).sum()))

    metres = extent(pose.world[points, :2])
    return extent(pose.image[points, :2]) / max(metres, 1e-3)


def _direction(vector: Float64) -> tuple[Float64, float]:
    length = float(np.hypot(*vector))
    return vector / max(length, 1e-6), length


def _sampled(
    mask: Float32, piece: _Piece, begins: Float64, ends: Float64, metre: float
) -> Float32:
    """Return a piece (rows, columns); with a negative `metre` mirrored."""
    along, length = _direction(ends - begins)
    across = np.array([-along[1], along[0]]) * metre
    down = np.linspace(*piece.ends, piece.rows) * length
    aside = np.linspace(-piece.half_width_m, piece.half_width_m, piece.columns)
    at = begins + down[:, None, None] * along + aside[:, None] * across
    x, y = np.moveaxis(at.astype(np.float32), -1, 0)
    sampled = cv2.remap(mask, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(sampled, np.float32)
