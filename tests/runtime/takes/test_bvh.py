"""BVH read by a reader of our own, as the format's few descriptions say."""

from dataclasses import dataclass, field, replace
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pixie_runtime.body import embedded_body_model
from pixie_runtime.errors import SinkError
from pixie_runtime.smplx import JOINT_NAMES
from pixie_runtime.takes.bvh import Unit, encode_bvh, write_bvh, zxy_angles
from pixie_runtime.takes.take import Take
from pixie_runtime.types import Float64
from tests.runtime.takes.bodies import body_of_one_shape

ANGLES = st.tuples(*[st.floats(-400, 400)] * 3)


@dataclass
class Node:
    name: str
    parent: int
    offset: list[float] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)


def read_bvh(path: Path) -> tuple[list[Node], float, Float64]:
    """Return the nodes, the frame time and the numbers, (T, channels)."""
    head, motion = path.read_text(encoding="ascii").split("MOTION\n")
    nodes: list[Node] = []
    open_nodes = [-1]
    for line in head.splitlines():
        word, *values = line.split()
        if word in ("ROOT", "JOINT", "End"):
            nodes.append(Node(values[0], open_nodes[-1]))
        elif word == "{":
            open_nodes.append(len(nodes) - 1)
        elif word == "}":
            open_nodes.pop()
        elif word == "OFFSET":
            nodes[-1].offset = [float(value) for value in values]
        elif word == "CHANNELS":
            assert int(values[0]) == len(values[1:])
            nodes[-1].channels = values[1:]
    assert open_nodes == [-1]
    frames, frame_time, *lines = motion.splitlines()
    assert int(frames.removeprefix("Frames: ")) == len(lines)
    numbers = np.array([line.split() for line in lines], np.float64)
    return nodes, float(frame_time.removeprefix("Frame Time: ")), numbers


def joints_of(nodes: list[Node], numbers: Float64) -> dict[str, Float64]:
    """Pose one frame's numbers; positions replace the offset."""
    places: list[Float64] = []
    turns: list[Rotation] = []
    at = 0
    for node in nodes:
        values = dict(
            zip(node.channels, numbers[at : at + len(node.channels)], strict=True)
        )
        at += len(node.channels)
        place = np.array(
            [
                values.get(f"{axis}position", offset)
                for axis, offset in zip("XYZ", node.offset, strict=True)
            ]
        )
        turn = Rotation.identity()
        for channel in node.channels:
            if channel.endswith("rotation"):
                step = Rotation.from_euler(channel[0], values[channel], degrees=True)
                turn = turn * step
        if node.parent >= 0:
            place = places[node.parent] + turns[node.parent].apply(place)
            turn = turns[node.parent] * turn
        places.append(place)
        turns.append(turn)
    assert at == len(numbers)
    return {node.name: place for node, place in zip(nodes, places, strict=True)}


@pytest.mark.parametrize(("unit", "per_metre"), [("cm", 100), ("m", 1)])
def test_joints_read_from_the_file_are_ours_to_a_millimetre(
    unit: Unit, per_metre: float, demo_take: Take, tmp_path: Path
) -> None:
    write_bvh(demo_take, tmp_path / "take.bvh", unit=unit)
    nodes, frame_time, numbers = read_bvh(tmp_path / "take.bvh")
    assert frame_time == pytest.approx(1 / 60, abs=1e-8)
    assert len(numbers) == len(demo_take)
    for row in range(0, len(demo_take), 11):
        read = joints_of(nodes, numbers[row])
        body = body_of_one_shape(demo_take, row, embedded_body_model())
        ours = body.joints * per_metre
        found = np.array([read[name] for name in JOINT_NAMES])
        np.testing.assert_allclose(found, ours, atol=1e-3 * per_metre)


def test_root_has_no_offset_so_that_adding_it_changes_nothing(
    demo_take: Take, tmp_path: Path
) -> None:
    write_bvh(demo_take, tmp_path / "take.bvh")
    root, *others = read_bvh(tmp_path / "take.bvh")[0]
    assert root.offset == [0, 0, 0]
    assert root.channels[:3] == ["Xposition", "Yposition", "Zposition"]
    assert all(len(node.channels) in (0, 3) for node in others)
    assert all(any(node.offset) for node in others)


def test_fingers_feet_and_face_end_in_tips(demo_take: Take, tmp_path: Path) -> None:
    write_bvh(demo_take, tmp_path / "take.bvh", unit="m")
    nodes = read_bvh(tmp_path / "take.bvh")[0]
    tips = {nodes[node.parent].name: node for node in nodes if node.name == "Site"}
    assert len(tips) == 2 + 3 + 10
    lengths = [np.linalg.norm(node.offset) for node in tips.values()]
    assert min(lengths) > 0.01
    assert max(lengths) < 0.1


def test_thirty_frames_a_second_are_written_exactly(demo_take: Take) -> None:
    text = "".join(encode_bvh(replace(demo_take, mocap_frame_rate=30.0)))
    assert "\nFrame Time: 0.03333333\n" in text


@given(st.lists(ANGLES, min_size=1, max_size=20).map(np.array))
def test_angles_give_the_rotation_they_were_made_of(degrees: Float64) -> None:
    turns = Rotation.from_euler("ZXY", degrees, degrees=True)
    wxyz = turns.as_quat(scalar_first=True)[:, None]
    again = Rotation.from_euler("ZXY", zxy_angles(wxyz)[:, 0])
    assert (again.inv() * turns).magnitude().max() < 1e-6


def test_angles_go_on_smoothly_over_full_turns_and_past_the_middle_axis_pole() -> None:
    steps = np.arange(300)[:, None] * np.radians([3.0, 2.1, -1.0])
    turns = Rotation.from_euler("ZXY", steps)
    found = zxy_angles(turns.as_quat(scalar_first=True)[:, None])[:, 0]
    np.testing.assert_allclose(found, steps, atol=1e-6)


@given(st.lists(ANGLES, min_size=2, max_size=20).map(np.array))
def test_no_other_angles_of_the_same_rotation_are_nearer_to_the_frame_before(
    degrees: Float64,
) -> None:
    turns = Rotation.from_euler("ZXY", degrees, degrees=True)
    found = zxy_angles(turns.as_quat(scalar_first=True)[:, None])[:, 0]
    wound = 2 * np.pi * np.array(list(product((-1, 0, 1), repeat=3)))
    for before, chosen in pairwise(found):
        flipped = chosen * [1, -1, 1] + np.pi
        for triple in (chosen, flipped):
            steps = np.abs(triple + wound - before).sum(axis=-1)
            assert np.abs(chosen - before).sum() <= steps.min() + 1e-9


def test_file_that_cannot_be_written_is_one_sentence_and_leaves_nothing(
    demo_take: Take, tmp_path: Path
) -> None:
    (tmp_path / "take.bvh").mkdir()
    with pytest.raises(SinkError, match=r"cannot write .*take\.bvh"):
        write_bvh(demo_take, tmp_path / "take.bvh")
    assert [path.name for path in tmp_path.iterdir()] == ["take.bvh"]
