"""The part file: where frames are safe while a take is being recorded.

A part file grows by one record of fixed size per frame, so a killed process loses
nothing but the record it was writing. Layout: 8 bytes `PIXTAKE1`, the header's length
as a little-endian u32, the header as JSON, then records of `record_dtype`, each ending
in the CRC-32 of what is before it. A take is made of it afterwards (`take_writing`).
"""

import json
import os
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from pixie_runtime.errors import SinkError, SourceError
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.types import PARTS, Camera, Person

Records = npt.NDArray[np.void]

_MAGIC = b"PIXTAKE1"
_CRC_BYTES = 4


@dataclass(frozen=True, slots=True)
class PartHeader:
    """What all records of a part file have in common."""

    track_id: int
    n_betas: int
    n_expression: int
    camera: Camera

    @classmethod
    def of(cls, person: Person) -> Self:
        """Return the header for a file that begins with this person."""
        params = person.params
        return cls(
            track_id=person.track_id,
            n_betas=len(params.betas),
            n_expression=len(params.expression),
            camera=person.camera,
        )

    @property
    def dtype(self) -> np.dtype[np.void]:
        """Layout of the records."""
        return record_dtype(self.n_betas, self.n_expression)

    def to_bytes(self) -> bytes:
        """Encode everything that stands before the first record."""
        text = json.dumps(asdict(self)).encode()
        return _MAGIC + len(text).to_bytes(4, "little") + text

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Decode the JSON text; raises ValueError, TypeError or KeyError."""
        fields = json.loads(text)
        camera = fields.pop("camera")
        return cls(
            camera=Camera(
                focal_px=float(camera["focal_px"]),
                centre_px=tuple(camera["centre_px"]),
                size_px=tuple(camera["size_px"]),
            ),
            **fields,
        )


def record_dtype(n_betas: int, n_expression: int) -> np.dtype[np.void]:
    """Return the layout of one frame of one person, as `types.Person` has it."""
    return np.dtype(
        [
            ("frame", "<i8"),
            ("timestamp_s", "<f8"),
            ("betas", "<f4", (n_betas,)),
            ("expression", "<f4", (n_expression,)),
            ("rotations", "<f4", (JOINT_COUNT, 4)),
            ("transl", "<f4", (3,)),
            ("joints", "<f4", (JOINT_COUNT, 3)),
            ("confidence", "<f4", (len(PARTS),)),
            ("crc32", "<u4"),
        ]
    )


def encode_record(person: Person) -> bytes:
    """Encode one frame of one person."""
    params = person.params
    record = np.zeros((), record_dtype(len(params.betas), len(params.expression)))
    record["frame"] = person.frame_index
    record["timestamp_s"] = person.timestamp_s
    record["betas"] = params.betas
    record["expression"] = params.expression
    record["rotations"] = params.rotations
    record["transl"] = params.transl
    record["joints"] = person.joints
    record["confidence"] = [getattr(person.confidence, part) for part in PARTS]
    body = record.tobytes()[:-_CRC_BYTES]
    return body + zlib.crc32(body).to_bytes(_CRC_BYTES, "little")


class PartWriter:
    """Appends to a part file, each frame handed to the system before `append` returns.

    The file is open only between `append` and `rest`, so that any number of people may
    come and go.
    """

    def __init__(self, path: Path, header: PartHeader) -> None:
        self.path = path
        self.header = header
        self.count = 0
        """Frames written so far."""
        self._start = header.to_bytes()
        self._descriptor: int | None = None
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND
        self._descriptor = os.open(path, flags, 0o666)
        self._write(self._start, whole=0)

    def append(self, person: Person) -> None:
        """Add a frame. Raises SinkError if it cannot be written; earlier ones stay."""
        found, begun = PartHeader.of(person), self.header
        if found.dtype != begun.dtype:
            raise SinkError(
                f"cannot record {found.n_betas} betas and {found.n_expression} "
                f"expression coefficients in a take that began with {begun.n_betas} "
                f"and {begun.n_expression}; start another take"
            )
        size = self.header.dtype.itemsize
        self._write(encode_record(person), whole=len(self._start) + self.count * size)
        self.count += 1

    def rest(self) -> None:
        """Close the file until the next frame."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, data: bytes, *, whole: int) -> None:
        """Write all of `data`, or cut the file back to its `whole` bytes and raise."""
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except BaseException:
            os.ftruncate(self._descriptor, whole)
            raise


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part file that was read."""

    header: PartHeader
    records: Records
    """(T,) of `header.dtype`: the whole, undamaged frames; lies in the file."""


def read_part(path: Path) -> Part:
    """Map a part file into memory up to its first torn or damaged record.

    Raises:
        SourceError: it is no part file, or holds no whole frame.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise SourceError(f"{path} is no part file of a recording")
            length = int.from_bytes(file.read(4), "little")
            header = PartHeader.from_json(file.read(min(length, 2**16)))
            start = file.tell()
        count = (path.stat().st_size - start) // header.dtype.itemsize
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise SourceError(f"{path}: the part file's header is damaged") from error
    if not count:
        raise SourceError(
            f"{path} holds no frame: the recording ended before its first"
        )
    records = np.memmap(path, header.dtype, "r", offset=start, shape=(count,))
    whole = _whole_records(records)
    if not whole:
        raise SourceError(f"{path} holds no undamaged frame")
    return Part(header, records[:whole])


def _whole_records(records: Records) -> int:
    """Count the records before the first one whose checksum is wrong."""
    for index, record in enumerate(records):
        if zlib.crc32(record.tobytes()[:-_CRC_BYTES]) != record["crc32"]:
            return index
    return len(records)
