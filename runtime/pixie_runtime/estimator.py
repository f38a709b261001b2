"""Running a bundle: what was seen of a person in, SMPL-X parameters out."""

import numpy as np

from pixie_runtime import fitting, placement, rotations
from pixie_runtime.body import BodyModel
from pixie_runtime.bundle import Bundle
from pixie_runtime.coefficients import Coefficients, TellsCoefficients
from pixie_runtime.confidence import confidence, detector_scores, joint_confidence
from pixie_runtime.correspondences import correspondences
from pixie_runtime.engines import Engine, EngineMaker
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeMaker
from pixie_runtime.errors import BundleError
from pixie_runtime.types import (
    Camera,
    Float32,
    Frame,
    HandLandmarks,
    Person,
    PersonLandmarks,
    SmplxParams,
    StageTimes,
)


class LandmarkEstimator(TellsCoefficients):
    """Runs a landmark bundle: PIXIE's moderators and regressors on landmarks."""

    def __init__(
        self,
        bundle: Bundle,
        model: BodyModel,
        *,
        engine: Engine | None = None,
        maker: EngineMaker | None = None,
    ) -> None:
        """Load the bundle's network.

        Args:
            bundle: a bundle of kind "landmark".
            model: the body to pose. If it is not the one the bundle was made for,
                rotations carry over and shape and expression, whose coefficients
                would mean something else, stay zero; `warning` then says so.
            engine: what runs the network, closed with this estimator.
            maker: opens the network if there is no engine; default: ONNX Runtime.

        Raises:
            BundleError: the bundle is of another kind or its network is unusable.
            EngineError: the maker's library or device cannot run the network.
        """
        manifest = bundle.manifest
        if manifest.kind != "landmark":
            raise BundleError(
                f"bundle {manifest.name} looks at {manifest.kind}s; expected a bundle "
                "of kind 'landmark'"
            )
        self._model = model
        self._coefficients = Coefficients.of(manifest, model)
        maker = maker or OnnxRuntimeMaker()
        self._engine = engine or maker.open(bundle.path_of("whole"), threads=1)
        expected = {tensor.name for tensor in manifest.networks["whole"].inputs}
        if set(self._engine.input_shapes) != expected:
            raise BundleError(
                f"bundle {manifest.name}: the network takes "
                f"{sorted(self._engine.input_shapes)}, its manifest says "
                f"{sorted(expected)}; export it again"
            )

    def estimate(
        self, landmarks: PersonLandmarks, frame: Frame, camera: Camera
    ) -> Person | None:
        """Return the person, or None where nothing of a person was seen."""
        if landmarks.is_empty:
            return None
        outputs = self._engine.infer(network_inputs(landmarks, camera))
        quaternions = rotations.from_matrix(outputs["rotations"][0]).astype(np.float32)
        betas, expression = self._coefficients.kept(
            outputs["betas"][0], outputs["expression"][0]
        )
        shaped = self._model.shaped(betas, expression)
        seen = correspondences(self._model, landmarks, camera)
        about_origin = shaped.posed(quaternions, np.zeros(3, np.float32))
        transl = placement.translation(about_origin.transforms, seen)
        if landmarks.pose is not None:
            quaternions, transl = fitting.fit(shaped, quaternions, transl, seen)
        params = SmplxParams(betas, expression, quaternions, transl)
        found = confidence(
            landmarks, detector_scores(landmarks), outputs["moderator_weights"][0]
        )
        return Person(
            track_id=0,
            frame_index=frame.index,
            timestamp_s=frame.timestamp_s,
            params=params,
            joints=shaped.posed(quaternions, transl).joints,
            confidence=found,
            camera=camera,
            times=StageTimes(frame.grabbed_ns),
            joint_confidence=joint_confidence(landmarks, found, camera),
        )

    def reset(self) -> None:
        """Nothing is kept from one frame to the next."""

    def for_another_person(self) -> "LandmarkEstimator":
        """Return this one: nothing is kept from one frame to the next."""
        return self

    def close(self) -> None:
        """Free the network."""
        self._engine.close()


def network_inputs(landmarks: PersonLandmarks, camera: Camera) -> dict[str, Float32]:
    """Return the landmark network's inputs for one person, batch axis first.

    Pixels become rays `((x - cx) / f, (y - cy) / f)`, depths are divided by f; parts
    that were not seen are zeros.
    """
    pose, face = landmarks.pose, landmarks.face
    hands = (landmarks.left_hand, landmarks.right_hand)
    present = [part is not None for part in (pose, *hands, face)]
    return {
        "pose_rays": _rays(pose.image if pose else None, 33, camera)[None],
        "pose_world": (pose.world if pose else _zeros(33, 3))[None],
        "pose_visibility": (pose.visibility if pose else _zeros(33))[None],
        "hand_rays": np.stack([_rays(_image(hand), 21, camera) for hand in hands])[
            None
        ],
        "hand_world": np.stack(
            [hand.world if hand else _zeros(21, 3) for hand in hands]
        )[None],
        "face_rays": _rays(face.image if face else None, 468, camera)[None],
        "present": np.array([present], np.float32),
    }


def _zeros(*shape: int) -> Float32:
    return np.zeros(shape, np.float32)


def _image(hand: HandLandmarks | None) -> Float32 | None:
    return hand.image if hand else None


def _rays(image: Float32 | None, points: int, camera: Camera) -> Float32:
    if image is None:
        return _zeros(points, 3)
    centre = np.array([*camera.centre_px, 0.0], np.float32)
    return np.asarray((image - centre) / camera.focal_px, np.float32)
