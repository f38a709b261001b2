"""An estimator that leaves the eyes to what was seen of them."""

from pixie_runtime.body import BodyModel
from pixie_runtime.face.eyes import EyeFollower
from pixie_runtime.pipeline import Estimator
from pixie_runtime.types import Camera, Frame, Person, PersonLandmarks


class EyeEstimator:
    """Runs another estimator, then sets gaze and lids; closes it with itself."""

    def __init__(self, estimator: Estimator, model: BodyModel) -> None:
        self._estimator = estimator
        self._model = model
        self._follower = EyeFollower(model)

    @property
    def warning(self) -> str | None:
        """What the user should know about the results, one sentence."""
        return self._estimator.warning

    def estimate(
        self, landmarks: PersonLandmarks, frame: Frame, camera: Camera
    ) -> Person | None:
        """Return the person, or None where too little was seen."""
        person = self._estimator.estimate(landmarks, frame, camera)
        if person is None:
            return None
        return self._follower.follow(person, landmarks.face)

    def reset(self) -> None:
        """Forget the person."""
        self._estimator.reset()
        self._follower.reset()

    def for_another_person(self) -> "EyeEstimator":
        """Return one that runs the same estimator's network and knows of nobody yet."""
        return EyeEstimator(self._estimator.for_another_person(), self._model)

    def close(self) -> None:
        """Free what the estimator holds."""
        self._estimator.close()
