import re
import resource
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixie_runtime import rotations
from pixie_runtime.body import embedded_body_model
from pixie_runtime.errors import SinkError, SourceError
from pixie_runtime.sinks.take_parts import PartHeader, PartWriter, read_part
from pixie_runtime.sinks.take_writing import (
    common_frame_rate,
    frame_rate,
    recover_take,
    write_take,
)
from pixie_runtime.takes import load_take
from pixie_runtime.types import Person
from tests.runtime.people import make_person, posed, skeleton


def take_of(people: list[Person], path: Path) -> None:
    writer = PartWriter(path.with_suffix(".npz.part"), PartHeader.of(people[0]))
    for person in people:
        writer.append(person)
    writer.rest()
    write_take(read_part(writer.path), path)


def test_body_posed_by_the_takes_parameters_has_the_takes_joints(
    tmp_path: Path,
) -> None:
    people = [make_person(i, frame_index=i, shape_seed=3) for i in range(20)]
    take_of(people, tmp_path / "a.npz")
    take = load_take(tmp_path / "a.npz")
    for row in range(20):
        wxyz = rotations.from_rotvec(take.poses[row].reshape(55, 3))
        joints = posed(skeleton(3), wxyz, take.trans[row])
        np.testing.assert_allclose(joints, take.joints[row] * [1, -1, -1], atol=1e-5)


def test_so_it_is_for_the_embedded_body_of_the_takes_shape(tmp_path: Path) -> None:
    model = embedded_body_model()
    people = []
    for frame in range(5):
        person = make_person(frame, frame_index=frame, n_betas=model.n_betas)
        params = person.params
        shaped = model.shaped(params.betas, params.expression)
        joints = shaped.posed(params.rotations, params.transl).joints
        people.append(person.with_params(params, joints))
    take_of(people, tmp_path / "a.npz")
    take = load_take(tmp_path / "a.npz")
    np.testing.assert_array_equal(take.betas, people[0].params.betas)
    for row in range(len(take)):
        wxyz = rotations.from_rotvec(take.poses[row].reshape(55, 3))
        shaped = model.shaped(take.betas, take.expression[row])
        joints = shaped.posed(wxyz, take.trans[row]).joints
        np.testing.assert_allclose(joints, take.joints[row] * [1, -1, -1], atol=1e-5)


def test_person_facing_the_camera_upright_needs_no_turn_in_the_world(
    tmp_path: Path,
) -> None:
    person = make_person(0)
    wxyz = rotations.identity(55)
    wxyz[0] = [0, 1, 0, 0]  # y up becomes y down, z out of the chest towards the camera
    params = type(person.params)(
        person.params.betas, person.params.expression, wxyz, person.params.transl
    )
    joints = posed(skeleton(), wxyz, params.transl)
    take_of([person.with_params(params, joints)], tmp_path / "a.npz")
    poses = load_take(tmp_path / "a.npz").poses
    np.testing.assert_allclose(poses, 0, atol=1e-6)


