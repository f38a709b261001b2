"""The container that recordings are written to: MCAP, as `docs/takes.md` describes it.

MCAP (mcap.dev) is a public format for time-stamped messages. A file is a sequence of
chunks, each with its length in front and a checksum, so that whatever ends a recording
costs no chunk before it; an index at the end is for speed only.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
from mcap.data_stream import RecordBuilder
from mcap.records import DataEnd, Footer
from mcap.well_known import MessageEncoding, SchemaEncoding
from mcap.writer import MCAP0_MAGIC, CompressionType, IndexType, Writer

from pixie_runtime.sinks.websocket_messages import MEANINGS
from pixie_runtime.takes.message_definition import definition_of
from pixie_runtime.takes.recording_info import RecordingInfo, camera_to_metadata
from pixie_runtime.types import Camera

MAGIC = MCAP0_MAGIC
INFO = "pixie.recording"
"""Name of the metadata that says what the recording is of."""
CAMERA = "pixie.camera"
"""Name of the metadata that holds the camera; again where it changes."""
PERSON_SCHEMA = "pixie/Person"
PERSON_TOPIC = "/pixie/person/"
"""Before the person's number."""
ALIVE_TOPIC = "/pixie/alive"
"""Frames in which nobody was in view."""

_MAX_PERSON_TOPICS = 60_000
"""A container has room for 65 535 topics; who comes later shares the last one."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a recording."""

    topic: str
    sequence: int
    time_ns: int
    """When the picture was taken, Unix time."""
    data: bytes


class ContainerWriter:
    """Writes a container chunk by chunk.

    What `write` was given is on its way to the disk when it returns, all or nothing.
    """

    def __init__(self, path: Path, info: RecordingInfo) -> None:
        """Begin a file; raises OSError, FileExistsError if there is one."""
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
        self._outbox = _Outbox(os.open(path, flags | getattr(os, "O_BINARY", 0), 0o666))
        self._file = os.fstat(self._outbox.descriptor)
        self._writer = Writer(
            cast(IO[bytes], self._outbox),
            # Motion shrinks by a third at most; bare numbers any program can take.
            compression=CompressionType.NONE,
            index_types=IndexType.CHUNK | IndexType.MESSAGE | IndexType.METADATA,
        )
        self._channels: dict[str, int] = {}
        self._schema = 0
        self._writer.start(library=info.program)
        self._writer.add_metadata(INFO, info.to_metadata())
        self._outbox.flush()

    def is_at(self, path: Path) -> bool:
        """Whether a path still leads to this file, and not to another one."""
        try:
            return os.path.samestat(self._file, path.stat())
        except OSError:
            return False

    def add_camera(self, camera: Camera) -> None:
        """Say what camera the people after this are seen by; raises OSError."""
        self._writer.add_metadata(CAMERA, camera_to_metadata(camera))
        self._writer.flush()

    def begin_people(self, dtype: np.dtype[np.void]) -> None:
        """Say how the people's messages are laid out, before the first of them."""
        definition = definition_of(dtype, MEANINGS).encode()
        self._schema = self._writer.register_schema(
            PERSON_SCHEMA, SchemaEncoding.ROS1, definition
        )

    def write(self, messages: Sequence[Message]) -> None:
        """Add a chunk of messages; raises OSError, and then the file is as before."""
        for message in messages:
            self._writer.add_message(
                channel_id=self._channel(message.topic),
                sequence=message.sequence,
                log_time=message.time_ns,
                publish_time=message.time_ns,
                data=message.data,
            )
        self._writer.flush()

    def finish(self) -> None:
        """Write the index and close the file; the messages are safe without it."""
        try:
            self._writer.finish()
            self._outbox.flush()
            os.fsync(self._outbox.descriptor)
        except OSError:
            self.finish_without_index()
        else:
            os.close(self._outbox.descriptor)

    def finish_without_index(self) -> None:
        """End the file after the last whole chunk and close it.

        With its ending it is a container for every tool, if a slow one to search;
        where there is no room for that either, tools call it cut off.
        """
        records = RecordBuilder()
        DataEnd(data_section_crc=0).write(records)
        Footer(summary_start=0, summary_offset_start=0, summary_crc=0).write(records)
        self._outbox.discard()
        try:
            self._outbox.write(records.end() + MAGIC)
            self._outbox.flush()
        except OSError:
            pass
        finally:
            os.close(self._outbox.descriptor)

    def _channel(self, topic: str) -> int:
        known = self._channels.get(topic)
        if known is not None:
            return known
        if len(self._channels) >= _MAX_PERSON_TOPICS and topic != ALIVE_TOPIC:
            return max(self._channels.values())
        if topic == ALIVE_TOPIC:
            added = self._writer.register_channel(topic, MessageEncoding.JSON, 0)
        else:
            added = self._writer.register_channel(
                topic, MessageEncoding.ROS1, self._schema
            )
        self._channels[topic] = added
        return added


class _Outbox:
    """What MCAP's writer takes for its file: bytes leave it in one piece, or not."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._waiting = bytearray()
        self._written = 0

    def write(self, data: bytes) -> int:
        self._waiting += data
        return len(data)

    def tell(self) -> int:
        return self._written + len(self._waiting)

    def flush(self) -> None:
        try:
            rest = memoryview(bytes(self._waiting))
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]
        except BaseException:
            os.ftruncate(self.descriptor, self._written)
            os.lseek(self.descriptor, self._written, os.SEEK_SET)
            raise
        self._written += len(self._waiting)
        self._waiting.clear()

    def discard(self) -> None:
        self._waiting.clear()
