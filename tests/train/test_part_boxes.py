"""Recorded `box_center_size`: centre and the side of the square, scaled already."""

import pytest
import torch

from pixie_export.to_onnx import export
from pixie_runtime.bundle import CropSpec, TensorSpec
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_train.camera import project
from pixie_train.key_points import FACE_POINTS, LEFT_HAND_POINTS, RIGHT_HAND_POINTS
from pixie_train.part_boxes import part_boxes
from tests.train.conftest import Recorded

CROPS = CropSpec()
PARTS = (FACE_POINTS, LEFT_HAND_POINTS, RIGHT_HAND_POINTS)


def boxes(points: torch.Tensor) -> torch.Tensor:
    return part_boxes(
        points,
        hd_size=CROPS.hd_size,
        head_scale=CROPS.head_scale,
        hand_scale=CROPS.hand_scale,
    )


def test_boxes_are_those_of_the_official_release(recorded: Recorded) -> None:
    points = project(recorded["body.coarse.joints"], recorded["body.param.body_cam"])

    found = boxes(points[..., :2])

    for part, name in enumerate(("head", "left_hand", "right_hand")):
        expected = recorded[f"body.crop.{name}.box_center_size"]
        torch.testing.assert_close(found[:, part], expected, atol=1e-3, rtol=0)


def test_a_square_is_its_parts_box_grown_by_the_scale() -> None:
    points = torch.zeros(1, 145, 2)
    points[0, LEFT_HAND_POINTS[0]] = torch.tensor([0.5, -0.25])
    points[0, LEFT_HAND_POINTS[1]] = torch.tensor([0.25, -0.75])
    points[0, LEFT_HAND_POINTS[2:]] = torch.tensor([0.3, -0.5])

    left = boxes(points)[0, 1]

    x, y = (0.375 / 2 + 0.5) * 1024, (-0.5 / 2 + 0.5) * 1024
    torch.testing.assert_close(left, torch.tensor([x, y, 2.4 * 0.25 * 1024]))


@pytest.mark.parametrize("part", range(3))
def test_other_points_do_not_matter(part: int) -> None:
    points = torch.rand(2, 145, 2)
    moved = points + 3
    moved[:, PARTS[part]] = points[:, PARTS[part]]
    torch.testing.assert_close(boxes(moved)[:, part], boxes(points)[:, part])


class _Boxes(torch.nn.Module):
    def forward(self, points: torch.Tensor) -> torch.Tensor:
        return boxes(points)


def test_boxes_can_be_exported() -> None:
    points = TensorSpec("points", ("batch", 145, 2), "float32", "")
    squares = TensorSpec("boxes", ("batch", 3, 3), "float32", "")
    model = export(_Boxes(), [points], [squares])
    with OnnxRuntimeEngine(model.SerializeToString(), threads=1) as engine:
        for count in (1, 3):
            some = torch.rand(count, 145, 2)
            found = torch.from_numpy(engine.infer({"points": some.numpy()})["boxes"])
            torch.testing.assert_close(found, boxes(some))
