"""Arrays out of an .npz that may be damaged or hostile; nothing is ever unpickled."""

import zipfile
import zlib
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
import numpy.typing as npt

from pixie_runtime.errors import ModelFileError

AnyArray = npt.NDArray[Any]
Shape = tuple[int | str | None, ...]
"""An expected shape: numbers, None for any size, a letter for a size to be bound."""

_LARGEST_ARRAY = 1 << 30
"""Bytes; eight times SMPL-X's largest array in float64."""

_PICKLE_START = b"\x80"

_BODY_EXPECTED = "a body of pixie-live or an unchanged SMPLX_NEUTRAL.npz"


class ModelArchive:
    """An open .npz: reads one named array at a time, checking before it allocates.

    Raises ModelFileError for whatever is wrong with the file or an array in it; `what`
    the file is and what was `expected` stand in its sentences.
    """

    def __init__(
        self, path: Path, *, what: str = "body model", expected: str = _BODY_EXPECTED
    ) -> None:
        self.path = path
        self._what, self._expected = f"the {what} {path}", expected
        self._sizes: dict[str, int] = {}
        try:
            with path.open("rb") as file:
                start = file.read(1)
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            raise ModelFileError(
                f"cannot open {self._what}: {error.strerror or error}"
            ) from error
        except (zipfile.BadZipFile, ValueError) as error:
            raise ModelFileError(self._not_a_zip(start)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._zip.close()

    def __contains__(self, key: str) -> bool:
        return f"{key}.npy" in self._zip.NameToInfo

    def size(self, letter: str) -> int:
        """Return the size that `letter` was bound to by an earlier `array` call."""
        return self._sizes[letter]

    def array(self, key: str, kinds: str, shape: Shape) -> AnyArray:
        """Return the array called `key`.

        Args:
            key: Its name in the file.
            kinds: Admissible `dtype.kind` letters.
            shape: What its shape must be; a letter's first use binds it to the size
                found, and later uses must agree.
        """
        try:
            info = self._zip.getinfo(f"{key}.npy")
        except KeyError:
            raise self._error(key, "is missing") from None
        try:
            with self._zip.open(info) as member:
                self._check_header(key, member, info.file_size, kinds, shape)
            with self._zip.open(info) as member:
                array: AnyArray = np.lib.format.read_array(member, allow_pickle=False)
        except (
            EOFError,
            OSError,
            NotImplementedError,  # an unknown compression method
            RuntimeError,  # an encrypted member
            ValueError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            raise self._error(key, f"cannot be read ({error})") from error
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise self._error(key, "holds values that are not finite numbers")
        return array

    def _check_header(
        self, key: str, member: IO[bytes], size: int, kinds: str, expected: Shape
    ) -> None:
        version = np.lib.format.read_magic(member)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        elif version == (2, 0):
            shape, _, dtype = np.lib.format.read_array_header_2_0(member)
        else:
            raise self._error(key, f"has the unknown array format {version}")
        if dtype.hasobject:
            raise self._error(key, "is pickled, which is never read because it can run")
        if dtype.kind not in kinds:
            raise self._error(key, f"has the unexpected type {dtype}")
        self._check_shape(key, shape, expected)
        if 0 in shape:
            raise self._error(key, "is empty")
        claimed = int(np.prod(shape, dtype=object)) * dtype.itemsize
        if claimed > _LARGEST_ARRAY or claimed > size:
            raise self._error(key, f"claims {claimed} bytes where the file has {size}")

    def _check_shape(self, key: str, found: tuple[int, ...], expected: Shape) -> None:
        bound = [self._sizes.get(e, e) if isinstance(e, str) else e for e in expected]
        if len(found) != len(bound) or any(
            isinstance(b, int) and b != size
            for b, size in zip(bound, found, strict=True)
        ):
            shown = ", ".join("any" if b is None else str(b) for b in bound)
            raise self._error(key, f"has shape {found} instead of ({shown})")
        for letter, size in zip(expected, found, strict=True):
            if isinstance(letter, str):
                self._sizes[letter] = size

    def _error(self, key: str, problem: str) -> ModelFileError:
        return ModelFileError(
            f'"{key}" of {self._what} {problem}; expected {self._expected}, '
            "so get a fresh copy"
        )

    def _not_a_zip(self, start: bytes) -> str:
        if start == _PICKLE_START or self.path.suffix == ".pkl":
            return (
                f"{self._what} is a pickle, which is never read because it can "
                "run programs; give the .npz of the same download instead"
            )
        return (
            f"{self._what} is no .npz archive or is cut short; expected "
            f"{self._expected}, so get a fresh copy"
        )
