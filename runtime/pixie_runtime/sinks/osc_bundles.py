"""OSC 1.0 bundles: messages that a receiver applies together, cut to datagrams.

The timetag is always "immediately": some receivers sleep until one in the future.
"""

from collections.abc import Iterable, Iterator, Sequence

_HEAD = b"#bundle\x00" + (1).to_bytes(8, "big")
BUNDLE_BYTES = len(_HEAD)
"""A bundle without messages."""
SIZE_BYTES = 4
"""What each message takes besides itself: its size."""


def bundle(messages: Sequence[bytes]) -> bytes:
    """Encode one bundle of encoded messages."""
    sized = (len(message).to_bytes(4, "big") + message for message in messages)
    return _HEAD + b"".join(sized)


def groups(messages: Iterable[bytes], room: int) -> Iterator[list[bytes]]:
    """Group messages, in order, so that each group takes at most `room` of a bundle.

    A message that is larger than that is alone in its group.
    """
    group: list[bytes] = []
    used = 0
    for message in messages:
        size = SIZE_BYTES + len(message)
        if group and used + size > room:
            yield group
            group, used = [], 0
        group.append(message)
        used += size
    if group:
        yield group


def datagrams(messages: Iterable[bytes], limit: int) -> list[bytes]:
    """Encode messages, in order, as bundles of at most `limit` bytes each."""
    return [bundle(group) for group in groups(messages, limit - BUNDLE_BYTES)]
