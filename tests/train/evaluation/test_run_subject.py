from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pixie_runtime.body import BodyModel
from pixie_runtime.bundle import CropSpec
from pixie_runtime.errors import BundleError, UsageError
from pixie_runtime.types import Camera, UInt8
from pixie_train.checkpoint_file import LAST
from pixie_train.config import CoreConfig, ImageConfig
from pixie_train.evaluation.cases import Case, Truth
from pixie_train.evaluation.run_subject import (
    RunSight,
    RunSubject,
    open_run,
    recorded_sight,
)
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.picture_training.config import PartCrops, StageRun
from pixie_train.picture_training.state import RunState, save

SIGHT = RunSight(CropSpec(size=64, hd_size=96), part_size=32)
CAMERA = Camera(200.0, (60.0, 50.0), (120, 100))


@pytest.fixture(scope="module")
def network() -> ImagePixie:
    torch.manual_seed(0)
    core = CoreConfig(feature_dim=32, n_betas=10, n_expression=10)
    config = ImageConfig(
        "mobilenet_v4_small", "mobilenet_v4_small", "mobilenet_v4_small", core
    )
    return ImagePixie(config).eval()


@pytest.fixture(scope="module")
def picture() -> UInt8:
    return np.random.default_rng(0).integers(0, 255, (100, 120, 3), np.uint8)


def _case(picture: UInt8, box: tuple[float, float, float, float]) -> Case:
    return Case("x", lambda: picture, Truth(), camera=CAMERA, box=box)


def test_who_is_moved_in_the_picture_with_its_camera_is_the_same(
    network: ImagePixie, picture: UInt8, model: BodyModel
) -> None:
    subject = RunSubject(network, model, "run", SIGHT)
    case = _case(picture, (20, 10, 90, 80))
    here = subject.estimate(case, picture)
    wide = np.zeros((130, 160, 3), np.uint8)
    wide[30:, 40:] = picture
    camera = Camera(200.0, (100.0, 80.0), (160, 130))
    moved = replace(case, camera=camera, box=(60, 40, 130, 110))
    there = subject.estimate(moved, wide)
    assert here is not None
    assert there is not None
    np.testing.assert_allclose(here.joints, there.joints, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(here.rotations, there.rotations, atol=1e-4)


def test_parts_are_looked_at_unless_the_body_says_all(
    network: ImagePixie, picture: UInt8, model: BodyModel
) -> None:
    case = _case(picture, (20, 10, 90, 80))
    whole = RunSubject(network, model, "run", SIGHT).estimate(case, picture)
    naive = RunSubject(network, model, "run", replace(SIGHT, parts=False)).estimate(
        case, picture
    )
    assert whole is not None
    assert naive is not None
    legs = slice(1, 3)
    turned = whole.params.rotations, naive.params.rotations
    np.testing.assert_allclose(turned[0][legs], turned[1][legs], atol=1e-5)
    assert np.abs(turned[0][25:40] - turned[1][25:40]).max() > 1e-4


def test_nobody_is_in_a_box_outside_the_picture(
    network: ImagePixie, picture: UInt8, model: BodyModel
) -> None:
    subject = RunSubject(network, model, "run", SIGHT)
    assert subject.estimate(_case(picture, (500, 0, 600, 50)), picture) is None


def test_a_runs_folder_is_opened_for_its_own_body_only(
    network: ImagePixie, picture: UInt8, model: BodyModel, tmp_path: Path
) -> None:
    weights = network.state_dict()
    state = RunState(
        run=StageRun(stage="whole"),
        network=network.config,
        body_model_sha256=model.sha256,
        step=1,
        weights=weights,
        average=weights,
        optimiser={},
        scaler={},
        history=[],
    )
    with pytest.raises(UsageError, match="expected --crop-size"):
        recorded_sight(state)
    said = replace(state, data={"--crop-size": "64", "--hd-size": "96"})
    parts = PartCrops(size=32, head_scale=1.5)
    sight = recorded_sight(replace(said, run=StageRun(stage="whole", parts=parts)))
    assert sight == RunSight(CropSpec(64, 96, head_scale=1.5), part_size=32)
    assert recorded_sight(said, crop_size=48).body.size == 48
    save(state, tmp_path / LAST)
    case = _case(picture, (20, 10, 90, 80))
    opened = open_run(tmp_path, model, SIGHT).estimate(case, picture)
    kept = RunSubject(network, model, "run", SIGHT).estimate(case, picture)
    assert opened is not None
    assert kept is not None
    np.testing.assert_array_equal(opened.vertices, kept.vertices)
    with pytest.raises(BundleError, match="another body model"):
        open_run(tmp_path, replace(model, sha256="0" * 64), SIGHT)
