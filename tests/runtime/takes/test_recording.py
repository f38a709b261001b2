import random
import struct
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.reader import make_reader
from mcap.records import Chunk, Message
from mcap.stream_reader import breakup_chunk
from mcap.writer import CompressionType, Writer

from pixie_runtime.errors import SourceError
from pixie_runtime.sinks.take import TakeSink
from pixie_runtime.takes import load_take
from pixie_runtime.takes.recording import is_cut_off, read_recording
from pixie_runtime.types import Camera
from tests.runtime.people import CAMERA, make_tick
from tests.runtime.takes.recordings import INFO, person_at, record


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """100 frames of one person."""
    path = record(tmp_path_factory.mktemp("whole") / "take.mcap", 100)
    return path.read_bytes()


def test_people_read_back_are_those_recorded(tmp_path: Path) -> None:
    recording = read_recording(record(tmp_path / "a.mcap", 40, track_ids=(5, 2)))
    assert recording.info == INFO
    assert recording.warnings == ()
    assert sorted(recording.people) == [2, 5]
    track = recording.track(5)
    assert len(track) == 40
    assert track.camera == CAMERA
    assert (track.latencies_s > -1e9).all()
    take = track.take()
    for row in range(40):
        person = person_at(row, track_id=5)
        np.testing.assert_array_equal(take.person(row).joints, person.joints)
        np.testing.assert_array_equal(track.rotations[row], person.params.rotations)
        np.testing.assert_array_equal(track.expression[row], person.params.expression)


def test_whatever_byte_it_was_cut_off_at_the_chunks_before_are_there(
    tmp_path: Path, whole: bytes
) -> None:
    ends = _frames_by_end(whole)
    cuts = {*ends, *(end - 1 for end in ends), *range(8, 900, 7), len(whole) - 1}
    cuts |= set(random.Random(0).sample(range(8, len(whole)), 150))
    path = tmp_path / "cut.mcap"
    for cut in sorted(cuts):
        path.write_bytes(whole[:cut])
        assert is_cut_off(path)
        safe = max((frames for end, frames in ends.items() if end <= cut), default=0)
        assert _frames_in(path) == safe


def _frames_by_end(data: bytes) -> dict[int, int]:
    """Return where each chunk ends, and how many frames the file has up to there."""
    ends, at, frames = {}, 8, 0
    while at < len(data) - 8:
        opcode, size = struct.unpack_from("<BQ", data, at)
        if opcode == Opcode.CHUNK:
            chunk = Chunk.read(ReadDataStream(BytesIO(data[at + 9 : at + 9 + size])))
            inside = breakup_chunk(chunk, validate_crc=True)
            frames += sum(isinstance(record, Message) for record in inside)
            ends[at + 9 + size] = frames
        at += 9 + size
    return ends


def _frames_in(path: Path) -> int:
    """Return how many frames can be read; what cannot be read is one sentence."""
    try:
        people = read_recording(path).people
    except SourceError as error:
        return 0 if str(error).startswith(str(path)) else -1
    return sum(len(track) for track in people.values())


