import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from pixie_runtime import rotations as runtime_rotations
from pixie_train import rotations


def random_matrices(count: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(
        Rotation.random(count, random_state=seed).as_matrix()
    ).float()


def test_6d_rotations_go_there_and_back() -> None:
    R = random_matrices(50)
    torch.testing.assert_close(
        rotations.matrix_from_6d(rotations.matrix_to_6d(R)), R, atol=1e-5, rtol=0
    )


def test_6d_is_the_same_form_as_in_the_runtime() -> None:
    d6 = torch.randn(50, 6, generator=torch.Generator().manual_seed(1))
    np.testing.assert_allclose(
        rotations.matrix_from_6d(d6),
        runtime_rotations.matrix_from_6d(d6.numpy()),
        atol=1e-5,
    )


def test_rotation_vectors_agree_with_scipy() -> None:
    w = torch.randn(50, 3, generator=torch.Generator().manual_seed(2))
    expected = Rotation.from_rotvec(w.numpy()).as_matrix()
    np.testing.assert_allclose(rotations.matrix_from_rotvec(w), expected, atol=1e-5)


def test_no_rotation_has_a_finite_gradient() -> None:
    w = torch.zeros(2, 3, requires_grad=True)
    torch.autograd.backward(rotations.matrix_from_rotvec(w).sum())
    assert w.grad is not None
    assert w.grad.isfinite().all()


def test_euler_angles_are_rx_ry_rz() -> None:
    angles = torch.randn(20, 3, generator=torch.Generator().manual_seed(3))
    expected = Rotation.from_euler("XYZ", angles.numpy()).as_matrix()
    np.testing.assert_allclose(
        rotations.matrix_from_euler_xyz(angles), expected, atol=1e-5
    )


def test_mirroring_twice_changes_nothing_and_keeps_rotations_proper() -> None:
    R = random_matrices(20)
    mirrored = rotations.mirror(R)
    torch.testing.assert_close(rotations.mirror(mirrored), R)
    torch.testing.assert_close(torch.linalg.det(mirrored), torch.ones(20))


@pytest.mark.parametrize("direction", [(0, 0, 1), (1, 0, 1), (-0.4, 0.9, 0.3)])
def test_looking_at_a_direction_turns_it_onto_the_axis(
    direction: tuple[float, float, float],
) -> None:
    d = torch.tensor([direction], dtype=torch.float32)
    R = rotations.look_at(d)
    turned = (R @ d[..., None])[..., 0]
    torch.testing.assert_close(turned, torch.tensor([[0, 0, float(d.norm())]]))
    torch.testing.assert_close(R @ R.transpose(-1, -2), torch.eye(3)[None])


def test_the_angle_between_rotations_is_that_of_the_turn_between_them() -> None:
    a = random_matrices(10)
    turn = rotations.matrix_from_rotvec(torch.tensor([[0.3, 0.0, 0.0]]))
    angle = rotations.geodesic(a, a @ turn)
    torch.testing.assert_close(angle, torch.full((10,), 0.3), atol=1e-3, rtol=0)
