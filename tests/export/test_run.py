"""Bundles of training runs and of distillations."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pixie_export.cli import main
from pixie_export.run import export_run, read_run
from pixie_export.untrained import untrained_network, untrained_run
from pixie_runtime.body import embedded_body_model
from pixie_runtime.bundle import Bundle, CropSpec
from pixie_runtime.errors import BundleError, UsageError
from pixie_train.config import CoreConfig, ImageConfig
from pixie_train.distillation import state as distilled
from pixie_train.distillation.config import DistilConfig
from pixie_train.distillation.lesson import LessonSizes
from pixie_train.distillation.state import DistilState, Lectures
from pixie_train.distillation.student import Student
from tests.export.conftest import SMALL

TINY = ImageConfig(
    "mobilenet_v4_small",
    "mobilenet_v4_small",
    "mobilenet_v4_small",
    CoreConfig(feature_dim=16, regressor_width=16, moderator_width=8),
)
SIZES = LessonSizes(crop=224, features=24, n_betas=8, n_expression=5)
LECTURES = Lectures(
    teacher="pixie",
    teacher_sha256="7",
    body_model_sha256=embedded_body_model().sha256,
    footage=("dance.mp4-1",),
    lessons=9,
    crops=CropSpec(head_scale=1.9),
    licence="for research",
)


def test_a_runs_bundle_says_what_it_was_made_from(small_bundle: Path) -> None:
    manifest = Bundle.open(small_bundle).manifest
    assert manifest.name == "pixie-whole"
    assert manifest.crops == CropSpec()
    assert manifest.body_model.sha256 == embedded_body_model().sha256
    origin = manifest.provenance
    assert origin["made_by"] == "pixie-export run"
    assert origin["encoders"] == "resnet18, repvgg_a0, mobilenet_v4_small"
    assert (origin["steps"], origin["loss"]) == ("7", "2.5")
    assert json.loads(origin["configuration"])["stage"] == "whole"


def test_averaged_weights_are_what_is_exported(small_bundle: Path) -> None:
    expected = untrained_network(SMALL, embedded_body_model()).state_dict()
    found = read_run(small_bundle.parent).network.state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_an_untrained_network_is_exported_as_a_run_that_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    model = embedded_body_model()
    run = untrained_run(TINY, model, seed=5)
    assert run.name == "pixie-untrained"
    assert run.provenance == {"made_by": "pixie-export untrained", "seed": "5"}
    assert run.crops == CropSpec()
    assert not run.network.training
    # Coefficients that the body lacks are left out.
    core = run.network.core.config
    assert (core.n_betas, core.n_expression) == (model.n_betas, model.n_expression)
    again = untrained_run(TINY, model, seed=5).network.state_dict()
    other = untrained_run(TINY, model, seed=6).network.state_dict()
    name = "core.extract_head.layers.0.weight"
    assert torch.equal(run.network.state_dict()[name], again[name])
    assert not torch.equal(run.network.state_dict()[name], other[name])
    (tmp_path / "precious.txt").touch()
    with pytest.raises(SystemExit):
        main(["untrained", "--out", str(tmp_path)])
    assert capsys.readouterr().err.startswith("pixie-export: ")


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Student]:
    """Return the folder of a distillation, and the student that it holds."""
    torch.manual_seed(0)
    student = Student(TINY, SIZES)
    state = DistilState(
        config=DistilConfig(student=TINY, crop_size=96),
        sizes=SIZES,
        lectures=LECTURES,
        step=3,
        weights=student.state_dict(),
        average=student.state_dict(),
        optimiser={},
        scaler={},
        history=[{"step": 3, "loss": 1.0, "held_out/points_mm": 12.0}],
    )
    folder = tmp_path_factory.mktemp("distilled")
    distilled.save(state, folder / "last.pt")
    return folder, student


def test_a_distillation_is_exported_without_what_only_learning_needs(
    student: tuple[Path, Student],
) -> None:
    run = read_run(student[0])
    expected = student[1].network.state_dict()
    assert run.network.state_dict().keys() == expected.keys()
    assert all(
        torch.equal(run.network.state_dict()[name], value)
        for name, value in expected.items()
    )
    assert run.name == "pixie-distilled"
    assert run.crops == CropSpec(size=96, head_scale=1.9)
    assert run.provenance["teacher_licence"] == "for research"
    assert run.provenance["held_out_points_mm"] == "12"
    assert any("for research" in note for note in run.notes)


def test_a_run_for_another_body_is_refused(
    student: tuple[Path, Student], tmp_path: Path
) -> None:
    state = distilled.load(student[0])
    other = replace(LECTURES, body_model_sha256="0" * 64)
    distilled.save(replace(state, lectures=other), tmp_path / "last.pt")
    with pytest.raises(UsageError, match=r"for another body model than .*--body-model"):
        export_run(tmp_path, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_what_is_no_run_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"format": "pixie-landmark-run-2"}, tmp_path / "landmark.pt")
    with pytest.raises(BundleError, match="not a checkpoint of this kind"):
        export_run(tmp_path / "landmark.pt", tmp_path / "bundle")
    with pytest.raises(SystemExit) as left:
        main(["run", str(tmp_path / "none.pt"), "--out", str(tmp_path / "bundle")])
    assert left.value.code == BundleError.exit_code
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "there is no checkpoint" in said
