"""The project in examples/godot, run by Godot itself, poses a skeleton as captured."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pixie_runtime.addresses import Address
from pixie_runtime.humanoid import BONE_NAMES
from pixie_runtime.sinks import Sink
from pixie_runtime.sinks.osc import OscSink
from pixie_runtime.sinks.vmc import VmcSink
from pixie_runtime.sinks.websocket import WebsocketSink
from pixie_runtime.sinks.websocket_messages import StreamInfo
from pixie_runtime.vmc_settings import VmcSettings
from tests.demo_people import FRAMES, demo_ticks
from tests.programs import Output, running
from tests.receivers.ports import free_udp_port
from tests.runtime.people import no_face

PROJECT = Path(__file__).parents[2] / "examples" / "godot"
PROBE = Path(__file__).parent / "godot_avatar.gd"
GODOT = shutil.which("godot3-server")
MILLIMETRE = 1e-3

pytestmark = pytest.mark.skipif(
    GODOT is None, reason="no godot3-server here; scripts/receivers installs it"
)


@contextmanager
def godot(*arguments: str | Path) -> Iterator[Output]:
    with running([str(GODOT), "--path", PROJECT, *arguments]) as output:
        yield output


def vmc_sink() -> tuple[Sink, int]:
    port = free_udp_port()
    settings = VmcSettings(origin="camera")
    return VmcSink(Address("127.0.0.1", port), settings, face=no_face), port


def osc_sink() -> tuple[Sink, int]:
    port = free_udp_port()
    return OscSink(Address("127.0.0.1", port)), port


def websocket_sink() -> tuple[Sink, int]:
    params = demo_ticks()[0].people[0].params
    info = StreamInfo("pixie-body", len(params.betas), len(params.expression))
    sink = WebsocketSink(Address("127.0.0.1", 0), info)
    return sink, sink.address.port


@pytest.mark.parametrize(
    ("given", "open_sink"),
    [("vmc", vmc_sink), ("osc", osc_sink), ("websocket", websocket_sink)],
    ids=["vmc", "osc", "websocket"],
)
def test_godot_has_every_bone_of_100_real_frames_to_the_millimetre(
    given: str, open_sink: Callable[[], tuple[Sink, int]]
) -> None:
    ticks = demo_ticks()
    assert len(ticks) == FRAMES == 100
    sink, port = open_sink()
    arguments = ["--", "--input", given, "--port", str(port), "--print"]
    with closing(sink), godot(*arguments) as output:
        output.wait_for(f"{given} on port {port}")
        # Until it listens: a websocket takes a moment to connect.
        output.wait_for('"bones"', meanwhile=lambda: sink.send(ticks[0]))
        drain(output)
        for tick in ticks:
            sink.send(tick)
            frame = json.loads(output.wait_for('"bones"'))
            if given != "vmc":  # whose frames have a time and no number
                assert frame["frame"] == tick.frame.index
            joints = places(frame["bones"])
            # Godot's axes, y up: the camera's, turned upright.
            expected = tick.people[0].joints * [1, -1, -1]
            np.testing.assert_allclose(joints, expected, atol=MILLIMETRE)


def drain(output: Output) -> None:
    """Read what was printed of the frames that were sent while waiting."""
    while True:
        try:
            output.wait_for('"bones"', timeout_s=0.3)
        except AssertionError:
            return


def places(bones: dict[str, Any]) -> npt.NDArray[np.float64]:
    return np.array([bones[name] for name in BONE_NAMES], np.float64)


def test_avatar_of_any_rest_axes_points_its_limbs_as_the_person_does() -> None:
    """`avatar.gd` on a skeleton whose bones' axes are all askew, as imports' are."""
    sink, port = vmc_sink()
    with closing(sink), godot("--script", PROBE, "--", "--port", str(port)) as output:
        output.wait_for("listening")
        for tick in demo_ticks()[::10]:
            sink.send(tick)
            bones = json.loads(output.wait_for('"avatar"'))
            ours, avatar = places(bones["body"]), places(bones["avatar"])
            np.testing.assert_allclose(avatar[0], ours[0], atol=MILLIMETRE)
            for side in ("Left", "Right"):
                for start, end in (
                    ("UpperArm", "LowerArm"),
                    ("LowerArm", "Hand"),
                    ("UpperLeg", "LowerLeg"),
                    ("LowerLeg", "Foot"),
                ):
                    a, b = BONE_NAMES.index(side + start), BONE_NAMES.index(side + end)
                    np.testing.assert_allclose(
                        direction(avatar[b] - avatar[a]),
                        direction(ours[b] - ours[a]),
                        atol=1e-3,
                    )


def direction(bone: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(bone / np.linalg.norm(bone))
