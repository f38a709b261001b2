"""What can be read out of a container's bytes, damaged or cut off as they may be."""

import json
import math
import os
import struct
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

import numpy as np
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Message, Metadata, Schema
from mcap.stream_reader import get_chunk_data_stream
from mcap.well_known import MessageEncoding, SchemaEncoding
from zstandard import ZstdError

from pixie_runtime.takes.container import (
    ALIVE_TOPIC,
    CAMERA,
    INFO,
    MAGIC,
    PERSON_TOPIC,
)
from pixie_runtime.takes.message_definition import dtype_of
from pixie_runtime.takes.people_records import Records, check_fields
from pixie_runtime.takes.recording_info import RecordingInfo, camera_from_metadata
from pixie_runtime.types import Camera

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


class Contents:
    """Everything in a container that is whole.

    Args:
        file: Open for reading, at its beginning.

    Raises:
        ValueError: it does not begin as a container.
        OSError: it cannot be read.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.metadata: dict[str, str] | None = None
        """Of the recording, if there are any."""
        self.seen_by: dict[Camera, int] = {}
        """How many people's frames follow on each camera, in the order of the file."""
        self.nobody_s: list[float] = []
        """When nobody was in view, seconds on the source's clock."""
        self.is_whole = False
        """Whether the container has its end."""
        self.damaged = 0
        """How many pieces could not be read."""
        self._camera: Camera | None = None
        self._schemas: dict[int, Schema] = {}
        self._layouts: dict[int, np.dtype[np.void]] = {}
        self._alive: set[int] = set()
        self._others: set[int] = set()
        self._messages: dict[int, list[bytes]] = {}
        if file.read(len(MAGIC)) != MAGIC:
            raise ValueError("it does not begin as a container")
        for opcode, content in _records(file, os.fstat(file.fileno()).st_size):
            self._take(opcode, content)
            if self.is_whole:
                return

    def info(self) -> RecordingInfo | None:
        """Return what the recording says of itself; None if that is missing."""
        if self.metadata is None:
            return None
        try:
            return RecordingInfo.from_metadata(self.metadata)
        except ValueError:
            self.damaged += 1
            return RecordingInfo(program=self.metadata.get("program", ""))

    def people(self) -> Iterator[Records]:
        """Yield the messages of each topic, in the order of the file; once."""
        while self._messages:
            channel, messages = self._messages.popitem()
            layout = self._layouts.get(channel)
            if layout is None:
                self.damaged += len(messages)
                continue
            whole = [data for data in messages if len(data) == layout.itemsize]
            self.damaged += len(messages) - len(whole)
            yield np.frombuffer(b"".join(whole), layout)

    def _take(self, opcode: int, content: bytes) -> None:
        stream = ReadDataStream(BytesIO(content))
        try:
            if opcode == Opcode.CHUNK:
                chunk = Chunk.read(stream)
                inside, size = get_chunk_data_stream(chunk, validate_crc=True)
                for one, what in _records(BytesIO(inside.read(size)), size):
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
            self.damaged += 1

    def _take_metadata(self, record: Metadata) -> None:
        if record.name == INFO:
            self.metadata = record.metadata
        elif record.name == CAMERA:
            self._camera = camera_from_metadata(record.metadata)
            self.seen_by.setdefault(self._camera, 0)

    def _take_channel(self, channel: Channel) -> None:
        """Note what a topic is; the index at the end has them all once more."""
        if channel.topic == ALIVE_TOPIC:
            self._alive.add(channel.id)
        elif channel.topic.startswith(PERSON_TOPIC):
            schema = self._schemas[channel.schema_id]
            if (schema.encoding, channel.message_encoding) != _ENCODINGS:
                raise ValueError(f"{channel.topic} is {channel.message_encoding}")
            layout = dtype_of(schema.data.decode())
            check_fields(layout)
            self._layouts[channel.id] = layout
        else:
            self._others.add(channel.id)

    def _take_message(self, message: Message) -> None:
        if message.channel_id in self._alive:
            time_s = float(json.loads(message.data)["t_source_s"])
            if not math.isfinite(time_s):
                raise ValueError(f"t_source_s is {time_s}")
            self.nobody_s.append(time_s)
        elif message.channel_id not in self._others:
            self._messages.setdefault(message.channel_id, []).append(message.data)
            if self._camera is not None:
                self.seen_by[self._camera] += 1


def _records(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and content of each record up to the first that is not whole."""
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        opcode, length = _HEAD.unpack(head)
        if length > min(_LARGEST_RECORD, size - file.tell()):
            return
        yield opcode, file.read(length)
