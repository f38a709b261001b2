"""Single-shot detectors: pose, palm and face, all decoded alike."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixie_runtime.engines import Engine
from pixie_runtime.landmarks.regions import Region
from pixie_runtime.types import Float32, UInt8

_LOGIT_LIMIT = 80.0


@dataclass(frozen=True, slots=True)
class DetectorLayout:
    """What a detector's outputs mean (SsdAnchors, TensorsToDetections)."""

    side: int
    """Side of its input, pixels."""
    strides: tuple[int, ...]
    """One for each layer of anchors; two anchors a cell in each."""
    min_score: float = 0.5
    min_overlap: float = 0.3
    """Intersection over union above which two detections are one."""

    def anchors(self) -> Float32:
        """Return the anchors' centres (n, 2) in the unit square.

        Layers of equal stride share a grid: their anchors are interleaved cell by cell.
        """
        centres = []
        for stride in dict.fromkeys(self.strides):
            cells = -(-self.side // stride)
            axis = (np.arange(cells, dtype=np.float32) + 0.5) / cells
            grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
            centres.append(grid.repeat(2 * self.strides.count(stride), axis=0))
        return np.concatenate(centres)


POSE = DetectorLayout(224, (8, 16, 32, 32, 32))
PALM = DetectorLayout(192, (8, 16, 16, 16))
FACE = DetectorLayout(128, (8, 16, 16, 16))


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """Something found in the picture."""

    score: float
    """Probability in [0, 1]."""
    box: Float32
    """Corners of the upright box in the region searched: (2, 2), pixels."""
    points: Float32
    """Key points, (n, 2), pixels; which they are depends on the detector."""


class Detector:
    """Looks for one kind of thing in a region of a picture."""

    def __init__(self, engine: Engine, layout: DetectorLayout) -> None:
        self._engine = engine
        self._layout = layout
        self._anchors = layout.anchors()

    def detect(self, image: UInt8, region: Region | None = None) -> list[Detection]:
        """Return what is in `region` (by default the whole picture), best first."""
        region = region or Region.whole(image)
        crop = region.crop(image, self._layout.side, black_outside=True)
        outputs = self._engine.infer({"image": crop[None]})
        logits = outputs["logits"][0, :, 0].clip(-_LOGIT_LIMIT, _LOGIT_LIMIT)
        scores = 1 / (1 + np.exp(-logits))
        likely = np.flatnonzero(scores >= self._layout.min_score)
        if not likely.size:
            return []
        raw = outputs["boxes"][0, likely].reshape(len(likely), -1, 2)
        raw /= self._layout.side
        anchors = self._anchors[likely, None]
        centres, half_sizes = raw[:, :1] + anchors, raw[:, 1:2] / 2
        corners = np.concatenate([centres - half_sizes, centres + half_sizes], axis=1)
        places = np.concatenate([corners, raw[:, 2:] + anchors], axis=1)
        return [
            Detection(score, region.to_image(place[:2]), region.to_image(place[2:]))
            for score, place in blend(scores[likely], places, self._layout.min_overlap)
        ]


def blend(
    scores: Float32, places: Float32, min_overlap: float
) -> list[tuple[float, Float32]]:
    """Merge detections that overlap, weighted by score, best first.

    Weighted non-maximum suppression (NonMaxSuppressionCalculator, WEIGHTED): all that
    overlap the best one are averaged into it, then the next best of the rest follows.

    Args:
        scores: (n,) in [0, 1].
        places: (n, 2 + k, 2), the box's corners and then any other points.
        min_overlap: Intersection over union above which two are one.
    """
    merged = []
    rest = np.argsort(-scores, kind="stable")
    while rest.size:
        together = _overlap(places[rest[0], :2], places[rest, :2]) > min_overlap
        together[0] = True
        group = rest[together]
        place = np.average(places[group], axis=0, weights=scores[group])
        merged.append((float(scores[rest[0]]), place.astype(np.float32)))
        rest = rest[~together]
    return merged


def _overlap(box: Float32, boxes: Float32) -> npt.NDArray[np.floating]:
    low = np.maximum(box[0], boxes[:, 0])
    high = np.minimum(box[1], boxes[:, 1])
    shared = (high - low).clip(0).prod(axis=1)
    areas = (boxes[:, 1] - boxes[:, 0]).clip(0).prod(axis=1)
    area = (box[1] - box[0]).clip(0).prod()
    return np.asarray(shared / np.maximum(area + areas - shared, 1e-12))
