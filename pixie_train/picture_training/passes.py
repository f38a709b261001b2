"""From the batches of a step to its loss, by stage."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pixie_runtime.errors import UsageError
from pixie_train.batch import Batch, CropKind, unit_range
from pixie_train.body_model import TorchSurface
from pixie_train.full_precision import full_precision
from pixie_train.losses.identity import FaceEmbedding
from pixie_train.losses.photometric import FaceRenderer, with_faces
from pixie_train.losses.stage import Loss, StageLosses
from pixie_train.losses.weights import STAGE_KINDS
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.networks.pixie import Features, PartFeatures, RawParams
from pixie_train.part_boxes import part_boxes
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.config import Stage, StageRun
from pixie_train.picture_training.part_crops import jittered, part_crops
from pixie_train.predictions import (
    FeaturePairs,
    Predictions,
    of_hand,
    of_head,
    of_person,
)
from pixie_train.processes import ALONE, Processes

_OF_BODY = (
    "encode_body",
    "core.extract_head",
    "core.extract_left_hand",
    "core.extract_right_hand",
    "core.regress_body",
    "core.regress_head",
    "core.regress_hand",
)
TRAINED: dict[Stage, tuple[str, ...]] = {
    "body": _OF_BODY,
    "head": ("encode_head", "core.regress_head", "core.regress_head_own"),
    "hand": ("encode_hand", "core.regress_hand", "core.regress_hand_own"),
    "whole": (
        *_OF_BODY,
        "encode_head",
        "encode_hand",
        "core.moderate_head",
        "core.moderate_hand",
    ),
}
"""The parts of the network that a stage moves. Body and parts share regressors."""


@dataclass(frozen=True)
class FaceTerms:
    """What equations (11) and (12) need; both are other people's parts."""

    render: FaceRenderer | None = None
    """Draws faces; None: no photometric term."""
    embed: FaceEmbedding | None = None
    """Recognises faces; None: no identity term."""


