"""One plain array out of a pickle, without running anything that the pickle names.

A pickle is a program. Here it may only name what numpy's own pickles of arrays name,
and each of those names leads to a recorder in this file, never to numpy: the array is
put together afterwards, from a shape, a number type and bytes that were checked.
"""

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime.body.archive import AnyArray
from pixie_runtime.errors import ModelFileError

_LARGEST_FILE = 1 << 24
"""Bytes; SMPLX_to_J14.pkl has one or two million."""

_MEMO_OPCODES = {"PUT", "BINPUT", "LONG_BINPUT"}
_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")


class _RefusedError(Exception):
    """The pickle names or holds something else than an array of numbers."""


class _Number:
    """What a pickle says of a numpy.dtype."""

    def __init__(self, code: Any, *_: Any) -> None:
        self._code, self._big_endian = str(code), False

    def __setstate__(self, state: Any) -> None:
        self._big_endian = state[1] == ">"

    def dtype(self) -> np.dtype[Any]:
        """Return the type if it is a plain real number."""
        dtype = np.dtype(self._code)
        if dtype.kind not in "fiu":
            raise _RefusedError(f"it holds {self._code!r} instead of numbers")
        return dtype.newbyteorder(">" if self._big_endian else "<")


class _Recorded:
    """What a pickle says of a numpy.ndarray."""

    def __init__(self, *state: Any) -> None:
        self._state = state

    def __setstate__(self, state: Any) -> None:
        _, shape, number, fortran, data = state
        self._state = (data, number, shape, "F" if fortran else "C")

    def array(self) -> AnyArray:
        """Return the array, its own copy."""
        data, number, shape, order = self._state
        if isinstance(data, str):  # a string of Python 2 holds bytes
            data = data.encode("latin1")
        if not isinstance(number, _Number) or not isinstance(data, bytes | bytearray):
            raise _RefusedError("its array is not stored as numbers")
        flat = np.frombuffer(data, number.dtype())
        return flat.reshape([int(n) for n in shape], order=order).copy()


class _ArrayUnpickler(pickle.Unpickler):
    """An unpickler whose every name is one of the recorders above."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="latin1")
        self._encodable = len(data)
        self._names = {
            ("numpy", "ndarray"): None,
            ("numpy", "dtype"): _Number,
            ("_codecs", "encode"): self._encode,
            **dict.fromkeys(((m, "_reconstruct") for m in _MULTIARRAY), _reconstruct),
            **dict.fromkeys(((m, "_frombuffer") for m in _NUMERIC), _Recorded),
        }

    def find_class(self, module: str, name: str) -> Any:
        """Return the recorder for a name of numpy's array pickles."""
        try:
            return self._names[module, name]
        except KeyError:
            raise _RefusedError(f"it wants to run {module}.{name}") from None

    def _encode(self, text: str, encoding: str = "latin1") -> bytes:
        """Stand in for how Python 3 writes bytes in Python 2's protocol.

        A text that the pickle remembers could be encoded time and again until memory
        is full, hence a budget.
        """
        self._encodable -= len(text)
        if encoding != "latin1" or self._encodable < 0:
            raise _RefusedError("its bytes are not written as numpy writes them")
        return text.encode("latin1")


def _reconstruct(*_: Any) -> _Recorded:
    return _Recorded()


def read_array(path: Path) -> AnyArray:
    """Return the array of numbers that is all of the pickle `path`.

    Raises:
        ModelFileError: the file cannot be read, is too large, is damaged, or would do
            or hold anything else.
    """
    try:
        size = path.stat().st_size
        data = b"" if size > _LARGEST_FILE else path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"cannot open {path}: {error.strerror or error}"
        ) from error
    if size > _LARGEST_FILE:
        raise _refusal(path, f"it has {size} bytes, which is too many")
    try:
        _check_memo(data)
        found = _ArrayUnpickler(data).load()
        if not isinstance(found, _Recorded):
            raise _RefusedError(f"it holds a {type(found).__name__}")
        return found.array()
    # A damaged pickle can fail in any way that a program can.
    except Exception as error:
        raise _refusal(path, str(error) or type(error).__name__) from error


def _check_memo(data: bytes) -> None:
    """Refuse a memo larger than the file, for which the unpickler would make room."""
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in _MEMO_OPCODES and int(argument or 0) > len(data):
            raise _RefusedError("it asks for more memory than it can fill")


def _refusal(path: Path, reason: str) -> ModelFileError:
    return ModelFileError(
        f"{path} is not a pickled array of numbers ({reason}) and was not opened "
        "further, because a pickle can run programs; get a fresh copy from where the "
        "official weights come from"
    )
