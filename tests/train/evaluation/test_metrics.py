"""Metrics against independent implementations, by hand and by their laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import orthogonal_procrustes
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from pixie_runtime.types import Float64
from pixie_train.evaluation import agora_metrics as agora
from pixie_train.evaluation.alignment import align, distances
from pixie_train.evaluation.hand_metrics import f_score, hand_errors
from pixie_train.evaluation.motion_metrics import acceleration_error, jitter
from pixie_train.evaluation.point_errors import (
    aligned_joint_error,
    joint_error,
    mean_of,
    part_errors,
    rooted_vertex_error,
    vertex_error,
)

seeds = st.integers(0, 10_000)
UP = np.array([0.0, 1, 0])


def _clouds(seed: int, n: int = 40) -> tuple[np.random.Generator, Float64, Float64]:
    random = np.random.default_rng(seed)
    a = random.normal(size=(n, 3))
    return random, a, a + random.normal(0, 0.3, (n, 3))


def _moved(random: np.random.Generator, points: Float64) -> Float64:
    R = Rotation.random(random_state=int(random.integers(1 << 30))).as_matrix()
    scaled = points * random.uniform(0.3, 3)
    return np.asarray(scaled @ R.T + random.normal(size=3))


@given(seeds)
@settings(max_examples=15, deadline=None)
def test_the_procrustes_error_is_scipys(seed: int) -> None:
    _, a, b = _clouds(seed)
    a, b = a - a.mean(0), b - b.mean(0)
    R, sizes = orthogonal_procrustes(a, b)
    assert np.linalg.det(R) > 0  # or scipy would have mirrored
    expected = np.linalg.norm(a @ R * sizes / np.square(a).sum() - b, axis=1)
    np.testing.assert_allclose(distances(a, b, "similarity"), expected, atol=1e-10)


@given(seeds)
@settings(max_examples=15, deadline=None)
def test_no_similarity_of_the_estimate_changes_what_is_left_after_one(
    seed: int,
) -> None:
    random, a, b = _clouds(seed)
    once = vertex_error(a, b, "similarity")
    assert vertex_error(_moved(random, a), b, "similarity") == pytest.approx(once)
    assert vertex_error(_moved(random, a), a, "similarity") < 1e-9
    assert vertex_error(a + 7, b, "translation") == pytest.approx(
        vertex_error(a, b, "translation")
    )


def test_a_mirror_image_is_not_aligned_away() -> None:
    _, a, _ = _clouds(1)
    assert vertex_error(a * [-1, 1, 1], a, "similarity") > 100


@given(seeds)
@settings(max_examples=15, deadline=None)
def test_each_alignment_leaves_less_than_those_with_less_freedom(seed: int) -> None:
    _, a, b = _clouds(seed)
    left = [
        np.square(distances(a * 1.4 + 1, b, how)).mean()
        for how in ("none", "translation", "rigid", "similarity")
    ]
    assert left == sorted(left, reverse=True)


def test_parts_are_aligned_each_on_its_own() -> None:
    _, a, _ = _clouds(2)
    b = a.copy()
    b[:10] += [0, 0, 0.25]  # one part elsewhere
    parts = {"hand": np.arange(10), "rest": np.arange(10, 40)}
    apart = part_errors(a, b, parts, "translation")
    assert apart == pytest.approx({"hand": 0, "rest": 0}, abs=1e-9)
    assert vertex_error(a, b, "translation") > 1


def test_joint_errors_are_those_worked_out_by_hand() -> None:
    true = np.zeros((14, 3))
    true[2], true[3] = [0.1, 0, 0], [-0.1, 0, 0]  # hips
    estimate = true + 5
    estimate[13] += [0, 0.028, 0]
    assert joint_error(estimate, true) == pytest.approx(2)  # 28 mm of one of 14
    estimate[2:4] += [0, 0.014, 0]  # the hips are up, so all others are down
    assert joint_error(estimate, true) == pytest.approx((11 * 14 + 14) / 14)
    assert aligned_joint_error(true * 2 + 1, true) == pytest.approx(0, abs=1e-9)


def test_rooted_vertices_differ_by_where_their_root_is() -> None:
    _, a, _ = _clouds(3)
    root = np.array([0.2, 0, 0])
    moved = rooted_vertex_error(a + 3, a, root + 3, root)
    assert moved == pytest.approx(0, abs=1e-9)
    assert rooted_vertex_error(a, a, root, root + 0.05 * UP) == pytest.approx(50)


def test_means_are_over_the_rows_that_have_a_figure() -> None:
    assert mean_of([{"a": 1}, {"a": 3, "b": 5}]) == {"a": 2, "b": 5}


def test_f_scores_are_brute_forces() -> None:
    random, a, b = _clouds(4, 200)
    gaps = cdist(a, b)
    for threshold in (0.2, 0.3, 0.5):
        p = (gaps.min(1) < threshold).mean()
        r = (gaps.min(0) < threshold).mean()
        assert f_score(a, b, threshold) == pytest.approx(2 * p * r / (p + r))
    assert f_score(a, a, 0.001) == 1
    assert f_score(a, a + 50, 0.001) == 0
    errors = hand_errors(a[:21], _moved(random, a[:21]), a, _moved(random, a))
    assert errors == pytest.approx(
        {"PA-MPJPE": 0, "PA-MPVPE": 0, "F@5": 1, "F@15": 1}, abs=1e-9
    )


def test_a_hand_without_corresponding_vertices_is_aligned_by_its_joints() -> None:
    random, a, _ = _clouds(5, 100)
    joints = a[:21]
    moved = _moved(random, np.concatenate([a, joints]))
    errors = hand_errors(moved[100:], joints, moved[:50], a)
    assert "PA-MPVPE" not in errors
    assert errors["F@5"] == pytest.approx(2 * 0.5 / 1.5)  # all are right, half is there


def test_steady_motion_has_no_acceleration_error_and_a_jolt_has_its_own() -> None:
    t = np.arange(20.0)[:, None, None]
    still = np.zeros((20, 5, 3))
    steady = still + t * [0.01, 0, 0]
    assert acceleration_error(steady, still) == pytest.approx(0, abs=1e-9)
    bent = still + t**2 * [0, 0.003, 0]
    assert acceleration_error(bent, still) == pytest.approx(6)
    assert jitter(bent, 30) == pytest.approx(0, abs=1e-6)
    cubic = still + t**3 * [0, 0, 1e-4]
    assert jitter(cubic, 30) == pytest.approx(6e-4 * 30**3)
    with pytest.raises(ValueError, match="at least 3"):
        acceleration_error(steady[:2], still[:2])


def _body(random: np.random.Generator, at: tuple[float, float]) -> agora.Body:
    joints = random.normal(size=(127, 3))
    pixels = random.uniform(0, 60, (24, 2)) + at
    return agora.Body(pixels, random.normal(size=(50, 3)), joints)


def test_people_are_paired_with_the_nearest_estimate_whose_box_overlaps() -> None:
    random = np.random.default_rng(0)
    people = [_body(random, at).pixels for at in ((0, 0), (400, 0), (900, 0))]
    estimates = [people[1] + 4, people[0] + 9, people[0] + 3, people[0] + 4000]
    pairs, found = agora.matched(estimates, people)
    assert sorted(pairs) == [(0, 1), (2, 0)]
    assert found == agora.Detection(pairs=2, missed=1, false_alarms=2)
    assert found.precision == 0.5
    assert found.recall == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(4 / 7)
    assert agora.matched([], people)[1] == agora.Detection(0, 3, 0)


def test_agoras_errors_are_of_each_part_about_its_root() -> None:
    random = np.random.default_rng(1)
    true = _body(random, (0, 0))
    parts = {"B": np.arange(50), "LH": np.arange(10), "RH": np.arange(10, 20)}
    parts["F"] = np.arange(20, 30)
    vertices, joints = true.vertices + 9, true.joints + 9
    vertices[:10] += [0.030, 0, 0]  # the left hand lies beside its wrist
    estimate = agora.Body(true.pixels, vertices, joints)
    errors = agora.body_errors(estimate, true, parts)
    assert errors["MVE LH"] == pytest.approx(30)
    assert errors["MVE B"] == pytest.approx(6)
    assert errors["MVE FB"] == pytest.approx(6 + (30 + 0 + 0) / 3)
    assert errors["MPJPE FB"] == pytest.approx(0, abs=1e-9)
    half = agora.Detection(1, 1, 1)
    assert agora.normalised(errors, half)["NMVE B"] == pytest.approx(12)
    nobody = agora.Detection(0, 1, 0)
    assert agora.normalised(errors, nobody)["NMVE B"] == float("inf")


def test_the_papers_row_of_agora_fits_the_formula_of_the_full_body() -> None:
    row = {"MVE B": 142.2, "MVE LH": 49.5, "MVE RH": 49.0, "MVE F": 50.2}
    assert agora.with_full_body(row)["MVE FB"] == pytest.approx(191.8, abs=0.05)


def test_points_that_do_not_correspond_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be aligned"):
        align(np.zeros((3, 3)), np.zeros((4, 3)), "rigid")
