"""A record's layout in the language that tools for recordings read: ROS 1's.

ROS 1 writes numbers and arrays of fixed length one after the other, little endian and
unpadded, which is what the websocket's binary frames are. So the bytes of a frame are a
ROS 1 message as they stand, and need nothing but a definition to be decoded by any tool
(wiki.ros.org/msg: one `type name` a line, `type[n]` for arrays, `#` before comments).
"""

import math
import re
from collections.abc import Mapping

import numpy as np

_NAMES = {
    "|S1": "uint8",
    "|u1": "uint8",
    "<u2": "uint16",
    "<u4": "uint32",
    "<u8": "uint64",
    "<i4": "int32",
    "<i8": "int64",
    "<f4": "float32",
    "<f8": "float64",
}
_CODES = {name: code for code, name in _NAMES.items()}
_FIELD = re.compile(r"^(\w+)(?:\[(\d{1,6})\])? +([a-zA-Z]\w*)$")


def definition_of(dtype: np.dtype[np.void], meanings: Mapping[str, str]) -> str:
    """Return the message definition of a packed record.

    Args:
        dtype: Its layout; a field of several axes becomes one long array.
        meanings: What to say about each field.
    """
    lines = []
    for name in dtype.names or ():
        field, base = dtype[name], dtype[name].base
        count = math.prod(field.shape)
        if base.kind == "S":
            count, base = base.itemsize, np.dtype("S1")
        if count:
            array = f"[{count}]" if field.shape or count > 1 else ""
            shape = f" {field.shape}" if len(field.shape) > 1 else ""
            comment = f"{meanings.get(name, '')}{shape}".strip()
            lines.append(f"{_NAMES[base.str]}{array} {name}  # {comment}")
    return "\n".join(lines) + "\n"


def dtype_of(definition: str) -> np.dtype[np.void]:
    """Return the layout of records of a definition; arrays have one axis.

    Raises:
        ValueError: it has other fields than numbers and arrays of fixed length.
    """
    fields: list[tuple[str, str] | tuple[str, str, tuple[int]]] = []
    for line in definition.splitlines():
        text = line.partition("#")[0].strip()
        if not text:
            continue
        found = _FIELD.match(text)
        if found is None or found[1] not in _CODES:
            raise ValueError(f"{text!r} is no field of fixed size")
        code = _CODES[found[1]]
        if found[2] is None:
            fields.append((found[3], code))
        else:
            fields.append((found[3], code, (int(found[2]),)))
    return np.dtype(fields)
