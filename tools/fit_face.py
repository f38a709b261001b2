"""Fit faces to synthetic head pictures through the photometric loss alone, and show it.

    python -m tools.fit_face --out docs/images/face-fit.png

Starts from grey light, the mean face's colours, no expression, and a pose and camera
that are off by chance; shape is the truth's. Nothing but pixels pulls: no landmarks.
Prints how far pose, landmarks and expression are from the truth, before and after.
"""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from pixie_runtime.body import embedded_body_model
from pixie_runtime.smplx import JAW, JOINT_COUNT
from pixie_runtime.types import UInt8
from pixie_train.batch import Batch, CropKind, join
from pixie_train.body_model import TorchSurface
from pixie_train.camera import project
from pixie_train.data.motion import load_motion_bank
from pixie_train.data.pictures import (
    Photographer,
    PictureConfig,
    PictureDataset,
    View,
)
from pixie_train.key_points import FACE_POINTS, SurfaceKeyPoints
from pixie_train.losses.photometric import photometric
from pixie_train.losses.priors import expression as expression_prior
from pixie_train.losses.priors import texture as texture_prior
from pixie_train.predictions import RenderedFace
from pixie_train.rendering import FaceRasteriser
from pixie_train.rotations import matrix_from_rotvec
from pixie_train.utilities import read_utilities

_RATES = {
    "turn": 0.009,
    "jaw": 0.009,
    "shift": 0.0006,
    "log_scale": 0.003,
    "expression": 0.045,
    "texture": 0.05,
    "light": 0.03,
}
_APPEARANCE = ("texture", "light")
_PAINTED = 0.7
"""Share of the steps in which colours stay within what the painter's faces have: waves
of brightness would explain features that are not yet in their places."""
_COARSE = 0.5
"""Share of the steps in which a fourth of the pixels along each side is compared."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Heads, and what draws them."""

    batch: Batch
    surface: TorchSurface
    key_points: SurfaceKeyPoints
    render: FaceRasteriser
    coarse: FaceRasteriser
    truth: Tensor
    """Rotations of the heads, (B, 3, 3), and where the fit starts."""
    start: Tensor
    start_camera: Tensor


@dataclass(frozen=True, eq=False)
class Drawn:
    """Heads as fitted so far."""

    image: Tensor
    mask: Tensor
    xy: Tensor
    R_head: Tensor


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--heads", type=int, default=5)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--wrong-deg", type=float, default=8.0)
    options = parser.parse_args()
    problem = prepared(options.heads, options.seed, options.wrong_deg)
    values = start(problem)
    first = drawn(problem, values, problem.render)
    report("before", problem, values, first)
    fit(problem, values, options.steps)
    last = drawn(problem, values, problem.render)
    report("after", problem, values, last)
    picture = sheet(problem, first, last)
    cv2.imwrite(str(options.out), np.ascontiguousarray(picture[..., ::-1]))


def prepared(heads: int, seed: int, wrong_deg: float) -> Problem:
    """Take pictures of heads that look about towards us, and get ready to draw."""
    model = embedded_body_model()
    config = PictureConfig(kind=CropKind.HEAD, seed=seed, occluded=0.0)
    photographer = Photographer(config, model, load_motion_bank(), count=40 * heads)
    view = View(n_betas=model.n_betas, n_expression=model.n_expression)
    taken = []
    for batch in PictureDataset(photographer, view):
        if batch.targets.absolute[0, 0, 2, 2] < -math.cos(math.radians(25)):
            taken.append(batch)
        if len(taken) == heads:
            break
    batch = join(taken)
    tables, _ = read_utilities(None, model)
    key_points = SurfaceKeyPoints(tables, np.arange(model.vertex_count))
    surface = TorchSurface(
        model, n_betas=model.n_betas, n_expression=model.n_expression
    )
    random = torch.Generator().manual_seed(seed)
    wrong = torch.randn(heads, 3, generator=random)
    wrong *= math.radians(wrong_deg) / wrong.norm(dim=1, keepdim=True)
    true_R = batch.targets.absolute[:, 0]
    start_R = matrix_from_rotvec(wrong) @ true_R
    problem = Problem(
        batch,
        surface,
        key_points,
        FaceRasteriser(model),
        FaceRasteriser(model, size=56),
        true_R,
        start_R,
        torch.tensor([[1.0, 0, 0]]).repeat(heads, 1),
    )
    camera = placed(problem)
    camera[:, 0] *= 1 + 0.05 * torch.randn(heads, generator=random)
    camera[:, 1:] += 0.002 * torch.randn(heads, 2, generator=random)
    return Problem(**{**vars(problem), "start_camera": camera})


def placed(problem: Problem) -> Tensor:
    """Return the cameras (B, 3) that put the starting faces over the true ones."""
    points = _points(problem, start(problem))[:, FACE_POINTS, :2]
    true = problem.batch.targets.xy[:, FACE_POINTS]
    middle, true_middle = points.mean(1, keepdim=True), true.mean(1, keepdim=True)
    scale = (true - true_middle).norm(dim=(1, 2)) / (points - middle).norm(dim=(1, 2))
    return torch.cat(
        [scale[:, None], (true_middle / scale[:, None, None] - middle)[:, 0]], 1
    )


