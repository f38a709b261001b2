"""examples/unity/PixieReceiver.cs, run by mono with a stand-in for Unity."""

import json
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime.addresses import Address
from pixie_runtime.sinks.osc import OscSink
from pixie_runtime.smplx import JOINT_NAMES
from tests.demo_people import demo_ticks
from tests.programs import running
from tests.receivers.ports import free_udp_port
from tests.runtime.people import no_face

SCRIPT = Path(__file__).parents[2] / "examples" / "unity" / "PixieReceiver.cs"
FOLDER = Path(__file__).parent / "unity"
MCS, MONO = shutil.which("mcs"), shutil.which("mono")

pytestmark = pytest.mark.skipif(
    not (MCS and MONO), reason="no mono here; scripts/receivers installs it"
)


def test_unity_script_has_every_joint_of_real_frames_to_the_millimetre(
    tmp_path: Path,
) -> None:
    program = tmp_path / "player.exe"
    sources = [SCRIPT, FOLDER / "UnityStandIn.cs", FOLDER / "Player.cs"]
    # Warnings are errors; Unity fills public fields and calls the messages.
    subprocess.run(
        [str(MCS), "-warnaserror", "-langversion:7", f"-out:{program}", *sources],
        check=True,
    )
    port = free_udp_port()
    with (
        closing(OscSink(Address("127.0.0.1", port), face=no_face)) as sink,
        running([str(MONO), program, str(port)]) as output,
    ):
        output.wait_for("playing")
        for tick in demo_ticks():
            sink.send(tick)
            shown = json.loads(output.wait_for('"joints"'))
            assert shown["frame"] == tick.frame.index
            assert shown["face"] == 52
            joints = np.array([shown["joints"][name] for name in JOINT_NAMES])
            # Camera axes, upright, mirrored: Unity's, left-handed with y up.
            expected = tick.people[0].joints * [1, -1, -1] * [-1, 1, 1]
            np.testing.assert_allclose(joints, expected, atol=1e-3)
