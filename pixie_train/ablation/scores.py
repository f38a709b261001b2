"""Errors of a network's three outputs, person by person.

V2V is the mean distance of vertices in millimetres: TR after both are moved to a common
point (pelvis, wrist, head joint), PA after the best similarity of the part alone, as in
the paper's Table 2. Shapes are compared in T-pose, pelvis on pelvis, and once more with
the truth's height, which a single picture hardly says.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JOINT_INDEX, LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS
from pixie_train.ablation.crops import CropSet
from pixie_train.ablation.network import AblationPixie
from pixie_train.batch import Targets
from pixie_train.body_model import TorchSurface
from pixie_train.networks.decoding import DecodedParams, decode
from pixie_train.networks.pixie import RawParams

Table = dict[str, npt.NDArray[np.float32]]
"""Arrays (N, ...) by name."""
OUTPUTS = ("moderated", "body", "part")
"""The paper's fusion, its "naive body" and its "copy-paste"."""
PARTS = ("head", "left_hand", "right_hand")
_EVERY = 7
"""All bodies' vertices are many; every seventh says the same."""
_BATCH = 60


@dataclass(frozen=True)
class Region:
    """Vertices that are measured together."""

    rows: list[int]
    """Among the chosen vertices."""
    root: int
    """The joint that TR puts in the same place."""


class Ruler(nn.Module):
    """Poses what was regressed and what is true, and measures between them."""

    def __init__(self, model: BodyModel, *, n_betas: int, n_expression: int) -> None:
        """Choose vertices of a model."""
        super().__init__()
        weights = model.weights_by_joint
        hands = [
            _belonging(weights, [JOINT_INDEX[f"{side}_wrist"], *joints])
            for side, joints in (
                ("left", LEFT_HAND_JOINTS),
                ("right", RIGHT_HAND_JOINTS),
            )
        ]
        face = [JOINT_INDEX[n] for n in ("head", "jaw")]
        face += [JOINT_INDEX[f"{side}_eye_smplhf"] for side in ("left", "right")]
        head = _belonging(weights, face)
        everywhere = np.arange(0, model.vertex_count, _EVERY)
        chosen = np.unique(np.concatenate([everywhere, head[::2], *hands]))
        self.regions = {
            "all": Region(_places(chosen, everywhere), 0),
            "head": Region(_places(chosen, head[::2]), JOINT_INDEX["head"]),
            "left_hand": Region(_places(chosen, hands[0]), JOINT_INDEX["left_wrist"]),
            "right_hand": Region(_places(chosen, hands[1]), JOINT_INDEX["right_wrist"]),
        }
        vertices = chosen.tolist()
        self.regressed = TorchSurface(
            model, n_betas=n_betas, n_expression=n_expression, vertices=vertices
        )
        self.true = TorchSurface(
            model,
            n_betas=model.n_betas,
            n_expression=model.n_expression,
            vertices=vertices,
        )

    def errors(self, said: DecodedParams, known: Targets) -> dict[str, Tensor]:
        """Return errors in millimetres, (B,) each."""
        ours = self.regressed(said.betas, said.expression, said.rotations)
        theirs = self.true(known.betas, known.expression, known.rotations)
        found = {}
        for name, region in self.regions.items():
            a, b = ours.vertices[:, region.rows], theirs.vertices[:, region.rows]
            roots = (s.joints[:, region.root, None] for s in (ours, theirs))
            a_root, b_root = roots
            found[f"{name}_tr"] = _apart(a - a_root, b - b_root)
            found[f"{name}_pa"] = _apart(aligned(a, b), b)
        return found | self.shape_errors(said.betas, known.betas)

    def shape_errors(self, betas: Tensor, true_betas: Tensor) -> dict[str, Tensor]:
        """Return how far T-posed bodies are apart, (B,) each."""
        rows = self.regions["all"].rows
        bodies = []
        for surface, coefficients in ((self.regressed, betas), (self.true, true_betas)):
            template = surface.get_buffer("template")
            dirs = surface.get_buffer("dirs")[: coefficients.shape[1]]
            vertices = template + (coefficients @ dirs).reshape(-1, *template.shape)
            pelvis = surface.skeleton.rest_joints(coefficients)[:, :1]
            bodies.append(vertices.transpose(1, 2)[:, rows] - pelvis)
        ours, theirs = bodies
        heights = [b[..., 1].amax(1) - b[..., 1].amin(1) for b in bodies]
        scale = (heights[1] / heights[0])[:, None, None]
        return {
            "shape": _apart(ours, theirs),
            "shape_scaled": _apart(ours * scale, theirs),
        }

    def mean_body(self, true_betas: Tensor) -> dict[str, Tensor]:
        """Return how far the mean body is from people, (B,) each: what is to be beaten.

        Whoever says less than that has not seen a shape.
        """
        nothing = torch.zeros(len(true_betas), self.regressed.skeleton.n_betas)
        errors = self.shape_errors(nothing, true_betas)
        return {f"mean_body/{name}": error for name, error in errors.items()}


