"""Our landmarker: MediaPipe's networks, its graphs in numpy."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from pixie_runtime.engines import EngineMaker
from pixie_runtime.landmarks import pixels_of
from pixie_runtime.landmarks.face import FaceTracker
from pixie_runtime.landmarks.hands import HandTracker, SeenHand, Side, other
from pixie_runtime.landmarks.models import LandmarkModels
from pixie_runtime.landmarks.motion import MovingBody
from pixie_runtime.landmarks.orientation import SideKeeper, swapped
from pixie_runtime.landmarks.pose import BodyFinder, PoseTracker
from pixie_runtime.landmarks.regions import Region
from pixie_runtime.landmarks.search import BodySearch
from pixie_runtime.rates import Rates
from pixie_runtime.types import (
    FaceLandmarks,
    Frame,
    PersonLandmarks,
    PoseLandmarks,
    UInt8,
)


class PixieLandmarker:
    """Body, hands and face of one person, followed from frame to frame.

    The body is found once and then followed; it leads to the hands and the face. Where
    there is no body in the picture, hands and face are looked for by themselves. The
    landmarks are raw: no smoothing in time.
    """

    def __init__(
        self,
        *,
        threads: int = 2,
        models: LandmarkModels | None = None,
        body_suffices: bool = False,
        rates: Rates | None = None,
        maker: EngineMaker | None = None,
        finder: BodyFinder | None = None,
    ) -> None:
        """Load the networks.

        Args:
            threads: Cores that may be used.
            models: Other engines for the same networks; the shipped ones by default.
            body_suffices: Whether hands and face are only looked for where there is
                no body, to know that somebody is there. That takes half the time.
            rates: How often the body is looked at (`landmarks`), and in how many of
                these looks hands and face are, while there is a body. In between they
                move along with it, and it moves on as it did. Default: in every frame.
            maker: Opens the shipped ones; ONNX Runtime by default.
            finder: Says where a body is to be followed from, while there is none; by
                default `BodySearch`.

        Raises:
            BundleError: The package's model files are missing or damaged.
            EngineError: The maker's library or device cannot run a network.
        """
        self._models = models or LandmarkModels.shipped(threads=threads, maker=maker)
        self._finder = finder or BodySearch(self._models)
        self._pose = PoseTracker(self._models, self._finder)
        self._sides = SideKeeper()
        self._moving = MovingBody()
        # The face's networks are small: beside the hands' they fill the gaps in which
        # a core would wait for the other.
        self._beside = ThreadPoolExecutor(max_workers=2, thread_name_prefix="part")
        self._hands = HandTracker(
            self._models, beside=self._beside if self._models.concurrent else None
        )
        self._face = FaceTracker(self._models)
        self._body_suffices = body_suffices
        self._rates = rates or Rates()
        self._frames_of_body = 0

    @property
    def body_region(self) -> Region | None:
        """Where the body is looked for next; None where none is followed."""
        return self._pose.region

    def detect(
        self, frame: Frame, *, parts_without_body: bool = True
    ) -> PersonLandmarks:
        """Return what is in `frame`; `PersonLandmarks.is_empty` if nobody is.

        Args:
            frame: The next one.
            parts_without_body: Whether hands and face are looked for in the whole
                picture where there is no body.

        Raises:
            SourceError: The picture has no pixels.
        """
        image = pixels_of(frame)
        carried_on = self._carried_on(frame.timestamp_s)
        if carried_on is not None:
            return carried_on
        pose = self._body(image, frame.timestamp_s)
        if pose is None and not parts_without_body:
            self._forget_parts()
            return PersonLandmarks()
        hands, face = self._parts(image, pose)
        agreement = tuple(hand.agreement(side) for side, hand in hands.items())
        if pose is not None and self._sides.weigh(
            hands_agree=agreement, has_face=face is not None
        ):
            pose = swapped(pose)
            hands = {other(side): hand for side, hand in hands.items()}
            self._hands.swap_sides()
            self._moving.swap_sides()
        if pose is not None:
            self._moving.seen(pose, frame.timestamp_s)
        return _person(pose, hands, face)

    def _carried_on(self, time_s: float) -> PersonLandmarks | None:
        """Return the person without looking; None in frames that are looked at."""
        if self._rates.due("landmarks", self._frames_of_body):
            return None
        pose = self._moving.at(time_s)
        if pose is None:
            return None
        self._frames_of_body += 1
        if self._body_suffices:
            return _person(pose, {}, None)
        return _person(pose, self._hands.follow(pose), self._face.follow(pose))

    def _body(self, image: UInt8, time_s: float) -> PoseLandmarks | None:
        pose = self._pose.update(image, time_s)
        if pose is None:
            self._sides.reset()
            self._moving.reset()
            return None
        return self._sides.settle(pose, time_s, lambda: self._pose.mirrored_look(image))

    def _parts(
        self, image: UInt8, pose: PoseLandmarks | None
    ) -> tuple[dict[Side, SeenHand], FaceLandmarks | None]:
        look = self._frames_of_body // self._rates.landmarks
        self._frames_of_body = 0 if pose is None else self._frames_of_body + 1
        if pose is not None and self._body_suffices:
            self._hands.reset()
            self._face.reset()
            return {}, None
        face: Callable[[], FaceLandmarks | None]
        if pose is None or self._rates.due("head", look):
            face = self._beside.submit(self._face.update, image, pose).result
        else:
            face = partial(self._face.follow, pose)
        if pose is None or self._rates.due("hands", look):
            hands = self._hands.update(image, pose)
        else:
            hands = self._hands.follow(pose)
        return hands, face()

    def reset(self) -> None:
        """Forget the person: the next frame is looked at afresh."""
        self._finder.reset()
        self._pose.reset()
        self._sides.reset()
        self._moving.reset()
        self._forget_parts()

    def _forget_parts(self) -> None:
        self._hands.reset()
        self._face.reset()
        self._frames_of_body = 0

    def close(self) -> None:
        """Free what the models hold."""
        self._beside.shutdown()
        self._models.close()


def _person(
    pose: PoseLandmarks | None, hands: dict[Side, SeenHand], face: FaceLandmarks | None
) -> PersonLandmarks:
    left, right = hands.get("left"), hands.get("right")
    return PersonLandmarks(
        pose=pose,
        left_hand=left.landmarks if left else None,
        right_hand=right.landmarks if right else None,
        face=face,
    )
