"""An ablation from nothing to a table of errors, piece by piece.

Every piece is a file that is there once it is whole: pictures, crops, networks,
scores. What is there is not made again, so that a run that was stopped goes on with
the piece that it was at.

    data/       pictures of people to train with, and of others to measure with
    crops/      what was seen of them
    seed_N/     networks, and what was measured of them
"""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import SinkError, SourceError, UsageError
from pixie_train.ablation.crops import CropSet, cut_parts, cut_people
from pixie_train.ablation.degrade import DIFFICULTIES, TRAINING
from pixie_train.ablation.eyes import BODY_PX, HAND_PX, HEAD_PX, Eyes
from pixie_train.ablation.network import AblationPixie
from pixie_train.ablation.pieces import read_piece, write_piece
from pixie_train.ablation.plan import AblationPlan
from pixie_train.ablation.scores import Ruler, Table, measured, shapes_measured
from pixie_train.ablation.training import (
    ARMS,
    SHAPES,
    WHOLES,
    Arm,
    Teacher,
    TrainingSets,
    begins_from,
    train_arm,
)
from pixie_train.data.motion import load_motion_bank
from pixie_train.data.pictures.dataset import View
from pixie_train.data.pictures.photographer import Photographer
from pixie_train.data.pictures.store import PictureStore, synthesise
from pixie_train.key_points import KeyPoints
from pixie_train.shape_gaussians import ShapeGaussians
from pixie_train.utilities import read_utilities

HeldOut = Literal["report", "tune"]
"""Whom to measure with: `tune` to choose steps and rates by, `report` to report."""
MEASURED_WHOLE: tuple[Arm, ...] = (*WHOLES, "experts")
"""Arms whose three outputs are measured: the experts' moderators know nothing, but
pasted parts and the body alone mean something."""
TRAINED = ("bodies", "heads", "hands")


class Progress(Protocol):
    """Told what is being made and how far it is."""

    def __call__(self, piece: str, done: int, count: int) -> None:
        """Say that `done` of `count` parts of a piece are there."""
        ...


