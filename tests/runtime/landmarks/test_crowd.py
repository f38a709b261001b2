"""Several people: a man and his mirror image, half a second apart, side by side."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import pytest

from pixie_runtime.landmarks import Sighting
from pixie_runtime.landmarks.crowd import Crowd
from pixie_runtime.landmarks.models import LandmarkModels
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.landmarks.search import BodySearch, places
from pixie_runtime.rates import Rates
from pixie_runtime.types import Float32, Frame, PersonLandmarks, UInt8
from tests.runtime.landmarks.footage import frames_of

CLIP = "pose2sim_SinglePerson_cam02.mp4"
WIDTH, HEIGHT = 544, 960
LATER = 30
"""By how many frames the man on the right is ahead of the one on the left."""
GREY = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)


@pytest.fixture(scope="module")
def models() -> Iterator[LandmarkModels]:
    models = LandmarkModels.shipped()
    yield models
    models.close()


def man(count: int, first: int = 0) -> list[UInt8]:
    """Return his pictures, half as large as they were taken."""
    frames = frames_of(CLIP, 100)[first : first + count]
    return [
        np.asarray(cv2.resize(frame, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
        for frame in frames
    ]


def lefts(count: int) -> list[UInt8]:
    return [np.ascontiguousarray(image[:, ::-1]) for image in man(count)]


def rights(count: int) -> list[UInt8]:
    return man(count, LATER)


def beside(left: UInt8, right: UInt8) -> UInt8:
    return np.concatenate([left, right], axis=1)


def watch(
    crowd: Crowd, images: Sequence[UInt8], *, start_s: float = 0.0, fps: float = 60.0
) -> list[dict[int, PersonLandmarks]]:
    """Return who is seen in each picture, by number."""
    frames = (
        Frame(index, start_s + index / fps, 0, image)
        for index, image in enumerate(images)
    )
    return [in_view(crowd.detect_people(frame)) for frame in frames]


def in_view(sightings: Sequence[Sighting]) -> dict[int, PersonLandmarks]:
    return {one.track_id: one.landmarks for one in sightings if one.landmarks.pose}


def body(person: PersonLandmarks) -> Float32:
    assert person.pose is not None
    return person.pose.image[:, :2]


def side(person: PersonLandmarks) -> str:
    return "left" if np.median(body(person)[:, 0]) < WIDTH else "right"


def test_each_of_two_people_is_seen_as_if_alone(models: LandmarkModels) -> None:
    left, right = lefts(12), rights(12)
    seen = watch(Crowd(2, models=models), list(map(beside, left, right)))
    assert [set(people) for people in seen] == [{0, 1}] * 12
    numbers = {side(person): number for number, person in seen[0].items()}
    assert set(numbers) == {"left", "right"}
    for clip, name, offset in ((left, "left", 0), (right, "right", WIDTH)):
        alone = PixieLandmarker(models=models)
        apart = []
        for index, image in enumerate(clip):
            expected = alone.detect(Frame(index, index / 60, 0, image))
            found = seen[index][numbers[name]]
            assert side(found) == name
            away = body(found) - [offset, 0] - body(expected)
            apart.append(np.linalg.norm(away, axis=1) / np.ptp(body(expected)[:, 1]))
        assert np.median(apart) < 0.02
        assert np.percentile(apart, 95) < 0.1


def test_no_more_people_are_followed_than_were_asked_for(
    models: LandmarkModels,
) -> None:
    both = list(map(beside, lefts(6), rights(6)))
    seen = watch(Crowd(1, models=models), both)
    assert [set(people) for people in seen] == [{0}] * 6
    assert len({side(people[0]) for people in seen}) == 1


def test_one_body_is_one_person_however_many_are_looked_for(
    models: LandmarkModels,
) -> None:
    seen = watch(Crowd(4, models=models), man(40))
    assert [set(people) for people in seen] == [{0}] * 40


def test_who_comes_later_is_found_and_the_first_keeps_his_number(
    models: LandmarkModels,
) -> None:
    left, right = lefts(40), rights(40)
    seen = watch(
        Crowd(2, models=models),
        [
            beside(a, b if i >= 10 else GREY)
            for i, (a, b) in enumerate(zip(left, right, strict=True))
        ],
    )
    assert all(set(people) == {0} for people in seen[:10])
    assert all(side(people[0]) == "left" for people in seen)
    assert set(seen[-1]) == {0, 1}
    assert side(seen[-1][1]) == "right"


def test_who_is_there_for_two_frames_is_nobody(models: LandmarkModels) -> None:
    left, right = lefts(24), rights(24)
    images = [
        beside(a, b if i >= 2 and i % 6 < 2 else GREY)
        for i, (a, b) in enumerate(zip(left, right, strict=True))
    ]
    seen = watch(Crowd(2, models=models), images, fps=10)
    assert [set(people) for people in seen] == [{0}] * 24


@pytest.mark.parametrize(("away_s", "is_known"), [(3.0, True), (11.0, False)])
def test_who_comes_back_within_ten_seconds_is_the_same_person(
    models: LandmarkModels, away_s: float, is_known: bool
) -> None:
    left, right = lefts(24), rights(24)
    both = list(map(beside, left, right))
    crowd = Crowd(2, models=models)
    before = watch(crowd, both[:4])[-1]
    numbers = {side(person): number for number, person in before.items()}
    without = watch(crowd, [beside(image, GREY) for image in left[4:8]], start_s=1.0)
    assert set(without[-1]) == {numbers["left"]}
    after = watch(crowd, both[8:], start_s=1.0 + away_s)[-1]
    assert {side(person): number for number, person in after.items()} == {
        "left": numbers["left"],
        "right": numbers["right"] if is_known else 2,
    }


def test_who_was_hidden_by_somebody_passing_gets_his_number_back(
    models: LandmarkModels,
) -> None:
    (standing,), (walker,) = rights(1), lefts(1)
    images = []
    for index in range(60):
        image = beside(beside(GREY, standing), GREY)
        x = round(np.interp(index, (0, 59), (0, 2 * WIDTH)))
        image[:, x + 60 : x + WIDTH - 60] = walker[:, 60:-60]
        images.append(image)
    seen = watch(Crowd(2, models=models), images, fps=30)
    assert set(seen[0]) == set(seen[-1]) == {0, 1}

    def x_of(people: dict[int, PersonLandmarks]) -> dict[int, float]:
        return {number: float(np.median(body(p)[:, 0])) for number, p in people.items()}

    first, last = x_of(seen[0]), x_of(seen[-1])
    walks = min(first, key=lambda number: first[number])
    assert last[walks] - first[walks] > 1.5 * WIDTH
    assert abs(last[1 - walks] - first[1 - walks]) < 0.1 * WIDTH


def test_after_a_reset_the_next_picture_is_the_first(models: LandmarkModels) -> None:
    crowd = Crowd(2, models=models)
    image = beside(lefts(1)[0], rights(1)[0])
    (first,) = watch(crowd, [image])
    crowd.reset()
    (again,) = watch(crowd, [image], start_s=1.0)
    assert set(first) == set(again) == {0, 1}
    for number, person in first.items():
        np.testing.assert_array_equal(body(person), body(again[number]))


def test_with_nobody_there_is_one_empty_sighting(models: LandmarkModels) -> None:
    crowd = Crowd(2, models=models)
    for index in range(3):
        (sighting,) = crowd.detect_people(Frame(index, index / 30, 0, GREY))
        assert sighting.landmarks.is_empty
        assert sighting.track_id == 0


def test_whoever_comes_first_is_number_0_however_late(models: LandmarkModels) -> None:
    seen = watch(Crowd(2, models=models), [np.zeros_like(man(1)[0])] * 5 + man(3))
    assert [set(people) for people in seen] == [set()] * 5 + [{0}] * 3


def test_whose_hand_was_seen_first_keeps_his_number_when_his_body_comes(
    models: LandmarkModels,
) -> None:
    (picture,) = frames_of("fingerpose_nocurl.jpg")
    crowd = Crowd(2, models=models)
    (hand,) = crowd.detect_people(Frame(0, 0.0, 0, picture))
    alone = PixieLandmarker(models=models).detect(Frame(0, 0.0, 0, picture))
    assert alone.pose is None
    for side_of_it in ("left_hand", "right_hand"):
        expected, found = (getattr(one, side_of_it) for one in (alone, hand.landmarks))
        assert (expected is None) == (found is None)
        if expected is not None:
            np.testing.assert_array_equal(found.image, expected.image)
    assert not hand.landmarks.is_empty
    seen = watch(crowd, man(3), start_s=0.1)
    assert hand.track_id == 0
    assert [set(people) for people in seen] == [{0}] * 3


def test_between_two_looks_both_move_along(models: LandmarkModels) -> None:
    both = list(map(beside, lefts(9), rights(9)))
    seen = watch(Crowd(2, models=models, rates=Rates(landmarks=3)), both)
    assert [set(people) for people in seen] == [{0, 1}] * 9


def test_somebody_small_in_a_wide_picture_is_found_in_a_part_of_it(
    models: LandmarkModels,
) -> None:
    wide = np.full((900, 1600, 3), 120, np.uint8)
    (picture,) = frames_of(CLIP, 1)
    small = cv2.resize(picture, (294, 520), interpolation=cv2.INTER_AREA)
    wide[360:880, 1206:1500] = small
    search = BodySearch(models)
    assert search.find_in(places(wide)[0], wide) == []
    (region, *_) = search.find(wide)
    assert 1206 < region.x < 1500
    assert 360 < region.y < 880


@pytest.mark.parametrize(
    ("width", "height", "parts"),
    [
        (640, 640, 4),
        (1000, 1200, 4),
        (640, 480, 3),
        (1920, 1080, 3),
        (1080, 1920, 3),
        (5000, 1000, 7),
        (40_000, 2, 7),
    ],
)
def test_parts_cover_the_picture(width: int, height: int, parts: int) -> None:
    whole, *rest = places(np.zeros((height, width, 3), np.uint8))
    assert (whole.x, whole.y, whole.size) == (width / 2, height / 2, max(width, height))
    assert len(rest) == parts
    random = np.random.default_rng(0)
    for x, y in random.uniform((0, 0), (width, height), (200, 2)):
        halves = [(abs(p.x - x), abs(p.y - y), p.size / 2) for p in rest]
        assert any(max(dx, dy) <= half + 1e-6 for dx, dy, half in halves)
