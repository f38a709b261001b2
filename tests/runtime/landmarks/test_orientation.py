from collections.abc import Callable

import numpy as np
import pytest

from pixie_runtime.landmarks.orientation import (
    MIRRORED,
    SideKeeper,
    frontality,
    swapped,
)
from pixie_runtime.types import PoseLandmarks
from tests.runtime.landmarks.bodies import body_at

FPS = 30


def no_second_look() -> PoseLandmarks | None:
    return None


def follow(
    answer: Callable[[int], PoseLandmarks],
    frames: int,
    *,
    hands_agree: Callable[[PoseLandmarks], tuple[float, ...]] = lambda pose: (),
    has_face: bool = False,
    fps: float = FPS,
) -> list[PoseLandmarks]:
    """Run a keeper over what a network answers; return the bodies as they come out."""
    keeper = SideKeeper()
    bodies = []
    for index in range(frames):
        pose = keeper.settle(answer(index), index / fps, no_second_look)
        if keeper.weigh(hands_agree=hands_agree(pose), has_face=has_face):
            pose = swapped(pose)
        bodies.append(pose)
    return bodies


def faces_camera(pose: PoseLandmarks) -> bool:
    return bool(pose.image[11, 0] > pose.image[12, 0])


def test_mirroring_twice_changes_nothing() -> None:
    np.testing.assert_array_equal(MIRRORED[MIRRORED], np.arange(33))
    body = body_at(0.3)
    again = swapped(swapped(body))
    np.testing.assert_array_equal(again.image, body.image)
    np.testing.assert_array_equal(again.world, body.world)


def test_swapped_body_has_the_same_outline_and_the_other_front() -> None:
    body = body_at(0.3)
    other = swapped(body)
    before, after = (np.sort(b.image[:, 0]) for b in (body, other))
    np.testing.assert_array_equal(before, after)
    assert frontality(body) > 0.5
    assert frontality(other) == pytest.approx(-frontality(body))


def test_network_that_is_right_is_left_alone() -> None:
    found = follow(lambda i: body_at(i / FPS), 90)
    for index, pose in enumerate(found):
        np.testing.assert_array_equal(pose.image, body_at(index / FPS).image)


def test_one_swapped_frame_is_put_back() -> None:
    def answer(index: int) -> PoseLandmarks:
        body = body_at(index / FPS)
        return swapped(body) if index == 20 else body

    found = follow(answer, 40)
    np.testing.assert_allclose(found[20].world, body_at(20 / FPS).world, atol=1e-6)
    assert all(map(faces_camera, found))


def test_swaps_at_random_are_put_back() -> None:
    wrong = np.random.default_rng(3).random(300) < 0.3
    wrong[:15] = False

    def answer(index: int) -> PoseLandmarks:
        body = body_at(index / FPS)
        return swapped(body) if wrong[index] else body

    assert all(map(faces_camera, follow(answer, 300)))


def test_second_of_swapped_frames_is_put_back() -> None:
    def answer(index: int) -> PoseLandmarks:
        body = body_at(index / FPS)
        return swapped(body) if 60 <= index < 90 else body

    assert all(map(faces_camera, follow(answer, 150)))


def test_hands_that_know_better_outlast_a_network_that_stays_wrong() -> None:
    def answer(index: int) -> PoseLandmarks:
        body = body_at(index / FPS)
        return swapped(body) if index >= 30 else body

    found = follow(
        answer, 300, hands_agree=lambda p: (0.95, 0.9) if faces_camera(p) else (0.1,)
    )
    assert all(map(faces_camera, found))


def test_wrong_beginning_is_mended_within_a_second() -> None:
    def answer(index: int) -> PoseLandmarks:
        body = body_at(index / FPS)
        return swapped(body) if index < 3 else body

    found = follow(answer, 60)
    assert not faces_camera(found[2])
    assert all(map(faces_camera, found[30:]))


def test_face_on_the_back_of_a_body_turns_it_round() -> None:
    found = follow(lambda i: swapped(body_at(i / FPS)), 60, has_face=True)
    assert all(map(faces_camera, found[30:]))


@pytest.mark.parametrize("fps", [15.0, 30.0, 60.0])
def test_person_who_turns_round_is_followed(fps: float) -> None:
    def answer(index: int) -> PoseLandmarks:
        turn = np.clip((index / fps - 1.0) * np.pi, 0, np.pi)
        return body_at(index / fps, turn=float(turn))

    found = follow(answer, int(3 * fps), fps=fps)
    assert all(map(faces_camera, found[: int(fps)]))
    assert not any(map(faces_camera, found[-int(fps) // 2 :]))
    for index, pose in enumerate(found):
        np.testing.assert_array_equal(pose.image, answer(index).image)


def test_person_back_after_a_gap_is_taken_as_it_comes() -> None:
    keeper = SideKeeper()
    keeper.settle(body_at(0), 0.0, no_second_look)
    back = body_at(2.0, turn=np.pi)
    assert keeper.settle(back, 2.0, no_second_look) is back


def test_answer_out_of_place_calls_for_a_second_look() -> None:
    keeper = SideKeeper()
    for index in range(10):
        keeper.settle(body_at(index / FPS), index / FPS, no_second_look)
    good = body_at(10 / FPS)
    broken = PoseLandmarks(
        image=good.image[::-1].copy(),
        world=good.world,
        visibility=good.visibility,
        presence=good.presence * np.float32(0.3),
        score=1.0,
    )
    assert keeper.settle(broken, 10 / FPS, lambda: good) is good


def test_ordinary_frames_get_no_second_look() -> None:
    def refuse() -> PoseLandmarks | None:
        raise AssertionError("asked for a second look")

    keeper = SideKeeper()
    for index in range(30):
        keeper.settle(body_at(index / FPS), index / FPS, refuse)


def test_times_that_stand_still_or_run_back_are_survived() -> None:
    keeper = SideKeeper()
    for time_s in (0.0, 0.0, -5.0, 0.1):
        body = body_at(0)
        assert keeper.settle(body, time_s, no_second_look) is body
