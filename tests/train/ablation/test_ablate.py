import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from pixie_runtime.body import embedded_body_model
from pixie_runtime.errors import PixieError, SinkError, SourceError, UsageError
from pixie_train.ablation.command import AblateOptions, run_ablate
from pixie_train.ablation.crops import CropSet
from pixie_train.ablation.degrade import DIFFICULTIES, TRAINING
from pixie_train.ablation.eyes import BODY_SIGHT, HEAD_SIGHT, LOOK_SIGHT
from pixie_train.ablation.outline import OUTLINE_SIGHT
from pixie_train.ablation.pieces import read_piece, write_piece
from pixie_train.ablation.plan import AblationPlan, Counts
from pixie_train.ablation.run import Ablation
from pixie_train.ablation.training import ARMS
from tests.runtime.full_disk import file_size_limit


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return a folder after a smoke run, and what the user was told."""
    threads = torch.get_num_threads()
    folder = tmp_path_factory.mktemp("ablation")
    told = run_ablate(AblateOptions(folder, smoke=True))
    torch.set_num_threads(threads)
    return folder, told


def test_a_run_says_of_every_claim_whether_it_holds(
    finished: tuple[Path, str],
) -> None:
    folder, told = finished
    for claim in ("(a)", "(b)", "(c)"):
        assert claim in told
    found = json.loads((folder / "report.json").read_text())
    assert (found["seeds"], found["people"]) == (1, 6)
    assert all(len(d["seeds"]) == 1 for d in found["fusion"])
    assert found["visible"]["shape_of_gender"] > 0
    report = (folder / "report.md").read_text()
    assert "## (b) Gendered shape loss" in report
    assert "| nothing: the mean body | 50 % |" in report


def test_plots_and_pictures_show_something(finished: tuple[Path, str]) -> None:
    for name in ("fusion", "confidence", "shape", "covering", "shapes"):
        picture = cv2.imread(str(finished[0] / f"{name}.png"))
        assert picture is not None
        assert picture.std() > 10


def test_a_run_with_outlines_shows_them(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    counts = Counts(bodies=8, heads=4, hands=4, held_out=6, views=1)
    plan = replace(AblationPlan.smoke(), outlines=True, shape_prior=0.3, counts=counts)
    run_ablate(AblateOptions(tmp_path / "seen", plan=plan))
    torch.set_num_threads(threads)
    picture = cv2.imread(str(tmp_path / "seen" / "outlines.png"))
    assert picture is not None
    assert picture.std() > 10
    crops = CropSet.load(tmp_path / "seen" / "crops" / "bodies.pt")
    assert crops.seen.shape[1] == BODY_SIGHT + OUTLINE_SIGHT
    assert crops.head is not None
    assert crops.head.shape[1] == HEAD_SIGHT + LOOK_SIGHT


def test_a_piece_that_was_lost_is_made_again_and_is_the_same(
    finished: tuple[Path, str],
) -> None:
    folder, _ = finished
    lost, kept = folder / "seed_0" / "moderated.pt", folder / "seed_0" / "experts.pt"
    before, stamp = read_piece(lost)["network"], kept.stat().st_mtime_ns
    lost.unlink()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model, plan = embedded_body_model(), AblationPlan.smoke()
    Ablation(plan, model, folder, lambda *_: None).train(0)
    torch.set_num_threads(threads)
    again = read_piece(lost)["network"]
    assert all(torch.equal(again[name], before[name]) for name in before)
    assert kept.stat().st_mtime_ns == stamp


def test_a_loss_that_is_no_number_names_its_pictures(
    finished: tuple[Path, str], tmp_path: Path
) -> None:
    folder = tmp_path / "spoilt"
    shutil.copytree(finished[0] / "crops", folder / "crops")
    crops = CropSet.load(folder / "crops" / "hands.pt")
    nowhere = torch.full_like(crops.targets.absolute, torch.nan)
    replace(crops, targets=replace(crops.targets, absolute=nowhere)).save(
        folder / "crops" / "hands.pt"
    )
    model, plan = embedded_body_model(), AblationPlan.smoke()
    with pytest.raises(PixieError, match="the loss of step 0 is not a number: total"):
        Ablation(plan, model, folder, lambda *_: None).train(0)
    names = json.loads((folder / "seed_0" / "diverged.json").read_text())["pictures"]
    assert {name.partition("/")[0] for name in names} == {"body", "head", "hand"}
    assert read_piece(folder / "seed_0" / "diverged.pt")["costs"] == []


def test_every_training_changes_its_network_and_no_two_alike(
    finished: tuple[Path, str],
) -> None:
    states = [read_piece(finished[0] / "seed_0" / f"{a}.pt")["network"] for a in ARMS]
    heads = [state["core.regress_head.layers.0.weight"] for state in states]
    for one in range(len(ARMS)):
        for other in range(one):
            assert not torch.equal(heads[one], heads[other])


def test_people_to_measure_with_are_nobody_trained_with(
    finished: tuple[Path, str],
) -> None:
    betas = {
        name: np.load(finished[0] / "data" / name / "betas.npy")
        for name in ("bodies", "heads", "hands", "report")
    }
    for name in ("bodies", "heads", "hands"):
        gap = np.abs(betas["report"][:, None] - betas[name][None]).max(-1)
        assert gap.min() > 1e-3, name


def test_degrees_of_difficulty_hide_more_and_more(
    finished: tuple[Path, str],
) -> None:
    covered = [
        read_piece(finished[0] / "crops" / f"report_{name}.pt")["covered"].mean()
        for name in ("clean", "mild", "heavy")
    ]
    assert covered == sorted(covered)
    assert DIFFICULTIES["heavy"].part_blurred == 0 < TRAINING.part_blurred


def test_another_plan_in_the_same_folder_is_refused(
    finished: tuple[Path, str],
) -> None:
    plan = AblationPlan(counts=Counts(bodies=9))
    with pytest.raises(UsageError, match=r"another .*counts.*give the same options"):
        run_ablate(AblateOptions(finished[0], plan=plan))


def test_impossible_plans_are_refused() -> None:
    with pytest.raises(UsageError, match="bodies is 0; expected more than 0"):
        AblationPlan(counts=Counts(bodies=0))
    with pytest.raises(UsageError, match="shape_prior is -1; expected 0 or more"):
        AblationPlan(shape_prior=-1)


def test_a_damaged_piece_is_named(tmp_path: Path) -> None:
    path = tmp_path / "experts.pt"
    path.write_bytes(b"not a network")
    with pytest.raises(SourceError, match=r"experts\.pt cannot be read .* delete it"):
        read_piece(path)


def test_a_full_disk_leaves_no_half_piece(tmp_path: Path) -> None:
    path = tmp_path / "crops.pt"
    with file_size_limit(10_000), pytest.raises(SinkError, match="make room"):
        write_piece(path, {"image": torch.zeros(100_000)})
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_folder_is_one_sentence(finished: tuple[Path, str]) -> None:
    taken = finished[0] / "plan.json" / "run"
    with pytest.raises(SinkError, match="choose another --out"):
        run_ablate(AblateOptions(taken, smoke=True))
