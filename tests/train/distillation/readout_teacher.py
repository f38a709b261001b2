"""Make a teacher without training: random encoders, last layers in closed form.

    python -m tests.train.distillation.readout_teacher PICTURES --out RUN

PICTURES are bodies of `pixie-train synthesise`. Encoders and hidden layers stay random,
with residual branches turned down; statistics of batch normalisation are those of the
pictures, and every last layer is the regression of the truth on the largest principal
components of what comes before it. What such a network says depends on the picture,
without being right about it. RUN is read by `pixie-export run`.
"""

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from pixie_runtime.body import embedded_body_model
from pixie_runtime.smplx import JAW, JOINT_INDEX, LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS
from pixie_train import rotations
from pixie_train.batch import Batch, join
from pixie_train.config import CoreConfig, ImageConfig
from pixie_train.data.pictures.dataset import PictureDataset, View
from pixie_train.data.pictures.store import open_store
from pixie_train.networks.decoding import PART_BODY_JOINTS
from pixie_train.networks.image_pixie import ImageCrops, ImagePixie
from pixie_train.networks.regressors import Regressor
from pixie_train.networks.residual import BasicBlock
from pixie_train.picture_training.config import PartCrops, StageRun
from pixie_train.picture_training.part_crops import part_crops
from pixie_train.picture_training.state import RunState, save

SIZE, WIDTH, AT_ONCE = 64, 512, 32


