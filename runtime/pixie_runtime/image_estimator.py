"""Running an image bundle: PIXIE's networks on crops of body, head and hands."""

from collections.abc import Mapping
from copy import copy
from dataclasses import replace

import numpy as np

from pixie_runtime import rotations
from pixie_runtime.attention import LastSight, person_box
from pixie_runtime.body import BodyModel
from pixie_runtime.bundle import Bundle
from pixie_runtime.coefficients import Coefficients, TellsCoefficients
from pixie_runtime.confidence import confidence, joint_confidence
from pixie_runtime.crops import BodyView, Square, body_square
from pixie_runtime.engines import Engine, EngineMaker
from pixie_runtime.fusion_rules import FusionRules
from pixie_runtime.image_networks import ImageNetworks
from pixie_runtime.part_experts import (
    ATTENTIONS,
    Attention,
    BodyLook,
    PartExperts,
    PartLook,
)
from pixie_runtime.rates import Rates
from pixie_runtime.resampling import Draws, Resampler
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

__all__ = ["ATTENTIONS", "NETWORKS", "Attention", "ImageEstimator"]

NETWORKS = ("body", "coarse", "head", "hand", "fuse")
"""The networks of a bundle that a whole person takes."""
_BODY_NETWORKS = ("body", "fuse")
_TORSO = [11, 12, 23, 24]
"""The pose's shoulders and hips."""


class ImageEstimator(TellsCoefficients):
    """Runs an image bundle on one person a frame.

    Two ways to find head and hands, both through crops of the body's crop:

    - `two-pass`, as the official release does: the body's feature alone gives a coarse
      body, whose key points say where the parts are.
    - `tracked`: landmarks say where the parts are; a part that they lack is looked for
      where the last frame's body has it, and only where there is no last frame by a
      coarse pass.

    Body, head and hands may be looked at at rates of their own. Where one is not due
    its last feature is fused again, and the last body is moved along with the torso.
    """

    def __init__(
        self,
        bundle: Bundle,
        model: BodyModel,
        *,
        attention: Attention = "tracked",
        rules: FusionRules | None = None,
        rates: Rates | None = None,
        engines: Mapping[str, Engine] | None = None,
        maker: EngineMaker | None = None,
        resampler: Draws | None = None,
    ) -> None:
        """Load the bundle's networks.

        Args:
            bundle: a bundle of kind "image".
            model: the body to pose. If it is not the one the bundle was made for,
                rotations carry over and shape and expression, whose coefficients
                would mean something else, stay zero; `warning` then says so.
            attention: how head and hands are found.
            rules: what is done with the experts' features; default: `FusionRules()`.
            rates: how often body, head and hands are looked at; default: in every
                frame.
            engines: what runs the networks, by name, closed with this estimator.
            maker: opens those that have no engine yet; default: ONNX Runtime.
            resampler: draws the crops; default: numpy, the same to the bit in every
                run.

        Raises:
            BundleError: the bundle is of another kind or a network is unusable.
            EngineError: the maker's library or device cannot run a network.
        """
        self._model = model
        rules = rules or FusionRules()
        self._rules = rules.row()[None]
        self._coefficients = Coefficients.of(bundle.manifest, model)
        names = NETWORKS if rules.parts else _BODY_NETWORKS
        self._networks = ImageNetworks(bundle, names, engines, maker=maker)
        self._attention: Attention = attention
        self._looks_at_parts = rules.parts
        self._rates = rates or Rates()
        self._resampler = resampler or Resampler()
        self._begin()

    def _begin(self) -> None:
        """Begin with nobody, with pictures of this estimator's own."""
        self._experts = (
            PartExperts(self._networks, self._attention, self._rates)
            if self._looks_at_parts
            else None
        )
        size = self._networks.crops.size
        self._image = np.zeros((1, 3, size, size), np.float32)
        self._body: BodyLook | None = None
        self._last: LastSight | None = None
        self._frames_of_person = 0

    def estimate(
        self, landmarks: PersonLandmarks, frame: Frame, camera: Camera
    ) -> Person | None:
        """Return the person, or None where nothing of a person was seen."""
        box = person_box(landmarks, camera.size_px)
        if box is None:
            return None
        spec = self._networks.crops
        square = body_square(box, spec.body_scale)
        last = self._last
        if last is not None and not last.is_of(square, frame.timestamp_s):
            last = None
        number = 0 if last is None else self._frames_of_person + 1
        self._frames_of_person = number
        view = BodyView(square, spec, self._resampler)
        body = self._body
        if body is None or self._rates.due("body", number):
            body = self._body = self._look(view, landmarks, frame)
        looks: list[PartLook | None] = [None, None, None]
        if self._experts is not None:
            looks = self._experts.looks(landmarks, frame, view, body, last, number)
        outputs = self._fused(body, looks)
        camera_span = _moved(body, landmarks)
        weak = WeakCamera(outputs["camera"][0], camera_span)
        scores = np.array([look.score if look else 0.0 for look in looks], np.float32)
        return self._person(outputs, scores, weak, square, landmarks, frame, camera)

    def reset(self) -> None:
        """Forget the person: the next frame has nothing to do with the last."""
        self._last = self._body = None

    def for_another_person(self) -> "ImageEstimator":
        """Return one that runs the same networks and knows of nobody yet.

        Closing either closes the networks of both.
        """
        other = copy(self)
        other._begin()
        return other

    def close(self) -> None:
        """Free the networks."""
        self._networks.close()

    def _look(
        self, view: BodyView, landmarks: PersonLandmarks, frame: Frame
    ) -> BodyLook:
        view.body(frame.image, into=self._image[0])
        F_b = self._networks.infer("body", image=self._image)["F_b"]
        return BodyLook(F_b, view, _torso(landmarks))

    def _fused(
        self, body: BodyLook, looks: list[PartLook | None]
    ) -> dict[str, Float32]:
        """Run the moderators and regressors; what was not seen is zeros."""
        nothing = np.zeros_like(body.F_b)
        head, left, right = (look.feature if look else nothing for look in looks)
        return self._networks.infer(
            "fuse",
            F_b=body.F_b,
            F_f=head,
            F_left=left,
            F_right=right,
            present=np.array([[look is not None for look in looks]], np.float32),
            rules=self._rules,
        )

    def _person(
        self,
        outputs: Mapping[str, Float32],
        scores: Float32,
        weak: WeakCamera,
        square: Square,
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
        self._last = LastSight(frame.timestamp_s, square, seen, weak)
        quaternions, transl = weak.placed(seen, quaternions, camera)
        found = confidence(landmarks, scores, outputs["moderator_weights"][0])
        return Person(
            track_id=0,
            frame_index=frame.index,
            timestamp_s=frame.timestamp_s,
            params=SmplxParams(betas, expression, quaternions, transl),
            joints=shaped.posed(quaternions, transl).joints,
            confidence=found,
            camera=camera,
            times=StageTimes(frame.grabbed_ns),
            joint_confidence=joint_confidence(landmarks, found, camera),
        )


def _torso(landmarks: PersonLandmarks) -> Float32 | None:
    """Return the middle of shoulders and hips, (2,) pixels."""
    pose = landmarks.pose
    return None if pose is None else pose.image[_TORSO, :2].mean(axis=0)


def _moved(body: BodyLook, landmarks: PersonLandmarks) -> Square:
    """Return what the body's camera spans, moved along since the body was looked at."""
    span, torso = body.view.projected, _torso(landmarks)
    if torso is None or body.torso is None:
        return span
    x, y = (torso - body.torso).tolist()
    return replace(span, x=span.x + x, y=span.y + y)
