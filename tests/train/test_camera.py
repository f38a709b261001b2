import torch

from pixie_train.camera import project


def test_shift_comes_before_scale_and_depth_is_scaled_alone() -> None:
    points = torch.tensor([[[1.0, 2.0, 3.0]], [[0.0, 0.0, 0.0]]])
    camera = torch.tensor([[2.0, 0.5, -1.0], [3.0, 1.0, 2.0]])
    expected = torch.tensor([[[3.0, 2.0, 6.0]], [[3.0, 6.0, 0.0]]])
    torch.testing.assert_close(project(points, camera), expected)


def test_gradients_reach_points_and_camera() -> None:
    points = torch.randn(2, 3, 3, dtype=torch.float64, requires_grad=True)
    camera = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(project, (points, camera))
