"""A student learns, goes on where it was stopped, and refuses to go on as another."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pixie_runtime.bundle import CropSpec
from pixie_runtime.errors import BundleError, PixieError, SinkError, UsageError
from pixie_runtime.fusion_rules import FusionRules
from pixie_train.distillation import state as states
from pixie_train.distillation.config import DistilConfig, DistilLosses
from pixie_train.distillation.curves import HELD_OUT
from pixie_train.distillation.dataset import LessonDataset
from pixie_train.distillation.distance import distance
from pixie_train.distillation.learning import Learning
from pixie_train.distillation.lesson import Lesson
from pixie_train.distillation.lesson_batch import LessonBatch, join_lessons
from pixie_train.distillation.loop import distil
from pixie_train.distillation.losses import DistilLoss
from pixie_train.distillation.state import DistilState, Lectures
from pixie_train.distillation.student import Student
from pixie_train.losses.weights import TermWeights
from pixie_train.networks.decoding import decode
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.config import Optimisation
from tests.runtime.full_disk import file_size_limit
from tests.train.distillation.lessons import SIZES, kept
from tests.train.distillation.small_encoder import SIDE, STUDENT, known

CONFIG = DistilConfig(
    steps=4,
    batch=3,
    crop_size=SIDE,
    held_out=0.25,
    checkpoint_every=2,
    log_every=1,
    optimisation=Optimisation(learning_rate=1e-2, warm_up_steps=2, ema_decay=0.5),
    student=STUDENT,
)
LECTURES = Lectures("truth", "0", "1", ("synthetic",), 8, CropSpec(), "CC0")


@pytest.fixture(scope="module", autouse=True)
def small_encoder() -> Iterator[None]:
    with known():
        yield


@pytest.fixture
def batch(lessons: Sequence[Lesson], tmp_path: Path) -> LessonBatch:
    data = LessonDataset(kept(lessons, tmp_path), range(4), CONFIG.crop_size)
    return join_lessons([data[index] for index in range(4)])


def said_by(
    student: Student, batch: LessonBatch, rules: FusionRules | None
) -> LessonBatch:
    """Return the batch as if the student were the teacher."""
    row = (
        None if rules is None else torch.from_numpy(rules.row()).expand(len(batch), -1)
    )
    with torch.no_grad():
        features = student.network.encode(batch.pictures)
        pixie = student.network.core(features, row)
        said = decode(pixie.fused, None if row is None else row[:, 3])
        return replace(
            batch,
            features=student.features(features),
            rotations=said.rotations,
            betas=said.betas,
            expression=said.expression,
            camera=said.camera,
            weights=pixie.part_weights,
        )


def test_who_says_what_the_teacher_says_is_at_no_distance_and_costs_nothing(
    batch: LessonBatch, body: TrainingBody
) -> None:
    torch.manual_seed(0)
    student = Student(STUDENT, SIZES).eval()
    asked = DistilLosses(body_only=0, part_only=0, features=1)
    loss = DistilLoss(asked, body.key_points, body.gaussians, torch.ones(3))
    own = said_by(student, batch, None)
    terms = loss(student, own).figures()
    assert max(terms.values()) < 1e-4
    assert {
        f"fused/{name}"
        for name in ("body_3d", "finger_pose", "betas", "features", "moderators")
    } <= terms.keys()
    for name in ("rotations", "betas", "expression", "camera", "weights", "features"):
        # Another person's answer costs something, whichever part of it is exchanged.
        other = replace(own, **{name: getattr(batch, name)})
        assert float(loss(student, other).total.detach()) > 1e-3, name

    live = said_by(student, batch, FusionRules())
    near = distance(student, [live], body.key_points).figures()
    assert max(near.values()) < 0.05
    far = distance(student, [batch], body.key_points).figures()
    assert far["points_mm"] > 10
    assert far["body_deg"] > 1


@pytest.fixture(scope="module")
def run(
    lessons: Sequence[Lesson],
    body: TrainingBody,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., DistilState]:
    store = kept(lessons, tmp_path_factory.mktemp("lessons"))

    def run(
        folder: Path,
        config: DistilConfig = CONFIG,
        lectures: Lectures = LECTURES,
        stop: int | None = None,
    ) -> DistilState:
        def report(step: int, figures: dict[str, float]) -> None:
            if step == stop:
                raise KeyboardInterrupt

        return distil(config, store, lectures, body, folder, report)

    return run


@pytest.fixture(scope="module")
def whole(
    run: Callable[..., DistilState], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, DistilState]:
    folder = tmp_path_factory.mktemp("whole")
    return folder, run(folder)


def test_a_student_learns_a_handful_of_lessons_by_heart(
    batch: LessonBatch, lessons: Sequence[Lesson], body: TrainingBody
) -> None:
    steps = 40
    how = Optimisation(learning_rate=1e-2, warm_up_steps=5, ema_decay=0.7)
    config = replace(CONFIG, steps=steps, optimisation=how)
    learning = Learning(config, SIZES, torch.device("cpu"))
    first = distance(learning.average, [batch], body.key_points)
    learning.begin_at(list(lessons[:4]))
    mean = distance(learning.average, [batch], body.key_points)
    assert mean.root_deg < first.root_deg / 2
    assert mean.points_mm < first.points_mm / 2
    loss = DistilLoss(config.losses, body.key_points, body.gaussians, torch.ones(3))
    for _ in range(steps):
        learning.step(batch, loss)
    learning.settle([batch])
    # As it is used: averaged weights, in evaluation mode.
    assert not learning.average.training
    learned = distance(learning.average, [batch], body.key_points)
    for name in ("root_deg", "body_deg", "fingers_deg", "points_mm", "points_px"):
        assert getattr(learned, name) < getattr(mean, name) / 5, name
    for name in ("betas", "expression"):
        assert getattr(learned, name) < getattr(mean, name) / 2, name


def test_a_stopped_run_ends_with_the_same_numbers(
    run: Callable[..., DistilState], whole: tuple[Path, DistilState], tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stop=3)
    assert states.load(tmp_path).step == 2
    again = run(tmp_path)
    for name, tensor in whole[1].average.items():
        assert torch.equal(tensor, again.average[name]), name
    history = again.history
    assert history == whole[1].history
    assert [row["step"] for row in history] == [*range(5)]
    compared = [row["step"] for row in history if HELD_OUT + "points_mm" in row]
    assert compared == [0, 2, 4]
    network = states.load(tmp_path).network_with_average()
    assert network.config.core.n_betas == SIZES.n_betas


def test_a_run_does_not_go_on_as_another(
    run: Callable[..., DistilState], whole: tuple[Path, DistilState]
) -> None:
    folder = whole[0]
    faster = replace(CONFIG, optimisation=replace(CONFIG.optimisation, clip=9.0))
    with pytest.raises(UsageError, match=r"another optimisation\.clip; give the same"):
        run(folder, faster)
    other = replace(LECTURES, teacher_sha256="2")
    with pytest.raises(UsageError, match="a student of another teacher, truth"):
        run(folder, lectures=other)
    with pytest.raises(UsageError, match="taught on 8 people of 1 pieces"):
        run(folder, lectures=replace(LECTURES, footage=("a", "b")))


def test_a_loss_that_is_no_number_is_named_with_its_lessons(
    run: Callable[..., DistilState], tmp_path: Path
) -> None:
    # Weights that single precision cannot add up.
    terms = TermWeights(root_pose=3e38, head_pose=1.0)
    config = replace(CONFIG, losses=DistilLosses(terms=terms))
    with pytest.raises(
        PixieError, match=r"loss of step 0 is not a number: fused/root_pose is inf, .*"
    ):
        run(tmp_path, config)
    names = json.loads((tmp_path / "diverged.json").read_text())["lessons"]
    assert len(names) == CONFIG.batch
    # Of eight lessons in one file the first six are learned.
    assert set(names) <= {f"synthetic/00000000.npy:{row}" for row in range(6)}
    assert states.load(tmp_path / "diverged.pt").step == 0
    assert not (tmp_path / "last.pt").exists()


def test_a_full_disk_is_told_and_leaves_nothing_half_written(
    run: Callable[..., DistilState], tmp_path: Path
) -> None:
    config = replace(CONFIG, steps=1)
    with (
        file_size_limit(200_000),
        pytest.raises(SinkError, match=r"cannot write the checkpoint.*free space"),
    ):
        run(tmp_path, config)
    assert {path.name for path in tmp_path.iterdir()} == {"log.csv", "tensorboard"}


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    with pytest.raises(BundleError, match="there is no checkpoint"):
        states.load(path)
    path.write_bytes(b"PK not quite")
    with pytest.raises(BundleError, match="not a readable checkpoint"):
        states.load(path)
    torch.save({"format": "something else"}, path)
    with pytest.raises(BundleError, match="pixie-train distil"):
        states.load(path)
