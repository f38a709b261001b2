import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle
from websockets.sync.client import connect

from pixie_runtime.body import embedded_body_model
from pixie_runtime.sinks.take import TakeSink
from pixie_runtime.takes import load_take
from pixie_runtime.takes.cli import main
from pixie_runtime.takes.conversion import write_as
from pixie_runtime.takes.playing import moments, ticks
from pixie_runtime.takes.recording import read_recording
from tests.runtime.full_disk import file_size_limit
from tests.runtime.people import make_person, make_tick
from tests.runtime.takes.recordings import INFO, person_at, record
from tests.runtime.takes.test_foot_lock import walker, wavering

SHIPPED = replace(INFO, body_model_sha256=embedded_body_model().sha256)


def run(*words: object) -> int:
    return main([str(word) for word in words])


def started(*words: object) -> subprocess.Popen[str]:
    """Start the command in a process of its own; what it prints can be read."""
    command = "from pixie_runtime.takes.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", command, *map(str, words)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def record_two(path: Path, third: int) -> Path:
    """Record persons 3 and 8, then person 3, then nobody, so many frames of each."""
    sink = TakeSink(path, SHIPPED)
    for frame in range(3 * third):
        tracks = ([3, 8], [3], [])[frame // third]
        people = [person_at(frame, track_id=track) for track in tracks]
        sink.send(make_tick(*people, frame_index=frame))
    sink.close()
    return path


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Person 3 for 2 s, person 8 for the first second of it, then nobody for 1 s."""
    return record_two(tmp_path / "two.mcap", 30)


def test_info_tells_who_is_in_it_for_how_long(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("info", two) == 0
    text = capsys.readouterr().out
    assert "of camera 0 by pixie-live" in text
    assert (
        f"body model  pixie-body (SHA-256 {SHIPPED.body_model_sha256[:12]}...)" in text
    )
    assert "2.97 s, 90 frames, 30 of them with nobody in view" in text
    rows = [line.split() for line in text.splitlines() if re.match(r" +\d", line)]
    assert [row[:6] for row in rows] == [
        ["3", "60", "0.00", "1.97", "30.00", "none"],
        ["8", "30", "0.00", "0.97", "30.00", "none"],
    ]


def test_info_of_what_was_cut_off_says_so(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two.write_bytes(two.read_bytes()[:120_000])
    assert run("info", two) == 0
    assert f"warning: {two} was cut off" in capsys.readouterr().out


def test_info_of_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = record(tmp_path / "a.mcap", 40).read_bytes()
    (tmp_path / "a.mcap").write_bytes(whole[:1900])
    assert run("info", tmp_path / "a.mcap") == 0
    assert "nothing was recorded\n\nnobody was in view" in capsys.readouterr().out
    assert run("convert", tmp_path / "a.mcap", "--to", "npz") == 3
    assert "holds nobody: no person was recorded" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["npz", "bvh", "csv"])
def test_every_target_is_written_beside_the_take(
    two: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("convert", two, "--to", target) == 0
    path = two.with_suffix(f".{target}")
    assert path.stat().st_size > 1000
    out = capsys.readouterr().out
    rate = "" if target == "csv" else " at 30 fps"
    assert out.startswith(f"{path}: person 3, 60 frames{rate} (")
    assert out.endswith("also in it: person 8 (--person)\n")


def test_take_may_be_named_without_its_ending(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = two.with_suffix("")
    assert run("info", name) == 0
    assert f"{two}" in capsys.readouterr().out
    assert run("convert", name, "--to", "npz") == 0
    two.rename(two.with_name("elsewhere.mcap"))
    assert run("convert", name, "--to", "bvh") == 0
    assert two.with_suffix(".bvh").exists()


def test_person_rate_and_name_can_be_chosen(two: Path, tmp_path: Path) -> None:
    out = tmp_path / "other.npz"
    assert run("convert", two, "--out", out, "--fps", 60, "--person", 8) == 0
    with np.load(out, allow_pickle=False) as file:
        assert file["track_id"] == 8
        assert file["mocap_frame_rate"] == 60
        assert file["poses"].shape == (59, 165)


def test_smoothing_tells_what_it_did(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("convert", two, "--to", "npz", "--smooth") == 0
    found = re.search(
        r"jitter ([\d.]+) before, ([\d.]+) after", capsys.readouterr().out
    )
    assert found is not None
    assert 0 < float(found[2]) < float(found[1])


def test_an_npz_is_a_take_too(two: Path, tmp_path: Path) -> None:
    assert run("convert", two, "--to", "npz") == 0
    npz = two.with_suffix(".npz")
    assert run("info", npz) == 0
    assert run("convert", npz, "--out", tmp_path / "a.bvh") == 0
    assert run("convert", two, "--out", tmp_path / "b.bvh") == 0
    one, other = ((tmp_path / name).read_text() for name in ("a.bvh", "b.bvh"))
    assert one.splitlines()[:5] == other.splitlines()[:5]
    assert len(one.splitlines()) == len(other.splitlines())


def test_body_goes_into_a_glb_with_its_bones(tmp_path: Path) -> None:
    model = embedded_body_model()
    sink = TakeSink(tmp_path / "a.mcap", SHIPPED)
    for frame in range(6):
        person = make_person(frame, frame_index=frame, n_betas=model.n_betas)
        params = person.params
        shaped = model.shaped(params.betas, params.expression)
        joints = shaped.posed(params.rotations, params.transl).joints
        sink.send(make_tick(person.with_params(params, joints)))
    sink.close()
    assert run("convert", tmp_path / "a.mcap", "--out", tmp_path / "b.glb") == 0
    assert (tmp_path / "b.glb").read_bytes()[:4] == b"glTF"


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ("convert two.mcap", 2, "say what to make with --to, or with an --out that"),
        ("convert two.mcap --out a.fbx", 2, "with an --out that ends in .npz, .bvh"),
        ("convert two.mcap --to npz --out two.mcap", 2, "is the take itself"),
        (
            "convert two.mcap --to npz --out a.bvh",
            2,
            "--to npz does not fit --out a.bvh",
        ),
        ("convert two --out two.mcap --to npz", 2, "is the take itself"),
        ("convert two --out a.npz --body-model a.npz", 2, "a.npz is the body model"),
        ("info none", 3, "cannot read none: No such file"),
        ("convert two.mcap --to npz --person 5", 3, "has no person 5; it has 3 (60"),
        ("convert none.mcap --to npz", 3, "cannot read none.mcap: No such file"),
        ("convert two.mcap --out none/a.npz", 6, "cannot write none/a.npz: No such"),
        ("convert two.mcap --to glb --body-model none", 4, "none"),
        ("info notes.txt", 3, "notes.txt is no take: expected a recording (MCAP)"),
        ("replay two.mcap", 2, "name an output: --osc, --vmc, --websocket"),
        ("replay two.mcap --osc 127.0.0.1:9 --speed 0", 2, "--speed 0: expected 0.01"),
        ("replay two.mcap --osc 9", 2, "--osc '9': expected HOST:PORT"),
    ],
)
def test_mistakes_are_one_sentence(
    two: Path,
    words: str,
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(two.parent)
    Path("notes.txt").write_text("notes")
    assert run(*words.split()) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("pixie-take: ")
    assert sentence in line
    assert len(read_recording(two).people) == 2


def test_body_of_another_model_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record(tmp_path / "licensed.mcap", 3)
    assert run("convert", path, "--to", "glb") == 4
    assert (
        "was recorded with the body model pixie-body (SHA-256 abababababab...), not "
        "with the one that ships"
    ) in (said := capsys.readouterr().err)
    assert "give its file with --body-model" in said
    assert run("convert", path, "--to", "bvh") == 0, "bones are in the recording"


def test_full_disk_leaves_the_older_file(
    two: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.npz"
    out.write_bytes(b"older")
    with file_size_limit(20_000):
        assert run("convert", two, "--out", out) == 6
    assert f"cannot write {out}: File too large" in capsys.readouterr().err
    assert out.read_bytes() == b"older"


def datagrams(receiver: socket.socket) -> Iterator[bytes]:
    """Yield what has come, until no more comes for a moment."""
    receiver.settimeout(0.2)
    with suppress(TimeoutError):
        while True:
            yield receiver.recv(65536)


def test_replay_over_osc_is_what_was_recorded(tmp_path: Path) -> None:
    two = record_two(tmp_path / "two.mcap", 2)  # no more than a socket has room for
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{receiver.getsockname()[1]}"
        assert run("replay", two, "--osc", address, "--speed", 1000, "--quiet") == 0
        messages = [
            (message.address, message.params)
            for datagram in datagrams(receiver)
            for message in OscBundle(datagram)
        ]
    alive = [params[2] for address, params in messages if address == "/pixie/alive"]
    assert alive == [2] * 2 + [1] * 2 + [0] * 2
    roots = [params for address, params in messages if address == "/pixie/3/root"]
    take = load_take(two, person=3)
    np.testing.assert_allclose(
        [root[:3] for root in roots], take.joints[:, 0], atol=1e-6
    )


def test_replay_serves_websockets_until_it_is_stopped(two: Path) -> None:
    port = free_port()
    process = started("replay", two, "--websocket", port, "--loop")
    assert process.stdout is not None
    assert "websocket" in process.stdout.readline()
    with connect(f"ws://127.0.0.1:{port}") as client:
        assert '"type": "hello"' in str(client.recv(timeout=10))
        client.recv(timeout=10)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert re.search(r"frames played\nwebsocket .*: \d+ messages sent to 1 client", out)


@pytest.mark.parametrize("in_background", [False, True])
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_view_serves_the_page_until_it_is_stopped(
    two: Path, stop: signal.Signals, in_background: bool
) -> None:
    # Shells start what is in the background with SIGINT ignored.
    at_start = signal.SIG_IGN if in_background else signal.default_int_handler
    before = signal.signal(signal.SIGINT, at_start)
    try:
        process = started("view", two, "--serve", free_port())
    finally:
        signal.signal(signal.SIGINT, before)
    assert process.stdout is not None
    line = process.stdout.readline()
    url = re.search(r"viewer: (http://127\.0\.0\.1:[1-9]\d*)", line)
    assert url is not None, line
    with urlopen(url[1], timeout=10) as page:
        assert b"<title>pixie-live" in page.read()
    process.send_signal(stop)
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_view_at_a_port_in_use_says_what_to_do(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run("view", two, "--serve", port) == 6
    assert "another port with --serve PORT" in capsys.readouterr().err


def test_view_refuses_what_is_no_address(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("view", two, "--serve", "nowhere:none") == 2
    assert "--serve 'nowhere:none': 'none' is not a port" in capsys.readouterr().err


def test_speed_is_kept_and_told_in_the_timestamps(two: Path) -> None:
    played = moments(read_recording(two), lambda take: take)
    begun = time.monotonic()
    got = list(ticks(played, speed=10.0, loop=False))
    assert time.monotonic() - begun >= 0.29
    times = [tick.frame.timestamp_s for tick in got]
    np.testing.assert_allclose(times, np.arange(90) / 300, atol=1e-6)
    assert [tick.frame.index for tick in got] == list(range(90))


def test_a_loop_begins_again_a_frame_after_the_end(two: Path) -> None:
    played = moments(read_recording(two), lambda take: take)
    stream = ticks(played, speed=1000.0, loop=True)
    got = [next(stream) for _ in range(200)]
    times = np.array([tick.frame.timestamp_s for tick in got])
    np.testing.assert_allclose(np.diff(times), 1 / 30_000, atol=1e-7)
    assert [len(tick.people) for tick in got[88:92]] == [0, 0, 2, 2]


def test_locking_feet_tells_what_it_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    walking = tmp_path / "walking.npz"
    take = walker(depth=wavering())
    write_as(take, "npz", walking, fps=None, model=None, mesh=False)
    out = tmp_path / "locked.npz"
    assert run("convert", walking, "--out", out, "--lock-feet") == 0
    found = re.search(
        r"stands in (\d+)% of the time, sliding at (\d+) cm/s before, ([\d.]+) after",
        capsys.readouterr().out,
    )
    assert found is not None
    assert int(found[1]) > 80
    assert int(found[2]) > 30 > 2 > float(found[3])
