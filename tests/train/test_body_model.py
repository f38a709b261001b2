import numpy as np
import torch

from pixie_runtime import rotations as quaternions
from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JAW, JOINT_COUNT, JOINT_INDEX
from pixie_train import rotations
from pixie_train.body_model import FacePoints, TorchBody

HEAD = JOINT_INDEX["head"]


def random_pose(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    betas = torch.randn(1, 16, generator=generator)
    w = torch.randn(1, JOINT_COUNT, 3, generator=generator) * 0.4
    return betas, rotations.matrix_from_rotvec(w)


def test_joints_are_those_of_the_runtime(model: BodyModel) -> None:
    betas, R = random_pose(0)
    body = TorchBody(model, n_betas=16)
    posed = body.pose(body.rest_joints(betas), R)

    q = quaternions.from_matrix(R[0].numpy())
    shaped = model.shaped(betas[0].numpy(), np.zeros(1, np.float32))
    expected = shaped.posed(q, np.zeros(3, np.float32)).joints

    ours = posed.joints[0] - posed.joints[0, :1]
    np.testing.assert_allclose(ours, expected - expected[:1], atol=1e-5)


def test_face_points_are_those_of_the_runtimes_mesh(model: BodyModel) -> None:
    betas = torch.randn(1, 16, generator=torch.Generator().manual_seed(1)) * 0.5
    expression = torch.randn(1, model.n_expression) * 0.3
    R = torch.eye(3).repeat(1, JOINT_COUNT, 1, 1)
    R[:, JAW] = rotations.matrix_from_rotvec(torch.tensor([[0.25, 0.02, 0.0]]))
    body = TorchBody(model, n_betas=16)
    points = [1, 33, 263, 61, 291, 17, 152, 105]
    face = FacePoints(model, points, n_betas=16)
    rest = body.rest_joints(betas)
    local = face(betas, expression, R[:, JAW], rest[:, JAW] - rest[:, HEAD])

    q = quaternions.from_matrix(R[0].numpy()).astype(np.float32)
    shaped = model.shaped(betas[0].numpy(), expression[0].numpy())
    posed = shaped.posed(q, np.zeros(3, np.float32))
    assert model.mediapipe468_faces_idx is not None
    assert model.mediapipe468_bary_coords is not None
    corners = posed.vertices()[model.faces[model.mediapipe468_faces_idx[points]]]
    surface = np.einsum("pk,pkc->pc", model.mediapipe468_bary_coords[points], corners)
    expected = surface - posed.joints[HEAD]

    np.testing.assert_allclose(local[0], expected, atol=1.5e-3)


def test_gradients_reach_shape_and_pose(model: BodyModel) -> None:
    betas, R = random_pose(2)
    betas.requires_grad_()
    R.requires_grad_()
    body = TorchBody(model, n_betas=16)
    torch.autograd.backward(body.pose(body.rest_joints(betas), R).joints.sum())
    assert betas.grad is not None
    assert R.grad is not None
    assert betas.grad.abs().sum() > 0
    assert R.grad.abs().sum() > 0
