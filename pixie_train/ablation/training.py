"""The trainings of an ablation: three experts side by side, then variants of the rest.

A loop of its own, not `picture_training`'s: it takes crops that were made once, keeps
no state but its result, and trains several outputs of one network side by side.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from pixie_train.ablation.crops import CropSet
from pixie_train.ablation.plan import AblationPlan
from pixie_train.batch import unit_range
from pixie_train.key_points import KeyPoints
from pixie_train.losses.stage import StageLosses
from pixie_train.losses.weights import (
    HAND_WEIGHTS,
    HEAD_WEIGHTS,
    WHOLE_WEIGHTS,
    TermWeights,
)
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.predictions import FeaturePairs, of_hand, of_head, of_person
from pixie_train.shape_gaussians import ShapeGaussians

Arm = Literal["experts", "gendered", "ungendered", "moderated", "separate"]
"""What is trained: the experts alone; from them, the body's expert with and without
gender in the shape loss; from them, everything end to end, with the moderators' output
in the loss and without it."""
ARMS: tuple[Arm, ...] = ("experts", "gendered", "ungendered", "moderated", "separate")
Report = Callable[[int, int], None]

PERSON_WEIGHTS: TermWeights = replace(WHOLE_WEIGHTS, betas=0.0, shape_prior=0.01)
"""Of whole people, whichever output they come from: key points in the picture and in
metres, rotations, gender; no shape coefficients, as in the paper. The shape prior
weighs ten times the default, in every training alike: where poses are still far off,
bodies shrink to be less wrong about them."""
_ALONE = replace(PERSON_WEIGHTS, update=0.0)
_WARM_UP = 30
_BASELINES = 0.5
"""Weight of body-only and part-only outputs beside the moderated one."""


@dataclass(frozen=True, eq=False)
class TrainingSets:
    """What is trained with."""

    bodies: CropSet
    heads: CropSet
    hands: CropSet


class Teacher:
    """Says what a network's outputs cost."""

    def __init__(
        self, key_points: KeyPoints, gaussians: ShapeGaussians, *, gendered: bool
    ) -> None:
        """Take the body model's key points and its women's and men's shapes."""
        n_betas = len(gaussians.female.mean)
        used = gaussians if gendered else ShapeGaussians.ungendered(n_betas)
        self.key_points = key_points
        self.whole = StageLosses(PERSON_WEIGHTS, used)
        self.alone = StageLosses(_ALONE, used)
        self.head = StageLosses(HEAD_WEIGHTS, used)
        self.hand = StageLosses(HAND_WEIGHTS, used)

    def experts(
        self, network: ImagePixie, sets: TrainingSets, rows: tuple[Tensor, ...]
    ) -> Tensor:
        """Return the cost of a body's, a head's and a hand's batch, each alone."""
        bodies, heads, hands = rows
        core = network.core
        batch = sets.heads.batch(heads)
        F = network.encode_head(unit_range(batch.pictures.image))
        head = of_head(core.regress_head(F), core.regress_head_own(F), self.key_points)
        total: Tensor = self.head(head, batch).total
        batch = sets.hands.batch(hands)
        F = network.encode_hand(unit_range(batch.pictures.image))
        hand = of_hand(core.regress_hand(F), core.regress_hand_own(F), self.key_points)
        total = total + self.hand(hand, batch).total
        return total + self.body(network, sets.bodies, bodies)

    def body(self, network: ImagePixie, bodies: CropSet, rows: Tensor) -> Tensor:
        """Return the cost of bodies by the body's expert."""
        batch = bodies.batch(rows)
        F_b = network.encode_body(unit_range(batch.pictures.image))
        person = of_person(network.core.coarse(F_b), self.key_points)
        total: Tensor = self.alone(person, batch).total
        return total

    def end_to_end(
        self, network: ImagePixie, bodies: CropSet, rows: Tensor, *, moderated: bool
    ) -> Tensor:
        """Return the cost of all three outputs, or of both baselines' alone."""
        batch = bodies.batch(rows)
        features = network.encode(bodies.crops(rows))
        out = network.core(features)
        baselines = [
            self.alone(of_person(raw, self.key_points), batch).total
            for raw in (out.body_only, out.part_only)
        ]
        total: Tensor = _BASELINES * (baselines[0] + baselines[1])
        if moderated:
            pairs = FeaturePairs.of(out, features.present)
            person = of_person(out.fused, self.key_points, pairs)
            total = total + self.whole(person, batch).total
        return total


def train_arm(
    arm: Arm,
    network: ImagePixie,
    sets: TrainingSets,
    teacher: Teacher,
    plan: AblationPlan,
    seed: int,
    report: Report,
) -> list[float]:
    """Train a network in place; returns the cost of every step.

    Args:
        arm: which training.
        network: fresh for the experts, else the trained experts.
        sets: pictures.
        teacher: with the arm's shape loss.
        plan: steps and rates.
        seed: of the order of the pictures; every arm but the experts has the same.
        report: told how many steps are done, and of how many.
    """
    steps, B = plan.steps, plan.steps.batch
    order = torch.Generator().manual_seed(1000 * seed + (arm != "experts"))
    bodies = _rows(len(sets.bodies), B, order)
    heads = _rows(len(sets.heads), max(B // 2, 2), order)
    hands = _rows(len(sets.hands), B, order)

    def cost() -> Tensor:
        if arm == "experts":
            rows = next(bodies), next(heads), next(hands)
            return teacher.experts(network, sets, rows)
        if arm in ("gendered", "ungendered"):
            return teacher.body(network, sets.bodies, next(bodies))
        return teacher.end_to_end(
            network, sets.bodies, next(bodies), moderated=arm == "moderated"
        )

    count = {"experts": steps.experts, "gendered": steps.shape}
    count |= {"ungendered": steps.shape}
    peak = steps.learning_rate if arm == "experts" else steps.whole_learning_rate
    return _descend(network, cost, count.get(arm, steps.whole), peak, report)


def _descend(
    network: nn.Module,
    cost: Callable[[], Tensor],
    steps: int,
    peak: float,
    report: Report,
) -> list[float]:
    """Take AdamW's steps; the rate warms up and falls to nothing by a cosine."""
    network.train()
    optimiser = torch.optim.AdamW(network.parameters(), peak, weight_decay=1e-4)
    costs = []
    for step in range(steps):
        warm = min(1.0, (step + 1) / _WARM_UP)
        rate = peak * warm * 0.5 * (1 + math.cos(math.pi * step / steps))
        for group in optimiser.param_groups:
            group["lr"] = rate
        total = cost()
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(total)
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        costs.append(float(total.detach()))
        report(step + 1, steps)
    return costs


def _rows(count: int, batch: int, order: torch.Generator) -> Iterator[Tensor]:
    """Yield row numbers, all of them once before any comes again."""
    batch = min(batch, count)
    while True:
        shuffled = torch.randperm(count, generator=order)
        yield from torch.split(shuffled[: count - count % batch], batch)
