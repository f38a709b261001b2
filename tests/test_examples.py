"""The examples run for real: each against the sink that it is an example for."""

import os
import socket
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from pixie_runtime.addresses import Address
from pixie_runtime.sinks.osc import OscSink
from pixie_runtime.sinks.take import TakeSink
from pixie_runtime.sinks.websocket import WebsocketSink
from pixie_runtime.sinks.websocket_messages import StreamInfo
from tests.programs import Output, running
from tests.runtime.people import make_person, make_tick

EXAMPLES = Path(__file__).parents[1] / "examples"


def example(name: str, *args: str) -> AbstractContextManager[Output]:
    """Start an example; yields what it prints."""
    return running([sys.executable, EXAMPLES / name, *args])


def test_osc_receiver_prints_pelvis_and_head() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    person = make_person(0, track_id=3)
    x = person.joints[0, 0]
    sink = OscSink(Address("127.0.0.1", port))
    with example("01_osc_receiver.py", str(port)) as output:
        output.wait_for(f"listening on {port}")
        output.wait_for(
            f"person 3: pelvis {x:+.2f} right",
            meanwhile=lambda: sink.send(make_tick(person)),
        )
        output.wait_for("person 3: head")
        output.wait_for("nobody in view", meanwhile=lambda: sink.send(make_tick()))
    sink.close()


def test_websocket_receiver_reads_frames_from_the_hello() -> None:
    info = StreamInfo(body_model="embedded", n_betas=50, n_expression=43)
    sink = WebsocketSink(Address("127.0.0.1", 0), info)
    person = make_person(0, track_id=2, frame_index=31)
    x, y, z = person.joints[0]
    with example("02_websocket_receiver.py", f"ws://{sink.address}") as output:
        output.wait_for("connected: 55 joints")
        output.wait_for(
            f"person 2 frame 31: pelvis {x:+.2f} {y:+.2f} {z:+.2f} m",
            meanwhile=lambda: sink.send(make_tick(person)),
        )
        output.wait_for("alive", meanwhile=lambda: sink.send(make_tick()))
        sink.close()


def test_take_reader_prints_the_take(tmp_path: Path) -> None:
    sink = TakeSink(tmp_path / "take.npz")
    for frame in range(31):
        sink.send(make_tick(make_person(frame, frame_index=frame)))
    sink.close()
    with example("03_read_take.py", str(tmp_path / "take.npz")) as output:
        output.wait_for("31 frames in 1.00 s, 30.00 fps")
        output.wait_for("poses (31, 165), betas (50,)")
        output.wait_for("face: confidence")
    with example("03_read_take.py", str(tmp_path / "take.mcap")) as output:
        output.wait_for("body model")
        output.wait_for("/pixie/person/0: 31 frames in 1.00 s")


@pytest.mark.parametrize(
    ("name", "args", "missing", "sentence"),
    [
        ("01_osc_receiver.py", [], "pythonosc", "pip install python-osc"),
        ("02_websocket_receiver.py", ["ws://127.0.0.1:1"], "", ": start pixie-live"),
        ("03_read_take.py", [], "", "name one take"),
        ("03_read_take.py", ["none.npz"], "", "cannot read none.npz: No such file"),
        ("03_read_take.py", ["none.mcap"], "mcap", "pip install mcap"),
    ],
)
def test_what_an_example_lacks_is_one_sentence(
    name: str, args: list[str], missing: str, sentence: str, tmp_path: Path
) -> None:
    if missing:
        (tmp_path / f"{missing}.py").write_text("raise ImportError")
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *args],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert sentence in line


@pytest.mark.parametrize("path", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_every_example_says_what_it_is_and_how_to_start_it(path: Path) -> None:
    told = path / "README.md" if path.is_dir() else path
    text = told.read_text(encoding="utf-8")
    assert "pixie-live --demo" in text
    assert len(text.splitlines()) <= (100 if path.suffix == ".py" else 300)
