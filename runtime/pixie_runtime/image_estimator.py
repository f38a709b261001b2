"""Running an image bundle: PIXIE's networks on crops of body, head and hands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.attention import (
    ATTENDED_PARTS,
    AttendedPart,
    LastSight,
    coarse_squares,
    found_points,
    part_square,
    person_box,
)
from pixie_runtime.body import BodyModel
from pixie_runtime.bundle import Bundle
from pixie_runtime.coefficients import Coefficients
from pixie_runtime.confidence import confidence, detector_scores
from pixie_runtime.crops import BodyView, Crop, Square, body_square
from pixie_runtime.engines import Engine, EngineMaker
from pixie_runtime.fusion_rules import FusionRules
from pixie_runtime.image_networks import ImageNetworks
from pixie_runtime.types import (
    Camera,
    Float32,
    Frame,
    Person,
    PersonLandmarks,
    SmplxParams,
    StageTimes,
)
from pixie_runtime.weak_perspective import WeakCamera

Attention = Literal["tracked", "two-pass"]
ATTENTIONS: tuple[Attention, ...] = ("tracked", "two-pass")

NETWORKS = ("body", "coarse", "head", "hand", "fuse")
"""The networks of a bundle that a whole person takes."""
_BODY_NETWORKS = ("body", "fuse")
_GUESS_VISIBLE = 0.25
"""A part that nobody found is looked at if so much of its square is in the picture."""
_POSE_OF_PART: dict[AttendedPart, list[int]] = {
    "head": [0, 2, 5, 7, 8],
    "left_hand": [15, 17, 19, 21],
    "right_hand": [16, 18, 20, 22],
}
"""The pose's landmarks whose visibility stands for that of a part."""


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What there is to see of a part."""

    crop: Crop
    score: float
    """How sure it is that the part is there, in [0, 1]."""


class ImageEstimator:
    """Runs an image bundle on one person a frame.

    Two ways to find head and hands, both through crops of the body's crop:

    - `two-pass`, as the official release does: the body's feature alone gives a coarse
      body, whose key points say where the parts are.
    - `tracked`: landmarks say where the parts are; a part that they lack is looked for
      where the last frame's body has it, and only where there is no last frame by a
      coarse pass.
    """

    def __init__(
        self,
        bundle: Bundle,
        model: BodyModel,
        *,
        attention: Attention = "tracked",
        rules: FusionRules | None = None,
        engines: Mapping[str, Engine] | None = None,
        maker: EngineMaker | None = None,
    ) -> None:
        """Load the bundle's networks.

        Args:
            bundle: a bundle of kind "image".
            model: the body to pose. If it is not the one the bundle was made for,
                rotations carry over and shape and expression, whose coefficients
                would mean something else, stay zero; `warning` then says so.
            attention: how head and hands are found.
            rules: what is done with the experts' features; default: `FusionRules()`.
            engines: what runs the networks, by name, closed with this estimator.
            maker: opens those that have no engine yet; default: ONNX Runtime.

        Raises:
            BundleError: the bundle is of another kind or a network is unusable.
            EngineError: the maker's library or device cannot run a network.
        """
        self._model = model
        self._attention = attention
        rules = rules or FusionRules()
        self._rules = rules.row()[None]
        self._looks_at_parts = rules.parts
        self._coefficients = Coefficients.of(bundle.manifest, model)
        names = NETWORKS if rules.parts else _BODY_NETWORKS
        self._networks = ImageNetworks(bundle, names, engines, maker=maker)
        self._last: LastSight | None = None

    @property
    def warning(self) -> str | None:
        """What the user should know about the results, one sentence."""
        return self._coefficients.warning

    @property
    def n_betas(self) -> int:
        """How many shape coefficients a person gets."""
        return self._coefficients.n_betas

    @property
    def n_expression(self) -> int:
        """How many expression coefficients a person gets."""
        return self._coefficients.n_expression

    def estimate(
        self, landmarks: PersonLandmarks, frame: Frame, camera: Camera
    ) -> Person | None:
        """Return the person, or None where nothing of a person was seen."""
        box = person_box(landmarks, camera.size_px)
        if box is None:
            return None
        spec = self._networks.crops
        view = BodyView(body_square(box, spec.body_scale), spec)
        image = view.body(frame.image).image[None]
        F_b = self._networks.infer("body", image=image)["F_b"]
        looks = self._looks(view, landmarks, frame, F_b)
        outputs = self._networks.infer(
            "fuse",
            F_b=F_b,
            **self._part_features(looks, F_b),
            present=np.array([[look is not None for look in looks]], np.float32),
            rules=self._rules,
        )
        scores = np.array([look.score if look else 0.0 for look in looks], np.float32)
        return self._person(outputs, scores, view, landmarks, frame, camera)

    def reset(self) -> None:
        """Forget the person: the next frame has nothing to do with the last."""
        self._last = None

    def close(self) -> None:
        """Free the networks."""
        self._networks.close()

    def _looks(
        self, view: BodyView, landmarks: PersonLandmarks, frame: Frame, F_b: Float32
    ) -> list[_Look | None]:
        """Return what there is to see of head, left and right hand."""
        if not self._looks_at_parts:
            return [None, None, None]
        squares: list[Square | None] = [None, None, None]
        if self._attention == "tracked":
            squares = [self._tracked(view, landmarks, p, frame) for p in ATTENDED_PARTS]
        if None in squares:
            coarse = coarse_squares(self._networks.infer("coarse", F_b=F_b)["boxes"][0])
            squares = [
                known or guess for known, guess in zip(squares, coarse, strict=True)
            ]
        found = detector_scores(landmarks).tolist()
        return [
            None
            if square is None
            else self._look(view, frame, landmarks, part, square, score)
            for part, square, score in zip(ATTENDED_PARTS, squares, found, strict=True)
        ]

    def _tracked(
        self,
        view: BodyView,
        landmarks: PersonLandmarks,
        part: AttendedPart,
        frame: Frame,
    ) -> Square | None:
        points = found_points(landmarks, part)
        last = self._last
        if points is None and last and last.is_of(view.square, frame.timestamp_s):
            points = last.points(part)
        return None if points is None else part_square(view, points, part)

    def _look(
        self,
        view: BodyView,
        frame: Frame,
        landmarks: PersonLandmarks,
        part: AttendedPart,
        square: Square,
        found: float,
    ) -> _Look | None:
        """Return what is in a square of the finer picture, if enough is to be seen."""
        # The hands' network knows right hands; its results come back unmirrored.
        crop = view.part(frame.image, square, mirrored=part == "left_hand")
        guessed = self._attention == "tracked" and not found
        if crop.visible <= (_GUESS_VISIBLE if guessed else 0.0):
            return None
        return _Look(crop, found or _visibility(landmarks, part))

    def _part_features(
        self, looks: list[_Look | None], F_b: Float32
    ) -> dict[str, Float32]:
        """Return the parts' features by name; zeros for what was not looked at."""
        head, *hands = looks
        nothing = np.zeros_like(F_b)
        features = {"F_f": nothing, "F_left": nothing, "F_right": nothing}
        if head is not None:
            image = head.crop.image[None]
            features["F_f"] = self._networks.infer("head", image=image)["F_f"]
        seen = {
            name: look.crop.image
            for name, look in zip(("F_left", "F_right"), hands, strict=True)
            if look is not None
        }
        if seen:
            F_h = self._networks.infer("hand", image=np.stack([*seen.values()]))["F_h"]
            features |= {name: F_h[i : i + 1] for i, name in enumerate(seen)}
        return features

    def _person(
        self,
        outputs: Mapping[str, Float32],
        scores: Float32,
        view: BodyView,
        landmarks: PersonLandmarks,
        frame: Frame,
        camera: Camera,
    ) -> Person:
        quaternions = rotations.from_matrix(outputs["rotations"][0]).astype(np.float32)
        betas, expression = self._coefficients.kept(
            outputs["betas"][0], outputs["expression"][0]
        )
        shaped = self._model.shaped(betas, expression)
        seen = shaped.posed(quaternions, np.zeros(3, np.float32))
        weak = WeakCamera(outputs["camera"][0], view.projected)
        self._last = LastSight(frame.timestamp_s, view.square, seen, weak)
        quaternions, transl = weak.placed(seen, quaternions, camera)
        return Person(
            track_id=0,
            frame_index=frame.index,
            timestamp_s=frame.timestamp_s,
            params=SmplxParams(betas, expression, quaternions, transl),
            joints=shaped.posed(quaternions, transl).joints,
            confidence=confidence(landmarks, scores, outputs["moderator_weights"][0]),
            camera=camera,
            times=StageTimes(frame.grabbed_ns),
        )


def _visibility(landmarks: PersonLandmarks, part: AttendedPart) -> float:
    """Return how visible the pose's landmarks on a part are; 0 without a pose."""
    if landmarks.pose is None:
        return 0.0
    return float(landmarks.pose.visibility[_POSE_OF_PART[part]].mean())