@torch.no_grad()
def measured(network: AblationPixie, people: CropSet, ruler: Ruler) -> Table:
    """Return every person's errors by `output/metric`, and the moderators' weights."""
    network.eval()
    rows: list[dict[str, Tensor]] = []
    for chosen in _batches(len(people)):
        out = network.core(network.encode(people.sights(chosen)))
        known = people.batch(chosen).targets
        raws = dict(
            zip(OUTPUTS, (out.fused, out.body_only, out.part_only), strict=True)
        )
        table = {
            f"{name}/{metric}": error
            for name, raw in raws.items()
            for metric, error in ruler.errors(decode(raw), known).items()
        }
        means = ruler.mean_body(known.betas)
        rows.append({**table, **means, "weights": out.part_weights})
    return _joined(rows, people)


@torch.no_grad()
def shapes_measured(network: AblationPixie, people: CropSet, ruler: Ruler) -> Table:
    """Return every person's shape errors by the body's expert alone, and the betas."""
    network.eval()
    rows: list[dict[str, Tensor]] = []
    for chosen in _batches(len(people)):
        F_b = network.encode_body(people.seen[chosen])
        raw: RawParams = network.core.coarse(F_b)
        betas = raw.head["shape"]
        known = people.batch(chosen).targets
        errors = ruler.shape_errors(betas, known.betas)
        rows.append({**errors, **ruler.mean_body(known.betas), "betas": betas})
    return _joined(rows, people)


def aligned(points: Tensor, target: Tensor) -> Tensor:
    """Return points (B, P, 3) by the similarity that brings them closest to a target.

    Umeyama 1991: rotation from the singular vectors of the covariance, no reflection.
    """
    a, b = (x - x.mean(1, keepdim=True) for x in (points, target))
    U, S, Vh = torch.linalg.svd(a.transpose(1, 2) @ b)
    sign = torch.ones_like(S)
    sign[:, 2] = torch.linalg.det(U @ Vh).sign()
    R = (U * sign[:, None]) @ Vh
    scale = (S * sign).sum(1) / a.square().sum((1, 2))
    moved: Tensor = scale[:, None, None] * (a @ R) + target.mean(1, keepdim=True)
    return moved


def _apart(a: Tensor, b: Tensor) -> Tensor:
    millimetres: Tensor = (a - b).norm(dim=-1).mean(-1) * 1000
    return millimetres


def _batches(count: int) -> list[Tensor]:
    return list(torch.split(torch.arange(count), _BATCH))


def _joined(rows: list[dict[str, Tensor]], people: CropSet) -> Table:
    tensors = {name: torch.cat([row[name] for row in rows]) for name in rows[0]}
    tensors |= {"covered": people.covered, "gender": people.targets.gender}
    return {name: tensor.numpy().astype(np.float32) for name, tensor in tensors.items()}


def _belonging(
    weights: npt.NDArray[np.float32], joints: list[int]
) -> npt.NDArray[np.intp]:
    return np.flatnonzero(weights[joints].sum(0) > 0.5)


def _places(chosen: npt.NDArray[np.intp], some: npt.NDArray[np.intp]) -> list[int]:
    places: list[int] = np.searchsorted(chosen, some).tolist()
    return places