def test_read_by_numpy_alone_it_has_the_keys_of_amass(tmp_path: Path) -> None:
    people = [make_person(i, frame_index=3 * i, timestamp_s=i / 30) for i in range(6)]
    take_of(people, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        shapes = {name: file[name].shape for name in file.files}
        assert str(file["gender"]) == "neutral"
        assert str(file["surface_model_type"]) == "smplx"
        assert file["mocap_frame_rate"] == 30
        assert file["fps"] == pytest.approx(30)
        assert file["frames"].tolist() == [0, 3, 6, 9, 12, 15]
        assert file["confidence_names"].tolist() == [
            "body",
            "left_hand",
            "right_hand",
            "face",
        ]
    assert shapes["poses"] == (6, 165)
    assert shapes["trans"] == (6, 3)
    assert shapes["betas"] == (50,)
    assert shapes["betas_per_frame"] == (6, 50)
    assert shapes["expression"] == (6, 43)
    assert shapes["joints"] == (6, 55, 3)
    assert shapes["confidences"] == (6, 4)
    assert shapes["camera"] == (5,)


def test_every_key_is_documented(tmp_path: Path) -> None:
    take_of([make_person(0)], tmp_path / "a.npz")
    document = Path(__file__).parents[3] / "docs" / "takes.md"
    documented = set(re.findall(r"^\| `(\w+)`", document.read_text(), re.M))
    with np.load(tmp_path / "a.npz") as file:
        assert set(file.files) == documented


@pytest.mark.parametrize("count", [1, 4095, 4096, 4097])
def test_chunks_join_without_a_seam(tmp_path: Path, count: int) -> None:
    people = [make_person(i) for i in range(3)]
    writer = PartWriter(tmp_path / "a.part", PartHeader.of(people[0]))
    for index in range(count):
        writer.append(people[index % 3])
    writer.rest()
    write_take(read_part(writer.path), tmp_path / "a.npz")
    take = load_take(tmp_path / "a.npz")
    expected = np.resize([person.joints for person in people], (count, 55, 3))
    np.testing.assert_array_equal(take.joints, expected)


def test_writing_a_long_take_needs_little_memory(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path / "a.part", PartHeader.of(make_person(0)))
    writer.append(make_person(0))
    writer.rest()
    record = (tmp_path / "a.part").read_bytes()[-writer.header.dtype.itemsize :]
    with (tmp_path / "a.part").open("ab") as file:
        for _ in range(40):
            file.write(record * 1000)
    part = read_part(writer.path)
    tracemalloc.start()
    write_take(part, tmp_path / "a.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert part.records.nbytes > 75e6
    assert peak < 60e6


def test_file_in_the_way_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    take_of([make_person(0)], path)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    part = read_part(path.with_suffix(".npz.part"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(SinkError, match=r"cannot write .*a\.npz: File too large"):
            write_take(part, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert not path.with_name("a.npz.tmp").exists()


RECORD_UNTIL_KILLED = """
import sys
from pathlib import Path
from pixie_runtime.sinks.take import TakeSink
from tests.runtime.people import make_person, make_tick
sink = TakeSink(Path(sys.argv[1]))
person = make_person(0, track_id=2)
frame = 0
while True:
    sink.send(make_tick(person))
    frame += 1
    print(frame, flush=True)
"""


def test_killed_recording_is_recovered_to_the_last_frame(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    process = subprocess.Popen(
        [sys.executable, "-c", RECORD_UNTIL_KILLED, str(tmp_path / "a.npz")],
        cwd=root,
        env={"PYTHONPATH": f"{root}:{root / 'runtime'}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for _ in range(200):
        recorded = int(process.stdout.readline())
    process.kill()
    rest = process.stdout.read().splitlines()
    process.stdout.close()
    process.wait()
    recorded = int(rest[-2]) if len(rest) > 1 else recorded

    path = recover_take(tmp_path / "a.person2.npz.part")

    assert path == tmp_path / "a.person2.npz"
    assert len(load_take(path)) >= recorded
    assert not (tmp_path / "a.person2.npz.part").exists()


def test_recovery_overwrites_nothing(tmp_path: Path) -> None:
    take_of([make_person(0)], tmp_path / "a.npz")
    with pytest.raises(SinkError, match="exists already"):
        recover_take(tmp_path / "a.npz.part")
    other = recover_take(tmp_path / "a.npz.part", tmp_path / "b.npz")
    assert len(load_take(other)) == 1


def test_recovery_of_something_else_says_so(tmp_path: Path) -> None:
    path = tmp_path / "notes.npz.part"
    path.write_text("notes")
    with pytest.raises(SourceError, match="is no part file"):
        recover_take(path)
    assert path.exists()


@given(
    fps=st.floats(1, 240),
    count=st.integers(2, 100),
    start=st.floats(0, 1e5),
)
def test_frame_rate_of_even_frames_is_theirs(
    fps: float, count: int, start: float
) -> None:
    # At less than 2 fps every pause is a break.
    expected = fps if fps > 2.001 else 30
    if not 1.999 < fps < 2.001:
        times = start + np.arange(count) / fps
        assert frame_rate(times) == pytest.approx(expected, rel=1e-6)


def test_break_does_not_lower_the_frame_rate() -> None:
    times = np.concatenate([np.arange(30) / 30, 60 + np.arange(30) / 30])
    assert frame_rate(times) == pytest.approx(30)


@pytest.mark.parametrize("times", [[], [1.0], [1.0, 1.0], [0.0, 10.0]])
def test_frame_rate_without_steps_is_a_guess(times: list[float]) -> None:
    assert frame_rate(np.array(times)) == 30


@pytest.mark.parametrize(
    ("fps", "expected"),
    [(29.97, 30), (59.94, 60), (23.976, 24), (30, 30), (27.5, 27.5), (14.9, 14.9)],
)
def test_television_rates_become_whole_and_others_stay(
    fps: float, expected: float
) -> None:
    assert common_frame_rate(fps) == expected
