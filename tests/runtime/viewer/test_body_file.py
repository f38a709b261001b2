import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.body.directions import Directions
from pixie_runtime.viewer.body_file import body_file


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


def contents(file: bytes) -> dict[str, Any]:
    """Read the file as its docstring says."""
    length = int.from_bytes(file[:4], "little")
    header: dict[str, Any] = json.loads(file[4 : 4 + length])
    for name, entry in header.pop("arrays").items():
        start = 4 + length + entry["offset"]
        assert start % 4 == 0
        array = np.frombuffer(file, f"<{entry['type']}", entry["length"], start)
        header[name] = array
    return header


def test_every_array_is_found_where_the_header_says(model: BodyModel) -> None:
    found = contents(body_file(model))
    assert found["vertices"] == model.vertex_count
    assert len(found["parents"]) == len(found["joints"]) == 55
    np.testing.assert_array_equal(found["faces"].reshape(-1, 3), model.faces)
    rows = found["expressionJoints"].reshape(55, 3, -1)
    np.testing.assert_allclose(rows, model.J_expressiondirs)
    assert set(found["kinds"].tolist()) == {0, 1, 2}


def test_the_shares_of_a_vertex_add_up_and_none_is_lost(model: BodyModel) -> None:
    found = contents(body_file(model))
    joints = found["influences"].reshape(-1, 8)
    shares = found["weights"].reshape(-1, 8).astype(np.float64) / 65535
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-9)
    dense = np.zeros((model.vertex_count, 55))
    np.put_along_axis(dense, joints.astype(np.int64), shares, axis=1)
    np.testing.assert_allclose(dense, model.weights, atol=1e-4)


def test_correctives_that_nobody_would_see_are_not_sent(model: BodyModel) -> None:
    everywhere = np.arange(model.vertex_count)
    values = np.full((9, 3 * model.vertex_count), 1e-6, np.float32)
    values[:, :100] = 0.01
    dense = Directions(everywhere, values, model.vertex_count)
    small = contents(body_file(replace(model, pose_fields=(dense,) * 54)))
    assert small["poseStarts"][-1] == 54 * 100


def test_a_face_without_expressions_is_a_file_too(model: BodyModel) -> None:
    none = Directions(np.zeros(0, np.intp), np.zeros((0, 0), np.float32), 1)
    bare = replace(
        model,
        expression_field=none,
        J_expressiondirs=np.zeros((55, 3, 0), np.float32),
    )
    found = contents(body_file(bare))
    assert found["expressions"] == 0
    assert found["expressionStarts"].tolist() == [0, 0]
