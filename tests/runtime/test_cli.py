"""The command as a user types it, with everything behind it real."""

import dataclasses
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixie_runtime.cli import main
from pixie_runtime.options import Options
from pixie_runtime.sources.opening import demo_clip
from pixie_runtime.stream_options import StreamOptions
from pixie_runtime.takes import load_take
from pixie_runtime.takes.loading import load_recording
from tests.runtime.landmarks.footage import frames_of
from tests.runtime.sources.media import greys, write_video

ROOT = Path(__file__).parents[2]
COMMAND = [
    sys.executable,
    "-c",
    "import sys; from pixie_runtime.cli import main; sys.exit(main())",
]


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "runtime")}


def start(arguments: list[str], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ("", 2, "give exactly one of --camera, --video, --images and --demo"),
        ("--demo --camera 0", 2, "give exactly one of --camera"),
        ("--demo --fov 999", 2, "--fov 999: expected 5 to 170 degrees"),
        ("--demo --people 0", 2, "--people 0: expected 1 to 16"),
        ("--demo --people 2 --landmarker mediapipe", 2, "finds one person"),
        ("--video nowhere.mp4", 3, "there is no video nowhere.mp4"),
        ("--images nowhere", 3, "nowhere"),
        ("--camera 99", 3, "camera 99"),
        ("--demo --body-model nowhere.npz", 4, "nowhere.npz"),
        ("--demo --bundle nowhere", 5, "nowhere"),
        ("--demo --record nowhere/take.npz", 6, "there is no folder nowhere"),
        ("--demo --osc no.such.host.invalid:9000", 6, "no.such.host.invalid"),
        ("--demo --websocket 1 --websocket-tls a.pem a.key", 6, "cannot read a.pem"),
        ("--demo --websocket 1 --websocket-token secret", 2, "expected 8 to 128"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_its_exit_code(
    arguments: str,
    code: int,
    sentence: str,
    here: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(arguments.split()) == code
    written = capfd.readouterr()
    assert written.out == ""
    lines = [line for line in written.err.splitlines() if line.startswith("pixie-live")]
    assert len(lines) == 1
    assert sentence in lines[0]
    assert "Traceback" not in written.err


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    text = capsys.readouterr().out
    names = {field.name for field in dataclasses.fields(Options)} - {"streaming"}
    names |= {field.name for field in dataclasses.fields(StreamOptions)}
    for name in names:
        assert f"--{name.replace('_', '-')}" in text


def test_the_demo_says_where_its_three_files_are(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--demo", "--max-frames", "4"]) == 0

    text = capsys.readouterr().out
    assert "4 frames of pose2sim_SinglePerson_cam01.mp4" in text
    for name, path in (
        ("overlay video", "out/demo.mp4"),
        ("take", "out/demo.npz"),
        ("report", "out/demo.json"),
    ):
        assert f"{name}: {path}" in text
        assert (here / path).stat().st_size > 0

    report = json.loads((here / "out/demo.json").read_text())
    assert report["frames"] == 4
    assert report["options"]["max_frames"] == 4
    assert list(report["stages_ms"]) == ["landmarks", "estimate", "smooth", "send"]
    with np.load(here / "out/demo.npz", allow_pickle=False) as take:
        assert take["joints"].shape == (4, 55, 3)
        assert take["joints"][..., 2].min() > 0.5, "the man is in front of the camera"


def test_the_parameters_leave_over_osc_while_it_runs(here: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        address = f"127.0.0.1:{receiver.getsockname()[1]}"
        assert main(["--demo", "--osc", address, "--max-frames", "2", "--quiet"]) == 0
        assert receiver.recv(2000).startswith((b"#bundle", b"/"))
    assert list(here.iterdir()) == []


def test_a_receiver_that_is_not_there_costs_drops_and_nothing_else(here: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    arguments = ["--demo", "--osc", address, "--max-frames", "3", "--report", "r.json"]
    assert main(arguments) == 0
    report = json.loads((here / "r.json").read_text())
    assert report["frames"] == 3
    assert report["outputs"][f"osc {address}"]["dropped"] > 0
    assert report["warnings"] == [f"OSC to {address}: nobody listens there"]


def test_a_port_in_use_is_said_before_any_work(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--demo", "--websocket", str(port)]) == 6
    assert f"127.0.0.1:{port}" in capsys.readouterr().err


def test_an_empty_scene_is_no_error(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "pictures").mkdir()
    for index, shape in enumerate([(120, 160, 3), (1, 1, 3), (3, 400, 3)]):
        cv2.imwrite(f"pictures/{index}.png", np.zeros(shape, np.uint8))
    assert main(["--images", "pictures", "--report", "r.json"]) == 0
    report = json.loads((here / "r.json").read_text())
    assert (report["frames"], report["people_frames"]) == (3, 0)
    assert "somebody in 0% of them" in capsys.readouterr().out


class Terminal(io.StringIO):
    """What is written, as if somebody looked at it."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_once_what_runs(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cv2.imwrite("a.png", np.zeros((12, 16, 3), np.uint8))
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    assert main(["--images", "a.png"]) == 0
    assert terminal.getvalue().count("bundle pixie") == 1


def test_a_run_that_read_nothing_says_so(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a.png").write_bytes(b"no picture")
    assert main(["--images", "a.png", "--overlay", "o.mp4"]) == 3
    written = capsys.readouterr().out
    assert written.startswith("no frame of a.png was read\n")
    assert "slowed this down" not in written
    assert not Path("o.mp4").exists()


def test_a_recording_that_lost_frames_of_a_file_says_so(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_video(here / "a.mp4", greys(40), fps=1000)
    arguments = ["--video", "a.mp4", "--realtime", "--record", "take", "--quiet"]
    assert main(arguments) == 0
    said = capsys.readouterr().err
    assert re.search(r"\d+ frames were late and take is without them", said)
    assert "record it with --as-fast-as-possible" in said


def test_of_a_truncated_video_what_can_be_decoded_is_kept(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import av

    with av.open(str(demo_clip())) as whole, av.open("cut.mkv", "w") as cut:
        stream = cut.add_stream_from_template(whole.streams.video[0])
        for packet in whole.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                cut.mux(packet)
    content = Path("cut.mkv").read_bytes()
    Path("cut.mkv").write_bytes(content[: len(content) // 8])

    assert (
        main(["--video", "cut.mkv", "--record", "take.npz", "--report", "r.json"]) == 0
    )
    report = json.loads((here / "r.json").read_text())
    with np.load("take.npz", allow_pickle=False) as take:
        assert 0 < len(take["joints"]) == report["people_frames"] < 100
    assert "warning: cut.mkv is damaged or cut short" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "package", "extra"),
    [
        ("--preview", "pygame", "view"),
        ("--landmarker mediapipe", "mediapipe", "mediapipe"),
    ],
)
def test_a_missing_extra_is_named(
    arguments: str,
    package: str,
    extra: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["--demo", *arguments.split()]) == 7
    assert f'pip install "pixie-live[{extra}]"' in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_with_everything_written(
    number: signal.Signals, tmp_path: Path
) -> None:
    arguments = "--demo --loop --record take.npz --overlay over.mp4 --report r.json"
    with start(arguments.split(), tmp_path) as process:
        deadline = time.monotonic() + 60
        while not recording_begun(tmp_path) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)

    assert process.returncode == 0, err
    assert "Traceback" not in err
    report = json.loads((tmp_path / "r.json").read_text())
    assert 0 < len(load_take(tmp_path / "take.mcap")) == report["people_frames"]
    assert len(load_take(tmp_path / "take.npz")) > 0
    video = cv2.VideoCapture(str(tmp_path / "over.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == report["frames"]
    assert "take: take.npz" in out


def recording_begun(folder: Path) -> bool:
    """Whether frames are there, and not only what a recording says of itself."""
    return any(path.stat().st_size > 5000 for path in folder.glob("take.mcap"))


def test_a_reader_of_our_output_that_went_away_is_no_error(tmp_path: Path) -> None:
    with start(["--demo", "--max-frames", "1"], tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()

    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert "BrokenPipe" not in err
    assert (tmp_path / "out/demo.npz").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_output_to_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "--demo", "--max-frames", "1"],
            cwd=tmp_path,
            env=ENVIRONMENT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 6
    assert "cannot write to standard output: No space left on device" in done.stderr
    assert "Exception" not in done.stderr
    assert "Traceback" not in done.stderr


def test_two_people_are_two_tracks_of_one_take(here: Path) -> None:
    two = [
        np.concatenate([image, image], axis=1)
        for image in frames_of(demo_clip().name, 8)
    ]
    write_video(here / "two.mp4", two)
    arguments = "--video two.mp4 --people 2 --record two.mcap --report two.json"
    assert main(arguments.split()) == 0
    recording = load_recording(here / "two.mcap")
    assert set(recording.people) == {0, 1}
    places = [
        float(np.median(track.take().trans[:, 0]))
        for track in recording.people.values()
    ]
    assert abs(places[0] - places[1]) > 0.5
    assert [len(track) for track in recording.people.values()] == [8, 8]
