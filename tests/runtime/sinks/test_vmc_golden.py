"""Real frames as VMC: receivers, by their own rules, get our people's joints back."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.transform import Rotation

from pixie_runtime.addresses import Address
from pixie_runtime.body import embedded_body_model
from pixie_runtime.face import FaceMap
from pixie_runtime.humanoid import BONE_NAMES
from pixie_runtime.sinks import Tick
from pixie_runtime.sinks.vmc import VmcSink
from pixie_runtime.smplx import PARENTS
from pixie_runtime.types import Float32, Person
from pixie_runtime.vmc_settings import RootMode, VmcSettings
from tests.demo_people import demo_ticks
from tests.runtime.receivers.vmc import HUMANOID, Evmc4u, GodotTracker, Vmc4b, Vmc4ue

Array = npt.NDArray[np.float64]
TOLERANCE_M = 1e-4
MODES: tuple[RootMode, ...] = ("hips", "root", "both")


class Receiver(Protocol):
    def receive(self, datagram: bytes) -> None: ...


@contextmanager
def stream(settings: VmcSettings) -> Iterator[Callable[[Tick, Receiver], None]]:
    """Open a sink; yields what sends a tick and hands the datagrams to a receiver."""
    model = embedded_body_model()
    face_map = FaceMap.of(model, len(demo_ticks()[0].people[0].params.expression))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind(("127.0.0.1", 0))
        port.setblocking(False)
        address = Address("127.0.0.1", port.getsockname()[1])

        def show(tick: Tick, receiver: Receiver) -> None:
            sink.send(tick)
            with suppress(BlockingIOError):
                while True:
                    receiver.receive(port.recv(65536))
            if isinstance(receiver, Evmc4u):
                receiver.render_frame()

        with closing(VmcSink(address, settings, face=face_map.weights)) as sink:
            yield show


def table(joints: dict[str, Array]) -> Array:
    return np.array([joints[name] for name in BONE_NAMES])


def in_unity(person: Person) -> Array:
    """Camera axes (right, down, away) to Unity's: upright, then mirrored."""
    upright = person.joints.astype(np.float64) * [1, -1, -1]
    return np.asarray(upright * [-1, 1, 1])


@pytest.mark.parametrize("root", MODES)
def test_unity_receiver_has_every_joint_where_it_was_captured(root: RootMode) -> None:
    receiver = Evmc4u()
    with stream(VmcSettings(root=root, origin="camera")) as show:
        for tick in demo_ticks():
            show(tick, receiver)
            joints = table(receiver.joints())
            expected = in_unity(tick.people[0])
            np.testing.assert_allclose(joints, expected, atol=TOLERANCE_M)
    assert not receiver.ignored
    assert receiver.available == 1
    assert (receiver.calibration_state, receiver.calibration_mode) == (3, 0)
    assert receiver.time == pytest.approx(
        (demo_ticks()[-1].frame.grabbed_ns - demo_ticks()[0].frame.grabbed_ns) / 1e9,
        abs=1e-4,
    )


def test_godot_receiver_builds_the_body_from_hips_and_bones_without_a_root() -> None:
    settings = VmcSettings(origin="camera", expressions=("arkit-pascal",))
    receiver = GodotTracker()
    with stream(settings) as show:
        for tick in demo_ticks():
            show(tick, receiver)
            expected = in_unity(tick.people[0]) * [1, 1, -1]
            joints = table(receiver.joints())
            np.testing.assert_allclose(joints, expected, atol=TOLERANCE_M)
    assert set(receiver.blends) == set(GodotTracker.FACE)


@pytest.mark.parametrize("root", MODES)
def test_unreal_receiver_has_every_joint_in_centimetres(root: RootMode) -> None:
    receiver = Vmc4ue()
    with stream(VmcSettings(root=root, origin="camera")) as show:
        for tick in demo_ticks()[::5]:
            show(tick, receiver)
            unity = in_unity(tick.people[0])
            # Unity's x, y, z: Unreal has x to the left, y forward, z up.
            expected = 100 * np.stack([-unity[:, 0], unity[:, 2], unity[:, 1]], axis=1)
            np.testing.assert_allclose(
                table(receiver.joints()), expected, atol=100 * TOLERANCE_M
            )
            # Those not resent would be forgotten.
            assert len(receiver.applied) == 16


