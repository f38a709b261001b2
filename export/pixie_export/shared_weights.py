"""The large tensors of several ONNX models, each content once, in one file.

ONNX's external data: a model names file, offset and length of a tensor, and an engine
maps the file into memory. Networks that share weights then share their bytes too, on
disk and in the page cache, and the models beside the file stay small.
"""

import hashlib
from pathlib import Path
from types import TracebackType
from typing import Self

import onnx
from onnx import TensorProto, numpy_helper

WEIGHTS_NAME = "weights.bin"

_SMALLEST = 1024
"""Bytes; smaller tensors stay inside their models."""
_ALIGNMENT = 4096
"""Of every offset: a page, so that a tensor can be mapped where it lies."""


class WeightFile:
    """A file of weights being written; a context manager.

    Tensors are told apart by their content's hash, and written as they come: the same
    models in the same order make the same bytes, and no more than one tensor is held.
    """

    def __init__(self, path: Path) -> None:
        """Start an empty file at `path`, which models beside it may refer to."""
        self.path = path
        self._file = path.open("wb")
        self._digest = hashlib.sha256()
        self._size = 0
        self._places: dict[bytes, tuple[int, int]] = {}

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._size

    @property
    def sha256(self) -> str:
        """Of what has been written so far, in hexadecimal."""
        return self._digest.hexdigest()

    def take_from(self, model: onnx.ModelProto) -> None:
        """Move the large initializers of `model` here, and leave references in it.

        The model must be saved in the same folder as this file.
        """
        for tensor in model.graph.initializer:
            if tensor.data_type == TensorProto.STRING:
                continue
            content = _content(tensor)
            if len(content) < _SMALLEST:
                continue
            offset, length = self._place_of(content)
            for field in _DATA_FIELDS:
                tensor.ClearField(field)
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in (
                ("location", self.path.name),
                ("offset", str(offset)),
                ("length", str(length)),
            ):
                tensor.external_data.add(key=key, value=value)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _place_of(self, content: bytes) -> tuple[int, int]:
        """Return offset and length of `content`, writing it if it is new."""
        key = hashlib.sha256(content).digest()
        if key not in self._places:
            self._write(bytes(-self._size % _ALIGNMENT))
            self._places[key] = (self._size, len(content))
            self._write(content)
        return self._places[key]

    def _write(self, content: bytes) -> None:
        self._file.write(content)
        self._digest.update(content)
        self._size += len(content)


_DATA_FIELDS = (
    "raw_data",
    "float_data",
    "int32_data",
    "int64_data",
    "double_data",
    "uint64_data",
)


def _content(tensor: TensorProto) -> bytes:
    """Return the elements as ONNX stores them in files: little-endian, row by row."""
    if tensor.HasField("raw_data"):
        raw: bytes = tensor.raw_data
        return raw
    plain: bytes = numpy_helper.from_array(numpy_helper.to_array(tensor)).raw_data
    return plain