@dataclass(frozen=True, eq=False)
class Ablation:
    """One run in one folder."""

    plan: AblationPlan
    model: BodyModel
    folder: Path
    progress: Progress
    held_out: HeldOut = "report"

    def begin(self) -> None:
        """Make the folder, or see that it holds a run of the same plan.

        Raises:
            UsageError: it holds another.
            SinkError: it cannot be made.
        """
        path = self.folder / "plan.json"
        plan = {"body_model": self.model.sha256, **self.plan.as_json()}
        if path.exists():
            try:
                found = json.loads(path.read_text())
            except ValueError as error:
                raise SourceError(
                    f"{path} is damaged ({error}); choose another --out"
                ) from error
            other = [name for name in plan if found.get(name) != plan[name]]
            # More seeds go on where fewer have ended.
            other = [name for name in other if name != "seeds"]
            if other:
                raise UsageError(
                    f"{self.folder} holds an ablation with another {', '.join(other)}; "
                    "give the same options to go on with it, or another --out"
                )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(plan, indent=2) + "\n")
        except OSError as error:
            raise SinkError(
                f"cannot write {path}: {error.strerror or error}; choose another --out"
            ) from error

    def pictures(self, name: str) -> PictureStore:
        """Return a store of pictures, made if need be."""
        config, count = self.plan.pictures(name)
        photographer = Photographer(config, self.model, load_motion_bank(), count=count)
        report = self._report(f"pictures: {name}")
        return synthesise(photographer, self.folder / "data" / name, report)

    def crops(self, name: str) -> CropSet:
        """Return a set of crops, made if need be: one to train with or a difficulty."""
        path = self.folder / "crops" / f"{self._stem(name)}.pt"
        if not path.exists():
            self._cut(name).save(path)
        return CropSet.load(path)

    def _cut(self, name: str) -> CropSet:
        """Return all crops of a set, freshly made."""
        held_out, plan = name not in TRAINED, self.plan
        store = self.pictures(self.held_out if held_out else name)
        report, views = self._report(f"crops: {self._stem(name)}"), plan.counts.views
        with closing(Eyes(outlines=plan.outlines)) as eyes:
            if name in ("heads", "hands"):
                side = HEAD_PX if name == "heads" else HAND_PX
                return cut_parts(store, eyes, self.view(side), views, report)
            return cut_people(
                store,
                eyes,
                DIFFICULTIES[name] if held_out else TRAINING,
                self.view(BODY_PX, whole=held_out),
                report,
                views=1 if held_out else views,
                only_upright=plan.upright,
                thumbnails=name == "clean",
            )

    def _stem(self, name: str) -> str:
        return name if name in TRAINED else f"{self.held_out}_{name}"

    def train(self, seed: int) -> None:
        """Train all arms of a seed that are not there yet."""
        missing = [arm for arm in ARMS if not self.network_path(seed, arm).exists()]
        if not missing:
            return
        sets = TrainingSets(*(self.crops(name) for name in TRAINED))
        n_betas, n_expression = self.plan.n_betas, self.plan.network.n_expression
        tables, _ = read_utilities(None, self.model)
        key_points = KeyPoints(
            self.model, tables, n_betas=n_betas, n_expression=n_expression
        )
        gaussians = ShapeGaussians.of_model(self.model, n_betas)
        for arm in missing:
            gendered = arm not in ("experts", "ungendered")
            teacher = Teacher(
                key_points, gaussians, self.plan.shape_prior, gendered=gendered
            )
            torch.manual_seed(seed)
            network = AblationPixie(self.plan)
            before = begins_from(arm)
            if before is None:
                network.encode_body.know(sets.bodies.seen)
                network.encode_head.know(sets.heads.seen)
                network.encode_hand.know(sets.hands.seen)
            else:
                network.load_state_dict(self._state(seed, before))
            costs = train_arm(
                arm,
                network,
                sets,
                teacher,
                self.plan,
                seed,
                self.network_path(seed, arm).parent,
                self._report(f"seed {seed}: {arm}"),
            )
            content = {"network": network.state_dict(), "costs": costs}
            write_piece(self.network_path(seed, arm), content)

    def network(self, seed: int, arm: Arm) -> AblationPixie:
        """Return a trained network."""
        network = AblationPixie(self.plan)
        network.load_state_dict(self._state(seed, arm))
        return network.eval()

    def score(self, seed: int) -> dict[str, Table]:
        """Return what was measured of a seed's arms, by `arm/difficulty`."""
        path = self.folder / f"seed_{seed}" / f"{self.held_out}.pt"
        if not path.exists():
            write_piece(path, self._scores(seed))
        content = read_piece(path)
        return {
            name: {key: value.numpy() for key, value in table.items()}
            for name, table in content.items()
        }

    def network_path(self, seed: int, arm: Arm) -> Path:
        """Return where a network is kept."""
        return self.folder / f"seed_{seed}" / f"{arm}.pt"

    def ruler(self) -> Ruler:
        """Return what measures."""
        core = self.plan.network
        return Ruler(self.model, n_betas=core.n_betas, n_expression=core.n_expression)

    def _scores(self, seed: int) -> dict[str, dict[str, torch.Tensor]]:
        ruler, found = self.ruler(), {}
        report = self._report(f"seed {seed}: measuring")
        jobs: list[tuple[Arm, str, Callable[..., Table]]] = [
            *((arm, d, measured) for arm in MEASURED_WHOLE for d in DIFFICULTIES),
            *((arm, d, shapes_measured) for arm in SHAPES for d in ("clean", "mild")),
        ]
        for done, (arm, difficulty, measure) in enumerate(jobs):
            table = measure(self.network(seed, arm), self.crops(difficulty), ruler)
            found[f"{arm}/{difficulty}"] = {
                name: torch.from_numpy(np.ascontiguousarray(values))
                for name, values in table.items()
            }
            report(done + 1, len(jobs))
        return found

    def _state(self, seed: int, arm: Arm) -> dict[str, torch.Tensor]:
        state: dict[str, torch.Tensor] = read_piece(self.network_path(seed, arm))[
            "network"
        ]
        return state

    def view(self, side: int, *, whole: bool = False) -> View:
        """Return how targets are cut; all coefficients of people to measure with."""
        core = self.plan.network
        return View(
            crop_size=side,
            hd_size=self.plan.picture_size,
            n_betas=self.model.n_betas if whole else core.n_betas,
            n_expression=self.model.n_expression if whole else core.n_expression,
        )

    def _report(self, piece: str) -> Callable[[int, int], None]:
        return lambda done, count: self.progress(piece, done, count)
