"""A strict OSC 1.0 reader of the tests' own, which keeps each argument's type."""

import struct
from dataclasses import dataclass

IMMEDIATELY = 1


@dataclass(frozen=True)
class Message:
    """One message; an argument's type is its letter in the type tag."""

    address: str
    tags: str
    values: tuple[int | float | str, ...]


@dataclass(frozen=True)
class Bundle:
    timetag: int
    messages: tuple[Message, ...]


def read_bundle(datagram: bytes) -> Bundle:
    """Read a datagram that is one bundle of messages, and nothing but."""
    assert len(datagram) % 4 == 0
    assert datagram[:8] == b"#bundle\x00"
    (timetag,) = struct.unpack_from(">Q", datagram, 8)
    messages, at = [], 16
    while at < len(datagram):
        (size,) = struct.unpack_from(">i", datagram, at)
        assert size % 4 == 0
        assert 0 < size <= len(datagram) - at - 4
        messages.append(read_message(datagram[at + 4 : at + 4 + size]))
        at += 4 + size
    return Bundle(timetag, tuple(messages))


def read_message(data: bytes) -> Message:
    address, at = _string(data, 0)
    tags, at = _string(data, at)
    assert address.startswith("/")
    assert tags.startswith(",")
    values: list[int | float | str] = []
    for tag in tags[1:]:
        if tag == "s":
            text, at = _string(data, at)
            values.append(text)
        else:
            (value,) = struct.unpack_from({"i": ">i", "f": ">f"}[tag], data, at)
            values.append(value)
            at += 4
    assert at == len(data)
    return Message(address, tags[1:], tuple(values))


def _string(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\x00", at)
    after = (end + 4) & ~3
    assert not any(data[end:after])
    return data[at:end].decode("utf-8"), after
