import csv
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
import torch

from pixie_runtime.errors import UsageError
from pixie_train.picture_training.beginning import Experts, begin_from
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.commands import (
    ExpertOptions,
    WholeOptions,
    run_expert,
    run_whole,
)
from pixie_train.picture_training.config import Machine, StageRun
from pixie_train.picture_training.sources import parsed
from pixie_train.picture_training.state import load, load_image_run
from tests.train.picture_training.small import CONFIG, RUN, network

HEAD_RUN = StageRun(stage="head", steps=2, batch=2, log_every=1, checkpoint_every=1)


def quiet(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def head_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a head's expert, trained on synthetic people."""
    out = tmp_path_factory.mktemp("head")
    options = ExpertOptions(
        out=out,
        synthetic=4,
        crop_size=32,
        network=CONFIG,
        machine=Machine(threads=1),
        run=HEAD_RUN,
    )
    assert "pixie-export run" in run_expert(options, quiet)
    return out


def test_an_expert_is_trained_without_any_data_and_leaves_log_plot_and_samples(
    head_run: Path,
) -> None:
    with (head_run / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2"]
    assert all(float(row["head/face_2d"]) > 0 for row in rows)
    (curves,) = (head_run / "tensorboard").glob("events*")
    assert b"head/face_2d" in curves.read_bytes()
    picture = cv2.imread(str(head_run / "samples" / "0000002.png"))
    assert picture is not None
    assert picture.shape == (256, 6 * 256, 3)
    green = (picture[..., 1] > 240) & (picture[..., 0] < 110) & (picture[..., 2] < 110)
    assert green.sum() > 100
    assert (head_run / "losses.png").stat().st_size > 10_000


def test_whole_bodies_begin_with_what_experts_have_learned(
    head_run: Path, body: TrainingBody
) -> None:
    expert, whole = load_image_run(head_run)[1], network(seed=3)
    untouched = whole.encode_body.state_dict()
    begin_from(whole, Experts(head=head_run), body)
    for name, tensor in expert.encode_head.state_dict().items():
        assert torch.equal(whole.encode_head.state_dict()[name], tensor)
    for name, tensor in untouched.items():
        assert torch.equal(whole.encode_body.state_dict()[name], tensor)


def test_experts_of_other_sizes_are_refused(head_run: Path, body: TrainingBody) -> None:
    core = replace(CONFIG.core, feature_dim=8)
    other = type(network())(replace(CONFIG, core=core))
    with pytest.raises(UsageError, match=r"encode_head of --experts\.head .* another"):
        begin_from(other, Experts(head=head_run), body)


def test_a_run_of_a_command_says_what_it_was_made_with(head_run: Path) -> None:
    state = load(head_run)
    assert state.run == HEAD_RUN
    assert state.network == CONFIG


def test_a_run_is_not_continued_on_other_pictures(head_run: Path) -> None:
    options = ExpertOptions(
        out=head_run,
        synthetic=5,
        crop_size=32,
        network=CONFIG,
        machine=Machine(threads=1),
        run=HEAD_RUN,
    )
    with pytest.raises(
        UsageError, match=r"another data of head crops \(.*was 4 synthetic, now 5 synth"
    ):
        run_expert(options, quiet)


def test_the_wrong_command_for_a_stage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="use pixie-train whole"):
        run_expert(ExpertOptions(tmp_path, run=RUN), quiet)
    with pytest.raises(UsageError, match="use pixie-train expert"):
        run_whole(WholeOptions(tmp_path, run=HEAD_RUN), quiet)
    options = ExpertOptions(
        tmp_path, photometric=True, network=CONFIG, run=replace(HEAD_RUN, stage="hand")
    )
    with pytest.raises(UsageError, match="about heads, but the stage hand sees none"):
        run_expert(options, quiet)


def test_data_are_named_with_folder_and_share() -> None:
    assert parsed("freihand:/data/hands") == ("freihand", Path("/data/hands"), 1.0)
    assert parsed("now:a b:0.25") == ("now", Path("a b"), 0.25)
    assert parsed("now:c:/faces") == ("now", Path("c:/faces"), 1.0)
    for wrong in ("freihand", ":folder", "freihand:"):
        with pytest.raises(UsageError, match="expected NAME:FOLDER or NAME:FOLDER:SHA"):
            parsed(wrong)
