"""What tools of other people read in our recordings, none of our code in between."""

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from mcap.exceptions import EndOfFile
from mcap.reader import NonSeekingReader, make_reader
from mcap_ros1.decoder import DecoderFactory

from pixie_runtime.sinks.take import TakeSink
from tests.runtime.people import make_person, make_tick
from tests.runtime.takes.recordings import INFO, person_at, record


def test_standard_reader_decodes_every_field_of_every_person(tmp_path: Path) -> None:
    path = record(tmp_path / "take.mcap", 70, track_ids=(3, 8))
    with path.open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        messages = list(reader.iter_decoded_messages())
    assert len(messages) == 140
    assert {channel.topic for _, channel, _, _ in messages} == {
        "/pixie/person/3",
        "/pixie/person/8",
    }
    for _, channel, message, decoded in messages:
        frame, track = message.sequence, int(channel.topic.rpartition("/")[2])
        person = person_at(frame, track_id=track)
        assert bytes(decoded.magic) == b"PIXF"
        assert (decoded.track_id, decoded.frame_index) == (track, frame)
        assert decoded.people == 2
        assert decoded.t_source_s == person.timestamp_s
        np.testing.assert_array_equal(
            np.float32(decoded.rotations).reshape(55, 4), person.params.rotations
        )
        np.testing.assert_array_equal(
            np.float32(decoded.joints).reshape(55, 3), person.joints
        )
        np.testing.assert_array_equal(np.float32(decoded.betas), person.params.betas)


def test_log_times_are_capture_times(tmp_path: Path) -> None:
    path = record(tmp_path / "take.mcap", 31)
    with path.open("rb") as file:
        times = [m.log_time for _, _, m in make_reader(file).iter_messages()]
    np.testing.assert_allclose(
        (np.array(times) - times[0]) / 1e9, np.arange(31) / 30, atol=1e-6
    )


def test_index_finds_a_moment_without_reading_the_rest(tmp_path: Path) -> None:
    path = record(tmp_path / "take.mcap", 100)
    with path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        assert summary is not None
        assert summary.statistics is not None
        assert summary.statistics.message_count == 100
        assert len(summary.chunk_indexes) >= 3
        end = summary.statistics.message_end_time
        (last,) = reader.iter_messages(starting_at=end)
        assert last[2].sequence == 99


def test_metadata_say_what_was_recorded_with_what(tmp_path: Path) -> None:
    path = record(tmp_path / "take.mcap")
    with path.open("rb") as file:
        metadata = {m.name: m.metadata for m in make_reader(file).iter_metadata()}
    about = metadata["pixie.recording"]
    assert about["format_version"] == "1"
    assert about["body_model"] == "pixie-body"
    assert about["body_model_sha256"] == INFO.body_model_sha256
    assert about["program"].startswith("pixie-live ")
    assert json.loads(about["setup"]) == {"engine": "ONNX Runtime"}
    assert len(json.loads(about["joint_names"])) == 55
    assert json.loads(metadata["pixie.camera"]["size_px"]) == [640, 480]


def test_frames_without_anybody_are_there_as_json(tmp_path: Path) -> None:
    sink = TakeSink(tmp_path / "take.mcap")
    sink.send(make_tick(make_person(0)))
    sink.send(make_tick(frame_index=1))
    sink.close()
    with (tmp_path / "take.mcap").open("rb") as file:
        reader = make_reader(file)
        ((_, channel, message),) = reader.iter_messages(topics="/pixie/alive")
    assert channel.message_encoding == "json"
    assert json.loads(message.data)["t_source_s"] == pytest.approx(1 / 30, abs=1e-6)


def test_a_recording_that_was_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    path = record(tmp_path / "take.mcap", 100)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with path.open("rb") as file, suppress(EndOfFile):
        messages = []
        for message in NonSeekingReader(file).iter_messages(log_time_order=False):
            messages.append(message)
    assert len(messages) >= 32