def start(problem: Problem) -> dict[str, Tensor]:
    """Return what is optimised, where it starts."""
    count = len(problem.start)
    sizes = {"turn": 3, "jaw": 3, "shift": 2, "log_scale": 1}
    sizes["expression"] = problem.surface.skeleton.n_expression
    sizes["texture"] = problem.render.n_texture
    values = {name: torch.zeros(count, size) for name, size in sizes.items()}
    values["light"] = torch.zeros(count, 9, 3)
    values["light"][:, 0] = 0.8 * math.sqrt(4 * math.pi)
    return {name: value.requires_grad_() for name, value in values.items()}


def _rotations(problem: Problem, values: dict[str, Tensor]) -> Tensor:
    R = torch.eye(3).repeat(len(problem.start), JOINT_COUNT, 1, 1)
    R[:, 0] = matrix_from_rotvec(values["turn"]) @ problem.start
    R[:, JAW] = matrix_from_rotvec(values["jaw"])
    return R


def _points(problem: Problem, values: dict[str, Tensor]) -> Tensor:
    """Return key points in metres, (B, 145, 3)."""
    out = problem.surface(
        problem.batch.targets.betas, values["expression"], _rotations(problem, values)
    )
    points: Tensor = problem.key_points(out).detach()
    return points - points[:, FACE_POINTS].mean(1, keepdim=True)


def drawn(problem: Problem, values: dict[str, Tensor], render: FaceRasteriser) -> Drawn:
    """Draw the heads."""
    R = _rotations(problem, values)
    out = problem.surface(problem.batch.targets.betas, values["expression"], R)
    camera = torch.cat(
        [
            problem.start_camera[:, :1] * values["log_scale"].exp(),
            problem.start_camera[:, 1:] + values["shift"],
        ],
        1,
    )
    points = problem.key_points(out)
    # Bodies turn about their pelvis; a head is held where it is while it is turned.
    middle = points[:, FACE_POINTS].mean(1, keepdim=True)
    vertices = out.vertices - middle
    face = render(vertices, camera, values["texture"], values["light"])
    xy = project(points - middle, camera)[..., :2].detach()
    return Drawn(face.image, face.mask, xy, R[:, 0].detach())


def fit(problem: Problem, values: dict[str, Tensor], steps: int) -> None:
    """Descend: colours first, then all at once, on few pixels and then on all."""
    groups = [{"params": [values[name]], "lr": rate} for name, rate in _RATES.items()]
    optimiser = torch.optim.Adam(groups, betas=(0.9, 0.98), eps=1e-4)
    picture = problem.batch.pictures.image.float() / 255
    skin = problem.batch.targets.face_mask
    assert skin is not None
    small = torch.nn.functional.avg_pool2d(picture, 4)
    small_skin = torch.nn.functional.avg_pool2d(skin.float(), 4)
    for step in range(steps):
        coarse = step < _COARSE * steps
        for group, (name, rate) in zip(
            optimiser.param_groups, _RATES.items(), strict=True
        ):
            still = step < 0.1 * steps and name not in _APPEARANCE
            late = 0.5 + 0.5 * math.cos(math.pi * step / steps)
            group["lr"] = 0.0 if still else rate * (0.1 + 0.9 * late)
        here = drawn(problem, values, problem.coarse if coarse else problem.render)
        target, known = (small, small_skin) if coarse else (picture, skin)
        face = RenderedFace(here.image, here.mask)
        cost = photometric(face, target, known).value.sum()
        cost = cost + 1e-3 * texture_prior(values["texture"]).value.sum()
        cost = cost + 3e-5 * expression_prior(values["expression"]).value.sum()
        optimiser.zero_grad()
        cost.backward()  # type: ignore[no-untyped-call]
        gradient = values["texture"].grad
        if step < _PAINTED * steps and gradient is not None:
            gradient[:, 16:] = 0
        optimiser.step()


def report(when: str, problem: Problem, values: dict[str, Tensor], here: Drawn) -> None:
    """Print how far everything is from the truth: the median over the heads."""
    targets = problem.batch.targets
    picture = problem.batch.pictures.image / 255
    assert targets.face_mask is not None
    face = RenderedFace(here.image.detach(), here.mask)
    pixels = photometric(face, picture, targets.face_mask).value
    R_wrong = here.R_head @ problem.truth.transpose(1, 2)
    cosine = (R_wrong.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2
    angle = torch.rad2deg(torch.acos(cosine.clamp(-1, 1)))
    apart = (here.xy - targets.xy)[:, FACE_POINTS].norm(dim=2).mean(1) * 112
    own = values["expression"].detach()
    expression = (own - targets.expression).norm(dim=1) / targets.expression.norm(dim=1)
    for name, value in (
        ("photometric loss", pixels),
        ("head's rotation, degrees", angle),
        ("landmarks, pixels", apart),
        ("expression, share of the truth", expression),
    ):
        each = " ".join(f"{v:.3f}" for v in value.tolist())
        print(f"{when}: {name}: median {value.median():.3f} ({each})")


def sheet(problem: Problem, first: Drawn, last: Drawn) -> UInt8:
    """Return pictures, starts, fits and the fits' errors, a head a column."""
    picture = problem.batch.pictures.image.float() / 255

    def over(face: Drawn) -> Tensor:
        return torch.where(face.mask > 0.5, face.image.detach(), picture)

    skin = problem.batch.targets.face_mask
    assert skin is not None
    seen = skin & (last.mask > 0.5)
    wrong = (last.image.detach() - picture).abs() * seen
    rows = [picture, over(first), over(last), wrong * 3]
    tall = torch.cat([torch.cat(list(row), 2) for row in rows], 1)
    shown = tall.clamp(0, 1).permute(1, 2, 0).numpy() * 255
    return shown.round().astype(np.uint8)


if __name__ == "__main__":
    main()
