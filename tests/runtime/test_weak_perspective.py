from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixie_runtime import rotations
from pixie_runtime.body import PosedBody, ShapedBody, embedded_body_model
from pixie_runtime.crops import Square
from pixie_runtime.types import Camera, Float32
from pixie_runtime.weak_perspective import WeakCamera

BODY = range(22)


@cache
def body() -> ShapedBody:
    model = embedded_body_model()
    return model.shaped(np.array([0.5, -1.0], np.float32), np.zeros(1, np.float32))


def pose(seed: int = 0) -> Float32:
    """Return a random pose of a body that faces the viewer upright."""
    random = np.random.default_rng(seed)
    q = rotations.from_rotvec(random.normal(0, 0.3, (55, 3)))
    q[0] = rotations.multiply(np.array([0.0, 1.0, 0.0, 0.0]), q[0])
    return q.astype(np.float32)


def seen(q: Float32) -> PosedBody:
    return body().posed(q, np.zeros(3, np.float32))


def placed(q: Float32, weak: WeakCamera, camera: Camera) -> tuple[Float32, Float32]:
    return weak.placed(seen(q), q, camera)


@given(
    x=st.floats(100, 1180),
    y=st.floats(100, 620),
    side=st.floats(150, 700),
    scale=st.floats(0.6, 1.2),
    tx=st.floats(-0.2, 0.2),
    ty=st.floats(-0.2, 0.6),
    seed=st.integers(0, 20),
)
@settings(max_examples=60, deadline=None)
def test_seen_from_afar_the_body_projects_to_where_the_network_s_camera_has_it(
    x: float,
    y: float,
    side: float,
    scale: float,
    tx: float,
    ty: float,
    seed: int,
) -> None:
    camera = Camera.with_field_of_view(1280, 720, 2.0)
    q, square = pose(seed), Square(x, y, side)
    weak = np.array([scale, tx, ty], np.float32)
    expected = WeakCamera(weak, square).project(seen(q).joints)

    turned, transl = placed(q, WeakCamera(weak, square), camera)

    ours = camera.project(body().posed(turned, transl).joints)
    # 0.6 m before the body's middle, at 40 m or farther, is 1.5 hundredths of a half.
    np.testing.assert_allclose(ours, expected, atol=0.015 * side)


@pytest.mark.parametrize("x", [100, 640, 1180])
def test_off_centre_the_error_is_that_of_perspective_itself(
    x: float,
) -> None:
    camera = Camera.with_field_of_view(1280, 720, 50)
    q, weak = pose(3), np.array([0.9, 0.0, 0.35], np.float32)
    square = Square(x, 360, 250)
    turned, transl = placed(q, WeakCamera(weak, square), camera)
    ours = camera.project(body().posed(turned, transl).joints)[BODY]
    expected = WeakCamera(weak, square).project(seen(q).joints)[BODY]
    gap = np.linalg.norm(ours - expected, axis=1)
    assert gap.mean() < 0.04 * square.side
    assert gap.max() < 0.10 * square.side


def test_the_weak_camera_projects_as_the_spec_says() -> None:
    weak = WeakCamera(np.array([0.5, 0.2, -0.4], np.float32), Square(100, 50, 20))
    points = np.array([[[0.3, 0.4, 9.0]], [[1.8, 2.4, -1]]], np.float32)
    expected = np.array([[[102.5, 50.0]], [[110.0, 60.0]]])
    np.testing.assert_allclose(weak.project(points), expected, atol=1e-5)


def test_the_depth_is_twice_the_focal_length_over_scale_and_side() -> None:
    camera = Camera.with_field_of_view(1280, 720, 60)
    q, weak = pose(), np.array([0.8, 0.0, 0.3], np.float32)
    square = Square(640, 360, 400)
    turned, transl = placed(q, WeakCamera(weak, square), camera)
    middle = body().posed(turned, transl).joints[BODY, 2].mean()
    assert middle == pytest.approx(2 * camera.focal_px / (0.8 * 400), rel=1e-4)


def test_a_body_seen_at_the_side_is_turned_towards_the_camera() -> None:
    camera = Camera.with_field_of_view(1000, 1000, 90)
    q = rotations.identity(55)
    q[0] = [0, 1, 0, 0]
    weak = np.array([1.0, 0.0, 0.0], np.float32)
    # The right border is 45 degrees off: there the network sees the body frontally.
    turned, transl = placed(q, WeakCamera(weak, Square(1000, 500, 300)), camera)
    chest = rotations.to_matrix(turned[0])[:, 2]
    np.testing.assert_allclose(chest, [-np.sqrt(0.5), 0, -np.sqrt(0.5)], atol=1e-5)
    assert transl[0] == pytest.approx(transl[2], abs=0.5)
    np.testing.assert_array_equal(turned[1:], q[1:])


@pytest.mark.parametrize("scale", [-3.0, 0.0, 1e-9, 1e-30, 50.0, 1e9])
def test_no_scale_puts_the_body_out_of_sight(scale: float) -> None:
    camera = Camera.with_field_of_view(1280, 720, 60)
    weak = np.array([scale, 0.0, 0.0], np.float32)
    turned, transl = placed(pose(), WeakCamera(weak, Square(640, 360, 400)), camera)
    depths = body().posed(turned, transl).joints[:, 2]
    assert depths.min() > 0.19
    assert depths.max() < 2 * camera.focal_px / (0.05 * 400) + 2
