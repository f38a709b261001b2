"""Plain values out of a pickle, without running anything that the pickle names.

A pickle is a program. Here it may only name what numpy's own pickles of arrays name,
and each of those names leads to a recorder in this file, never to numpy: the array is
put together afterwards, from a shape, a number type and bytes that were checked.
`read_array` takes a file that is one array, `read_values` one that holds arrays,
numbers and texts in lists and dictionaries, as data sets' annotations do.
`frame_pickle` adds the names of pandas.
"""

import io
import pickle
import pickletools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pixie_runtime.body.archive import AnyArray
from pixie_runtime.errors import ModelFileError

_LARGEST_ARRAY_FILE = 1 << 24
"""Bytes; SMPLX_to_J14.pkl has one or two million."""
_LARGEST_FILE = 1 << 31
"""Bytes, of annotations; Total Motion's are the largest."""
_PLAIN = "a pickle of plain numbers and texts"
_DEEPEST = 32
"""How many containers may lie in one another."""

_MEMO_OPCODES = {"PUT", "BINPUT", "LONG_BINPUT"}
_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
_NUMBERS = "fiu"
_NUMBERS_AND_TEXTS = "fiubSU"


class RefusedError(Exception):
    """The pickle names or holds something else than arrays, numbers and texts."""


class _Number:
    """What a pickle says of a numpy.dtype."""

    def __init__(self, code: Any, *_: Any) -> None:
        self._code, self._big_endian = str(code), False

    def __setstate__(self, state: Any) -> None:
        self._big_endian = state[1] == ">"

    @property
    def is_object(self) -> bool:
        """Whether this is the type of arrays that hold anything."""
        return self._code in {"O", "O4", "O8", "object"}

    def dtype(self, kinds: str) -> np.dtype[Any]:
        """Return the type if it is of one of numpy's `kinds`."""
        dtype = np.dtype(self._code)
        if dtype.kind not in kinds:
            raise RefusedError(f"it holds {self._code!r} instead of numbers")
        return dtype.newbyteorder(">" if self._big_endian else "<")


class _Scalar:
    """What a pickle says of one number of numpy's."""

    def __init__(self, number: Any, data: Any) -> None:
        self._recorded = Recorded(data, number, (), "C")

    def value(self) -> Any:
        """Return it as a number of Python's."""
        return self._recorded.array(_NUMBERS + "b").item()


class Recorded:
    """What a pickle says of a numpy.ndarray."""

    def __init__(self, *state: Any) -> None:
        self._state = state

    def __setstate__(self, state: Any) -> None:
        _, shape, number, fortran, data = state
        self._state = (data, number, shape, "F" if fortran else "C")

    def objects(self, most_axes: int = 1) -> list[Any] | None:
        """Return what it holds if it is an array of anything, row after row."""
        data, number, shape, _ = self._state
        if not isinstance(number, _Number) or not number.is_object:
            return None
        if not isinstance(data, list) or len(shape) > most_axes:
            raise RefusedError("its array of objects is not a list")
        return data

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of its axes."""
        return tuple(int(n) for n in self._state[2])

    @property
    def is_single(self) -> bool:
        """Whether it has no axis."""
        return len(self._state[2]) == 0

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self._state[0])

    def array(self, kinds: str) -> AnyArray:
        """Return the array, its own copy, if it is of one of numpy's `kinds`."""
        data, number, shape, order = self._state
        if isinstance(data, str):  # a string of Python 2 holds bytes
            data = data.encode("latin1")
        if not isinstance(number, _Number) or not isinstance(data, bytes | bytearray):
            raise RefusedError("its array is not stored as numbers")
        flat = np.frombuffer(data, number.dtype(kinds))
        return flat.reshape([int(n) for n in shape], order=order).copy()


class _ArrayUnpickler(pickle.Unpickler):
    """An unpickler whose every name is one of the recorders above."""

    def __init__(
        self,
        stream: BinaryIO,
        size: int,
        recorders: Mapping[tuple[str, str], Any] | None = None,
    ) -> None:
        """Take a pickle of `size` bytes, and recorders for more names."""
        super().__init__(stream, encoding="latin1")
        self._encodable = size
        self._names = {
            ("numpy", "ndarray"): None,
            ("numpy", "dtype"): _Number,
            ("_codecs", "encode"): self._encode,
            **dict.fromkeys(((m, "_reconstruct") for m in _MULTIARRAY), _reconstruct),
            **dict.fromkeys(((m, "scalar") for m in _MULTIARRAY), _Scalar),
            **dict.fromkeys(((m, "_frombuffer") for m in _NUMERIC), Recorded),
            **(recorders or {}),
        }

    def find_class(self, module: str, name: str) -> Any:
        """Return the recorder for a name of numpy's array pickles."""
        try:
            return self._names[module, name]
        except KeyError:
            raise RefusedError(f"it wants to run {module}.{name}") from None

    def _encode(self, text: str, encoding: str = "latin1") -> bytes:
        """Stand in for how Python 3 writes bytes in Python 2's protocol.

        A text that the pickle remembers could be encoded time and again until memory
        is full, hence a budget.
        """
        self._encodable -= len(text)
        if encoding != "latin1" or self._encodable < 0:
            raise RefusedError("its bytes are not written as numpy writes them")
        return text.encode("latin1")


def _reconstruct(*_: Any) -> Recorded:
    return Recorded()


