import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixie_runtime import rotations as rot
from pixie_runtime.body import embedded_body_model
from pixie_runtime.errors import SinkError
from pixie_runtime.rotations import angle_between
from pixie_runtime.sinks import Sink, Tick
from pixie_runtime.sinks.results import PictureResults
from pixie_runtime.takes import load_take
from pixie_runtime.types import (
    Camera,
    Frame,
    PartConfidence,
    Person,
    SmplxParams,
    UInt8,
)

MODEL = embedded_body_model()
GREEN = (30, 120, 30)


def somebody(index: int = 0, size: tuple[int, int] = (161, 121)) -> Person:
    random = np.random.default_rng(index)
    params = SmplxParams(
        betas=random.normal(size=MODEL.n_betas).astype(np.float32),
        expression=random.normal(size=MODEL.n_expression).astype(np.float32),
        rotations=rot.from_rotvec(random.normal(0, 0.2, (55, 3))).astype(np.float32),
        transl=np.array([0, 0, 3], np.float32),
    )
    params.rotations[0] = rot.from_rotvec(np.array([np.pi, 0, 0], np.float32))
    shaped = MODEL.shaped(params.betas, params.expression)
    return Person(
        track_id=0,
        frame_index=index,
        timestamp_s=index / 30,
        params=params,
        joints=shaped.posed(params.rotations, params.transl).joints,
        confidence=PartConfidence(0.9, 0.8, 0.7, 0.6),
        camera=Camera.with_field_of_view(*size, 60),
    )


def seen(name: str, *people: Person, size: tuple[int, int] = (161, 121)) -> Tick:
    image = np.full((size[1], size[0], 3), GREEN, np.uint8)
    index = people[0].frame_index if people else 0
    return Tick(Frame(index, index / 30, 0, image, name), people)


def picture(path: Path) -> UInt8:
    bgr = cv2.imread(str(path))
    assert bgr is not None
    return np.asarray(bgr[..., ::-1], np.uint8)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_picture_s_person_can_be_read_back_as_a_take_of_one_frame(
    tmp_path: Path,
) -> None:
    person = somebody(4)
    sink: Sink = PictureResults(tmp_path / "results", MODEL)
    sink.send(seen("größe 人.png", person))
    sink.close()

    path = tmp_path / "results" / "größe 人.npz"
    take = load_take(path)
    read = take.person(0)
    assert len(take) == 1
    assert (read.frame_index, read.camera) == (4, person.camera)
    np.testing.assert_array_equal(take.betas, person.params.betas)
    np.testing.assert_array_equal(read.params.expression, person.params.expression)
    np.testing.assert_array_equal(read.joints, person.joints)
    np.testing.assert_allclose(read.params.transl, person.params.transl, atol=1e-5)
    turned = angle_between(read.params.rotations, person.params.rotations)
    assert turned.max() < 2e-3  # single-precision arc cosine
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["picture"] == "größe 人.png"
    assert sink.dropped == 0


def test_the_drawn_body_is_in_the_picture_pixel_for_pixel(tmp_path: Path) -> None:
    sink = PictureResults(tmp_path, MODEL)
    for name, size in (("wide.png", (161, 121)), ("tall.png", (60, 301))):
        person = somebody(0, size)
        sink.send(seen(name, person, size=size))
        drawn = picture(tmp_path / name.replace("png", "jpg"))
        assert drawn.shape == (size[1], size[0], 3)
        x, y = person.camera.project(person.joints[3]).astype(int)
        assert np.abs(drawn[y, x].astype(int) - GREEN).max() > 60
        assert np.abs(drawn[0, 0].astype(int) - GREEN).max() < 12


def test_a_huge_picture_is_drawn_over_in_a_size_that_memory_bears(
    tmp_path: Path,
) -> None:
    size = (6000, 300)
    person = somebody(0, size)
    PictureResults(tmp_path, MODEL).send(seen("a.png", person, size=size))
    drawn = picture(tmp_path / "a.jpg")
    assert drawn.shape == (205, 4096, 3)
    x, y = (person.camera.project(person.joints[3]) * 4096 / 6000).astype(int)
    assert np.abs(drawn[y, x].astype(int) - GREEN).max() > 60
    assert load_take(tmp_path / "a.npz").camera == person.camera