def main() -> None:
    """Make the network and write it as a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--components", type=int, default=12)
    parser.add_argument("--branches", type=float, default=0.1)
    options = parser.parse_args()
    model = embedded_body_model()
    core = CoreConfig(
        feature_dim=WIDTH,
        regressor_width=WIDTH,
        moderator_width=64,
        n_betas=model.n_betas,
        n_expression=model.n_expression,
    )
    torch.manual_seed(0)
    network = ImagePixie(ImageConfig("resnet18", "resnet18", "resnet18", core))
    _turn_down(network, options.branches)
    view = View(SIZE, 256, core.n_betas, core.n_expression)
    data = PictureDataset(open_store(options.pictures), view)
    upright = [number for number in range(len(data)) if _faces_us(data[number])]
    chosen = upright[: options.count]
    batches = [
        join([data[number] for number in chosen[start : start + AT_ONCE]])
        for start in range(0, len(chosen), AT_ONCE)
    ]
    fit(network, batches, options.components)
    options.out.mkdir(parents=True, exist_ok=True)
    weights = network.state_dict()
    state = RunState(
        run=StageRun(stage="whole", parts=PartCrops(size=SIZE)),
        network=network.config,
        body_model_sha256=model.sha256,
        step=0,
        weights=weights,
        average=weights,
        optimiser={},
        scaler={},
        history=[],
    )
    save(state, options.out / "last.pt")


@torch.no_grad()
def _turn_down(network: ImagePixie, branches: float) -> None:
    """Scale residual branches; deep random networks turn over from frame to frame.

    With whole branches the answers about neighbouring frames are about as far apart as
    those about any two: nobody could learn that.
    """
    for module in network.modules():
        if isinstance(module, BasicBlock):
            module.bn2.weight.fill_(branches)


@torch.no_grad()
def fit(network: ImagePixie, batches: list[Batch], kept: int) -> None:
    """Set statistics, extractors and last layers."""
    seen = [_crops(batch) for batch in batches]
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean over all batches
    network.train()
    for crops in seen:
        network.encode(crops)
    network.eval()
    features = [network.encode(crops) for crops in seen]
    F_b = torch.cat([f.body for f in features])
    parts = torch.cat([f.parts.stacked() for f in features], dim=0)
    core = network.core
    extractors = (core.extract_head, core.extract_left_hand, core.extract_right_hand)
    for extract, theirs in zip(extractors, parts.unbind(1), strict=True):
        _solve(extract.layers[-1], F_b, theirs, kept)
    e = core.extract(F_b).stacked()
    body, head, hands = _truth(batches)
    _regress(core.regress_body, F_b, body, kept)
    _regress(
        core.regress_head,
        torch.cat([parts[:, 0], e[:, 0]]),
        torch.cat([head, head]),
        kept,
    )
    _regress(
        core.regress_hand,
        torch.cat([parts[:, 1:], e[:, 1:]]).flatten(0, 1),
        torch.cat([hands, hands]).flatten(0, 1),
        kept,
    )


def _faces_us(batch: Batch) -> bool:
    """Whether somebody stands upright and is turned towards the camera.

    The mean rotation of people who lie and stand in all directions is hardly one.
    """
    R = batch.targets.rotations[0, 0]
    return bool(R[1, 1] < -0.7) and bool(R[2, 2] < -0.3)


def _crops(batch: Batch) -> ImageCrops:
    boxes = batch.pictures.part_boxes
    assert boxes is not None
    return part_crops(batch, boxes, SIZE)


def _regress(regressor: Regressor, feature: Tensor, truth: Tensor, kept: int) -> None:
    _solve(regressor.layers[-1], regressor.layers[:-1](feature), truth, kept)


def _solve(last: nn.Module, given: Tensor, wanted: Tensor, kept: int) -> None:
    """Set a linear layer to the regression of `wanted` on components of `given`."""
    assert isinstance(last, nn.Linear)
    x, y = given.double(), wanted.double()
    mean_x, mean_y = x.mean(0), y.mean(0)
    x, y = x - mean_x, y - mean_y
    _, _, axes = torch.linalg.svd(x, full_matrices=False)
    axes = axes[:kept].T
    W = (axes @ torch.linalg.lstsq(x @ axes, y).solution).T
    explained = 1 - (y - x @ W.T).square().sum() / y.square().sum()
    sys.stdout.write(
        f"{W.shape[1]} to {W.shape[0]}: {explained:.2f} of the variance explained\n"
    )
    last.weight.copy_(W)
    last.bias.copy_(mean_y - W @ mean_x)


def _truth(batches: list[Batch]) -> tuple[Tensor, Tensor, Tensor]:
    """Return what the regressors should say: body, head, hands (N, 2, ...)."""
    known = [batch.targets for batch in batches]
    R = torch.cat([t.rotations for t in known])
    absolute = torch.cat([t.absolute for t in known])
    camera = torch.cat([_camera(t.xy, t.xyz) for t in known])
    body = [R[:, [0]], R[:, list(PART_BODY_JOINTS)], R[:, [JOINT_INDEX["neck"]]]]
    of_body = [camera, *(rotations.matrix_to_6d(r).flatten(1) for r in body)]
    of_head = [
        torch.cat([t.betas for t in known]),
        torch.cat([t.expression for t in known]),
        rotations.matrix_to_6d(absolute[:, 0]),
        rotations.euler_xyz_from_matrix(R[:, JAW]),
    ]
    wrists, fingers = (
        absolute[:, 1:].clone(),
        torch.stack(
            [R[:, list(LEFT_HAND_JOINTS)], R[:, list(RIGHT_HAND_JOINTS)]], dim=1
        ),
    )
    wrists[:, 0] = rotations.mirror(wrists[:, 0])
    fingers[:, 0] = rotations.mirror(fingers[:, 0])
    of_hands = [rotations.matrix_to_6d(wrists), rotations.matrix_to_6d(fingers)]
    return (
        torch.cat(of_body, 1),
        torch.cat(of_head, 1),
        torch.cat([r.flatten(2) for r in of_hands], 2),
    )


def _camera(xy: Tensor, xyz: Tensor) -> Tensor:
    """Return the weak perspective (B, 3) that fits the key points best.

    xyz are about any origin; a network's about the rest pelvis, here about the pelvis.
    """
    flat = (xyz - xyz[:, :1])[..., :2]
    ours, theirs = flat - flat.mean(1, True), xy - xy.mean(1, True)
    s = (ours * theirs).sum((1, 2)) / ours.square().sum((1, 2))
    return torch.cat([s[:, None], xy.mean(1) / s[:, None] - flat.mean(1)], 1)


if __name__ == "__main__":
    main()
