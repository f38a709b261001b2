import numpy as np
import pytest
import torch
from torch import Tensor

from pixie_runtime import rotations as rot
from pixie_runtime.body import BodyModel
from pixie_runtime.crops import Square
from pixie_runtime.smplx import JAW, JOINT_COUNT
from pixie_runtime.types import Camera
from pixie_runtime.weak_perspective import WeakCamera
from pixie_train.batch import Batch, CropKind, Targets, join
from pixie_train.data.motion import MotionBank
from pixie_train.data.pictures import Photographer, PictureConfig, PictureDataset, View
from pixie_train.data.pictures.augmentation import centred
from pixie_train.data.pictures.line_of_sight import camera_of, looked_at
from pixie_train.data.pictures.mirroring import mirror
from pixie_train.key_points import FACE_POINTS, KeyPoints
from pixie_train.pinhole import fitted_camera
from pixie_train.utilities import read_utilities

COUNT = 12


def taken(kind: CropKind, model: BodyModel, bank: MotionBank) -> Photographer:
    config = PictureConfig(kind=kind, size=32, supersampling=1, occluded=0)
    return Photographer(config, model, bank, count=COUNT)


def batch_of(photographer: Photographer) -> Batch:
    model = photographer.model
    view = View(32, 32, n_betas=model.n_betas, n_expression=model.n_expression)
    return join(list(PictureDataset(photographer, view)))


def off_px(points: Tensor, xy: Tensor) -> Tensor:
    """Return how far the best weak perspective puts points from xy, (B, P).

    In pixels of a crop of 224.
    """
    here, there = (p - p.mean(1, keepdim=True) for p in (points[..., :2], xy))
    s = (here * there).sum((1, 2)) / here.square().sum((1, 2))
    off: Tensor = (s[:, None, None] * here - there).norm(dim=-1) * 112
    return off


# A body near a wide lens is no weak perspective, however it is turned.
@pytest.mark.parametrize("kind", [CropKind.HEAD, CropKind.HAND])
def test_weak_perspective_can_say_what_heads_and_hands_are_told(
    kind: CropKind, model: BodyModel, bank: MotionBank
) -> None:
    targets = batch_of(taken(kind, model, bank)).targets
    told = targets.xyz_confidence[0] > 0
    # What is left is how much nearer a nose is than an ear; in the axes of the camera
    # that took the pictures it is three times as much.
    assert off_px(targets.xyz[:, told], targets.xy[:, told]).mean() < 1.5


def test_a_true_head_has_its_jaw_line_where_the_targets_have_it(
    model: BodyModel, bank: MotionBank
) -> None:
    targets = batch_of(taken(CropKind.HEAD, model, bank)).targets
    said, known = as_the_expert_says(targets, model), targets.xy
    face = off_px(said[:, FACE_POINTS], known[:, FACE_POINTS])
    assert face[:, 51:].mean() < 2
    assert face.mean() < 1.5


def as_the_expert_says(targets: Targets, model: BodyModel) -> Tensor:
    """Return key points of bodies at rest that bear the heads' turn."""
    tables, _ = read_utilities(None, model)
    key_points = KeyPoints(
        model, tables, n_betas=model.n_betas, n_expression=model.n_expression
    )
    R = torch.eye(3).repeat(COUNT, JOINT_COUNT, 1, 1)
    R[:, 0], R[:, JAW] = targets.absolute[:, 0], targets.rotations[:, JAW]
    points: Tensor = key_points(targets.betas, targets.expression, R)
    return points


@pytest.mark.parametrize("kind", list(CropKind))
def test_the_runtime_turns_it_back(
    kind: CropKind, model: BodyModel, bank: MotionBank
) -> None:
    photographer = taken(kind, model, bank)
    for index in range(3):
        sample = photographer[index]
        ahead = looked_at(sample, kind, camera_of(sample))
        cut = centred(sample, kind, 2.0)
        quaternions = rot.from_matrix(ahead.rotations).astype(np.float32)
        shaped = model.shaped(sample.betas, sample.expression)
        seen = shaped.posed(quaternions, np.zeros(3, np.float32))
        camera: Camera = fitted_camera(sample.xyz, sample.pixels)
        values = np.array([1, 0, 0], np.float32)
        weak = WeakCamera(values, Square(cut.x, cut.y, cut.side))
        placed, _ = weak.placed(seen, quaternions, camera)
        R = rot.to_matrix(placed[0])
        np.testing.assert_allclose(R, sample.rotations[0], atol=1e-4)
        np.testing.assert_allclose(placed[1:], quaternions[1:])


# Hands have a square as right ones only.
@pytest.mark.parametrize("kind", [CropKind.BODY, CropKind.HEAD])
def test_mirrors_may_be_before_or_behind(
    kind: CropKind, model: BodyModel, bank: MotionBank
) -> None:
    sample = taken(kind, model, bank)[0]
    mirrored = mirror(sample)
    one = looked_at(mirrored, kind, camera_of(mirrored))
    other = mirror(looked_at(sample, kind, camera_of(sample)))
    for name in ("xyz", "rotations", "absolute"):
        np.testing.assert_allclose(
            vars(one)[name], vars(other)[name], atol=1e-4, err_msg=name
        )
