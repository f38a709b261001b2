"""Part experts in training are evaluated as they are trained: on the same crops."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pixie_runtime import rotations as rot
from pixie_runtime.body import BodyModel
from pixie_runtime.errors import UsageError
from pixie_train.batch import CropKind
from pixie_train.checkpoint_file import LAST
from pixie_train.config import CoreConfig, EncoderName, ImageConfig
from pixie_train.data.motion import MotionBank
from pixie_train.data.pictures import Photographer, PictureConfig
from pixie_train.data.pictures.dataset import PictureDataset, View, shows_left
from pixie_train.data.pictures.sample import PART_POINTS, RIGHT
from pixie_train.evaluation.anatomy import Anatomy
from pixie_train.evaluation.benchmarks.freihand import read_freihand
from pixie_train.evaluation.cases import Case, Truth, box_about
from pixie_train.evaluation.command import EvaluateOptions, run_evaluate
from pixie_train.evaluation.part_subject import PartSubject
from pixie_train.evaluation.run_subject import open_run
from pixie_train.evaluation.running import evaluate
from pixie_train.evaluation.scoring import neutral_head
from pixie_train.evaluation.subjects import Part
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.config import PartCrops, Stage, StageRun
from pixie_train.picture_training.passes import StagePass
from pixie_train.picture_training.state import RunState, save
from tests.train.evaluation import miniatures
from tests.train.evaluation.conftest import posed

SIZE = 64


@pytest.fixture(scope="module")
def network() -> ImagePixie:
    torch.manual_seed(1)
    core = CoreConfig(
        feature_dim=32, regressor_width=16, n_betas=10, n_expression=10, n_texture=4
    )
    small: EncoderName = "mobilenet_v4_small"
    return ImagePixie(ImageConfig(small, small, small, core)).eval()


def run_of(stage: Stage, network: ImagePixie, model: BodyModel, folder: Path) -> Path:
    weights = network.state_dict()
    state = RunState(
        run=StageRun(stage=stage, parts=PartCrops(size=SIZE)),
        network=network.config,
        body_model_sha256=model.sha256,
        step=1,
        weights=weights,
        average=weights,
        optimiser={},
        scaler={},
        history=[],
        data={"--crop-size": str(SIZE)},
    )
    save(state, folder / LAST)
    return folder


def test_a_hand_is_seen_as_in_training_and_put_where_it_was_seen(
    network: ImagePixie, model: BodyModel, bank: MotionBank
) -> None:
    config = PictureConfig(kind=CropKind.HAND, size=128)
    samples = Photographer(config, model, bank, count=8)
    number = next(n for n in range(8) if not shows_left(samples[n]))
    sample = samples[number]
    batch = PictureDataset(samples, View(crop_size=SIZE))[number]
    body = TrainingBody.of(model, network.config.core)
    with torch.no_grad():
        said = StagePass(StageRun(stage="hand"), network, body).hand(batch)

    pixels = sample.pixels[PART_POINTS[RIGHT]]
    case = Case("x", lambda: sample.picture, Truth(), extent=box_about(pixels, 0))
    subject = PartSubject(network, model, "run", "hand", size=SIZE, scale=2.4)
    seen = subject.estimate(case, sample.picture)
    assert seen is not None
    turned = rot.to_matrix(seen.params.rotations)[1:]
    np.testing.assert_allclose(turned, said.rotations[0, 1:], atol=0.02)
    # A pinhole sees the knuckles where the expert's camera has them, but for depth.
    square = max(np.ptp(pixels, axis=0)) * 2.4
    at = (said.points_2d[0, PART_POINTS[RIGHT][:16]] + 1).numpy() / 2 * square
    at += pixels.min(0) / 2 + pixels.max(0) / 2 - square / 2
    there = seen.camera.project(seen.joints[[21, *range(40, 55)]])
    assert np.abs(there - at).max() < 0.2 * square


def test_a_hands_run_is_measured_on_freihand_and_a_heads_on_now(
    network: ImagePixie, model: BodyModel, anatomy: Anatomy, tmp_path: Path
) -> None:
    hand = np.random.default_rng(0).normal((0, 0, 0.6), 0.03, (2, 21, 3))
    meshes = np.repeat(hand, 38, axis=1)[:, :778]
    miniatures.make_freihand(tmp_path / "freihand", hand, meshes)
    hands = run_of("hand", network, model, made(tmp_path / "hands"))
    cases = read_freihand(tmp_path / "freihand", count=2)
    found = evaluate(open_run(hands, model, part="hand"), cases, anatomy)
    assert found.missed == 0
    assert 10 < found.figures["PA-MPJPE"] < 100

    surface, landmarks = neutral_head(anatomy, posed(model, 8))
    now, out = tmp_path / "now", tmp_path / "out"
    scan = surface.vertices[::25] * 1000
    miniatures.make_now(now, scan, [[0, 1, 2]], landmarks * 1000)
    heads = run_of("head", network, model, made(tmp_path / "heads"))
    options = EvaluateOptions(
        benchmark=f"now:{now}", run=heads, out=out, limit=1, worst=0
    )
    run_evaluate(options)
    figures = json.loads((out / "report.json").read_text())["figures"]
    assert 0 < figures["median"] < 20
    with pytest.raises(UsageError, match="--part is hand, but now shows a head"):
        run_evaluate(replace(options, part="hand"))
    with pytest.raises(UsageError, match="has learned to look at hands, not at heads"):
        run_evaluate(replace(options, run=hands))
    with pytest.raises(UsageError, match="heads, not at whole people; give a benchma"):
        run_evaluate(EvaluateOptions(synthetic=1, run=heads))


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("stage", "looks"), [("body", {"whole"}), ("whole", {"whole", "head", "hand"})]
)
def test_a_run_looks_at_what_it_has_learned_alone(
    stage: Stage,
    looks: set[Part],
    network: ImagePixie,
    model: BodyModel,
    tmp_path: Path,
) -> None:
    run = run_of(stage, network, model, tmp_path)
    part: Part
    for part in ("whole", "head", "hand"):
        if part in looks:
            open_run(run, model, part=part).close()
            continue
        with pytest.raises(UsageError, match=r"of the stage body, which has learned"):
            open_run(run, model, part=part)


def test_a_bodys_expert_does_not_ask_experts_that_know_nothing(
    network: ImagePixie, model: BodyModel, tmp_path: Path
) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (80, 80, 3), np.uint8)
    case = Case("x", lambda: picture, Truth(), box=(10, 10, 70, 70))
    run = run_of("body", network, model, tmp_path)
    before = open_run(run, model).estimate(case, picture)
    other = ImagePixie(network.config).eval()
    other.load_state_dict(network.state_dict())
    for parameter in other.encode_hand.parameters():
        parameter.data.zero_()
    after = open_run(run_of("body", other, model, tmp_path), model)
    assert before is not None
    same = after.estimate(case, picture)
    assert same is not None
    np.testing.assert_array_equal(before.vertices, same.vertices)


def test_experts_without_a_camera_and_boxes_outside_see_nobody(
    network: ImagePixie, model: BodyModel
) -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    subject = PartSubject(network, model, "run", "head", size=SIZE, scale=2.0)
    away = Case("x", lambda: picture, Truth(), box=(50, 0, 60, 9))
    assert subject.estimate(away, picture) is None
    assert subject.estimate(replace(away, box=None), picture) is not None
    core = replace(network.config.core, n_texture=0)
    blind = ImagePixie(replace(network.config, core=core))
    with pytest.raises(UsageError, match="no regressor of its own for the hand"):
        PartSubject(blind, model, "run", "hand", size=SIZE, scale=2.4)
