"""What the stages of the runtime hand to one another.

Frames of reference, by name:

- *pixels*: x right, y down, in the source picture, pixel centres at integers plus a
  half, so that a picture of width W spans 0..W.
- *camera*: metres, x right, y down, z forward (OpenCV).
- *body*: metres, SMPL-X rest frame: x to the person's left, y up, z out of the chest.

Rotations are unit quaternions wxyz. Times: `timestamp_s` is the source's own clock
(seconds from its first frame), `*_ns` are `time.monotonic_ns()`.
"""

from dataclasses import dataclass, field, replace
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from pixie_runtime.smplx import JOINT_COUNT

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
UInt8 = npt.NDArray[np.uint8]

Part = Literal["body", "left_hand", "right_hand", "face"]
PARTS: tuple[Part, ...] = ("body", "left_hand", "right_hand", "face")


def _check_shape(owner: object, name: str, expected: tuple[int | None, ...]) -> None:
    shape = getattr(owner, name).shape
    if len(shape) != len(expected) or any(
        e is not None and s != e for s, e in zip(shape, expected, strict=True)
    ):
        shown = "(" + ", ".join("n" if e is None else str(e) for e in expected) + ")"
        raise ValueError(
            f"{type(owner).__name__}.{name} has shape {shape}, expected {shown}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture and the moment at which it was taken."""

    index: int
    """Number of the picture in its source, from 0; gaps are dropped frames."""
    timestamp_s: float
    """Seconds on the source's clock since its first picture; strictly increasing."""
    grabbed_ns: int
    """`time.monotonic_ns()` when the picture reached this process."""
    image: UInt8
    """Pixels, (H, W, 3), RGB."""
    name: str = ""
    """The picture's file name; empty where it comes from no file of its own."""

    def __post_init__(self) -> None:
        _check_shape(self, "image", (None, None, 3))


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera without distortion, for one picture size."""

    focal_px: float
    """Focal length in pixels, the same in x and y."""
    centre_px: tuple[float, float]
    """Principal point, pixels."""
    size_px: tuple[int, int]
    """Picture width and height."""

    @classmethod
    def with_field_of_view(cls, width: int, height: int, degrees: float) -> Self:
        """Return the camera whose longer picture side spans `degrees`."""
        focal = 0.5 * max(width, height) / np.tan(np.radians(degrees) / 2)
        return cls(float(focal), (width / 2, height / 2), (width, height))

    def project(self, points: Float32) -> Float32:
        """Project camera points (..., 3) in metres to pixels (..., 2)."""
        depth = np.maximum(points[..., 2:], 1e-3)
        centre = np.asarray(self.centre_px, np.float32)
        return np.asarray(points[..., :2] / depth * self.focal_px + centre, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class PoseLandmarks:
    """BlazePose's 33 body landmarks of one person, in MediaPipe's order."""

    image: Float32
    """(33, 3): x, y in pixels; z in pixels too, smaller is nearer, 0 at the hips."""
    world: Float32
    """(33, 3), metres, camera axes (x right, y down, z forward), origin mid-hip."""
    visibility: Float32
    """(33,) in [0, 1]: in the picture and not occluded."""
    presence: Float32
    """(33,) in [0, 1]: within the crop that the model saw."""
    score: float
    """Probability in [0, 1] that there is a person in the crop."""

    def __post_init__(self) -> None:
        for name, shape in (
            ("image", (33, 3)),
            ("world", (33, 3)),
            ("visibility", (33,)),
            ("presence", (33,)),
        ):
            _check_shape(self, name, shape)


@dataclass(frozen=True, slots=True, eq=False)
class HandLandmarks:
    """One hand's 21 landmarks, in MediaPipe's order (wrist, thumb, ..., little)."""

    image: Float32
    """(21, 3): x, y in pixels; z in pixels, smaller is nearer, 0 at the wrist."""
    world: Float32
    """(21, 3), metres, camera axes, origin at the hand's approximate centre."""
    score: float
    """Probability in [0, 1] that there is a hand in the crop."""

    def __post_init__(self) -> None:
        _check_shape(self, "image", (21, 3))
        _check_shape(self, "world", (21, 3))


@dataclass(frozen=True, slots=True, eq=False)
class EyeLandmarks:
    """One eye's lids and iris, pixels."""

    lids: Float32
    """(16, 2): from the outer corner along the lower lid to the inner corner (0..8),
    then the upper lid from the outside to the inside, without the corners (9..15)."""
    iris: Float32
    """(5, 2): its centre, and four points of its rim."""

    def __post_init__(self) -> None:
        _check_shape(self, "lids", (16, 2))
        _check_shape(self, "iris", (5, 2))

    def moved(self, by: Float32) -> Self:
        """Return this eye elsewhere in the picture, `by` (2,) pixels away."""
        return replace(self, lids=self.lids + by, iris=self.iris + by)


@dataclass(frozen=True, slots=True, eq=False)
class FaceLandmarks:
    """The 468 points of MediaPipe's face mesh, and its eyes from nearer."""

    image: Float32
    """(468, 3): x, y in pixels; z in pixels, smaller is nearer."""
    score: float
    """Probability in [0, 1] that there is a face in the crop."""
    left_eye: EyeLandmarks | None = None
    """The person's own left eye; None where it is too small or turned away."""
    right_eye: EyeLandmarks | None = None

    def __post_init__(self) -> None:
        _check_shape(self, "image", (468, 3))

    def moved(self, by: Float32) -> Self:
        """Return this face elsewhere in the picture, `by` (2,) pixels away."""
        image = self.image.copy()
        image[:, :2] += by
        left, right = (e and e.moved(by) for e in (self.left_eye, self.right_eye))
        return replace(self, image=image, left_eye=left, right_eye=right)


@dataclass(frozen=True, slots=True, eq=False)
class PersonLandmarks:
    """What was found of one person in one picture; an absent part is None."""

    pose: PoseLandmarks | None = None
    left_hand: HandLandmarks | None = None
    """The person's own left hand."""
    right_hand: HandLandmarks | None = None
    face: FaceLandmarks | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing of a person was found."""
        return not (self.pose or self.left_hand or self.right_hand or self.face)


@dataclass(frozen=True, slots=True, eq=False)
class SmplxParams:
    """One person's SMPL-X parameters at one instant."""

    betas: Float32
    """Body shape, (n_betas,), in standard deviations from the mean body."""
    expression: Float32
    """Facial expression, (n_expression,), in standard deviations from neutral."""
    rotations: Float32
    """Unit quaternions wxyz, (55, 4). Row 0 (`global_orient`) turns the body frame into
    the camera frame, every other row is relative to the joint's parent."""
    transl: Float32
    """Added to every posed point, (3,), metres, camera frame. As in SMPL-X the body
    turns about its rest pelvis, so the pelvis is at `rest_pelvis + transl`."""

    def __post_init__(self) -> None:
        _check_shape(self, "betas", (None,))
        _check_shape(self, "expression", (None,))
        _check_shape(self, "rotations", (JOINT_COUNT, 4))
        _check_shape(self, "transl", (3,))

    @classmethod
    def rest(cls, n_betas: int, n_expression: int) -> Self:
        """Return the mean body in its rest pose, in body axes at the origin."""
        rotations = np.zeros((JOINT_COUNT, 4), np.float32)
        rotations[:, 0] = 1.0
        return cls(
            betas=np.zeros(n_betas, np.float32),
            expression=np.zeros(n_expression, np.float32),
            rotations=rotations,
            transl=np.zeros(3, np.float32),
        )


@dataclass(frozen=True, slots=True)
class PartConfidence:
    """How sure we are of each part, in [0, 1]; 0 where the part was not seen."""

    body: float
    left_hand: float
    right_hand: float
    face: float


@dataclass(frozen=True, slots=True)
class StageTimes:
    """When each stage finished with this frame, `time.monotonic_ns()`; 0: not yet."""

    grabbed_ns: int
    landmarks_ns: int = 0
    estimated_ns: int = 0
    smoothed_ns: int = 0

    def later(self, by_ns: int) -> Self:
        """Return these times, each that is known `by_ns` later."""
        return type(self)(
            self.grabbed_ns + by_ns,
            self.landmarks_ns and self.landmarks_ns + by_ns,
            self.estimated_ns and self.estimated_ns + by_ns,
            self.smoothed_ns and self.smoothed_ns + by_ns,
        )

    def milliseconds(self) -> dict[str, float]:
        """Return the time spent in each stage that has run, by the stage's name."""
        marks = (
            self.grabbed_ns,
            self.landmarks_ns,
            self.estimated_ns,
            self.smoothed_ns,
        )
        names = ("landmarks", "estimate", "smooth")
        return {
            name: (after - before) / 1e6
            for name, before, after in zip(names, marks, marks[1:], strict=False)
            if after
        }


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One person in one frame: what every sink receives."""

    track_id: int
    """The same number for the same person from frame to frame, from 0."""
    frame_index: int
    """`Frame.index` of the picture."""
    timestamp_s: float
    """`Frame.timestamp_s` of the picture."""
    params: SmplxParams
    joints: Float32
    """Posed joints, (55, 3), metres, camera frame."""
    confidence: PartConfidence
    camera: Camera
    """The camera in whose frame all this is."""
    times: StageTimes = field(default_factory=lambda: StageTimes(0))
    joint_confidence: Float32 | None = None
    """How sure we are of each joint's rotation, (55,) in [0, 1]: whoever sits at a desk
    has sure arms and no legs, and so an unsure body. None where no more is known than
    each part's confidence."""

    def __post_init__(self) -> None:
        _check_shape(self, "joints", (JOINT_COUNT, 3))
        if self.joint_confidence is not None:
            _check_shape(self, "joint_confidence", (JOINT_COUNT,))

    def with_params(self, params: SmplxParams, joints: Float32) -> Self:
        """Return this person with other parameters and the joints they give."""
        return replace(self, params=params, joints=joints)
