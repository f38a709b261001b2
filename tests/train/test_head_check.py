"""How far a head turns against its neck."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pixie_train import rotations
from pixie_train.networks.head_check import LIMITS_DEG, checked, released, softened

ANGLE = st.floats(-180, 180)
INSIDE = st.tuples(*(st.floats(-0.45 * limit, 0.45 * limit) for limit in LIMITS_DEG))


def turned(*angles: float) -> torch.Tensor:
    matrix = Rotation.from_euler("XYZ", angles, degrees=True).as_matrix()
    return torch.from_numpy(matrix[None]).float()


def degrees_between(a: torch.Tensor, b: torch.Tensor) -> float:
    step = (a[0].T @ b[0]).numpy().astype(np.float64)
    return float(np.degrees(Rotation.from_matrix(step).magnitude()))


@given(x=ANGLE, y=st.floats(-89, 89), z=ANGLE)
def test_the_release_s_rule_zeroes_each_angle_beyond_its_limit(
    x: float, y: float, z: float
) -> None:
    if any(abs(abs(a) - b) < 0.1 for a, b in zip((x, y, z), LIMITS_DEG, strict=True)):
        return
    kept = [
        angle if abs(angle) <= limit else 0.0
        for angle, limit in zip((x, y, z), LIMITS_DEG, strict=True)
    ]
    assert degrees_between(released(turned(x, y, z)), turned(*kept)) < 0.05


@given(angles=INSIDE)
def test_a_head_well_within_its_limits_is_left_alone(
    angles: tuple[float, float, float],
) -> None:
    R = turned(*angles)
    assert degrees_between(softened(R), R) < 0.05
    assert degrees_between(released(R), R) < 0.05


@given(
    axis=st.tuples(*(st.floats(-1, 1) for _ in range(3))),
    start=st.floats(0, 180),
    shift=st.tuples(*(st.floats(-0.2, 0.2) for _ in range(3))),
)
def test_the_soft_check_never_jumps(
    axis: tuple[float, float, float],
    start: float,
    shift: tuple[float, float, float],
) -> None:
    length = np.linalg.norm(axis)
    if length < 0.1:
        return
    at = Rotation.from_rotvec(np.radians(start) * np.array(axis) / length)
    near = at * Rotation.from_rotvec(np.radians(shift))
    one, other = (
        softened(torch.from_numpy(R.as_matrix()[None]).float()) for R in (at, near)
    )
    assert degrees_between(one, other) < 40 * np.linalg.norm(shift) + 0.1


@given(axis=st.integers(0, 2), degrees=st.floats(1, 119))
def test_the_soft_check_stops_at_the_limit_of_each_axis(
    axis: int, degrees: float
) -> None:
    angles = [0.0, 0.0, 0.0]
    angles[axis] = degrees
    limited = [0.0, 0.0, 0.0]
    limited[axis] = min(degrees, LIMITS_DEG[axis])
    assert degrees_between(softened(turned(*angles)), turned(*limited)) < 0.05


def test_a_rotation_that_is_its_own_opposite_is_taken_for_none() -> None:
    R = torch.diag(torch.tensor([1.0, -1.0, -1.0]))[None]
    assert degrees_between(softened(R), torch.eye(3)[None]) < 0.1


def test_each_person_gets_the_check_of_its_number() -> None:
    R = turned(30, 10, 0).expand(3, 3, 3)
    off, soft, release = checked(R, torch.tensor([0.0, 1.0, 2.0]))
    torch.testing.assert_close(off, R[0])
    torch.testing.assert_close(soft, softened(R)[1])
    torch.testing.assert_close(release, released(R)[2])


@given(x=ANGLE, y=st.floats(-89, 89), z=ANGLE)
def test_euler_angles_lead_back_to_the_rotation(x: float, y: float, z: float) -> None:
    R = turned(x, y, z)
    again = rotations.matrix_from_euler_xyz(rotations.euler_xyz_from_matrix(R))
    torch.testing.assert_close(again, R, atol=1e-5, rtol=0)
