"""Body landmarks made exact by the network's heatmaps."""

import numpy as np

from pixie_runtime.types import Float32

_REACH = 3
_MIN_CONFIDENCE = 0.5


def refined(landmarks: Float32, heatmaps: Float32) -> Float32:
    """Move each landmark to the centre of mass of its heatmap nearby.

    RefineLandmarksFromHeatmapCalculator, kernel of 7 cells: only where the heatmap is
    sure of itself. Presence cannot exceed what the heatmap says (`refine_presence`);
    z and visibility stay as they are.

    Args:
        landmarks: (n, 5): x, y in the unit square, z, visibility, presence.
        heatmaps: (n, H, W) logits.
    """
    count, height, width = heatmaps.shape
    better = landmarks.copy()
    columns = (landmarks[:, 0] * width).astype(int)
    rows = (landmarks[:, 1] * height).astype(int)
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    steps = np.arange(-_REACH, _REACH + 1)
    ys = rows[:, None] + steps
    xs = columns[:, None] + steps
    usable = ((ys >= 0) & (ys < height))[:, :, None]
    usable = usable & ((xs >= 0) & (xs < width))[:, None, :]
    logits = heatmaps[
        np.arange(count)[:, None, None],
        ys.clip(0, height - 1)[:, :, None],
        xs.clip(0, width - 1)[:, None, :],
    ]
    confidence = np.where(usable, 1 / (1 + np.exp(-logits.clip(-60, 60))), 0)
    highest = confidence.max(axis=(1, 2))
    total = np.maximum(confidence.sum(axis=(1, 2)), 1e-12)
    sure = inside & (highest >= _MIN_CONFIDENCE)
    x = (confidence.sum(axis=1) * xs).sum(axis=1) / total / width
    y = (confidence.sum(axis=2) * ys).sum(axis=1) / total / height
    better[:, 0] = np.where(sure, x, landmarks[:, 0])
    better[:, 1] = np.where(sure, y, landmarks[:, 1])
    capped = np.minimum(landmarks[:, 4], highest)
    better[:, 4] = np.where(inside, capped, landmarks[:, 4])
    return better
