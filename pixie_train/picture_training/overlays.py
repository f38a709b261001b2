"""Held-out pictures with what is known and what the network says drawn over."""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from pixie_runtime.errors import SinkError
from pixie_runtime.smplx import JOINT_COUNT, PARENTS
from pixie_runtime.types import UInt8
from pixie_train.batch import Batch, CropKind
from pixie_train.key_points import FACE_POINTS, RIGHT_HAND_POINTS
from pixie_train.picture_training.passes import StagePass

_TRUE, _SAID = (90, 255, 90), (255, 80, 200)
_SIDE = 256
_POINTS = {
    CropKind.BODY: list(range(JOINT_COUNT)),
    CropKind.HEAD: list(FACE_POINTS),
    CropKind.HAND: list(RIGHT_HAND_POINTS),
}


@torch.no_grad()
def overlays(passes: StagePass, batch: Batch) -> UInt8:
    """Return the pictures in a row, (256, 256 B, 3): truth green, network pink.

    Args:
        passes: of the network to look at; is put in evaluation mode.
        batch: of the stage's kind.
    """
    passes.eval()
    match batch.kind:
        case CropKind.HEAD:
            said = passes.head(batch)
        case CropKind.HAND:
            said = passes.hand(batch)
        case CropKind.BODY if passes.run.stage == "body":
            said = passes.body(batch)
        case CropKind.BODY:
            said = passes.whole(batch, torch.zeros(len(batch), 3, 3))[0]
    targets = batch.targets
    tiles = []
    for index, picture in enumerate(batch.pictures.image):
        rows = picture.permute(1, 2, 0).cpu().numpy()
        tile = np.asarray(cv2.resize(rows, (_SIDE, _SIDE)), np.uint8)
        known = targets.xy_confidence[index] > 0
        _draw(tile, targets.xy[index], known, batch.kind, _TRUE)
        _draw(tile, said.points_2d[index], torch.ones(145), batch.kind, _SAID)
        tiles.append(tile)
    return np.concatenate(tiles, axis=1)


def write_png(path: Path, picture: UInt8) -> None:
    """Write an RGB picture.

    Raises:
        SinkError: it cannot be written.
    """
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise SinkError(
            f"cannot write {path}: {error.strerror or error}; free space"
        ) from error


def _draw(
    tile: UInt8, xy: Tensor, known: Tensor, kind: CropKind, colour: tuple[int, int, int]
) -> None:
    # Networks that have just begun may say anything; far away is drawn far away.
    pixels = ((xy.clamp(-4, 4) * 0.5 + 0.5) * _SIDE * 16).round().int().tolist()
    points = _POINTS[kind]
    for point in points:
        if not known[point]:
            continue
        cv2.circle(tile, pixels[point], 24, colour, -1, cv2.LINE_AA, 4)
        parent = PARENTS[point] if point < JOINT_COUNT else -1
        if parent in points and known[parent]:
            cv2.line(tile, pixels[parent], pixels[point], colour, 1, cv2.LINE_AA, 4)