class StagePass(nn.Module):
    """One pass of a stage: networks, decoding, losses.

    `terms` of a result are named `stage/term`, as in the log.
    """

    def __init__(
        self,
        run: StageRun,
        network: ImagePixie,
        body: TrainingBody,
        faces: FaceTerms | None = None,
        processes: Processes = ALONE,
    ) -> None:
        """Prepare a stage.

        Raises:
            UsageError: a loss term has a weight but lacks what computes it, or the
                network has no regressors of its own for part crops.
        """
        super().__init__()
        self.run = run
        self.network = network
        self._faces = faces or FaceTerms()
        needed: list[Stage] = [run.stage]
        if run.stage == "whole":
            needed += ["body"]
            needed += ["head"] if run.extra_heads else []
            needed += ["hand"] if run.extra_hands else []
        core = network.config.core
        if not core.n_texture and {"head", "hand"} & set(needed):
            raise UsageError(
                "the network regresses no cameras of part crops (n_texture 0), which "
                "training on heads and hands needs; give it an n_texture of 1 or more"
            )
        self.losses = nn.ModuleDict(
            {
                stage: StageLosses(
                    getattr(run.weights, stage),
                    body.gaussians,
                    choices=run.choices,
                    embed=self._faces.embed if stage == "head" else None,
                    processes=processes,
                )
                for stage in needed
            }
        )
        # In tuples: constants of the body are no part of what is trained or saved.
        self._key_points = (body.key_points,)
        drawn = "head" in needed and self._faces.render is not None
        self._surface = (
            TorchSurface(
                body.model, n_betas=core.n_betas, n_expression=core.n_expression
            )
            if drawn
            else None,
        )

    def to_device(self, device: torch.device) -> None:
        """Move everything there, the body's constants too."""
        self.to(device)
        self._key_points[0].to(device)
        if self._surface[0] is not None:
            self._surface[0].to(device)

    def forward(
        self, batches: Mapping[CropKind, Batch], draws: Tensor
    ) -> dict[str, Tensor]:
        """Return `total`, with gradient, and every weighted term, detached.

        Of several processes the mean of each is what the whole batch costs.

        Args:
            batches: this process's samples of a step, by kind.
            draws: chance of the parts' squares, (B, 3, 3) in [-1, 1].
        """
        run, total = self.run, None
        terms: dict[str, Tensor] = {}
        for kind, batch in batches.items():
            for stage, factor, said in self._said(kind, batch, draws):
                losses = self.losses[stage.partition(".")[0]]
                loss: Loss = losses(said, batch, run.counts[kind])
                part = factor * loss.total
                total = part if total is None else total + part
                terms |= {f"{stage}/{n}": factor * t for n, t in loss.terms.items()}
        assert total is not None, f"no batch for the stage {run.stage}"
        return {"total": total, **terms}

    def _said(
        self, kind: CropKind, batch: Batch, draws: Tensor
    ) -> list[tuple[str, float, Predictions]]:
        """Return the predictions of one batch, which stage's weights, and a factor."""
        run, factors = self.run, self.run.factors
        alone = STAGE_KINDS[run.stage] is kind
        if kind is CropKind.HEAD:
            return [("head", 1.0 if alone else factors.heads, self.head(batch))]
        if kind is CropKind.HAND:
            return [("hand", 1.0 if alone else factors.hands, self.hand(batch))]
        if run.stage == "body":
            return [("body", 1.0, self.body(batch))]
        fused, body_only, part_only = self.whole(batch, draws)
        told = [
            ("whole", factors.fused, fused),
            ("body", factors.body_only, body_only),
            ("whole.part_only", factors.part_only, part_only),
        ]
        return [one for one in told if one[1]]

    def body(self, batch: Batch) -> Predictions:
        """Return what the body's expert says alone of whole people."""
        F_b = self.network.encode_body(unit_range(batch.pictures.image))
        return self._person(self.network.core.coarse(F_b))

    def head(self, batch: Batch) -> Predictions:
        """Return what the head's expert says alone of heads."""
        core = self.network.core
        F_f = self.network.encode_head(unit_range(batch.pictures.image))
        own = core.regress_head_own(F_f)
        said = of_head(core.regress_head(F_f), own, self._key_points[0])
        render, surface = self._faces.render, self._surface[0]
        if render is None or surface is None:
            return said
        return with_faces(said, surface, render)

    def hand(self, batch: Batch) -> Predictions:
        """Return what the hands' expert says alone of right hands."""
        core = self.network.core
        F_h = self.network.encode_hand(unit_range(batch.pictures.image))
        own = core.regress_hand_own(F_h)
        return of_hand(core.regress_hand(F_h), own, self._key_points[0])

    def whole(
        self, batch: Batch, draws: Tensor
    ) -> tuple[Predictions, Predictions, Predictions]:
        """Return the fused regression of whole people, the body's and the parts' own.

        Args:
            batch: of bodies.
            draws: chance of the parts' squares, (B, 3, 3) in [-1, 1].
        """
        network, how = self.network, self.run.parts
        F_b = network.encode_body(unit_range(batch.pictures.image))
        boxes = batch.pictures.part_boxes
        if boxes is None or how.boxes == "coarse":
            boxes = self._coarse_boxes(F_b, batch)
        else:
            boxes = jittered(boxes, draws.to(boxes), how)
        crops = part_crops(batch, boxes, how.size)
        hands = network.encode_hand(crops.hands.flatten(0, 1))
        parts = PartFeatures(
            network.encode_head(crops.head), hands.reshape(len(batch), 2, -1)
        )
        pixie = network.core(Features(F_b, parts, crops.present))
        pairs = FeaturePairs.of(pixie, crops.present)
        return (
            self._person(pixie.fused, pairs),
            self._person(pixie.body_only),
            self._person(pixie.part_only),
        )

    def _person(
        self, raw: RawParams, features: FeaturePairs | None = None
    ) -> Predictions:
        return of_person(raw, self._key_points[0], features)

    @torch.no_grad()
    def _coarse_boxes(self, F_b: Tensor, batch: Batch) -> Tensor:
        said = self._person(self.network.core.coarse(F_b))
        fine = batch.pictures.image_hd
        picture = batch.pictures.image if fine is None else fine
        with full_precision(said.points_2d):
            return part_boxes(
                said.points_2d,
                hd_size=picture.shape[-1],
                head_scale=self.run.parts.head_scale,
                hand_scale=self.run.parts.hand_scale,
            )


def trained(run: StageRun, network: ImagePixie) -> list[nn.Module]:
    """Return the parts of the network that a run moves.

    Raises:
        UsageError: `frozen` names a part that the stage does not train.
    """
    names = list(TRAINED[run.stage])
    names += ["core.regress_head_own"] if run.extra_heads else []
    names += ["core.regress_hand_own"] if run.extra_hands else []
    short = {name.removeprefix("core."): name for name in names}
    for name in run.frozen:
        if short.pop(name, None) is None:
            raise UsageError(
                f"frozen has {name}, which the stage {run.stage} does not train; known "
                f"are {', '.join(n.removeprefix('core.') for n in names)}"
            )
    if not short:
        raise UsageError("frozen has all parts of the network; leave one to train")
    return [network.get_submodule(name) for name in short.values()]
