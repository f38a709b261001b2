"""Plots of an evaluation, and its worst pictures with the estimate drawn over."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import SinkError
from pixie_runtime.rendering import draw_mesh
from pixie_runtime.types import Camera, Float32, UInt8
from pixie_train.evaluation.cases import Box
from pixie_train.evaluation.running import Bad, Evaluation
from pixie_train.evaluation.scoring import FaceScorer

_ESTIMATE, _TRUTH = (235, 150, 90), (110, 190, 235)
_TILE = 384


def draw_pictures(result: Evaluation, model: BodyModel, folder: Path) -> list[str]:
    """Write what there is to see of a result; returns the files' names.

    `errors.png`: errors by part and how they are spread, or NoW's cumulative curve;
    `worst.jpg`: the worst pictures; estimates are orange, the truth blue.

    Raises:
        SinkError: they cannot be written.
    """
    names = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if result.values(result.scorer.key):
            plot(result).savefig(folder / "errors.png", dpi=110)
            names.append("errors.png")
        if result.worst:
            sheet = worst_sheet(result.worst, model)
            quality = [cv2.IMWRITE_JPEG_QUALITY, 88]
            bgr = cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)
            data = cv2.imencode(".jpg", bgr, quality)[1]
            (folder / "worst.jpg").write_bytes(data.tobytes())
            names.append("worst.jpg")
    except OSError as error:
        raise SinkError(
            f"cannot write pictures into {folder}: {error.strerror or error}; choose "
            "another place with --out"
        ) from error
    return names


def plot(result: Evaluation) -> Figure:
    """Return errors by part beside their distribution over pictures or points."""
    mpl.use("Agg")
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    key = result.scorer.key
    by_part = [n for n in result.figures if n.startswith(("PA-V2V", "TR-V2V", "MVE"))]
    names = by_part or [n for n in result.figures if result.values(n)]
    left.boxplot(
        [result.values(name) for name in names],
        orientation="horizontal",
        tick_labels=names,
        showfliers=False,
        whis=(5, 95),
    )
    left.invert_yaxis()
    left.set(xlabel="mm", title=f"{result.subject} on {result.benchmark}")
    left.grid(axis="x", alpha=0.3)
    errors = np.array(result.values(key))
    what, of_what = key, "cases"
    if isinstance(result.scorer, FaceScorer) and result.scorer.distances:
        errors = np.concatenate(result.scorer.distances)
        what, of_what = "distance of a scan's point", "points"
    errors = np.sort(errors)
    right.plot(errors, 100 * np.arange(1, len(errors) + 1) / len(errors))
    limit = float(np.percentile(errors, 99)) * 1.05 or 1.0
    right.set(
        xlabel=f"{what}, mm",
        ylabel=f"% of {of_what} with less",
        title="cumulative error",
        xlim=(0, limit),
        ylim=(0, 100),
    )
    right.grid(alpha=0.3)
    return figure


def worst_sheet(worst: Sequence[Bad], model: BodyModel) -> UInt8:
    """Return pictures side by side: as they are, with the estimate, with the truth."""
    rows = [_drawn(bad, model) for bad in worst]
    blank = np.zeros_like(rows[0])
    pairs = [rows[k : k + 2] for k in range(0, len(rows), 2)]
    return np.concatenate(
        [np.concatenate([*pair, *[blank] * (2 - len(pair))], axis=1) for pair in pairs]
    )


def _drawn(bad: Bad, model: BodyModel) -> UInt8:
    """Return one of the worst, (tile, 3 tile, 3)."""
    case, estimate = bad.case, bad.estimate
    picture = case.picture()
    box = case.box or (0.0, 0.0, float(picture.shape[1]), float(picture.shape[0]))
    tile, camera = _tile(picture, estimate.camera, box)
    over = draw_mesh(tile, estimate.vertices, model.faces, camera, colour=_ESTIMATE)
    true = case.truth.vertices
    known = tile.copy()
    if true is not None and len(true) == model.vertex_count:
        vertices = np.asarray(true, np.float32)
        known = draw_mesh(tile, vertices, model.faces, camera, colour=_TRUTH)
    row = np.concatenate([tile, over, known], axis=1)
    text = f"{case.name}: {bad.error:.0f} mm"
    for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        place = (8, _TILE - 10)
        cv2.putText(row, text, place, 0, 0.5, colour, thickness, cv2.LINE_AA)
    return row


def _tile(picture: UInt8, camera: Camera, box: Box) -> tuple[UInt8, Camera]:
    """Return the square about a box at the sheet's size, and its camera."""
    side = max(box[2] - box[0], box[3] - box[1]) * 1.15
    corner = np.array([(box[0] + box[2] - side) / 2, (box[1] + box[3] - side) / 2])
    scale = _TILE / side
    shift = -corner * scale
    matrix: Float32 = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    tile = cv2.warpAffine(picture, matrix, (_TILE, _TILE), flags=way)
    x, y = (np.array(camera.centre_px) * scale + shift).tolist()
    moved = replace(
        camera,
        focal_px=camera.focal_px * scale,
        centre_px=(x, y),
        size_px=(_TILE, _TILE),
    )
    return np.asarray(tile, np.uint8), moved