def test_a_picture_without_a_person_gets_no_file_and_is_told(tmp_path: Path) -> None:
    sink = PictureResults(tmp_path, MODEL, unread=lambda: 2)
    (tmp_path / "b.npz").write_bytes(b"from yesterday")
    for name, people in (("a.png", (somebody(),)), ("b.png", ()), ("c.png", ())):
        sink.send(seen(name, *people))
    sink.close()

    assert files(tmp_path) == {"a.npz", "a.jpg", "b.npz"}
    assert (tmp_path / "b.npz").read_bytes() == b"from yesterday"
    assert sink.warnings == (
        "nobody was found in b.png, c.png: nothing is written",
        "from an earlier run, left as they are: b.npz",
    )
    assert sink.summary == (
        f"results: {tmp_path} (5 pictures: 1 person written, nobody in 2, "
        "2 skipped, unreadable)"
    )


def test_pictures_that_differ_in_their_ending_or_case_keep_their_own_results(
    tmp_path: Path,
) -> None:
    sink = PictureResults(tmp_path, MODEL)
    names = ("a.jpg", "a.png", "A.PNG", "a.png.webp", "b.png")
    for index, name in enumerate(names):
        sink.send(seen(name, somebody(index)))
    expected = ("a", "a.png", "A.PNG-2", "a.png.webp", "b")
    for index, name in enumerate(expected):
        assert load_take(tmp_path / f"{name}.npz").frames[0] == index
    assert len({name.casefold() for name in files(tmp_path)}) == 2 * len(names)


def test_several_people_of_one_picture_all_have_their_file(tmp_path: Path) -> None:
    sink = PictureResults(tmp_path, MODEL)
    sink.send(seen("a.png", somebody(1), replace(somebody(2), track_id=5)))
    assert files(tmp_path) == {"a.npz", "a.person5.npz", "a.jpg"}
    assert "(1 picture: 2 people written)" in sink.summary


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes, as on a disk that is almost full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [100, 6800])
def test_a_full_disk_costs_nothing_that_was_written(tmp_path: Path, size: int) -> None:
    """At 100 bytes the parameters do not fit, at 6800 they do and the picture not."""
    sink = PictureResults(tmp_path, MODEL)
    sink.send(seen("a.png", somebody(0)))
    sink.send(seen("b.png", somebody(1)))
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    again = Tick(Frame(1, 1 / 30, 0, noise, "c.png"), (somebody(2, (640, 480)),))

    with disk_of(size), pytest.raises(SinkError) as caught:
        sink.send(again)
    sink.close()

    assert "c.npz" in str(caught.value) if size == 100 else "c.jpg" in str(caught.value)
    assert "File too large; what was written before it is whole" in str(caught.value)
    after = {name: (tmp_path / name).read_bytes() for name in before}
    assert after == before
    assert not [name for name in files(tmp_path) if name.endswith(".tmp")]


def test_results_of_an_earlier_run_are_replaced_when_the_new_ones_are_whole(
    tmp_path: Path,
) -> None:
    for index in (0, 1):
        PictureResults(tmp_path, MODEL).send(seen("a.png", somebody(index)))
    assert load_take(tmp_path / "a.npz").frames[0] == 1
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    third = Tick(Frame(2, 0, 0, noise, "a.png"), (somebody(2, (640, 480)),))
    drawn = (tmp_path / "a.jpg").read_bytes()
    with disk_of(6800), pytest.raises(SinkError):
        PictureResults(tmp_path, MODEL).send(third)
    assert (tmp_path / "a.jpg").read_bytes() == drawn


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder, sentence in (
        (tmp_path / "no" / "where", "there is no folder .*no; make it first"),
        (tmp_path / "file", "it is a file; name a folder"),
        (Path("/proc/results"), "cannot write results to /proc/results: "),
    ):
        with pytest.raises(SinkError, match=sentence):
            PictureResults(folder, MODEL)
