"""A stand-in for eyes that see gender, which landmark networks do not.

Face encoders that learned from a million pictures of known people, such as the paper's,
tell women from men. What they would say is put beside what was seen: one more number,
right as often as is asked for, of heads the less the more of them is covered. With it
the ablation shows what shape losses and fusion do where gender can be seen; without,
what they do for eyes that do not see it.
"""

from dataclasses import replace

import torch
from torch import Tensor

from pixie_train.ablation.crops import CropSet
from pixie_train.ablation.network import Sights
from pixie_train.ablation.plan import AblationPlan
from pixie_train.ablation.visible import side_of
from pixie_train.batch import CropKind
from pixie_train.data.pictures.sample import HEAD

_SEED = 17


def with_cue(crops: CropSet, plan: AblationPlan) -> CropSet:
    """Return crops with what is told of gender at the end of what was seen.

    Independently of body and head, and the same for the same crops every time.
    """
    if not plan.cued or crops.kind is CropKind.HAND:
        return crops
    random = torch.Generator().manual_seed(_SEED + len(crops))
    gender, seen = crops.targets.gender, 1 - crops.covered[:, HEAD]
    by_head = told(gender, plan.told_by_head, seen, random)
    if crops.kind is CropKind.HEAD:
        return replace(crops, seen=_beside(crops.seen, by_head))
    assert crops.head is not None
    by_body = told(gender, plan.told_by_body, torch.ones(len(crops)), random)
    return replace(
        crops,
        seen=_beside(crops.seen, by_body),
        head=_beside(crops.head, by_head),
    )


def person_with_cue(
    sights: Sights, gender: int, covered: float, plan: AblationPlan
) -> Sights:
    """Return one person's sights likewise.

    Args:
        sights: of one.
        gender: the person's.
        covered: how much of the head is hidden.
        plan: says how often gender is told right.
    """
    if not plan.cued:
        return sights
    random = torch.Generator().manual_seed(_SEED)
    truth, whole = torch.tensor([gender]), torch.ones(1)
    by_body = told(truth, plan.told_by_body, whole, random)
    by_head = told(truth, plan.told_by_head, whole - covered, random)
    return replace(
        sights, body=_beside(sights.body, by_body), head=_beside(sights.head, by_head)
    )


def told(gender: Tensor, right: float, seen: Tensor, random: torch.Generator) -> Tensor:
    """Return what is told of people's gender: -1 women, 1 men, (N,).

    Args:
        gender: (N,); of those who are neither, nothing is told: 0.
        right: how often it is right, 0.5 to 1, of what is seen whole.
        seen: how much is seen, 0 to 1, (N,): of nothing it is a guess.
        random: draws the errors.
    """
    side = side_of(gender)
    chance = 0.5 + (right - 0.5) * seen
    wrong = torch.rand(len(gender), generator=random) >= chance
    return torch.where(wrong, -side, side)


def _beside(seen: Tensor, cue: Tensor) -> Tensor:
    return torch.cat([seen, cue[:, None].to(seen)], dim=1)
