"""Reads recordings, cut off and damaged ones too: what is whole in them is kept."""

import json
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Message, Metadata, Schema
from mcap.stream_reader import get_chunk_data_stream
from mcap.well_known import MessageEncoding, SchemaEncoding
from zstandard import ZstdError

from pixie_runtime.errors import SourceError
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.takes.container import (
    ALIVE_TOPIC,
    CAMERA,
    INFO,
    MAGIC,
    PERSON_TOPIC,
)
from pixie_runtime.takes.message_definition import dtype_of
from pixie_runtime.takes.recording_info import (
    FORMAT_VERSION,
    RecordingInfo,
    camera_from_metadata,
)
from pixie_runtime.takes.track import Track
from pixie_runtime.types import PARTS, Camera, Float64
from pixie_runtime.wording import counted

_LARGEST_RECORD = 2**26
"""Bytes; ours are a thousand times smaller, but other tools may join chunks."""
_HEAD = struct.Struct("<BQ")
"""Before every record: its kind and its length."""
_ENCODINGS = (SchemaEncoding.ROS1, MessageEncoding.ROS1)
_UNREADABLE = (
    *(McapError, ValueError, LookupError, TypeError, EOFError, MemoryError),
    *(OverflowError, struct.error, RuntimeError, ZstdError),
)
"""What records, their texts and their decompressors raise where bytes are damaged."""

_SIZES: Mapping[str, int] = {
    "track_id": 1,
    "frame_index": 1,
    "t_source_s": 1,
    "t_capture_s": 1,
    "t_send_s": 1,
    "confidence": len(PARTS),
    "transl": 3,
    "rotations": 4 * JOINT_COUNT,
    "joints": 3 * JOINT_COUNT,
}
"""How many numbers each field has that a person's messages need."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What a container holds."""

    path: Path
    info: RecordingInfo
    people: Mapping[int, Track]
    """By number, who was seen longest first."""
    nobody_s: Float64
    """When nobody was in view, seconds on the source's clock."""
    warnings: tuple[str, ...]
    """What is missing in it, one sentence each."""

    def track(self, person: int | None = None) -> Track:
        """Return a person's frames; None for who was seen longest.

        Raises:
            SourceError: there is no such person.
        """
        if not self.people:
            raise SourceError(f"{self.path} holds nobody: no person was recorded")
        if person is None:
            return next(iter(self.people.values()))
        if person not in self.people:
            there = ", ".join(f"{i} ({len(t)} frames)" for i, t in self.people.items())
            raise SourceError(f"{self.path} has no person {person}; it has {there}")
        return self.people[person]


def is_container(path: Path) -> bool:
    """Whether a file begins as a container; raises OSError."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def is_cut_off(path: Path) -> bool:
    """Whether a file is a container without an end; raises OSError."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return False
        file.seek(-len(MAGIC), 2)
        return file.tell() == 0 or file.read() != MAGIC


def read_recording(path: Path) -> Recording:
    """Read a container, up to where it was cut off and without what is damaged.

    Raises:
        SourceError: the file cannot be read, is none of ours, or is of a newer version.
    """
    try:
        with path.open("rb") as file:
            contents = _Contents(path)
            contents.read(file)
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error
    if contents.info is None and not contents.is_whole:
        raise SourceError(f"{path} was cut off before anything was recorded")
    if contents.info is None:
        raise SourceError(
            f"{path} is an MCAP file, but no recording of pixie-live: it has no "
            f"metadata named {INFO}"
        )
    tracks = contents.tracks()
    by_length = sorted(tracks, key=lambda track: (-len(track), track.track_id))
    return Recording(
        path=path,
        info=contents.info,
        people={track.track_id: track for track in by_length},
        nobody_s=np.array(contents.nobody_s),
        warnings=contents.warnings(),
    )


@dataclass(slots=True)
class _Topic:
    """The messages of one channel."""

    dtype: np.dtype[np.void]
    data: bytearray = field(default_factory=bytearray)