def test_blender_avatar_of_other_proportions_points_its_limbs_as_the_person_does() -> (
    None
):
    """It takes rotations only: they have to be from a T-pose, which it rests in."""
    short = dict.fromkeys(HUMANOID, np.array([0, 0, 0.1]))
    for side, outwards in (("Left", 0.1), ("Right", -0.1)):
        for bone in ("LowerArm", "Hand"):
            short[side + bone] = np.array([outwards, 0, 0])
        for bone in ("LowerLeg", "Foot"):
            short[side + bone] = np.array([0, 0, -0.1])
    receiver = Vmc4b(short)
    with stream(VmcSettings(origin="camera")) as show:
        for tick in demo_ticks()[::5]:
            show(tick, receiver)
            ours = in_unity(tick.people[0])[:, [0, 2, 1]] * [-1, -1, 1]
            theirs = table(receiver.joints())
            np.testing.assert_allclose(theirs[0], ours[0], atol=TOLERANCE_M)
            for limb in ("LowerArm", "Hand", "LowerLeg", "Foot"):
                for end in (
                    BONE_NAMES.index(side + limb) for side in ("Left", "Right")
                ):
                    np.testing.assert_allclose(
                        direction(theirs, end), direction(ours, end), atol=1e-4
                    )


def direction(joints: Array, end: int) -> Array:
    bone = joints[end] - joints[PARENTS[end]]
    return np.asarray(bone / np.linalg.norm(bone))


def test_person_stands_on_the_ground_at_the_origin_and_moves_as_captured() -> None:
    receiver = Evmc4u()
    states, places = [], []
    with stream(VmcSettings()) as show:
        for tick in demo_ticks():
            show(tick, receiver)
            states.append(receiver.calibration_state)
            joints = table(receiver.joints())
            places.append(joints - in_unity(tick.people[0]))
            if tick.frame.index == 0:
                lowest = joints[:, 1].min()
                assert 0 < lowest < 0.08, "its soles are on the ground"
                np.testing.assert_allclose(joints[0, [0, 2]], 0, atol=TOLERANCE_M)
    settled = states.index(3)
    assert states == [2] * settled + [3] * (len(states) - settled)
    assert demo_ticks()[settled].frame.timestamp_s == pytest.approx(1.0, abs=0.05)
    # From then on all that is between ours and theirs is one place.
    np.testing.assert_allclose(
        np.array(places[settled:]) - places[-1][0], 0, atol=TOLERANCE_M
    )


@pytest.mark.parametrize(("side", "outwards"), [("Left", -1), ("Right", 1)])
def test_hand_turns_with_the_persons_hand_on_a_rotation_only_avatar(
    side: str, outwards: int
) -> None:
    """Whatever an avatar's proportions: knuckles in front, thumb where the thumb is."""
    receiver = Evmc4u()
    hand = BONE_NAMES.index(f"{side}Hand")
    index, little, middle = (
        BONE_NAMES.index(f"{side}{finger}Proximal")
        for finger in ("Index", "Little", "Middle")
    )
    with stream(VmcSettings(origin="camera")) as show:
        for tick in demo_ticks()[::5]:
            show(tick, receiver)
            turn = Rotation.identity()
            chain = [f"{side}{b}" for b in ("Shoulder", "UpperArm", "LowerArm", "Hand")]
            for bone in ("Hips", "Spine", "Chest", "UpperChest", *chain):
                turn = turn * receiver.turns[bone]
            unity = in_unity(tick.people[0])

            def unit(vector: Array) -> Array:
                return np.asarray(vector / np.linalg.norm(vector))

            fingers = unit(unity[middle] - unity[hand])
            across = unit(unity[index] - unity[little])
            # In a T-pose fingers point outwards and the index finger is in front.
            assert turn.apply([outwards, 0, 0]) @ fingers > 0.99
            assert turn.apply([0, 0, 1]) @ across > 0.9


def test_face_weights_of_every_name_set_are_those_of_the_face_map() -> None:
    settings = VmcSettings(expressions=("vrm0", "vrm1", "arkit", "arkit-pascal"))
    receiver = Evmc4u()
    person = demo_ticks()[40].people[0]
    model = embedded_body_model()
    weights: Float32 = FaceMap.of(model, len(person.params.expression)).weights(person)
    with stream(settings) as show:
        show(demo_ticks()[40], receiver)
    assert {"Joy", "Blink_L", "A", "happy", "blinkLeft", "aa"} < set(receiver.applied)
    for name in ("jawOpen", "JawOpen"):
        assert receiver.applied[name] == pytest.approx(weights[17], abs=1e-6)
    assert len(receiver.applied) == 16 + 17 + 52 + 52
