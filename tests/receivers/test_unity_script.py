"""examples/unity/PixieReceiver.cs, run by mono with a stand-in for Unity."""

import json
import shutil
import socket
import subprocess
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime.addresses import Address
from pixie_runtime.sinks.osc import OscSink
from pixie_runtime.sinks.osc_bundles import bundle
from pixie_runtime.sinks.osc_values import floats, head, integers
from pixie_runtime.smplx import JOINT_NAMES
from tests.demo_people import demo_ticks
from tests.programs import running
from tests.receivers.ports import free_udp_port
from tests.runtime.people import no_face

SCRIPT = Path(__file__).parents[2] / "examples" / "unity" / "PixieReceiver.cs"
FOLDER = Path(__file__).parent / "unity"
MCS, MONO = shutil.which("mcs"), shutil.which("mono")

NONSENSE = [
    *(bundle([]) + integers(size) + bytes(4) for size in (-4, 0, 5, 2**31 - 1)),
    bundle([b"no zero ends this"]),
    bundle([head("/pixie/0/frame", "ifii") + integers(1)]),
    *(
        bundle([head(f"/pixie/0/{what}", "ii") + integers(*numbers)])
        for what in ("frame", "root", "joint", "arkit", "confidence", "rest")
        for numbers in ((-1, 0), (10**6, 0))
    ),
    bundle([head("/pixie/0/rest", "iif") + integers(165, 165) + floats(1.0)]),
]
"""Datagrams that do not come from us: none may stop the receiver."""

pytestmark = pytest.mark.skipif(
    not (MCS and MONO), reason="no mono here; scripts/receivers installs it"
)


def test_unity_script_has_every_joint_to_the_millimetre_and_survives_nonsense(
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
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
        running([str(MONO), program, str(port)]) as output,
    ):
        output.wait_for("playing")
        for datagram in NONSENSE:
            stranger.sendto(datagram, ("127.0.0.1", port))
        for tick in demo_ticks():
            sink.send(tick)
            shown = json.loads(output.wait_for('"joints"'))
            assert shown["frame"] == tick.frame.index
            assert shown["face"] == 52
            joints = np.array([shown["joints"][name] for name in JOINT_NAMES])
            # Camera axes, upright, mirrored: Unity's, left-handed with y up.
            expected = tick.people[0].joints * [1, -1, -1] * [-1, 1, 1]
            np.testing.assert_allclose(joints, expected, atol=1e-3)
