import numpy as np
import pytest

from pixie_runtime.landmarks.detector import (
    FACE,
    PALM,
    POSE,
    Detector,
    DetectorLayout,
    blend,
)
from pixie_runtime.types import Float32
from tests.runtime.landmarks.engines import FixedEngine


@pytest.mark.parametrize(("layout", "count"), [(POSE, 2254), (PALM, 2016), (FACE, 896)])
def test_anchors_are_as_many_as_the_network_has_boxes(
    layout: DetectorLayout, count: int
) -> None:
    anchors = layout.anchors()
    assert anchors.shape == (count, 2)
    assert 0 < anchors.min() < anchors.max() < 1


def test_anchors_go_row_by_row_with_all_of_a_cell_together() -> None:
    anchors = FACE.anchors()
    np.testing.assert_allclose(anchors[:4] * 16, [[0.5, 0.5]] * 2 + [[1.5, 0.5]] * 2)
    np.testing.assert_allclose(anchors[512:518] * 8, [[0.5, 0.5]] * 6)


def box(x: float, y: float, side: float) -> Float32:
    return np.array([[x, y], [x + side, y + side], [x, y]], np.float32)


def test_overlapping_boxes_become_one_weighted_by_score() -> None:
    places = np.stack([box(0, 0, 1), box(0.2, 0, 1)])
    ((score, place),) = blend(np.array([0.75, 0.25], np.float32), places, 0.3)
    assert score == 0.75
    np.testing.assert_allclose(place, box(0.05, 0, 1), atol=1e-6)


def test_boxes_apart_stay_apart_best_first() -> None:
    places = np.stack([box(0, 0, 1), box(5, 0, 1)])
    found = blend(np.array([0.6, 0.9], np.float32), places, 0.3)
    assert [score for score, _ in found] == pytest.approx([0.9, 0.6])


def test_box_without_extent_does_not_loop_for_ever() -> None:
    found = blend(np.array([0.9, 0.8], np.float32), np.stack([box(1, 1, 0)] * 2), 0.3)
    assert len(found) == 2


def test_detection_is_given_in_pixels_of_the_picture() -> None:
    logits = np.full((1, 896, 1), -500, np.float32)
    boxes = np.zeros((1, 896, 16), np.float32)
    logits[0, 0] = 500
    boxes[0, 0, 2:4] = 64
    detector = Detector(FixedEngine({"logits": logits, "boxes": boxes}), FACE)
    (found,) = detector.detect(np.zeros((100, 200, 3), np.uint8))
    assert found.score == pytest.approx(1)
    # The first anchor is at 1/32 of a square of 200 pixels, 50 above the picture.
    np.testing.assert_allclose(found.points[0], [200 / 32, 200 / 32 - 50], atol=1e-3)
    np.testing.assert_allclose(found.box[1] - found.box[0], [100, 100], atol=1e-3)


def test_nothing_likely_is_nothing_found() -> None:
    outputs = {
        "logits": np.full((1, 896, 1), -1, np.float32),
        "boxes": np.zeros((1, 896, 16), np.float32),
    }
    detector = Detector(FixedEngine(outputs), FACE)
    assert detector.detect(np.zeros((9, 9, 3), np.uint8)) == []
