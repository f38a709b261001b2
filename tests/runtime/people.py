"""People made up for tests: a skeleton of our own, posed by our own kinematics."""

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.face import ARKIT_NAMES
from pixie_runtime.sinks import Tick
from pixie_runtime.smplx import JOINT_COUNT, PARENTS
from pixie_runtime.types import (
    Camera,
    Float32,
    Frame,
    PartConfidence,
    Person,
    SmplxParams,
    StageTimes,
)

CAMERA = Camera.with_field_of_view(640, 480, 60)


def skeleton(seed: int = 0) -> Float32:
    """Return rest joints (55, 3) in metres, body axes: bones of 4 to 30 cm."""
    random = np.random.default_rng(seed)
    joints = np.zeros((JOINT_COUNT, 3), np.float32)
    joints[0] = random.normal(0, 0.3, 3)
    for joint, parent in enumerate(PARENTS[1:], start=1):
        bone = random.normal(size=3)
        joints[joint] = joints[parent] + bone / np.linalg.norm(bone) * random.uniform(
            0.04, 0.3
        )
    return joints


def posed(rest_joints: Float32, wxyz: Float32, transl: Float32) -> Float32:
    """Pose joints (55, 3) as SMPL-X does: about the rest pelvis, then `transl`."""
    joints = np.zeros((JOINT_COUNT, 3))
    turns = np.zeros((JOINT_COUNT, 4))
    joints[0], turns[0] = rest_joints[0] + transl, wxyz[0]
    for joint, parent in enumerate(PARENTS[1:], start=1):
        bone = rest_joints[joint] - rest_joints[parent]
        joints[joint] = joints[parent] + rotations.apply(turns[parent], bone)
        turns[joint] = rotations.multiply(turns[parent], wxyz[joint])
    return joints.astype(np.float32)


def make_person(
    seed: int = 0,
    *,
    track_id: int = 0,
    frame_index: int = 0,
    timestamp_s: float | None = None,
    n_betas: int = 50,
    n_expression: int = 43,
    shape_seed: int = 0,
) -> Person:
    """Return a person in a random pose in front of the camera."""
    random = np.random.default_rng(seed)
    wxyz = rotations.from_rotvec(random.normal(0, 0.4, (JOINT_COUNT, 3)))
    facing = np.array([0.0, 1.0, 0.0, 0.0])  # half a turn about x: y up becomes y down
    wxyz[0] = rotations.multiply(facing, wxyz[0])
    transl = random.normal([0, 0, 3], 0.3)
    shape = np.random.default_rng(shape_seed)
    params = SmplxParams(
        betas=shape.normal(size=n_betas).astype(np.float32),
        expression=random.normal(size=n_expression).astype(np.float32),
        rotations=wxyz.astype(np.float32),
        transl=transl.astype(np.float32),
    )
    return Person(
        track_id=track_id,
        frame_index=frame_index,
        timestamp_s=frame_index / 30 if timestamp_s is None else timestamp_s,
        params=params,
        joints=posed(skeleton(shape_seed), params.rotations, params.transl),
        confidence=PartConfidence(*random.uniform(size=4).round(3).tolist()),
        camera=CAMERA,
        times=StageTimes(grabbed_ns=1_000_000_000 + frame_index * 33_000_000),
    )


def make_tick(*people: Person, frame_index: int | None = None) -> Tick:
    """Return a tick with these people on a tiny black picture."""
    if frame_index is None:
        frame_index = people[0].frame_index if people else 0
    frame = Frame(
        index=frame_index,
        timestamp_s=people[0].timestamp_s if people else frame_index / 30,
        grabbed_ns=1_000_000_000 + frame_index * 33_000_000,
        image=np.zeros((4, 6, 3), np.uint8),
    )
    return Tick(frame, people)


def no_face(person: Person) -> Float32:
    """Return a face at rest: all of ARKit's 52 units at 0."""
    return np.zeros(len(ARKIT_NAMES), np.float32)
