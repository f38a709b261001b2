"""VMC receivers in a few lines each: what their own sources do with what arrives.

Written from the rules that each source was read to have (named below), so that our
bytes are judged by what receivers do and not by what the protocol says.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from tests.runtime.receivers.osc import IMMEDIATELY, Message, read_bundle

Array = npt.NDArray[np.float64]

# Unity's humanoid tree, written down anew: child, parent.
_TREE = """
Hips- Spine-Hips Chest-Spine UpperChest-Chest Neck-UpperChest Head-Neck Jaw-Head
LeftEye-Head RightEye-Head
""" + "".join(
    f"""
{side}Shoulder-UpperChest {side}UpperArm-{side}Shoulder {side}LowerArm-{side}UpperArm
{side}Hand-{side}LowerArm {side}UpperLeg-Hips {side}LowerLeg-{side}UpperLeg
{side}Foot-{side}LowerLeg {side}Toes-{side}Foot
"""
    + " ".join(
        f"{side}{finger}Proximal-{side}Hand "
        f"{side}{finger}Intermediate-{side}{finger}Proximal "
        f"{side}{finger}Distal-{side}{finger}Intermediate"
        for finger in ("Thumb", "Index", "Middle", "Ring", "Little")
    )
    for side in ("Left", "Right")
)
HUMANOID: dict[str, str] = dict(pair.split("-") for pair in _TREE.split())
"""Every human bone and its parent, the hips' is empty."""


def chained(
    positions: Mapping[str, Array],
    turns: Mapping[str, Rotation],
    root: tuple[Array, Rotation] = (np.zeros(3), Rotation.identity()),
) -> dict[str, Array]:
    """Return every bone's place in the world from places relative to parents."""
    placed = {"": root}

    def world(bone: str) -> tuple[Array, Rotation]:
        if bone not in placed:
            place, turn = world(HUMANOID[bone])
            placed[bone] = place + turn.apply(positions[bone]), turn * turns[bone]
        return placed[bone]

    return {bone: world(bone)[0] for bone in HUMANOID}


class Evmc4u:
    """Unity: gpsnmeajp/EasyVirtualMotionCaptureForUnity, ExternalReceiver.cs.

    An argument of another type than expected makes a message ignored; one that is
    missing throws, after which everything is ignored for good.
    """

    LIMIT = 30

    def __init__(self) -> None:
        self.available = 0
        self.calibration_state: int | None = None
        self.calibration_mode: int | None = None
        self.time = 0.0
        self.root = (np.zeros(3), Rotation.identity())
        self.positions: dict[str, Array] = {}
        self.turns: dict[str, Rotation] = {}
        self.blends: dict[str, float] = {}
        self.applied: dict[str, float] = {}
        self.ignored: list[Message] = []
        self._in_this_frame = 0

    def render_frame(self) -> None:
        self._in_this_frame = 0

    def receive(self, datagram: bytes) -> None:
        for message in read_bundle(datagram).messages:
            assert self._in_this_frame <= self.LIMIT, "packets would be dropped"
            self._process(message)

    def _process(self, message: Message) -> None:
        tags, values = message.tags, message.values
        if message.address == "/VMC/Ext/OK" and tags[0] == "i":
            self.available = int(values[0])
            if len(values) >= 3 and tags[1:3] == "ii":
                self.calibration_state = int(values[1])
                self.calibration_mode = int(values[2])
        elif message.address == "/VMC/Ext/T" and tags[0] == "f":
            self.time = float(values[0])
            self._in_this_frame += 1
        elif message.address == "/VMC/Ext/Root/Pos" and tags[:8] == "sfffffff":
            self.root = _pose(values)
        elif message.address == "/VMC/Ext/Bone/Pos" and tags[:8] == "sfffffff":
            bone = str(values[0])
            if bone in HUMANOID:  # Enum.TryParse minds the case
                self.positions[bone], self.turns[bone] = _pose(values)
        elif message.address == "/VMC/Ext/Blend/Val" and tags[:2] == "sf":
            self.blends[str(values[0])] = float(values[1])
        elif message.address == "/VMC/Ext/Blend/Apply":
            self.applied |= self.blends
        elif not message.address.startswith("/VMC/Thru/"):
            self.ignored.append(message)

    def joints(self) -> dict[str, Array]:
        return chained(self.positions, self.turns, self.root)


