from typing import Literal

import numpy as np
import pytest

from pixie_runtime.body import embedded_body_model
from pixie_runtime.sinks.painting import body_colours, only_part
from pixie_runtime.smplx import JOINT_INDEX, LEFT_EYE, RIGHT_EYE

SKIN = (205, 190, 178)


def test_eyes_are_white_with_an_iris_in_front_and_the_rest_is_skin() -> None:
    model = embedded_body_model()
    colours = body_colours(model, SKIN)
    eyes = np.isin(model.part, (LEFT_EYE, RIGHT_EYE))
    assert (colours[~eyes] == SKIN).all()
    ball = model.part == LEFT_EYE
    dark = ball & (colours.mean(1) < 100)
    assert 0 < dark.sum() < 0.5 * ball.sum()
    centre = model.J_template[JOINT_INDEX["left_eye_smplhf"]]
    assert (model.v_template[dark, 2] > centre[2]).all()


@pytest.mark.parametrize(
    ("part", "joint", "other"),
    [
        ("head", "head", "pelvis"),
        ("head", "jaw", "left_wrist"),
        ("hand", "left_index2", "head"),
        ("hand", "right_wrist", "right_elbow"),
    ],
)
def test_of_a_part_alone_nothing_else_has_a_surface(
    part: Literal["head", "hand"], joint: str, other: str
) -> None:
    model = embedded_body_model()
    drawn = only_part(model, part)
    shown = set(model.part[drawn.faces].ravel().tolist())
    assert JOINT_INDEX[joint] in shown
    assert JOINT_INDEX[other] not in shown
    assert set(map(tuple, drawn.faces.tolist())) < set(map(tuple, model.faces.tolist()))
