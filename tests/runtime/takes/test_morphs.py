from dataclasses import replace

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.takes.morphs import Morph, corrective_morphs, expression_morphs
from pixie_runtime.takes.take import Take
from pixie_runtime.types import Float32

MODEL = embedded_body_model()


def displaced(morphs: list[Morph], row: int) -> Float32:
    moved = np.zeros_like(MODEL.v_template)
    for morph in morphs:
        moved[morph.vertices] += morph.offsets * morph.weights[row]
    return moved


def expressed(model: BodyModel, expression: Float32) -> Float32:
    shaped = model.shaped(np.zeros(0, np.float32), expression)
    return shaped.vertices() - model.v_template


def assert_near(found: Float32, wanted: Float32, metres: float) -> None:
    assert np.linalg.norm(found - wanted, axis=1).max() < metres


def test_faces_that_arkit_can_make_are_its_units_exactly(expressive_take: Take) -> None:
    morphs = expression_morphs(expressive_take, MODEL)
    assert tuple(morph.name for morph in morphs) == MODEL.arkit_names
    for row in range(0, 100, 29):
        wanted = expressed(MODEL, expressive_take.expression[row])
        assert np.linalg.norm(wanted, axis=1).max() > 5e-3
        assert_near(displaced(morphs, row), wanted, 3e-4)


def test_model_without_units_has_its_coefficients_both_ways(
    expressive_take: Take,
) -> None:
    model = replace(MODEL, arkit_names=None, arkit_to_expression=None)
    few = replace(expressive_take, expression=expressive_take.expression[:, :10])
    morphs = expression_morphs(few, model)
    assert len(morphs) == 20
    for row in range(0, 100, 29):
        wanted = expressed(model, few.expression[row])
        assert_near(displaced(morphs, row), wanted, 3e-4)


def test_correctives_reduced_to_a_few_are_the_bodys_to_millimetres(
    demo_take: Take,
) -> None:
    few, many = (corrective_morphs(demo_take, MODEL, count) for count in (16, 40))
    assert (len(few), len(many)) == (16, 40)
    R = rotations.to_matrix(demo_take.rotations()) - np.eye(3, dtype=np.float32)
    for row in range(0, 100, 29):
        wanted = np.zeros((3, MODEL.vertex_count), np.float32)
        for field, turned in zip(MODEL.pose_fields, R[row, 1:], strict=True):
            field.add_to(wanted, turned.ravel())
        assert np.linalg.norm(wanted, axis=0).max() > 8e-3
        assert_near(displaced(few, row), wanted.T, 4e-3)
        assert_near(displaced(many, row), wanted.T, 1e-3)


def test_no_more_morphs_than_asked_for_and_none_for_a_body_at_rest(
    demo_take: Take,
) -> None:
    still = replace(demo_take, poses=np.zeros_like(demo_take.poses))
    assert corrective_morphs(still, MODEL, 16) == []
    for count in (0, 1, 2):
        assert len(corrective_morphs(demo_take, MODEL, count)) <= count


def test_weights_are_between_none_and_all(expressive_take: Take) -> None:
    wild = replace(expressive_take, expression=5 - 9 * expressive_take.expression)
    coefficients = replace(MODEL, arkit_names=None, arkit_to_expression=None)
    for take in (expressive_take, wild):
        morphs = expression_morphs(take, MODEL) + corrective_morphs(take, MODEL, 16)
        assert len(morphs) == 43 + 16
        for morph in morphs + expression_morphs(take, coefficients):
            assert morph.weights.shape == (len(take),)
            assert morph.weights.min() >= 0
            assert morph.weights.max() <= 1 + 1e-6