class GodotTracker:
    """Godot 4: Malcolmnixon/GodotXRVmcTracker, vmc_source.gd.

    Knows bones and blends only: no root. Builds the body from the bones' places and is
    right-handed, looking along -z.
    """

    FACE = ("EyeBlinkLeft", "JawOpen", "MouthSmileRight", "BrowInnerUp", "TongueOut")

    def __init__(self) -> None:
        self.positions = {bone: np.zeros(3) for bone in HUMANOID}
        self.turns = {bone: Rotation.identity() for bone in HUMANOID}
        self.blends: dict[str, float] = {}

    def receive(self, datagram: bytes) -> None:
        for message in read_bundle(datagram).messages:
            if message.address == "/VMC/Ext/Bone/Pos":
                bone, *numbers = message.values
                if bone not in HUMANOID:
                    continue
                px, py, pz, x, y, z, w = map(float, numbers)
                self.positions[str(bone)] = np.array([px, py, -pz])
                self.turns[str(bone)] = Rotation.from_quat([x, y, -z, -w])
            elif message.address == "/VMC/Ext/Blend/Val":
                name, value = message.values
                if name in self.FACE:
                    self.blends[str(name)] = float(value)

    def joints(self) -> dict[str, Array]:
        return chained(self.positions, self.turns)


class Vmc4ue:
    """Unreal: HAL9HARUKU/VMC4UE. Centimetres, z up; blends not sent anew are gone."""

    def __init__(self) -> None:
        self.root = (np.zeros(3), Rotation.identity())
        self.positions: dict[str, Array] = {}
        self.turns: dict[str, Rotation] = {}
        self.applied: dict[str, float] = {}
        self._blends: dict[str, float] = {}

    def receive(self, datagram: bytes) -> None:
        for message in read_bundle(datagram).messages:
            if message.address in ("/VMC/Ext/Root/Pos", "/VMC/Ext/Bone/Pos"):
                px, py, pz, x, y, z, w = map(float, message.values[1:8])
                place = 100 * np.array([-px, pz, py])
                turn = Rotation.from_quat([-x, z, y, w])
                if "Root" in message.address:
                    self.root = place, turn
                else:
                    bone = str(message.values[0])
                    self.positions[bone], self.turns[bone] = place, turn
            elif message.address == "/VMC/Ext/Blend/Val":
                self._blends[str(message.values[0])] = float(message.values[1])
            elif message.address == "/VMC/Ext/Blend/Apply":
                self.applied, self._blends = self._blends, {}

    def joints(self) -> dict[str, Array]:
        return chained(self.positions, self.turns, self.root)


class Vmc4b:
    """Blender: QuadraticForm/VMC4B. The avatar's own bones; only the hips have a place.

    Its bundled python-osc sleeps until a bundle's timetag. Zero blends are skipped.

    Args:
        rest: Each bone's head relative to its parent's in the avatar's T-pose, z up.
    """

    def __init__(self, rest: Mapping[str, Array]) -> None:
        self._rest = dict(rest)
        self.hips = np.zeros(3)
        self.turns: dict[str, Rotation] = {}
        self.applied: dict[str, float] = {}
        self._queue: dict[str, float] = {}

    def receive(self, datagram: bytes) -> None:
        bundle = read_bundle(datagram)
        assert bundle.timetag == IMMEDIATELY, "it would sleep"
        for message in bundle.messages:
            if message.address == "/VMC/Ext/Bone/Pos":
                bone = str(message.values[0])
                px, py, pz, x, y, z, w = map(float, message.values[1:8])
                self.turns[bone] = Rotation.from_quat([x, z, -y, w])
                if bone == "Hips":
                    self.hips = np.array([-px, -pz, py])
            elif message.address == "/VMC/Ext/Blend/Val":
                if message.values[1] != 0.0:
                    self._queue[str(message.values[0])] = float(message.values[1])
            elif message.address == "/VMC/Ext/Blend/Apply":
                self.applied, self._queue = self._queue, {}

    def joints(self) -> dict[str, Array]:
        return chained({**self._rest, "Hips": self.hips}, self.turns)


def _pose(values: Iterable[int | float | str]) -> tuple[Array, Rotation]:
    _, px, py, pz, x, y, z, w = list(values)[:8]
    place = np.array([float(px), float(py), float(pz)])
    return place, Rotation.from_quat([float(x), float(y), float(z), float(w)])
