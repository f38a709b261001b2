"""A teacher's lessons about footage, as they are kept."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixie_runtime.bundle import Bundle, embedded_bundle
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.errors import BundleError, SinkError, SourceError, UsageError
from pixie_runtime.landmarks import Landmarker
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.sources.opening import demo_clip
from pixie_train.distillation.footage import Footage, find_footage
from pixie_train.distillation.lesson import HEAD, LEFT, RIGHT, Lesson
from pixie_train.distillation.store import Lessons
from pixie_train.distillation.teacher import Teacher
from pixie_train.distillation.watching import LookOptions, watch
from tests.runtime.full_disk import file_size_limit

PHOTO = Path(__file__).parents[1] / "footage" / "skimage_astronaut.png"
LOOK = LookOptions(every=25, chunk=2)


@pytest.fixture(scope="module")
def teacher(tiny_bundle: Path) -> Iterator[Teacher]:
    with Teacher(Bundle.open(tiny_bundle)) as teacher:
        yield teacher


@pytest.fixture(scope="module")
def landmarker() -> Iterator[Landmarker]:
    landmarker = PixieLandmarker()
    yield landmarker
    landmarker.close()


@pytest.fixture(scope="module")
def footage() -> Sequence[Footage]:
    return find_footage([demo_clip(), PHOTO])


@pytest.fixture(scope="module")
def store(
    teacher: Teacher,
    landmarker: Landmarker,
    footage: Sequence[Footage],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp("lessons")
    _, looked = watch(teacher, landmarker, footage, folder, LOOK)
    assert [(one.frames, one.people) for one in looked] == [(4, 4), (1, 1)]
    return folder


def lessons_in(
    folder: Path, footage: Sequence[Footage], teacher: Teacher
) -> list[Lesson]:
    lessons = Lessons.of([folder / piece.key for piece in footage], teacher.sizes)
    return [lessons[number] for number in range(len(lessons))]


def test_lessons_are_what_the_networks_say_of_the_crops_that_are_kept(
    teacher: Teacher, footage: Sequence[Footage], store: Path
) -> None:
    found = lessons_in(store, footage, teacher)
    assert len(found) == 5
    for lesson in found:
        crops = lesson.crops.astype(np.float32) / 255
        head, left, right = (lesson.present > 0).tolist()
        assert lesson.crops[0].std() > 1
        expected = np.zeros_like(lesson.features)
        for network, output, places in (
            ("body", "F_b", [0]),
            ("head", "F_f", [HEAD] * head),
            ("hand", "F_h", [LEFT] * left + [RIGHT] * right),
        ):
            if places:
                with OnnxRuntimeEngine(teacher.bundle.path_of(network)) as engine:
                    expected[places] = engine.infer({"image": crops[places]})[output]
        np.testing.assert_allclose(lesson.features, expected, atol=1e-5)
        F_b, F_f, F_left, F_right = (feature[None] for feature in lesson.features)
        with OnnxRuntimeEngine(teacher.bundle.path_of("fuse")) as engine:
            fused = engine.infer(
                {
                    "F_b": F_b,
                    "F_f": F_f,
                    "F_left": F_left,
                    "F_right": F_right,
                    "present": lesson.present[None],
                    "rules": teacher.rules.row()[None],
                }
            )
        np.testing.assert_array_equal(lesson.rotations, fused["rotations"][0])
        np.testing.assert_array_equal(lesson.weights, fused["moderator_weights"][0])


def test_a_pass_that_was_stopped_ends_with_the_same_files(
    teacher: Teacher,
    landmarker: Landmarker,
    footage: Sequence[Footage],
    store: Path,
    tmp_path: Path,
) -> None:
    def stop(name: str, frames: int, people: int) -> None:
        if frames == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch(teacher, landmarker, footage[:1], tmp_path, LOOK, stop)
    assert len(lessons_in(tmp_path, footage[:1], teacher)) == 2
    # Whatever the landmarker has seen in between.
    watch(teacher, landmarker, footage[1:], tmp_path, LOOK)
    watch(teacher, landmarker, footage, tmp_path, LOOK)

    def contents(folder: Path) -> dict[str, bytes]:
        files = (path for path in folder.rglob("*") if path.is_file())
        return {str(p.relative_to(folder)): p.read_bytes() for p in files}

    assert contents(tmp_path) == contents(store)


def test_lessons_of_another_teacher_or_taken_otherwise_are_not_mixed(
    teacher: Teacher,
    landmarker: Landmarker,
    footage: Sequence[Footage],
    store: Path,
    tmp_path: Path,
) -> None:
    with pytest.raises(UsageError, match="taken otherwise \\(every 25, not 5\\)"):
        watch(teacher, landmarker, footage, store, replace(LOOK, every=5))
    manifest = replace(teacher.bundle.manifest, name="other", sha256={"body": "0"})
    teacher.bundle, bundle = Bundle(tmp_path, manifest), teacher.bundle
    try:
        with pytest.raises(UsageError, match="another teacher, tiny, not of"):
            watch(teacher, landmarker, footage, store, LOOK)
    finally:
        teacher.bundle = bundle


def test_what_looks_at_landmarks_has_nothing_to_teach_about_pictures() -> None:
    with pytest.raises(BundleError, match="a bundle that looks at landmarks; expected"):
        Teacher(embedded_bundle())


def test_footage_that_cannot_be_used_is_told_before_anything_is_done(
    tmp_path: Path,
) -> None:
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(bytes(range(256)) * 8)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    for path, sentence in (
        (noise, "cannot read .*noise.mp4 as a video"),
        (broken, "cannot decode the picture .*broken.png"),
        (tmp_path / "none.mp4", "there is no footage .*none.mp4"),
    ):
        with pytest.raises(SourceError, match=sentence):
            find_footage([demo_clip(), path])
    with pytest.raises(UsageError, match="is there twice"):
        find_footage([PHOTO, PHOTO])
    with pytest.raises(UsageError, match="no --footage"):
        find_footage([])


def test_footage_without_a_person_is_told(
    teacher: Teacher, landmarker: Landmarker, tmp_path: Path
) -> None:
    grey = tmp_path / "grey.png"
    cv2.imwrite(str(grey), np.full((64, 64, 3), 128, np.uint8))
    with pytest.raises(SourceError, match=r"nobody was found in the 1 pictures.*grey"):
        watch(teacher, landmarker, find_footage([grey]), tmp_path / "lessons")


def test_a_full_disk_is_told_and_half_a_file_is_not_kept(
    teacher: Teacher, landmarker: Landmarker, tmp_path: Path
) -> None:
    with (
        file_size_limit(1000),
        pytest.raises(SinkError, match=r"cannot keep lessons in .*make room"),
    ):
        watch(teacher, landmarker, find_footage([PHOTO]), tmp_path)
    assert not list(tmp_path.rglob("*.npy*"))


def test_a_damaged_file_of_lessons_is_named(
    teacher: Teacher, footage: Sequence[Footage], store: Path, tmp_path: Path
) -> None:
    folder = tmp_path / footage[1].key
    folder.mkdir()
    whole = (store / footage[1].key / "00000000.npy").read_bytes()
    (folder / "00000000.npy").write_bytes(whole[:-1])
    with pytest.raises(SourceError, match=r"00000000\.npy is not a whole file"):
        Lessons.of([folder], teacher.sizes)