class _Contents:
    """What has been found in a file so far."""

    def __init__(self, path: Path) -> None:
        self.info: RecordingInfo | None = None
        self.nobody_s: list[float] = []
        self.is_whole = False
        self._path = path
        self._camera: Camera | None = None
        self._schemas: dict[int, Schema] = {}
        self._alive: set[int] = set()
        self._people: dict[int, _Topic] = {}
        self._damaged = 0

    def read(self, file: BinaryIO) -> None:
        """Take in everything that is whole."""
        if file.read(len(MAGIC)) != MAGIC:
            raise SourceError(f"{self._path} is no recording: it does not begin as one")
        size = os.fstat(file.fileno()).st_size
        for opcode, content in _records(file, size):
            self._take(opcode, content)
            if self.is_whole:
                return

    def warnings(self) -> tuple[str, ...]:
        """Return what is missing."""
        said = []
        if not self.is_whole:
            said.append(
                f"{self._path} was cut off: what had reached the disk by then is there"
            )
        if self._damaged:
            pieces = counted(self._damaged, "piece", "pieces")
            said.append(f"{self._path} is damaged: {pieces} of it left out")
        return tuple(said)

    def tracks(self) -> Iterator[Track]:
        """Yield each person's frames."""
        camera = self._camera
        by_dtype: dict[np.dtype[np.void], list[npt.NDArray[np.void]]] = {}
        for topic in self._people.values():
            records = np.frombuffer(topic.data, topic.dtype)
            by_dtype.setdefault(topic.dtype, []).append(records)
        seen: set[int] = set()
        for arrays in by_dtype.values():
            records = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
            for track_id in np.unique(records["track_id"]).tolist():
                mine = records[records["track_id"] == track_id]
                mine = self._in_order(mine)
                if camera is not None and len(mine) and track_id not in seen:
                    seen.add(track_id)
                    yield _track(track_id, mine, camera)

    def _take(self, opcode: int, content: bytes) -> None:
        stream = ReadDataStream(BytesIO(content))
        try:
            if opcode == Opcode.CHUNK:
                inside, size = get_chunk_data_stream(
                    Chunk.read(stream), validate_crc=True
                )
                data = inside.read(size)
                for one, what in _records(BytesIO(data), size):
                    self._take(one, what)
            elif opcode == Opcode.MESSAGE:
                self._take_message(Message.read(stream, len(content)))
            elif opcode == Opcode.SCHEMA:
                schema = Schema.read(stream)
                self._schemas[schema.id] = schema
            elif opcode == Opcode.CHANNEL:
                self._take_channel(Channel.read(stream))
            elif opcode == Opcode.METADATA:
                self._take_metadata(Metadata.read(stream))
            elif opcode == Opcode.FOOTER:
                self.is_whole = True
        except _UNREADABLE:
            self._damaged += 1

    def _take_metadata(self, record: Metadata) -> None:
        if record.name == INFO:
            self._check_version(record.metadata)
            self.info = RecordingInfo.from_metadata(record.metadata)
        elif record.name == CAMERA and self._camera is None:
            self._camera = camera_from_metadata(record.metadata)

    def _check_version(self, metadata: Mapping[str, str]) -> None:
        version = int(metadata.get("format_version", "0"))
        if version > FORMAT_VERSION:
            program = metadata.get("program", "a newer pixie-live")
            raise SourceError(
                f"{self._path} is from a newer version: {program} wrote it in format "
                f"{version}, and this one reads up to {FORMAT_VERSION}; "
                "update pixie-live"
            )

    def _take_channel(self, channel: Channel) -> None:
        if channel.topic == ALIVE_TOPIC:
            self._alive.add(channel.id)
            return
        if channel.id in self._people or not channel.topic.startswith(PERSON_TOPIC):
            return
        schema = self._schemas[channel.schema_id]
        if (schema.encoding, channel.message_encoding) != _ENCODINGS:
            raise ValueError(f"{channel.topic} is {channel.message_encoding}")
        dtype = dtype_of(schema.data.decode())
        _check_fields(dtype)
        self._people[channel.id] = _Topic(dtype)

    def _take_message(self, message: Message) -> None:
        topic = self._people.get(message.channel_id)
        if topic is not None:
            if len(message.data) != topic.dtype.itemsize:
                raise ValueError(f"a message of {len(message.data)} bytes")
            topic.data += message.data
        elif message.channel_id in self._alive:
            self.nobody_s.append(float(json.loads(message.data)["t_source_s"]))

    def _in_order(self, records: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
        """Return the records that can be: finite, each later than those before."""
        times = records["t_source_s"]
        finite = np.isfinite(times)
        for name in ("rotations", "joints", "transl", "confidence"):
            finite &= np.isfinite(records[name]).all(axis=1)
        records, times = records[finite], times[finite]
        before = np.maximum.accumulate(np.concatenate([[-np.inf], times[:-1]]))
        later = times > before
        self._damaged += int(len(finite) - np.count_nonzero(later))
        return records if later.all() else records[later]


def _records(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and content of each record up to the first that is not whole."""
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        opcode, length = _HEAD.unpack(head)
        if length > min(_LARGEST_RECORD, size - file.tell()):
            return
        yield opcode, file.read(length)


def _check_fields(dtype: np.dtype[np.void]) -> None:
    """Raise ValueError where a field is missing that a person needs."""
    for name, size in _SIZES.items():
        if name not in (dtype.names or ()):
            raise ValueError(f"no field {name}")
        if int(np.prod(dtype[name].shape)) != size:
            raise ValueError(
                f"{name} has shape {dtype[name].shape}, not {size} numbers"
            )


def _track(track_id: int, records: npt.NDArray[np.void], camera: Camera) -> Track:
    count = len(records)

    def coefficients(name: str) -> npt.NDArray[np.float32]:
        if name not in (records.dtype.names or ()):
            return np.zeros((count, 0), np.float32)
        return np.asarray(records[name], np.float32).reshape(count, -1)

    return Track(
        track_id=track_id,
        camera=camera,
        frames=records["frame_index"].astype(np.int64),
        timestamps_s=records["t_source_s"].astype(np.float64),
        latencies_s=records["t_send_s"] - records["t_capture_s"],
        confidences=np.asarray(records["confidence"], np.float32),
        transl=np.asarray(records["transl"], np.float32),
        rotations=records["rotations"].astype(np.float32).reshape(count, -1, 4),
        joints=records["joints"].astype(np.float32).reshape(count, -1, 3),
        betas=coefficients("betas"),
        expression=coefficients("expression"),
    )
