"""What the page is sent, read by the page's own modules in node."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pixie_runtime
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.types import (
    FaceLandmarks,
    Float32,
    HandLandmarks,
    Person,
    PersonLandmarks,
    StageTimes,
)
from pixie_runtime.viewer.body_file import body_file
from pixie_runtime.viewer.wire import (
    Counts,
    body_message,
    frame_message,
    picture_message,
    shape_message,
)
from tests.runtime.people import make_person

NODE = shutil.which("node")
STATIC = Path(pixie_runtime.__file__).parent / "viewer/static"
SCRIPT = Path(__file__).with_name("mesh_from_messages.mjs")
COUNTS = Counts(fps=29.5, latency_ms=33.25, frames_dropped=7, not_shown=3)

needs_node = pytest.mark.skipif(
    NODE is None, reason="no node here; scripts/receivers installs it"
)


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


def as_the_page_sees(
    person: Person, model: BodyModel, folder: Path
) -> tuple[dict[str, Any], Float32, Float32]:
    """Return numbers, vertices and joints as the page's modules make them."""
    messages = {
        "body": body_message(body_file(model)),
        "shape": shape_message(4, 2, model, person.params.betas),
        "frame": frame_message(
            [person],
            timestamp_s=person.timestamp_s,
            index=person.frame_index,
            counts=COUNTS,
            shapes={person.track_id: 2},
            n_expression=model.n_expression,
        ),
    }
    for name, message in messages.items():
        (folder / name).write_bytes(message)
    # Where a package says so, node takes files as modules, as browsers do.
    modules = folder / "static"
    shutil.copytree(STATIC, modules)
    (modules / "package.json").write_text('{"type": "module"}')
    done = subprocess.run(
        [str(NODE), str(SCRIPT), str(modules), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    vertices = np.fromfile(folder / "vertices", "<f4").reshape(-1, 3)
    joints = np.fromfile(folder / "joints", "<f4").reshape(-1, 3)
    return json.loads(done.stdout), vertices, joints


@needs_node
def test_the_page_poses_the_very_mesh_that_python_does(
    model: BodyModel, tmp_path: Path
) -> None:
    person = make_person(3, track_id=4, frame_index=90, shape_seed=5)
    _, vertices, joints = as_the_page_sees(person, model, tmp_path)
    p = person.params
    posed = model.shaped(p.betas, p.expression).posed(p.rotations, p.transl)
    off_m = np.linalg.norm(vertices - posed.vertices(), axis=1)
    assert off_m.max() < 5e-4
    assert off_m.mean() < 2e-5
    np.testing.assert_allclose(joints, posed.joints, atol=1e-5)


@needs_node
def test_the_page_reads_every_number_of_a_frame(
    model: BodyModel, tmp_path: Path
) -> None:
    times = StageTimes(
        10**9, 10**9 + 20_000_000, 10**9 + 25_500_000, 10**9 + 26_000_000
    )
    person = replace(make_person(frame_index=90, track_id=4), times=times)
    numbers, _, _ = as_the_page_sees(person, model, tmp_path)
    camera = person.camera
    sure = person.confidence
    assert numbers == {
        "time": person.timestamp_s,
        "index": 90,
        "fps": 29.5,
        "latency": 33.25,
        "stages": {"landmarks": 20, "estimate": 5.5, "smoothing": 0.5},
        "dropped": 7,
        "notShown": 3,
        "camera": {
            "focal": pytest.approx(camera.focal_px),
            "x": camera.centre_px[0],
            "y": camera.centre_px[1],
            "width": camera.size_px[0],
            "height": camera.size_px[1],
        },
        "confidence": pytest.approx(
            [sure.body, sure.left_hand, sure.right_hand, sure.face]
        ),
        "track": 4,
        "version": 2,
        "drawn": 2,
    }


def test_a_frame_has_a_kilobyte_a_person_and_nobody_is_a_frame_too(
    model: BodyModel,
) -> None:
    def size(people: list[Person]) -> int:
        message = frame_message(
            people,
            timestamp_s=0.0,
            index=0,
            counts=COUNTS,
            shapes={0: 1, 1: 1},
            n_expression=model.n_expression,
        )
        return len(message)

    one, two = make_person(), make_person(track_id=1)
    assert size([]) < 100
    assert size([one]) < 1300
    assert size([one, two]) - size([one]) == size([one]) - size([])


def test_fewer_expression_coefficients_than_the_body_has_are_filled_with_zeros(
    model: BodyModel,
) -> None:
    message = frame_message(
        [make_person(n_expression=10)],
        timestamp_s=0.0,
        index=0,
        counts=COUNTS,
        shapes={0: 1},
        n_expression=model.n_expression,
    )
    expression = np.frombuffer(message[-4 * model.n_expression :], "<f4")
    assert expression[:10].all()
    assert not expression[10:].any()


def test_a_picture_brings_what_was_found_and_says_what_was_not() -> None:
    face = FaceLandmarks(np.full((468, 3), 5, np.float32), 1.0)
    hand = np.arange(63, dtype=np.float32).reshape(21, 3)
    landmarks = PersonLandmarks(
        left_hand=HandLandmarks(hand, np.zeros((21, 3), np.float32), 1.0), face=face
    )
    corners = np.array([[1, 2], [3, 4], [5, 6], [7, 8]], np.float32)
    nobody = PersonLandmarks()
    found = [(nobody, {}), (landmarks, {"face": corners})]
    message = picture_message(b"JPEG", (640, 480), found)
    kind, width, height, people = np.frombuffer(message[:16], "<u4").tolist()
    assert (kind, width, height, people) == (2, 640, 480, 2)
    each = (len(message) - 16 - 4) // 2
    first, second = message[16 : 16 + each], message[16 + each : -4]
    assert int.from_bytes(first[:4], "little") == 0
    assert int.from_bytes(second[:4], "little") == 0b1010
    squares = np.frombuffer(second[4 : 4 + 128], "<f4").reshape(4, 4, 2)
    np.testing.assert_array_equal(squares[3], corners)
    assert np.isnan(squares[:3]).all()
    points = np.frombuffer(second[132:], "<f4").reshape(-1, 2)
    np.testing.assert_array_equal(points[33:54], hand[:, :2])
    np.testing.assert_array_equal(points[75:], np.full((68, 2), 5))
    assert message.endswith(b"JPEG")
