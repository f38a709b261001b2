"""The fast mesh is the exact mesh, to a tenth of a millimetre by a wide margin."""

import threading
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime import rotations as rot
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.rendering.shading import vertex_normals
from pixie_runtime.skinning import ExactSkinner, Skinner, open_skinner
from pixie_runtime.smplx import JOINT_COUNT
from tests.runtime.skinning.bodies import cut, dense, posed, worst_m

pytest.importorskip("numba", reason="the extra fast is not installed")

GOAL_M = 1e-4
"""What the documentation promises."""
SEEN_M = 2e-5
"""What it should really be."""
NONE = np.zeros(0, np.float32)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="module", params=["embedded", "dense", "odd number of vertices"])
def model(request: pytest.FixtureRequest) -> BodyModel:
    embedded = embedded_body_model()
    if request.param == "embedded":
        return embedded
    if request.param == "dense":
        return dense(cut(embedded, 2000))
    return cut(embedded, 1999)


@pytest.fixture(scope="module")
def skinner(model: BodyModel, cache: Path) -> Skinner:
    return open_skinner(model, "numba", cache=cache)


@pytest.mark.parametrize("seed", range(5))
def test_the_mesh_is_the_exact_one(
    model: BodyModel, skinner: Skinner, seed: int
) -> None:
    body = posed(model, seed)

    assert worst_m(skinner.vertices(body), body.vertices()) < SEEN_M < GOAL_M


def test_half_turns_everywhere_stay_within_the_promise(
    model: BodyModel, skinner: Skinner
) -> None:
    # Entries of R - I are at their largest, 2.
    half_turns = np.zeros((JOINT_COUNT, 4), np.float32)
    half_turns[np.arange(JOINT_COUNT), 1 + np.arange(JOINT_COUNT) % 3] = 1
    body = model.shaped(NONE, NONE).posed(half_turns, np.zeros(3, np.float32))

    assert worst_m(skinner.vertices(body), body.vertices()) < GOAL_M


def test_the_rest_pose_is_the_shaped_mesh(model: BodyModel, skinner: Skinner) -> None:
    shaped = model.shaped(np.ones(3, np.float32), NONE)
    body = shaped.posed(rot.identity(JOINT_COUNT), np.zeros(3, np.float32))

    assert worst_m(skinner.vertices(body), shaped.vertices()) < 2e-6


def test_another_shape_is_not_mistaken_for_the_last(
    model: BodyModel, skinner: Skinner
) -> None:
    for seed in (1, 2, 1, *range(3, 15), 1):  # more than are kept
        body = posed(model, seed)
        assert worst_m(skinner.vertices(body), body.vertices()) < SEEN_M


def test_meshes_belong_to_the_caller(model: BodyModel, skinner: Skinner) -> None:
    body = posed(model, 0)
    first = skinner.vertices(body)
    kept = first.copy()

    skinner.vertices(body)[:] = 0

    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(skinner.vertices(body), kept)


def test_normals_are_the_renderers(model: BodyModel, skinner: Skinner) -> None:
    vertices = skinner.vertices(posed(model, 3))

    expected = vertex_normals(vertices, model.faces)

    np.testing.assert_allclose(skinner.normals(vertices), expected, atol=1e-4)


def test_several_threads_may_ask_at_once(model: BodyModel, skinner: Skinner) -> None:
    bodies = [posed(model, seed) for seed in range(4)]
    worst: list[float] = []

    def work(index: int) -> None:
        for _ in range(10):
            mesh = skinner.vertices(bodies[index])
            worst.append(worst_m(mesh, bodies[index].vertices()))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(worst) == 40
    assert max(worst) < SEEN_M


def test_what_is_not_finite_stays_visible(model: BodyModel, skinner: Skinner) -> None:
    transl = np.array([np.nan, 0, 0], np.float32)
    body = model.shaped(NONE, NONE).posed(rot.identity(JOINT_COUNT), transl)

    assert np.isnan(skinner.vertices(body)[:, 0]).all()


def test_one_thread_gives_the_same_mesh_as_two(model: BodyModel, cache: Path) -> None:
    one = open_skinner(model, "numba", threads=1, cache=cache)
    two = open_skinner(model, "numba", threads=2, cache=cache)
    body = posed(model, 0)

    np.testing.assert_array_equal(one.vertices(body), two.vertices(body))
    assert "1 thread," in one.description


@pytest.mark.parametrize("large", [True, False])
def test_several_cores_share_only_what_is_worth_it(large: bool, cache: Path) -> None:
    body = cut(embedded_body_model(), 2000)
    skinner = open_skinner(dense(body) if large else body, "numba", cache=cache)

    assert ("2 threads," in skinner.description) is large


def test_a_body_of_another_model_is_refused(skinner: Skinner) -> None:
    other = cut(embedded_body_model(), 100)

    with pytest.raises(ValueError, match="this skinner was opened for"):
        skinner.vertices(posed(other, 0))


def test_the_exact_skinner_is_the_body_itself(model: BodyModel) -> None:
    body = posed(model, 0)
    exact = ExactSkinner(model)

    np.testing.assert_array_equal(exact.vertices(body), body.vertices())
    assert exact.normals(body.vertices()).shape == (model.vertex_count, 3)
