import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixie_runtime.smoothing import Quickness
from pixie_runtime.viewer.commands import (
    Calibrate,
    Command,
    Pictures,
    Play,
    Ready,
    Record,
    Seek,
    Smooth,
    Speed,
    parse,
)


@pytest.mark.parametrize(
    ("message", "command"),
    [
        ({"ready": True}, Ready()),
        ({"pictures": False}, Pictures(False)),
        ({"record": True}, Record(True)),
        ({"calibrate": "start"}, Calibrate("start")),
        ({"calibrate": "clear"}, Calibrate("clear")),
        ({"play": False}, Play(False)),
        ({"seek": 1.5}, Seek(1.5)),
        ({"seek": 0}, Seek(0.0)),
        ({"speed": 2}, Speed(2.0)),
        ({"smooth": {"enabled": False}}, Smooth(False, Quickness())),
        (
            {"smooth": {"body": 0.5, "face": 2}},
            Smooth(True, Quickness(body=0.5, face=2.0)),
        ),
    ],
)
def test_what_the_page_sends_is_understood(
    message: dict[str, Any], command: Command
) -> None:
    assert parse(json.dumps(message)) == command


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        "{}",
        '{"record": true, "play": true}',
        '{"record": 1}',
        '{"record": "/etc/passwd"}',
        '{"calibrate": "everything"}',
        '{"seek": "soon"}',
        '{"seek": NaN}',
        '{"seek": -1}',
        '{"seek": 1e999}',
        '{"seek": 1' + "0" * 400 + "}",
        '{"seek": true}',
        '{"speed": 0}',
        '{"speed": 1000}',
        '{"smooth": 3}',
        '{"smooth": {"body": 0}}',
        '{"smooth": {"body": Infinity}}',
        '{"smooth": {"legs": 1}}',
        '{"smooth": {"enabled": "yes"}}',
        '{"shutdown": true}',
        "[" * 900,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)


def test_binary_messages_are_refused() -> None:
    with pytest.raises(ValueError, match="text"):
        parse(b'{"ready": true}')


@given(st.text(max_size=200))
def test_no_text_does_anything_but_be_refused_or_understood(text: str) -> None:
    try:
        parse(text)
    except ValueError:
        return
