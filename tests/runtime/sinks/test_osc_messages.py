import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage

from pixie_runtime.datagram_sizes import (
    DEFAULT_DATAGRAM_BYTES,
    SMALLEST_DATAGRAM_BYTES,
)
from pixie_runtime.rest_offsets import rest_offsets
from pixie_runtime.sinks.osc_messages import alive_datagram, person_datagrams
from pixie_runtime.smplx import BODY_JOINTS, JOINT_NAMES
from tests.runtime.people import make_person, make_tick

DOCUMENT = Path(__file__).parents[3] / "docs" / "osc.md"


def messages(datagram: bytes) -> list[tuple[str, list[Any]]]:
    """Decode a bundle with python-osc's own parser."""
    assert OscBundle.dgram_is_bundle(datagram)
    decoded = []
    for content in OscBundle(datagram):
        assert isinstance(content, OscMessage)
        decoded.append((content.address, list(content)))
    return decoded


def test_person_read_back_is_the_person_sent() -> None:
    person = make_person(3, track_id=7, frame_index=41)
    received: dict[str, list[list[Any]]] = {}
    weights = np.linspace(0, 1, 52, dtype=np.float32)
    for datagram in person_datagrams(person, DEFAULT_DATAGRAM_BYTES, weights):
        for address, args in messages(datagram):
            received.setdefault(address.removeprefix("/pixie/7/"), []).append(args)

    (root,) = received["root"]
    np.testing.assert_array_equal(root[:3], person.joints[0])
    np.testing.assert_array_equal(root[3:], person.params.rotations[0])
    np.testing.assert_array_equal(received["transl"][0], person.params.transl)
    joints = {name: wxyz for name, *wxyz in received["joint"]}
    assert set(joints) == set(JOINT_NAMES[1:])
    in_order = [joints[name] for name in JOINT_NAMES[1:]]
    np.testing.assert_array_equal(in_order, person.params.rotations[1:])
    ((first, total, *expression),) = received["expression"]
    assert (first, total) == (0, 43)
    np.testing.assert_array_equal(expression, person.params.expression)
    np.testing.assert_array_equal(received["betas"][0][2:], person.params.betas)
    np.testing.assert_array_equal(received["arkit"][0], weights)
    ((first, total, *rest),) = received["rest"]
    assert (first, total) == (0, 165)
    np.testing.assert_array_equal(np.reshape(rest, (55, 3)), rest_offsets(person))
    confidence = person.confidence
    assert received["confidence"][0] == pytest.approx(
        [confidence.body, confidence.left_hand, confidence.right_hand, confidence.face]
    )


@settings(max_examples=20, deadline=None)
@given(
    n_betas=st.integers(0, 300),
    n_expression=st.integers(0, 100),
    track_id=st.integers(0, 2**31 - 1),
    limit=st.integers(SMALLEST_DATAGRAM_BYTES, 9000),
)
def test_every_datagram_fits_and_says_which_part_of_which_frame_it_is(
    n_betas: int, n_expression: int, track_id: int, limit: int
) -> None:
    person = make_person(
        1,
        track_id=track_id,
        frame_index=2**31 - 1,
        n_betas=n_betas,
        n_expression=n_expression,
    )
    datagrams = person_datagrams(person, limit)
    for part, datagram in enumerate(datagrams):
        assert len(datagram) <= limit
        address, (frame, time_s, number, parts) = messages(datagram)[0]
        assert address == f"/pixie/{track_id}/frame"
        assert (frame, number, parts) == (2**31 - 1, part, len(datagrams))
        assert time_s == pytest.approx(person.timestamp_s)


@pytest.mark.parametrize("limit", [SMALLEST_DATAGRAM_BYTES, DEFAULT_DATAGRAM_BYTES])
def test_largest_person_keeps_all_coefficients(limit: int) -> None:
    person = make_person(2, track_id=2**31 - 1, n_betas=300, n_expression=100)
    betas: list[float] = []
    for datagram in person_datagrams(person, limit):
        for address, args in messages(datagram):
            if address.endswith("/betas"):
                assert args[:2] == [len(betas), 300]
                betas += args[2:]
    np.testing.assert_array_equal(betas, person.params.betas)


@pytest.mark.parametrize("track_id", [0, 99999])
def test_first_datagram_holds_root_confidence_and_the_body(track_id: int) -> None:
    first = messages(
        person_datagrams(make_person(0, track_id=track_id), DEFAULT_DATAGRAM_BYTES)[0]
    )
    addresses = [address.rpartition("/")[2] for address, _ in first]
    assert addresses[:3] == ["frame", "root", "confidence"]
    named = {args[0] for address, args in first if address.endswith("/joint")}
    body = {JOINT_NAMES[joint] for joint in BODY_JOINTS}
    assert named >= body - {"left_foot", "right_foot"}


def test_only_the_types_that_every_receiver_knows_are_sent() -> None:
    datagrams = [
        *person_datagrams(make_person(0), DEFAULT_DATAGRAM_BYTES),
        alive_datagram(make_tick()),
    ]
    for datagram in datagrams:
        for _, args in messages(datagram):
            assert {type(arg) for arg in args} <= {int, float, str}


def test_bundles_ask_for_immediate_execution() -> None:
    for datagram in person_datagrams(make_person(0), DEFAULT_DATAGRAM_BYTES):
        assert datagram[8:16] == bytes(7) + b"\x01"


@pytest.mark.parametrize("count", [0, 1, 2])
def test_alive_says_frame_time_and_how_many_people(count: int) -> None:
    people = [make_person(i, track_id=i, frame_index=60) for i in range(count)]
    datagram = alive_datagram(make_tick(*people, frame_index=60))
    assert messages(datagram) == [("/pixie/alive", [60, 2.0, count])]


def type_tags(message: OscMessage) -> str:
    """Return a message's types as they stand in its bytes, behind address and comma."""
    after_address = message.dgram[len(message.address) // 4 * 4 + 4 :]
    tags: bytes = after_address[1 : after_address.index(0)]
    return tags.decode()


def test_every_message_is_documented_with_its_types_and_no_other_is() -> None:
    rows = re.findall(
        r"^\| `(/pixie/[^`]+)` \| `([^`]+)` \|", DOCUMENT.read_text(), re.M
    )
    documented = dict(rows)
    sent = set()
    weights = np.linspace(0, 1, 52, dtype=np.float32)
    datagrams = person_datagrams(make_person(0), DEFAULT_DATAGRAM_BYTES, weights)
    for datagram in [alive_datagram(make_tick()), *datagrams]:
        for message in OscBundle(datagram):
            address = message.address.replace("/pixie/0/", "/pixie/<id>/")
            assert re.fullmatch(documented[address], type_tags(message)), address
            sent.add(address)
    assert sent == set(documented)


def test_documented_number_of_datagrams_is_right() -> None:
    weights = np.zeros(52, np.float32)
    datagrams = person_datagrams(make_person(0), DEFAULT_DATAGRAM_BYTES, weights)
    words = ("no", "one", "two", "three", "four", "five")
    assert f"takes {words[len(datagrams)]} datagrams" in DOCUMENT.read_text()
