"""The first pass: the teacher looks at the footage, and its lessons are kept."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from pixie_runtime.errors import SourceError, UsageError
from pixie_runtime.landmarks import Landmarker
from pixie_runtime.types import Frame
from pixie_train.distillation.footage import Footage, looked_at
from pixie_train.distillation.lesson import Lesson
from pixie_train.distillation.store import LessonFolder, Looked
from pixie_train.distillation.teacher import Teacher, fingerprint

Report = Callable[[str, int, int], None]
"""Told the footage's name, pictures looked at and people found in it so far."""


@dataclass(frozen=True)
class LookOptions:
    """How the teacher looks at footage."""

    every: int = 5
    """Of a video it looks at every so-manieth picture: neighbours are much alike, and
    a lesson takes 0.6 MB."""
    chunk: int = 32
    """Pictures that go into one file, at the beginning of which the teacher forgets the
    person; a stopped pass begins again at the first file that is missing."""

    def __post_init__(self) -> None:
        """Refuse to look at nothing."""
        for name in ("every", "chunk"):
            if getattr(self, name) < 1:
                found = getattr(self, name)
                raise UsageError(f"--{name} is {found}; expected 1 or more")


def watch(
    teacher: Teacher,
    landmarker: Landmarker,
    footage: Sequence[Footage],
    folder: Path,
    options: LookOptions | None = None,
    report: Report = lambda name, frames, people: None,
) -> tuple[LessonFolder, tuple[Looked, ...]]:
    """Keep the teacher's lessons about the footage; goes on where it was stopped.

    Args:
        teacher: gives them.
        landmarker: finds the person for it.
        footage: what to look at; more may be added to a store later.
        folder: the store.
        options: which pictures.
        report: see `Report`.

    Returns:
        The store, and what came of each piece of footage.

    Raises:
        UsageError: the store is of another teacher.
        SourceError: the footage cannot be decoded, or nobody is in any of it.
        SinkError: the store cannot be written.
    """
    options = options or LookOptions()
    store = LessonFolder(folder, described(teacher, options), teacher.sizes)
    looked = tuple(
        store.finished(piece.key)
        or _watch(teacher, landmarker, piece, store, options, report)
        for piece in footage
    )
    if not any(piece.people for piece in looked):
        frames = sum(piece.frames for piece in looked)
        names = ", ".join(piece.path.name for piece in footage)
        raise SourceError(
            f"nobody was found in the {frames} pictures looked at of {names}; give "
            "footage of one person who can be seen, at least 100 pixels high"
        )
    return store, looked


def described(teacher: Teacher, options: LookOptions) -> dict[str, object]:
    """Return what lessons depend on, as JSON has it."""
    manifest = teacher.bundle.manifest
    return {
        "teacher": manifest.name,
        "teacher_sha256": fingerprint(teacher.bundle),
        "body_model": manifest.body_model.name,
        "body_model_sha256": manifest.body_model.sha256,
        "sizes": asdict(teacher.sizes),
        "attention": teacher.attention,
        "rules": asdict(teacher.rules),
        "every": options.every,
        "chunk": options.chunk,
    }


def _watch(
    teacher: Teacher,
    landmarker: Landmarker,
    footage: Footage,
    store: LessonFolder,
    options: LookOptions,
    report: Report,
) -> Looked:
    there = store.chunks(footage.key)
    every = 1 if footage.unrelated else options.every
    frames, people = 0, store.count(footage.key) if there else 0
    chunk, lessons = -1, list[Lesson]()
    with closing(footage.open()) as source:
        for number, frame in looked_at(source, every):
            if number // options.chunk != chunk:
                _keep(store, footage, chunk, lessons, there)
                chunk, lessons = number // options.chunk, []
                _forget(teacher, landmarker)
            frames += 1
            if chunk in there:
                continue
            if footage.unrelated:
                _forget(teacher, landmarker)
            lesson = _lesson(teacher, landmarker, frame)
            if lesson is not None:
                lessons.append(lesson)
            people += lesson is not None
            report(footage.path.name, frames, people)
        _keep(store, footage, chunk, lessons, there)
        looked = Looked(frames, people, source.warning)
    store.finish(footage.key, looked)
    return looked


def _lesson(teacher: Teacher, landmarker: Landmarker, frame: Frame) -> Lesson | None:
    return teacher.look(landmarker.detect(frame), frame)


def _keep(
    store: LessonFolder,
    footage: Footage,
    chunk: int,
    lessons: list[Lesson],
    there: set[int],
) -> None:
    if chunk >= 0 and chunk not in there:
        store.write(footage.key, chunk, lessons)


def _forget(teacher: Teacher, landmarker: Landmarker) -> None:
    teacher.reset()
    landmarker.reset()
