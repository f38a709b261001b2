import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixie_runtime.errors import SinkError, SourceError
from pixie_runtime.sinks.take_parts import (
    PartHeader,
    PartWriter,
    encode_record,
    read_part,
    record_dtype,
)
from pixie_runtime.types import Person
from tests.runtime.people import CAMERA, make_person


def write_part(path: Path, people: list[Person]) -> PartWriter:
    writer = PartWriter(path, PartHeader.of(people[0]))
    for person in people:
        writer.append(person)
    writer.rest()
    return writer


@settings(max_examples=20, deadline=None)
@given(n_betas=st.integers(0, 300), n_expression=st.integers(0, 100))
def test_record_holds_the_person(n_betas: int, n_expression: int) -> None:
    person = make_person(
        1, frame_index=2**40, n_betas=n_betas, n_expression=n_expression
    )
    (record,) = np.frombuffer(
        encode_record(person), record_dtype(n_betas, n_expression)
    )
    assert record["frame"] == 2**40
    assert record["timestamp_s"] == person.timestamp_s
    np.testing.assert_array_equal(record["betas"], person.params.betas)
    np.testing.assert_array_equal(record["expression"], person.params.expression)
    np.testing.assert_array_equal(record["rotations"], person.params.rotations)
    np.testing.assert_array_equal(record["transl"], person.params.transl)
    np.testing.assert_array_equal(record["joints"], person.joints)


def test_part_reads_back_in_order(tmp_path: Path) -> None:
    people = [make_person(i, track_id=7, frame_index=i) for i in range(5)]
    writer = write_part(tmp_path / "a.part", people)
    part = read_part(writer.path)
    assert part.header == PartHeader(7, 50, 43, CAMERA)
    assert part.records["frame"].tolist() == [0, 1, 2, 3, 4]


def test_person_who_comes_back_is_appended(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path / "a.part", PartHeader.of(make_person(0)))
    for frame in range(3):
        writer.append(make_person(frame, frame_index=frame))
        writer.rest()
        writer.rest()
    assert read_part(writer.path).records["frame"].tolist() == [0, 1, 2]


@given(cut=st.integers(1, 2000))
@settings(max_examples=30, deadline=None)
def test_torn_record_costs_only_itself(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("torn") / "a.part"
    writer = write_part(path, [make_person(i, frame_index=i) for i in range(4)])
    size = writer.header.dtype.itemsize
    os.truncate(path, path.stat().st_size - cut)
    assert len(read_part(path).records) == 4 - -(-cut // size)


def test_damaged_record_and_what_follows_it_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.part"
    writer = write_part(path, [make_person(i, frame_index=i) for i in range(4)])
    data = bytearray(path.read_bytes())
    data[-writer.header.dtype.itemsize - 100] ^= 1  # in the last but one
    path.write_bytes(data)
    assert read_part(path).records["frame"].tolist() == [0, 1]


def test_failed_write_is_taken_back_so_that_the_next_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = PartWriter(tmp_path / "a.part", PartHeader.of(make_person(0)))
    writer.append(make_person(0, frame_index=0))
    write = os.write
    answers: list[Callable[[int, memoryview], int]] = [
        lambda descriptor, data: write(descriptor, data[:100]),
        lambda descriptor, data: exec_full(),
    ]

    def exec_full() -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda *args: answers.pop(0)(*args))
        with pytest.raises(OSError, match="No space left"):
            writer.append(make_person(1, frame_index=1))
    writer.append(make_person(2, frame_index=2))
    assert read_part(writer.path).records["frame"].tolist() == [0, 2]


def test_other_sizes_are_refused(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path / "a.part", PartHeader.of(make_person(0)))
    with pytest.raises(SinkError, match="cannot record 10 betas"):
        writer.append(make_person(1, n_betas=10))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is no part file"),
        (b"PK\x03\x04 something else", "is no part file"),
        (b"PIXTAKE1\x05\x00\x00\x00{oops", "header is damaged"),
        (b"PIXTAKE1\x02\x00\x00\x00[]", "header is damaged"),
        (b"PIXTAKE1\xff\xff\xff\xff", "header is damaged"),
    ],
)
def test_foreign_file_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "a.part"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=sentence):
        read_part(path)


def test_part_without_a_frame_is_refused(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path / "a.part", PartHeader.of(make_person(0)))
    writer.rest()
    with pytest.raises(SourceError, match="holds no frame"):
        read_part(writer.path)


def test_missing_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot read .*No such file"):
        read_part(tmp_path / "none.part")
