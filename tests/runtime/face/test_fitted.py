"""Maps of face models that are not made of ARKit's units.

No licensed file is at hand. The stand-in has SMPL-X's layout and keys, another head,
and its vertices in another order; its expressions are random mixtures of the units, so
that what a face shows is known.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime.body import BodyModel, embedded_body_model, load_body_model
from pixie_runtime.face import ARKIT_INDEX, ARKIT_NAMES, FaceMap
from pixie_runtime.smplx import JAW, JOINT_INDEX
from pixie_runtime.types import Float32
from tests.runtime.body.files import in_smplx_layout, licensed_stand_in, save
from tests.runtime.face.people import with_face
from tests.runtime.face.test_mapping import UNITS, expression_of

OURS = embedded_body_model()
COEFFICIENTS = 100
SEEN = [name for name in UNITS if name != "tongueOut"]


@dataclass(frozen=True, eq=False)
class StandIn:
    model: BodyModel
    mix: Float32
    """(100, 43): the embedded body's coefficients per coefficient of this model."""
    face_map: FaceMap

    def weights(self, scores: dict[str, float]) -> dict[str, float]:
        """Return what comes back of the face with these scores."""
        wanted = expression_of(**scores)
        coefficients = np.linalg.lstsq(self.mix.T, wanted, rcond=None)[0]
        weights = self.face_map.weights(with_face(coefficients.astype(np.float32)))
        return dict(zip(ARKIT_NAMES, weights.tolist(), strict=True))


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    random = np.random.default_rng(3)
    arrays = in_smplx_layout(OURS)
    mix = random.normal(0, 0.3, (COEFFICIENTS, OURS.n_expression)).astype(np.float32)
    arrays["shapedirs"][:, :, 300:] = OURS.expressiondirs @ mix.T
    arrays["v_template"] = OURS.identity(
        random.normal(0, 1, OURS.n_betas).astype(np.float32)
    ).T
    order = random.permutation(OURS.vertex_count)
    for key in ("v_template", "shapedirs", "posedirs", "weights"):
        arrays[key] = arrays[key][order]
    arrays["J_regressor"] = arrays["J_regressor"][:, order]
    arrays["f"] = np.argsort(order)[arrays["f"]]
    path = save(tmp_path_factory.mktemp("body") / "SMPLX_NEUTRAL.npz", arrays)
    model = load_body_model(path)
    return StandIn(model, mix, FaceMap.of(model, COEFFICIENTS))


def test_random_mixtures_of_the_units_are_taken_apart_again(stand_in: StandIn) -> None:
    random = np.random.default_rng(0)
    errors = []
    for _ in range(40):
        values = random.uniform(size=len(SEEN)) * (random.uniform(size=len(SEEN)) < 0.3)
        scores = dict(zip(SEEN, values.tolist(), strict=True))
        weights = stand_in.weights(scores)
        errors.append([abs(weights[name] - scores[name]) for name in SEEN])
    assert np.mean(errors) < 0.06
    assert np.percentile(errors, 95) < 0.25


@pytest.mark.parametrize("unit", SEEN)
def test_each_unit_stays_the_largest(stand_in: StandIn, unit: str) -> None:
    weights = stand_in.weights({unit: 0.8})
    assert max(weights, key=weights.__getitem__) == unit
    assert weights[unit] == pytest.approx(0.8, abs=0.25)


def test_a_neutral_face_is_neutral(stand_in: StandIn) -> None:
    assert max(stand_in.weights({}).values()) == 0


def test_the_jaw_is_open_where_its_mesh_is(stand_in: StandIn) -> None:
    assert OURS.jaw_open_angle is not None
    angle = stand_in.face_map.jaw_open_angle
    assert angle == pytest.approx(OURS.jaw_open_angle, rel=0.2)
    neutral = np.zeros(COEFFICIENTS, np.float32)
    person = with_face(neutral, jaw=(angle, 0, 0))
    assert stand_in.face_map.weights(person)[ARKIT_INDEX["jawOpen"]] == pytest.approx(1)
    assert person.params.rotations[JAW, 0] < 1


def test_the_note_says_that_it_is_fitted(stand_in: StandIn) -> None:
    assert stand_in.face_map.note is not None
    assert "SMPLX_NEUTRAL" in stand_in.face_map.note
    assert "fitted" in stand_in.face_map.note


def test_fewer_coefficients_than_the_file_has_are_enough(stand_in: StandIn) -> None:
    face_map = FaceMap.of(stand_in.model, 50)
    weights = face_map.weights(with_face(np.ones(50, np.float32)))
    assert weights.min() >= 0
    assert weights.max() <= 1


def test_a_file_without_landmarks_tells_its_jaw_and_says_so(stand_in: StandIn) -> None:
    bare = replace(stand_in.model, lmk_faces_idx=None, lmk_bary_coords=None)
    face_map = FaceMap.of(bare, COEFFICIENTS)
    person = with_face(np.ones(COEFFICIENTS, np.float32), jaw=(0.2, 0, 0))
    weights = face_map.weights(person)
    assert weights[ARKIT_INDEX["jawOpen"]] == pytest.approx(
        0.2 / face_map.jaw_open_angle
    )
    assert np.count_nonzero(weights) == 1
    assert face_map.note is not None
    assert "no landmarks" in face_map.note


def test_without_coefficients_the_jaw_is_all_and_the_note_says_so() -> None:
    face_map = FaceMap.of(OURS, 0)
    person = with_face(np.zeros(0, np.float32), jaw=(0.2, 0, 0))
    assert np.count_nonzero(face_map.weights(person)) == 1
    assert face_map.note is not None
    assert "only the jaw" in face_map.note


def test_any_file_of_the_layout_has_a_map(tmp_path: Path) -> None:
    """Random arrays say nothing, and a head without a vertex of its own even less."""
    arrays = licensed_stand_in()
    arrays["weights"][:, [JAW, JOINT_INDEX["head"]]] = 0
    arrays["weights"] /= arrays["weights"].sum(axis=1, keepdims=True)
    model = load_body_model(save(tmp_path / "SMPLX_MALE.npz", arrays))
    face_map = FaceMap.of(model, 50)
    assert 0.1 <= face_map.jaw_open_angle <= 0.9
    weights = face_map.weights(with_face(np.ones(50, np.float32)))
    assert np.isfinite(weights).all()
    assert 0 <= weights.min() <= weights.max() <= 1
