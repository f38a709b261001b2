"""Running one expert of an image bundle: a head or a hand that fills its picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.attention import FACE_68
from pixie_runtime.body import BodyModel
from pixie_runtime.bundle import Bundle, CropSpec
from pixie_runtime.coefficients import Coefficients, TellsCoefficients
from pixie_runtime.confidence import by_part
from pixie_runtime.crops import Square, projected_span, square_crop
from pixie_runtime.engines import Engine, EngineMaker
from pixie_runtime.image_networks import ImageNetworks
from pixie_runtime.resampling import Draws, Resampler
from pixie_runtime.smplx import (
    BODY_JOINTS,
    JAW,
    JOINT_COUNT,
    JOINT_INDEX,
    LEFT_EYE,
    LEFT_HAND_JOINTS,
    RIGHT_EYE,
    RIGHT_HAND_JOINTS,
)
from pixie_runtime.types import (
    Camera,
    FaceLandmarks,
    Float32,
    Frame,
    HandLandmarks,
    PartConfidence,
    Person,
    PersonLandmarks,
    SmplxParams,
    StageTimes,
    UInt8,
)
from pixie_runtime.weak_perspective import WeakCamera

Expert = Literal["head", "hand"]
EXPERTS: tuple[Expert, ...] = ("head", "hand")

_FACE_MARGIN = 1.1
_HEAD_JOINTS = (JOINT_INDEX["head"], JAW, LEFT_EYE, RIGHT_EYE)
_LEFT_HAND = (JOINT_INDEX["left_wrist"], *LEFT_HAND_JOINTS)
_RIGHT_HAND = (JOINT_INDEX["right_wrist"], *RIGHT_HAND_JOINTS)
_FEATURES: dict[Expert, str] = {"head": "F_f", "hand": "F_h"}
_MIRROR = np.array([1, 1, -1, -1], np.float32)
"""Times a quaternion: the rotation as a mirror across x = 0 shows it."""


@dataclass(frozen=True, slots=True)
class _Look:
    """Which part is looked at, and where."""

    part: Literal["face", "left_hand", "right_hand"]
    square: Square
    """Pixels of the picture."""
    score: float
    """Of the detector; 1 where it found nothing and we are told that it is there."""

    @property
    def is_mirrored(self) -> bool:
        """Whether the network is shown the mirror image, as a right hand."""
        return self.part == "left_hand"

    @property
    def joints(self) -> tuple[int, ...]:
        """The part's joints."""
        hands = {"left_hand": _LEFT_HAND, "right_hand": _RIGHT_HAND}
        return hands.get(self.part, _HEAD_JOINTS)