def test_a_recording_that_was_cut_off_says_so(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "cut.mcap"
    path.write_bytes(whole[: len(whole) // 2])
    assert read_recording(path).warnings == (
        f"{path} was cut off: what had reached the disk by then is there",
    )
    path.write_bytes(whole)
    assert read_recording(path).warnings == ()
    assert not is_cut_off(path)


def test_damaged_piece_costs_only_itself(tmp_path: Path, whole: bytes) -> None:
    data = bytearray(whole)
    (first_end, first), (second_end, second), *_ = _frames_by_end(whole).items()
    data[(first_end + second_end) // 2] ^= 1
    path = tmp_path / "damaged.mcap"
    path.write_bytes(data)
    recording = read_recording(path)
    frames = recording.track().frames.tolist()
    assert frames == [*range(first), *range(second, 100)]
    assert recording.warnings == (f"{path} is damaged: 1 piece of it left out",)


def test_layout_that_is_damaged_is_taken_from_the_index(
    tmp_path: Path, whole: bytes
) -> None:
    (end, first), *_ = _frames_by_end(whole).items()
    data = bytearray(whole)
    data[end - 500] ^= 1  # the schema stands in the first chunk, which is now left out
    path = tmp_path / "damaged.mcap"
    path.write_bytes(data)
    assert read_recording(path).track().frames.tolist() == [*range(first, 100)]


def test_motion_is_kept_though_the_camera_is_damaged(
    tmp_path: Path, whole: bytes
) -> None:
    path = tmp_path / "damaged.mcap"
    path.write_bytes(_with_text(whole, b"size_px", b"[640, 480]", b"[640, 4x0]"))
    recording = read_recording(path)
    assert len(recording.track()) == 100
    assert "is damaged" in recording.warnings[0]


@pytest.mark.parametrize(("before", "after"), [(40, 20), (20, 40)])
def test_take_has_the_camera_of_most_frames_where_it_changed(
    tmp_path: Path, before: int, after: int
) -> None:
    turned = Camera.with_field_of_view(480, 640, 60)
    sink = TakeSink(tmp_path / "a.npz", INFO)
    for frame in range(before + after):
        camera = CAMERA if frame < before else turned
        sink.send(make_tick(replace(person_at(frame), camera=camera)))
    sink.close()
    recording = read_recording(tmp_path / "a.mcap")
    assert len(recording.track()) == 60
    assert recording.track().camera == (CAMERA if before > after else turned)
    (warning,) = recording.warnings
    assert "has 2 cameras" in warning
    assert "40 of 60 frames" in warning
    assert sink.warnings == recording.warnings


def test_topics_of_others_are_no_damage(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "take.mcap"
    path.write_bytes(whole)
    _rewrite(path, CompressionType.NONE, other_topic="/camera")
    recording = read_recording(path)
    assert len(recording.track()) == 100
    assert recording.warnings == ()


def test_noise_anywhere_never_ends_in_a_stack_trace(
    tmp_path: Path, whole: bytes
) -> None:
    noise = random.Random(1)
    path = tmp_path / "noise.mcap"
    for _ in range(150):
        data = bytearray(whole[: noise.randrange(200, len(whole))])
        for _ in range(noise.randrange(1, 8)):
            data[noise.randrange(8, min(len(data), 3000))] = noise.randrange(256)
        path.write_bytes(data)
        assert 0 <= _frames_in(path) <= 100


@pytest.mark.parametrize("compression", [CompressionType.ZSTD, CompressionType.LZ4])
def test_recording_that_other_tools_wrote_anew_is_still_one(
    tmp_path: Path, whole: bytes, compression: CompressionType
) -> None:
    path = tmp_path / "take.mcap"
    path.write_bytes(whole)
    expected = read_recording(path).track().joints
    _rewrite(path, compression)
    np.testing.assert_array_equal(read_recording(path).track().joints, expected)


def _rewrite(
    path: Path, compression: CompressionType, other_topic: str | None = None
) -> None:
    """Write everything again with MCAP's own writer, as tools that repair do."""
    with path.open("rb") as file:
        reader = make_reader(file)
        messages, metadata = list(reader.iter_messages()), list(reader.iter_metadata())
    schema, channel, _ = messages[0]
    assert schema is not None
    with path.open("wb") as file:
        writer = Writer(file, compression=compression)
        writer.start()
        number = writer.register_channel(
            channel.topic,
            channel.message_encoding,
            writer.register_schema(schema.name, schema.encoding, schema.data),
        )
        for _, _, message in messages:
            writer.add_message(
                number, message.log_time, message.data, message.publish_time
            )
        if other_topic is not None:
            other = writer.register_channel(other_topic, "json", 0)
            writer.add_message(other, 5, b"{}", 5)
        for one in metadata:
            writer.add_metadata(one.name, one.metadata)
        writer.finish()


def test_recording_of_a_newer_version_is_refused(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "new.mcap"
    path.write_bytes(_with_text(whole, b"format_version", b"1", b"2"))
    with pytest.raises(
        SourceError,
        match=r"newer version: pixie-live .* format 2, .* update",
    ):
        load_take(path)


def _with_text(data: bytes, key: bytes, old: bytes, new: bytes) -> bytes:
    prefix = key + len(old).to_bytes(4, "little")
    assert data.count(prefix + old) == 1
    return data.replace(prefix + old, prefix + new)


def test_mcap_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "robot.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start()
        writer.finish()
    with pytest.raises(SourceError, match="no recording of pixie-live"):
        load_take(path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty: nothing was recorded"),
        (b"notes", r"is no take: expected a recording \(MCAP\) or an \.npz"),
        (b"\x89MCAP0\r\n", "was cut off before anything was recorded"),
    ],
)
def test_no_take_at_all_is_one_sentence(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "TAKE"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=sentence):
        load_take(path)


def test_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot read .*No such file"):
        load_take(tmp_path / "none.mcap")


def test_missing_person_is_told_who_is_there(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mcap", 4, track_ids=(1, 7))
    assert load_take(path, person=7).track_id == 7
    with pytest.raises(
        SourceError, match=r"no person 2; it has 1 \(4 frames\), 7 \(4 frames\)"
    ):
        load_take(path, person=2)
