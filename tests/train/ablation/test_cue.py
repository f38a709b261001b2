from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pixie_runtime.errors import UsageError
from pixie_train.ablation.command import AblateOptions, run_ablate
from pixie_train.ablation.cue import told
from pixie_train.ablation.plan import AblationPlan, Counts, Steps
from pixie_train.gender import Gender

MANY = 20_000


def genders() -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.where(
        torch.rand(MANY, generator=random) < 0.5, Gender.MALE, Gender.FEMALE
    )


@pytest.mark.parametrize("right", [0.5, 0.8, 1.0])
def test_gender_is_told_right_as_often_as_is_asked_for_of_what_is_seen(
    right: float,
) -> None:
    gender = genders()
    side = torch.where(gender == Gender.MALE, 1.0, -1.0)
    for seen in (1.0, 0.5, 0.0):
        random = torch.Generator().manual_seed(1)
        cue = told(gender, right, torch.full((MANY,), seen), random)
        share = (cue == side).float().mean()
        assert share == pytest.approx(0.5 + (right - 0.5) * seen, abs=0.015)


def test_of_those_who_are_neither_nothing_is_told() -> None:
    unknown = torch.full((9,), int(Gender.UNKNOWN))
    random = torch.Generator().manual_seed(1)
    assert (told(unknown, 1.0, torch.ones(9), random) == 0).all()


def test_a_run_that_is_told_gender_reads_it_from_body_and_head(tmp_path: Path) -> None:
    plan = replace(
        AblationPlan.smoke(),
        told_by_body=1.0,
        told_by_head=1.0,
        counts=Counts(bodies=24, heads=4, hands=4, held_out=6, views=1),
        steps=Steps(experts=2, shape=2, whole=2, batch=4),
    )
    threads = torch.get_num_threads()
    run_ablate(AblateOptions(tmp_path / "told", plan=plan))
    torch.set_num_threads(threads)
    assert (tmp_path / "told" / "covering.png").exists()


def test_what_is_no_chance_is_refused() -> None:
    with pytest.raises(UsageError, match=r"told_by_head is 0\.2; expected 0\.5 to 1"):
        AblationPlan(told_by_body=0.7, told_by_head=0.2)
