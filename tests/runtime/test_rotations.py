"""Laws of rotations, with scipy as the peer for every form."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from pixie_runtime import rotations as rot
from pixie_runtime.types import Float64

HALF_TURNS = np.array([[np.pi, 0, 0], [0, np.pi, 0], [0, 0, np.pi], [1.2, 2.0, 2.1]])
HALF_TURNS *= np.pi / np.linalg.norm(HALF_TURNS, axis=1, keepdims=True)


def _unit(values: list[float]) -> Float64:
    q = np.array(values)
    length = np.linalg.norm(q)
    return q / length if length > 1e-3 else np.array([1.0, 0.0, 0.0, 0.0])


component = st.floats(-1, 1, allow_nan=False)
quaternions = st.lists(component, min_size=4, max_size=4).map(_unit)
vectors = st.lists(st.floats(-10, 10), min_size=3, max_size=3).map(np.array)
fractions = st.floats(0, 1)


def peer(q: rot.Array) -> Rotation:
    return Rotation.from_quat(q[..., [1, 2, 3, 0]])


def assert_same_rotation(a: rot.Array, b: rot.Array, atol: float = 1e-7) -> None:
    dot = np.abs((np.asarray(a) * b).sum(-1))
    np.testing.assert_allclose(dot, 1, atol=atol)


@given(quaternions, quaternions, vectors)
def test_multiplying_is_turning_one_after_the_other(
    a: Float64, b: Float64, v: Float64
) -> None:
    both = rot.apply(rot.multiply(a, b), v)
    np.testing.assert_allclose(both, rot.apply(a, rot.apply(b, v)), atol=1e-9)
    np.testing.assert_allclose(both, (peer(a) * peer(b)).apply(v), atol=1e-9)


@given(quaternions)
def test_a_rotation_and_its_inverse_cancel(q: Float64) -> None:
    identity = rot.multiply(q, rot.inverse(q))
    np.testing.assert_allclose(identity, [1, 0, 0, 0], atol=1e-12)


@given(quaternions)
def test_matrix_is_the_peers_and_leads_back(q: Float64) -> None:
    R = rot.to_matrix(q)
    np.testing.assert_allclose(R, peer(q).as_matrix(), atol=1e-12)
    assert_same_rotation(rot.from_matrix(R), q, 1e-12)


@given(quaternions)
def test_rotation_vector_is_the_peers_and_leads_back(q: Float64) -> None:
    w = rot.to_rotvec(q)
    assert np.linalg.norm(w) <= np.pi + 1e-9
    assert_same_rotation(rot.from_rotvec(w), q, 1e-12)
    R = Rotation.from_rotvec(w).as_matrix()
    np.testing.assert_allclose(R, peer(q).as_matrix(), atol=1e-7)


@given(quaternions)
def test_six_numbers_are_the_first_two_columns_and_lead_back(q: Float64) -> None:
    R = rot.to_matrix(q)
    d6 = rot.matrix_to_6d(R)
    np.testing.assert_array_equal(d6, [R[0, 0], R[0, 1], R[1, 0], R[1, 1], *R[2, :2]])
    np.testing.assert_allclose(rot.matrix_from_6d(d6), R, atol=1e-12)


@given(st.lists(st.floats(-5, 5), min_size=6, max_size=6).map(np.array))
def test_any_six_numbers_give_a_rotation(d6: Float64) -> None:
    a, b = d6[0::2], d6[1::2]
    if np.linalg.norm(np.cross(a, b)) < 1e-3:
        return  # the two columns span no plane, so there is no rotation to find
    R = rot.matrix_from_6d(d6)
    np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-6)
    assert np.linalg.det(R) == pytest.approx(1)


@given(quaternions, quaternions, fractions)
def test_slerp_goes_the_shorter_way_at_even_speed(
    a: Float64, b: Float64, t: float
) -> None:
    way = rot.angle_between(a, b)
    between = rot.slerp(a, b, t)
    assert rot.angle_between(a, between) == pytest.approx(t * way, abs=1e-6)
    assert rot.angle_between(between, b) == pytest.approx((1 - t) * way, abs=1e-6)


def test_slerp_is_the_peers() -> None:
    a, b = (rot.normalise(q) for q in np.random.default_rng(0).normal(size=(2, 4)))
    ts = np.linspace(0, 1, 7)
    expected = Slerp([0, 1], Rotation.concatenate([peer(a), peer(b)]))(ts)
    found = rot.slerp(a[None], b[None], ts)
    assert_same_rotation(found, expected.as_quat()[:, [3, 0, 1, 2]])


@given(quaternions, quaternions)
def test_angle_is_the_same_both_ways_and_at_most_half_a_turn(
    a: Float64, b: Float64
) -> None:
    angle = rot.angle_between(a, b)
    assert 0 <= angle <= np.pi + 1e-9
    assert angle == pytest.approx(rot.angle_between(b, a), abs=1e-7)
    assert angle == pytest.approx((peer(a).inv() * peer(b)).magnitude(), abs=1e-6)


@pytest.mark.parametrize("w", HALF_TURNS)
def test_half_turns_survive_every_form(w: Float64) -> None:
    q = rot.from_rotvec(w)
    assert_same_rotation(rot.from_matrix(rot.to_matrix(q)), q, 1e-12)
    assert np.linalg.norm(rot.to_rotvec(q)) == pytest.approx(np.pi)


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-8, 1e-7, 3e-7, 1e-5, 1e-3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_small_angles_survive(angle: float, dtype: type[np.floating]) -> None:
    w = np.array([0.6 * angle, -0.8 * angle, 0], dtype)
    back = rot.to_rotvec(rot.from_rotvec(w))
    np.testing.assert_allclose(back, w, rtol=1e-5)


Conversion = Callable[[rot.Array], rot.Array]


@pytest.mark.parametrize(
    ("convert", "shape"),
    [
        (rot.normalise, (4,)),
        (rot.inverse, (4,)),
        (rot.to_matrix, (4,)),
        (rot.to_rotvec, (4,)),
        (rot.from_rotvec, (3,)),
        (rot.from_matrix, (3, 3)),
        (rot.matrix_to_6d, (3, 3)),
        (rot.matrix_from_6d, (6,)),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_and_leading_axes_are_kept(
    convert: Conversion, shape: tuple[int, ...], dtype: type[np.floating]
) -> None:
    one = np.random.default_rng(1).normal(size=shape).astype(dtype)
    if shape == (4,):
        one = rot.normalise(one)
    if shape == (3, 3):
        one = np.eye(3, dtype=dtype)
    batch = np.broadcast_to(one, (2, 5, *shape))

    result = convert(batch)

    assert result.dtype == dtype
    assert result.shape[:2] == (2, 5)
    np.testing.assert_allclose(result[1, 3], convert(one), rtol=1e-6)


def test_slerp_and_multiply_keep_float32() -> None:
    q = rot.normalise(np.ones((3, 4), np.float32))
    assert rot.multiply(q, q).dtype == np.float32
    assert rot.slerp(q, rot.identity(3), 0.5).dtype == np.float32
    assert rot.apply(q, np.ones((3, 3), np.float32)).dtype == np.float32
    assert rot.angle_between(q, q).dtype == np.float32


def test_identity_has_the_shape_asked_for() -> None:
    assert rot.identity().tolist() == [1, 0, 0, 0]
    assert rot.identity(2, 55).shape == (2, 55, 4)
    assert (rot.to_matrix(rot.identity(7)) == np.eye(3)).all()