class PartEstimator(TellsCoefficients):
    """Runs a bundle's head or hand expert alone.

    What it looks at is the face or hand that was found, or else, of pictures that are
    known to show nothing else, the whole picture as a head or a right hand. All joints
    of which it does not speak are at rest, a hand's coefficients are all 0, and the
    body stands such that the part is where it was seen.
    """

    def __init__(
        self,
        bundle: Bundle,
        model: BodyModel,
        part: Expert,
        *,
        whole_picture: bool = False,
        engines: Mapping[str, Engine] | None = None,
        maker: EngineMaker | None = None,
        resampler: Draws | None = None,
    ) -> None:
        """Load the expert.

        Args:
            bundle: a bundle of kind "image" whose experts have outputs of their own.
            model: the body to pose; see `ImageEstimator`.
            part: which expert.
            whole_picture: whether a picture in which nothing was found shows the part
                all the same. Elsewhere there is then nobody.
            engines: what runs the networks, by name, closed with this estimator.
            maker: opens those that have no engine yet; default: ONNX Runtime.
            resampler: draws the crops; default: numpy, the same to the bit in every
                run.

        Raises:
            BundleError: the bundle is of another kind, or lacks the expert, or a
                network is unusable.
            EngineError: the maker's library or device cannot run a network.
        """
        self._model = model
        self._part = part
        self._whole_picture = whole_picture
        self._coefficients = Coefficients.of(bundle.manifest, model)
        self._networks = ImageNetworks(
            bundle, (part, f"{part}_alone"), engines, maker=maker
        )
        size = self._networks.crops.size
        self._image = np.zeros((1, 3, size, size), np.float32)
        self._resampler = resampler or Resampler()

    def estimate(
        self, landmarks: PersonLandmarks, frame: Frame, camera: Camera
    ) -> Person | None:
        """Return the person of whom the part was seen, if it was."""
        look = self._look(landmarks, frame.image)
        if look is None:
            return None
        square_crop(
            frame.image,
            look.square,
            self._networks.crops.size,
            mirrored=look.is_mirrored,
            resampler=self._resampler,
            into=self._image[0],
        )
        outputs = self._networks.infer(self._part, image=self._image)
        name = _FEATURES[self._part]
        feature = {name: outputs[name]}
        outputs = self._networks.infer(f"{self._part}_alone", **feature)
        return self._person({k: v[0] for k, v in outputs.items()}, look, frame, camera)

    def reset(self) -> None:
        """Nothing is kept from one frame to the next."""

    def for_another_person(self) -> "PartEstimator":
        """Return this one: nothing is kept from one frame to the next."""
        return self

    def close(self) -> None:
        """Free the networks."""
        self._networks.close()

    def _look(self, landmarks: PersonLandmarks, picture: UInt8) -> _Look | None:
        spec = self._networks.crops
        is_head = self._part == "head"
        look = (
            _look_at_head(landmarks.face, spec)
            if is_head
            else _look_at_hand(landmarks, spec)
        )
        if look is not None or not self._whole_picture:
            return look
        return _Look("face" if is_head else "right_hand", _whole(picture), 1.0)

    def _person(
        self, outputs: Mapping[str, Float32], look: _Look, frame: Frame, camera: Camera
    ) -> Person:
        betas = np.zeros(self.n_betas, np.float32)
        expression = np.zeros(self.n_expression, np.float32)
        if look.part == "face":
            betas, expression = self._coefficients.kept(
                outputs["betas"], outputs["expression"]
            )
        shaped = self._model.shaped(betas, expression)
        quaternions = _posed(look, outputs["rotations"])
        seen = shaped.posed(quaternions, np.zeros(3, np.float32))
        span = projected_span(
            look.square, self._networks.crops.size, mirrored=look.is_mirrored
        )
        tx_sign = -1 if look.is_mirrored else 1
        values = outputs["camera"] * np.array([1, tx_sign, 1], np.float32)
        weak = WeakCamera(values, span)
        quaternions, transl = weak.placed(seen, quaternions, camera, joints=look.joints)
        scores = {"body": 0.0, "left_hand": 0.0, "right_hand": 0.0, "face": 0.0}
        found = PartConfidence(**{**scores, look.part: look.score})
        sure = by_part(found)
        # All of the body turns and moves with the part, and is at rest otherwise.
        sure[[0, *BODY_JOINTS]] = look.score
        return Person(
            track_id=0,
            frame_index=frame.index,
            timestamp_s=frame.timestamp_s,
            params=SmplxParams(betas, expression, quaternions, transl),
            joints=shaped.posed(quaternions, transl).joints,
            confidence=found,
            camera=camera,
            times=StageTimes(frame.grabbed_ns),
            joint_confidence=sure,
        )


def _look_at_head(face: FaceLandmarks | None, spec: CropSpec) -> _Look | None:
    """Return the square about a face (pixie-network, section 8.2), if one was found."""
    if face is None or not np.isfinite(face.image).all():
        return None
    points = face.image[list(FACE_68), :2].astype(np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    x, y = ((low + high) / 2).tolist()
    side = int(spec.head_scale * _FACE_MARGIN * float((high - low).mean()))
    return _Look("face", Square(x, y, max(side, 1)), face.score)


def _look_at_hand(landmarks: PersonLandmarks, spec: CropSpec) -> _Look | None:
    """Return the square about the surer hand, if one was found."""
    found: list[_Look] = []
    for part in ("right_hand", "left_hand"):
        hand: HandLandmarks | None = getattr(landmarks, part)
        if hand is not None and np.isfinite(hand.image).all():
            square = Square.around(hand.image[:, :2], spec.hand_scale)
            found.append(_Look(part, square, hand.score))
    return max(found, key=lambda look: look.score, default=None)


def _whole(picture: UInt8) -> Square:
    """Return the square that shows a whole picture, its longer sides to the edges."""
    height, width = picture.shape[:2]
    return Square(width / 2, height / 2, max(width - 1, height - 1, 1))


def _posed(look: _Look, R: Float32) -> Float32:
    """Return a body's rotations (55, 4) out of an expert's (55, 3, 3).

    The head's expert turns the whole body by the head's absolute rotation, the hand's
    stands it upright. Of a mirrored hand the rotations are mirrored back, onto the left
    one's joints.
    """
    regressed = rotations.from_matrix(R).astype(np.float32)
    if look.is_mirrored:
        regressed *= _MIRROR
    expert = (JAW,) if look.part == "face" else _RIGHT_HAND
    ours = (JAW,) if look.part == "face" else look.joints
    quaternions = rotations.identity(JOINT_COUNT)
    quaternions[[0, *ours]] = regressed[[0, *expert]]
    return quaternions
