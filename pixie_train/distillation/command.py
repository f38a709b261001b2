"""`pixie-train distil`."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from tqdm import tqdm

from pixie_runtime.body import BodyModel
from pixie_runtime.bundle import Bundle
from pixie_runtime.engine_kinds import EngineKind
from pixie_runtime.engines.choosing import choose
from pixie_runtime.errors import UsageError
from pixie_runtime.fusion_rules import FusionRules
from pixie_runtime.landmarks.models import LandmarkModels
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.part_experts import Attention
from pixie_runtime.wording import counted
from pixie_train.checkpoint_file import LAST
from pixie_train.distillation.config import DistilConfig
from pixie_train.distillation.curves import DISTANCE, compared, draw
from pixie_train.distillation.footage import Footage, find_footage
from pixie_train.distillation.loop import distil
from pixie_train.distillation.state import DistilState, Lectures
from pixie_train.distillation.store import LessonFolder, Lessons, Looked
from pixie_train.distillation.student import student_config
from pixie_train.distillation.teacher import Teacher, fingerprint, require_image
from pixie_train.distillation.watching import LookOptions, watch
from pixie_train.output_files import made_folder
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.config import Machine
from pixie_train.picture_training.log import BOARD, CSV, PLOT


@dataclass(frozen=True)
class DistilOptions:
    """Teach a small image network what a large one says of your footage.

    First the teacher looks at the footage, then the student learns. Stopped, the same
    command goes on.
    """

    teacher: Path
    """An image bundle."""
    footage: tyro.conf.UseAppendAction[tuple[Path, ...]] = ()
    """A video, a picture or a folder of pictures, of one person each; may be given
    several times."""
    out: Path = Path("runs/distilled")
    """Folder of the run."""
    lessons: Path | None = None
    """Folder for what the teacher saw and said; runs may share it. Default: `lessons`
    in the run's folder."""
    engine: EngineKind = "onnxruntime"
    """What runs the teacher and the landmarks."""
    attention: Attention = "tracked"
    """How the teacher finds head and hands, as in `pixie-live`."""
    utilities: Path | None = None
    """Folder of the release's key point files, for its body model."""
    look: Annotated[LookOptions, tyro.conf.arg(name="")] = field(
        default_factory=LookOptions
    )
    """What the teacher looks at."""
    machine: Annotated[Machine, tyro.conf.arg(name="")] = field(default_factory=Machine)
    """How the student is computed."""
    config: Annotated[DistilConfig, tyro.conf.arg(name="")] = field(
        default_factory=DistilConfig
    )
    """The student and how it learns."""


@dataclass(frozen=True, eq=False)
class _Material:
    """What came of the first pass."""

    lessons: Lessons
    lectures: Lectures
    model: BodyModel
    rules: FusionRules


def run_distil(options: DistilOptions, say: Callable[[str], None] = tqdm.write) -> str:
    """Let the teacher look and the student learn; returns what to tell the user.

    Raises:
        PixieError: teacher, footage or a folder cannot be used.
    """
    config = options.config
    if options.machine.processes != 1:
        raise UsageError(
            f"--processes is {options.machine.processes}, but a student learns in one "
            "process; leave it out"
        )
    material = _look(options, say)
    core = student_config(config.student, material.lessons.sizes).core
    body = TrainingBody.of(material.model, core, utilities=options.utilities)

    def show(state: DistilState) -> None:
        draw(state.history, options.out)

    with tqdm(total=config.steps, unit="step", smoothing=0.05) as bar:

        def report(step: int, figures: dict[str, float]) -> None:
            if bar.n == 0:  # what an earlier run did is no work of this one's
                bar.initial = bar.n = max(0, step - config.log_every)
            bar.update(step - bar.n)
            if "loss" in figures:
                bar.set_postfix(loss=f"{figures['loss']:.3f}")
            if held_out := compared(figures):
                shown = ", ".join(f"{n} {v:.3g}" for n, v in held_out.items())
                say(f"step {step}: {shown}")

        state = distil(
            config,
            material.lessons,
            material.lectures,
            body,
            options.out,
            report,
            machine=options.machine,
            rules=material.rules,
            saved=show,
        )
    first, last = (compared(state.history[at]) for at in (0, -1))
    rows = "\n".join(f"  {n:<12}{v:>10.3f}{last[n]:>10.3f}" for n, v in first.items())
    out = options.out
    path = out / LAST
    return (
        f"distance to {material.lectures.teacher} on people held out, of its mean "
        f"answer and of the student:\n{rows}\n"
        f"checkpoint: {path}, {state.step} steps\n"
        f"log: {out / CSV}, {out / PLOT}, {out / DISTANCE}\n"
        f"curves: tensorboard --logdir {out / BOARD}\n"
        f"next: pixie-export run {path} --out BUNDLE"
    )


def _look(options: DistilOptions, say: Callable[[str], None]) -> _Material:
    """Let the teacher look at the footage, or at what is left of it."""
    bundle = Bundle.open(options.teacher)
    crops = require_image(bundle)
    footage = find_footage(options.footage)
    made_folder(options.out, "give another --out")
    folder = options.lessons or options.out / "lessons"
    maker = choose(options.engine)
    models = LandmarkModels.shipped(maker=choose(options.engine, purpose="landmarks"))
    suffices = options.attention == "two-pass"
    with (
        Teacher(bundle, attention=options.attention, maker=maker) as teacher,
        closing(PixieLandmarker(models=models, body_suffices=suffices)) as landmarker,
        _Looking() as looking,
    ):
        store, looked = watch(
            teacher, landmarker, footage, folder, options.look, looking.report
        )
    for sentence in _told(footage, looked, store):
        say(sentence)
    lessons = Lessons.of([folder / piece.key for piece in footage], store.sizes)
    lectures = Lectures(
        teacher=bundle.manifest.name,
        teacher_sha256=fingerprint(bundle),
        body_model_sha256=teacher.model.sha256,
        footage=tuple(piece.key for piece in footage),
        lessons=len(lessons),
        crops=crops,
        licence=bundle.manifest.licence,
    )
    return _Material(lessons, lectures, teacher.model, teacher.rules)


class _Looking:
    """The bar of the first pass."""

    def __enter__(self) -> "_Looking":
        self._bar = tqdm(unit="picture", smoothing=0.05)
        self._name, self._before = "", 0
        return self

    def __exit__(self, *exc: object) -> None:
        self._bar.close()

    def report(self, name: str, frames: int, people: int) -> None:
        """See `watching.Report`."""
        if name != self._name:
            self._name, self._before = name, self._bar.n
        self._bar.set_description_str(name)
        self._bar.set_postfix(people=people, refresh=False)
        self._bar.update(self._before + frames - self._bar.n)


def _told(
    footage: Sequence[Footage], looked: Sequence[Looked], store: LessonFolder
) -> list[str]:
    told = [
        f"{piece.path}: {counted(what.people, 'person', 'people')} in "
        f"{counted(what.frames, 'picture', 'pictures')}"
        + (f"; {what.warning}" if what.warning else "")
        for piece, what in zip(footage, looked, strict=True)
    ]
    return [*told, f"lessons: {store.folder}"]
