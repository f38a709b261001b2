"""The trainings of an ablation: three experts side by side, then variants.

A loop of its own, not `picture_training`'s: it takes what was seen once, keeps
no state but its result, and trains several outputs of one network side by side.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from pixie_train.ablation.crops import CropSet
from pixie_train.ablation.network import AblationPixie
from pixie_train.ablation.pieces import write_piece
from pixie_train.ablation.plan import AblationPlan
from pixie_train.descent import Descent
from pixie_train.divergence import diverged, not_finite
from pixie_train.key_points import KeyPoints
from pixie_train.losses.stage import StageLosses
from pixie_train.losses.weights import (
    HAND_WEIGHTS,
    HEAD_WEIGHTS,
    WHOLE_WEIGHTS,
    TermWeights,
)
from pixie_train.predictions import FeaturePairs, of_hand, of_head, of_person
from pixie_train.shape_gaussians import ShapeGaussians

Shapes = Literal["gendered", "ungendered"]
Wholes = Literal["moderated", "separate"]
Arm = Literal["experts", Shapes, Wholes]
"""What is trained: the experts alone; from them, the body's expert with and without
gender in the shape loss, and everything end to end, with the moderators' output in the
loss and without it."""
SHAPES: tuple[Shapes, ...] = ("gendered", "ungendered")
WHOLES: tuple[Wholes, ...] = ("moderated", "separate")
ARMS: tuple[Arm, ...] = ("experts", *SHAPES, *WHOLES)


def begins_from(arm: Arm) -> Arm | None:
    """Return the arm that another goes on from; None: from nothing."""
    return None if arm == "experts" else "experts"


Report = Callable[[int, int], None]

PERSON_WEIGHTS: TermWeights = replace(
    WHOLE_WEIGHTS,
    body_2d=1.0,
    body_3d=2.0,
    body_pose=10.0,
    root_pose=10.0,
    hand_2d=0.2,
    hand_3d=2.0,
    wrist_pose=2.0,
    finger_pose=2.0,
    face_2d=0.2,
    head_pose=2.0,
    betas=0.0,
)
"""Of whole people, whichever output they come from: rotations before key points,
gender, no shape coefficients. With `WHOLE_WEIGHTS` points are won at the cost of
joints: the longer a network learns, the further off are its rotations, and bodies
shrink to be less wrong about points that are not known well. How much the shape prior
weighs, in every training alike, is the plan's to say."""
_WARM_UP = 30
_CLIP = 5.0
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
        self,
        key_points: KeyPoints,
        gaussians: ShapeGaussians,
        shape_prior: float,
        *,
        gendered: bool,
    ) -> None:
        """Take the body model's key points and its women's and men's shapes.

        Args:
            key_points: of the body model.
            gaussians: of women's, men's and everybody's shapes.
            shape_prior: weight of (16) for whole people and heads.
            gendered: whether women and men have their own.
        """
        n_betas = len(gaussians.female.mean)
        used = gaussians if gendered else ShapeGaussians.ungendered(n_betas)
        self.key_points = key_points
        weights = replace(PERSON_WEIGHTS, shape_prior=shape_prior)
        self.whole = StageLosses(weights, used)
        self.alone = StageLosses(replace(weights, update=0.0), used)
        # A body's shape, as its head shows it, must not mean another one.
        of_heads = replace(HEAD_WEIGHTS, shape_prior=shape_prior)
        self.head = StageLosses(of_heads, used)
        self.hand = StageLosses(HAND_WEIGHTS, used)

    def experts(
        self, network: AblationPixie, sets: TrainingSets, rows: tuple[Tensor, ...]
    ) -> Tensor:
        """Return the cost of a body's, a head's and a hand's batch, each alone."""
        bodies, heads, hands = rows
        core = network.core
        batch = sets.heads.batch(heads)
        F = network.encode_head(sets.heads.seen[heads])
        head = of_head(core.regress_head(F), core.regress_head_own(F), self.key_points)
        total: Tensor = self.head(head, batch).total
        batch = sets.hands.batch(hands)
        F = network.encode_hand(sets.hands.seen[hands])
        hand = of_hand(core.regress_hand(F), core.regress_hand_own(F), self.key_points)
        total = total + self.hand(hand, batch).total
        return total + self.body(network, sets.bodies, bodies)

    def body(self, network: AblationPixie, bodies: CropSet, rows: Tensor) -> Tensor:
        """Return the cost of bodies by the body's expert."""
        batch = bodies.batch(rows)
        F_b = network.encode_body(bodies.seen[rows])
        person = of_person(network.core.coarse(F_b), self.key_points)
        total: Tensor = self.alone(person, batch).total
        return total

    def end_to_end(
        self, network: AblationPixie, bodies: CropSet, rows: Tensor, *, moderated: bool
    ) -> Tensor:
        """Return the cost of all three outputs, or of both baselines' alone."""
        batch = bodies.batch(rows)
        features = network.encode(bodies.sights(rows))
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
    network: AblationPixie,
    sets: TrainingSets,
    teacher: Teacher,
    plan: AblationPlan,
    seed: int,
    folder: Path,
    report: Report,
) -> list[float]:
    """Train a network in place; returns the cost of every step.

    Args:
        arm: which training.
        network: fresh, or what the arm begins from (`begins_from`).
        sets: pictures.
        teacher: with the arm's shape loss.
        plan: steps and rates.
        seed: of the order of the pictures; arms that are compared have the same.
        folder: where it is said what went wrong.
        report: told how many steps are done, and of how many.

    Raises:
        PixieError: the loss or its gradient is not a number.
    """
    steps, B = plan.steps, plan.steps.batch
    order = torch.Generator().manual_seed(1000 * seed + (arm != "experts"))
    bodies = _rows(len(sets.bodies), B, order)
    heads = _rows(len(sets.heads), max(B // 2, 2), order)
    hands = _rows(len(sets.hands), B, order)

    def cost() -> tuple[Tensor, list[str]]:
        rows = next(bodies)
        if arm == "experts":
            parts = next(heads), next(hands)
            names = [
                *sets.bodies.names(rows),
                *sets.heads.names(parts[0]),
                *sets.hands.names(parts[1]),
            ]
            return teacher.experts(network, sets, (rows, *parts)), names
        names = sets.bodies.names(rows)
        if arm in SHAPES:
            return teacher.body(network, sets.bodies, rows), names
        total = teacher.end_to_end(
            network, sets.bodies, rows, moderated=arm == "moderated"
        )
        return total, names

    count = {"experts": steps.experts}
    count |= dict.fromkeys(SHAPES, steps.shape) | dict.fromkeys(WHOLES, steps.whole)
    rate = steps.learning_rate if arm == "experts" else steps.whole_learning_rate
    return _descend(network, cost, count[arm], rate, folder, report)


def _descend(
    network: AblationPixie,
    cost: Callable[[], tuple[Tensor, list[str]]],
    steps: int,
    peak: float,
    folder: Path,
    report: Report,
) -> list[float]:
    """Take AdamW's steps; the rate warms up and falls to nothing by a cosine."""
    network.train()
    optimiser = torch.optim.AdamW(network.parameters(), peak, weight_decay=1e-4)
    descent = Descent(optimiser, _CLIP)
    costs: list[float] = []
    for step in range(steps):
        warm = min(1.0, (step + 1) / _WARM_UP)
        rate = peak * warm * 0.5 * (1 + math.cos(math.pi * step / steps))
        total, names = cost()
        if terms := not_finite({"total": total}) or descent.step(total, rate):
            content = {"network": network.state_dict(), "costs": costs}
            save = partial(write_piece, content=content)
            raise diverged(terms, names, step, folder, save)
        costs.append(float(total.detach()))
        report(step + 1, steps)
    return costs


def _rows(count: int, batch: int, order: torch.Generator) -> Iterator[Tensor]:
    """Yield row numbers, all of them once before any comes again."""
    batch = min(batch, count)
    while True:
        shuffled = torch.randperm(count, generator=order)
        yield from torch.split(shuffled[: count - count % batch], batch)