def read_array(path: Path) -> AnyArray:
    """Return the array of numbers that is all of the pickle `path`.

    Raises:
        ModelFileError: the file cannot be read, is too large, is damaged, or would do
            or hold anything else.
    """
    data = _bytes_of(path, _LARGEST_ARRAY_FILE)
    try:
        found = _loaded(data)
        if not isinstance(found, Recorded):
            raise RefusedError(f"it holds a {type(found).__name__}")
        return found.array(_NUMBERS)
    # A damaged pickle can fail in any way that a program can.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise refusal(path, "a pickled array of numbers", reason) from error


def read_values(path: Path) -> Any:
    """Return what the pickle `path` holds: arrays, numbers, texts, None, in containers.

    Containers are lists, tuples and dictionaries. Texts of Python 2 come back as texts,
    numpy's single numbers as Python's, arrays of objects as lists, those without an
    axis as the one thing that they hold. A file of 10 MB takes a few seconds, as every
    instruction is looked at before it is followed.

    Raises:
        ModelFileError: the file cannot be read, is damaged, or would do or hold
            anything else.
    """
    return plain_values(_bytes_of(path, _LARGEST_FILE), path)


def plain_values(data: bytes, path: Path) -> Any:
    """Return what a pickle holds that lies in the file `path`, as `read_values` does.

    Raises:
        ModelFileError: it is damaged, or would do or hold anything else.
    """
    try:
        return PlainValues(len(data)).of(_loaded(data))
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise refusal(path, _PLAIN, reason) from error


class PlainValues:
    """Makes plain values of what an unpickler recorded, each of them once."""

    def __init__(self, budget: int) -> None:
        """Take how many bytes of arrays there may be; a pickle can name one often."""
        self._budget = budget
        self._made: dict[int, Any] = {}
        self._open: set[int] = set()

    def of(self, recorded: Any, depth: int = 0) -> Any:
        """Return the value of `recorded`, which lies in `depth` containers."""
        if recorded is None or isinstance(recorded, bool | int | float | str | bytes):
            return recorded
        key = id(recorded)
        if key in self._made:
            return self._made[key]
        if key in self._open or depth > _DEEPEST:
            raise RefusedError("its containers lie in one another without an end")
        self._open.add(key)
        self._made[key] = self._new(recorded, depth + 1)
        return self._made[key]

    def _new(self, recorded: Any, depth: int) -> Any:
        match recorded:
            case list():
                return [self.of(value, depth) for value in recorded]
            case tuple():
                return tuple(self.of(value, depth) for value in recorded)
            case dict():
                return {
                    self.of(key, depth): self.of(value, depth)
                    for key, value in recorded.items()
                }
            case _Scalar():
                return recorded.value()
            case Recorded():
                return self._array(recorded, depth)
        raise RefusedError(f"it holds a {type(recorded).__name__}")

    def _array(self, recorded: Recorded, depth: int) -> Any:
        objects = recorded.objects()
        if objects is not None:
            values = [self.of(value, depth) for value in objects]
            return values[0] if recorded.is_single else values
        self._budget -= recorded.size
        if self._budget < 0:
            raise RefusedError("it asks for more memory than it can fill")
        return recorded.array(_NUMBERS_AND_TEXTS)


def read_recorded(
    path: Path,
    recorders: Mapping[tuple[str, str], Any],
    *,
    what: str = _PLAIN,
    largest: int = _LARGEST_FILE,
) -> tuple[Any, PlainValues]:
    """Return what a pickle says with more names known, and what makes it plain.

    Args:
        path: the file; it is not held in memory as a whole.
        recorders: what stands for further names.
        what: the file should be, for people.
        largest: size that is read, bytes.

    Raises:
        ModelFileError: the file cannot be read, is too large, is damaged, or names
            anything else.
    """
    try:
        with path.open("rb") as stream:
            size = path.stat().st_size
            if size > largest:
                raise RefusedError(f"it has {size} bytes, which is too many")
            return _unpickled(stream, size, recorders), PlainValues(size)
    except OSError as error:
        raise ModelFileError(
            f"cannot open {path}: {error.strerror or error}"
        ) from error
    except Exception as error:
        raise refusal(path, what, str(error) or type(error).__name__) from error


def _bytes_of(path: Path, largest: int) -> bytes:
    try:
        size = path.stat().st_size
        if size <= largest:
            return path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"cannot open {path}: {error.strerror or error}"
        ) from error
    reason = f"it has {size} bytes, which is too many"
    raise refusal(path, "a pickle of plain numbers", reason)


def _loaded(data: bytes) -> Any:
    return _unpickled(io.BytesIO(data), len(data))


def _unpickled(
    stream: BinaryIO,
    size: int,
    recorders: Mapping[tuple[str, str], Any] | None = None,
) -> Any:
    _check_memo(stream, size)
    stream.seek(0)
    return _ArrayUnpickler(stream, size, recorders).load()


def _check_memo(stream: BinaryIO, size: int) -> None:
    """Refuse a memo larger than the file, for which the unpickler would make room."""
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name in _MEMO_OPCODES and int(argument or 0) > size:
            raise RefusedError("it asks for more memory than it can fill")


def refusal(path: Path, what: str, reason: str) -> ModelFileError:
    """Return the error of a pickle that is not `what`, for a `reason`."""
    return ModelFileError(
        f"{path} is not {what} ({reason}) and was not opened further, because a pickle "
        "can run programs; get a fresh copy from where it comes from"
    )
