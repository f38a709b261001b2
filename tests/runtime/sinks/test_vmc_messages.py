import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixie_runtime.face import ARKIT_NAMES
from pixie_runtime.humanoid import BONE_NAMES, humanoid_pose
from pixie_runtime.humanoid_root import rooted
from pixie_runtime.sinks.osc_bundles import datagrams
from pixie_runtime.sinks.vmc_expressions import expressions
from pixie_runtime.sinks.vmc_messages import (
    CalibrationState,
    Status,
    expression_messages,
    own_messages,
    pose_messages,
    status_messages,
)
from pixie_runtime.types import Person
from pixie_runtime.vmc_settings import ExpressionNames
from tests.runtime.people import make_person
from tests.runtime.receivers.osc import IMMEDIATELY, Message, read_bundle, read_message

DOCUMENT = Path(__file__).parents[3] / "docs" / "vmc.md"
STATUS = Status(True, CalibrationState.CALIBRATED, True, 12.5)
WEIGHTS = np.linspace(0, 1, len(ARKIT_NAMES), dtype=np.float32)


def whole_frame(person: Person, names: ExpressionNames = "vrm0") -> list[bytes]:
    return [
        *status_messages(STATUS),
        *pose_messages(rooted(humanoid_pose(person), "hips")),
        *own_messages(person, 31.25),
        *expression_messages(expressions(WEIGHTS, [names])),
    ]


def read(messages: list[bytes]) -> list[Message]:
    return [read_message(message) for message in messages]


def test_flags_are_integers_and_numbers_floats_nothing_else() -> None:
    tags = {
        message.address: message.tags for message in read(whole_frame(make_person(0)))
    }
    assert tags == {
        "/VMC/Ext/OK": "iiii",
        "/VMC/Ext/T": "f",
        "/VMC/Ext/Root/Pos": "sfffffff",
        "/VMC/Ext/Bone/Pos": "sfffffff",
        "/VMC/Ext/Blend/Val": "sf",
        "/VMC/Ext/Blend/Apply": "",
        "/VMC/Thru/pixie/person": "si",
        "/VMC/Thru/pixie/confidence": "sf",
        "/VMC/Thru/pixie/latency": "sf",
    }


@pytest.mark.parametrize("tracking", [True, False])
def test_status_says_what_receivers_ask_of_it(tracking: bool) -> None:
    status = Status(True, CalibrationState.CALIBRATED, tracking, 0.5)
    ok, time = read(list(status_messages(status)))
    assert ok.values == (1, 3, 0, int(tracking))
    assert time.values == (0.5,)


def test_all_55_bones_are_sent_once_with_places_and_unit_rotations() -> None:
    person = make_person(3)
    sent = read(list(pose_messages(rooted(humanoid_pose(person), "hips"))))
    bones = [message.values for message in sent if "Bone" in message.address]
    assert sorted(str(values[0]) for values in bones) == sorted(BONE_NAMES)
    numbers = np.array([values[1:] for values in bones], np.float64)
    assert (np.linalg.norm(numbers[:, :3], axis=1) > 0.01).all()
    np.testing.assert_allclose(np.linalg.norm(numbers[:, 3:], axis=1), 1, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(limit=st.integers(512, 9000), seed=st.integers(0, 3))
def test_every_bundle_fits_takes_effect_at_once_and_keeps_the_order(
    limit: int, seed: int
) -> None:
    messages = whole_frame(make_person(seed), "arkit")
    bundles = datagrams(messages, limit)
    assert all(len(datagram) <= limit for datagram in bundles)
    read_back = [read_bundle(datagram) for datagram in bundles]
    assert all(bundle.timetag == IMMEDIATELY for bundle in read_back)
    sent = [message for bundle in read_back for message in bundle.messages]
    assert sent == read(messages)
    # No bundle could have taken the next one's first message.
    for before, after in pairwise(bundles):
        first = int.from_bytes(after[16:20], "big") + 4
        assert len(before) + first > limit


@pytest.mark.parametrize("seed", range(3))
def test_first_datagram_holds_root_torso_head_arms_and_thighs(seed: int) -> None:
    first = read_bundle(datagrams(whole_frame(make_person(seed)), 1400)[0])
    addresses = [message.address for message in first.messages]
    assert addresses[:3] == ["/VMC/Ext/OK", "/VMC/Ext/T", "/VMC/Ext/Root/Pos"]
    bones = {str(message.values[0]) for message in first.messages[3:]}
    assert bones >= {
        *("Hips", "Spine", "Chest", "UpperChest", "Neck", "Head"),
        *("LeftUpperArm", "LeftLowerArm", "LeftHand", "RightHand"),
        *("LeftUpperLeg", "RightUpperLeg"),
    }


@pytest.mark.parametrize("names", ["vrm0", "vrm1", "arkit", "arkit-pascal"])
def test_expressions_are_sent_whole_then_applied_and_nothing_follows(
    names: ExpressionNames,
) -> None:
    sent = read(whole_frame(make_person(0), names))
    assert sent[-1].address == "/VMC/Ext/Blend/Apply"
    values = {
        str(message.values[0]): message.values[1]
        for message in sent
        if message.address == "/VMC/Ext/Blend/Val"
    }
    assert values == pytest.approx(expressions(WEIGHTS, [names]))
    assert 0 in values.values()


@pytest.mark.parametrize(
    ("names", "some"),
    [
        ("vrm0", {"Joy", "Fun", "A", "I", "U", "E", "O", "Blink_L", "Blink_R"}),
        ("vrm1", {"happy", "relaxed", "aa", "ih", "ou", "ee", "oh", "blinkLeft"}),
        ("arkit", {"eyeBlinkLeft", "jawOpen", "tongueOut"}),
        ("arkit-pascal", {"EyeBlinkLeft", "JawOpen", "TongueOut"}),
    ],
)
def test_names_are_those_of_their_set_case_and_all(
    names: ExpressionNames, some: set[str]
) -> None:
    assert some < set(expressions(WEIGHTS, [names]))


def test_who_how_sure_and_how_late_go_through() -> None:
    person = make_person(0, track_id=7)
    sent = {
        (message.address.rpartition("/")[2], message.values[0]): message.values[1]
        for message in read(list(own_messages(person, 31.25)))
    }
    assert sent["person", "track"] == 7
    assert sent["latency", "grab_to_send_ms"] == 31.25
    assert sent["confidence", "left_hand"] == pytest.approx(person.confidence.left_hand)


def test_every_address_is_documented() -> None:
    documented = set(re.findall(r"^\| `(/VMC/[^`]+)`", DOCUMENT.read_text(), re.M))
    assert documented == {m.address for m in read(whole_frame(make_person(0)))}
