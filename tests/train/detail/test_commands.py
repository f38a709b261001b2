"""The commands, from a run to a mesh."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import UsageError
from pixie_train.config import CoreConfig, EncoderName, ImageConfig
from pixie_train.detail.commands import (
    DetailMeshOptions,
    DetailOptions,
    run_detail,
    run_detail_mesh,
)
from pixie_train.detail.state import load
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.picture_training.config import PartCrops, StageRun
from pixie_train.picture_training.state import RunState, save
from tests.train.detail.conftest import TINY, same_pictures

PORTRAIT = Path(__file__).parents[2] / "footage" / "face_recognition_biden.jpg"


def test_a_run_that_is_done_says_what_came_out_and_becomes_a_mesh(
    trained: Path, tmp_path: Path
) -> None:
    told = run_detail(DetailOptions(out=trained, config=TINY))
    assert f"next: pixie-train detail-mesh {trained}" in told
    out, normals = tmp_path / "head.obj", tmp_path / "normals.png"
    told = run_detail_mesh(DetailMeshOptions(trained, out, normals, steps=2))
    assert "normal map" in told
    assert "detail from 0.00 to 0.00 mm" not in told
    assert normals.stat().st_size > 1000
    lines = out.read_text(encoding="utf-8").splitlines()
    count = sum(line.startswith("v ") for line in lines)
    assert f"{count} vertices" in told


def test_a_run_in_half_precision_costs_nearly_the_same_and_is_drawn(
    trained: Path, tmp_path: Path
) -> None:
    same_pictures(trained, tmp_path)
    run = replace(TINY, steps=2, precision="bf16")
    told = run_detail(DetailOptions(tmp_path, config=run))
    assert f"log: {tmp_path / 'log.csv'}, {tmp_path / 'losses.png'}" in told
    costs = [load(folder).history[0]["loss"] for folder in (tmp_path, trained)]
    assert costs[0] == pytest.approx(costs[1], rel=0.05)
    assert costs[0] != costs[1]
    assert (tmp_path / "losses.png").stat().st_size > 10_000


@pytest.fixture(scope="module")
def whole(model: BodyModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run whose moderator trusts no head's expert much."""
    torch.manual_seed(0)
    small: EncoderName = "mobilenet_v4_small"
    core = CoreConfig(feature_dim=16, n_betas=10, n_expression=10, n_texture=4)
    network = ImagePixie(ImageConfig(small, small, small, core))
    state = RunState(
        run=StageRun(stage="whole", parts=PartCrops(size=64)),
        network=network.config,
        body_model_sha256=model.sha256,
        step=1,
        weights={},
        average=network.state_dict(),
        optimiser={},
        scaler={},
        history=[],
        data={"--crop-size": "64", "--hd-size": "128"},
    )
    path = tmp_path_factory.mktemp("whole") / "last.pt"
    save(state, path)
    return path


def test_detail_is_left_out_where_the_moderator_does_not_trust_the_face_expert(
    trained: Path, whole: Path, tmp_path: Path
) -> None:
    told = run_detail_mesh(
        DetailMeshOptions(
            trained,
            tmp_path / "face.obj",
            picture=PORTRAIT,
            head=whole,
            trust=0.95,
            steps=1,
        )
    )
    assert "detail is left out (--trust 0.95)" in told
    assert "detail from 0.00 to 0.00 mm" in told


def test_options_that_lack_a_network_or_a_file_are_said(
    trained: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="give one of them"):
        run_detail_mesh(DetailMeshOptions())
    with pytest.raises(UsageError, match="give --head"):
        run_detail_mesh(DetailMeshOptions(trained, picture=tmp_path / "none.jpg"))
