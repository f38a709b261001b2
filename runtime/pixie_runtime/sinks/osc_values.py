"""Values of OSC 1.0 messages as bytes: pure functions, the same for all that we send.

Types are exact, because receivers pass over what they do not expect: 32-bit integers
and floats, strings; never booleans, doubles or 64-bit integers.
"""

from functools import lru_cache

import numpy as np

from pixie_runtime.types import Float32


@lru_cache(maxsize=4096)
def head(address: str, tags: str, text: str | None = None) -> bytes:
    """Return a message up to its numbers: address, type tags, and the text if any.

    Remembered, because most of a stream's messages differ in their numbers only.
    """
    strings = (address, "," + tags) if text is None else (address, "," + tags, text)
    return b"".join(_padded(string) for string in strings)


def floats(values: Float32 | float) -> bytes:
    """Encode numbers as 32-bit floats, one after the other."""
    return np.asarray(values, ">f4").tobytes()


def integers(*values: int) -> bytes:
    """Encode numbers as 32-bit integers, one after the other."""
    return b"".join(value.to_bytes(4, "big", signed=True) for value in values)


def _padded(text: str) -> bytes:
    """Encode an OSC string: ended by a zero, filled up to a multiple of four bytes."""
    encoded = text.encode() + b"\x00"
    return encoded + bytes(-len(encoded) % 4)
