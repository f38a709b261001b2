import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pixie_runtime.errors import BundleError, PixieError, UsageError
from pixie_train.batch import CropKind
from pixie_train.checkpoint_file import LAST
from pixie_train.data.motion import MotionBank
from pixie_train.detail.body import DetailBody
from pixie_train.detail.coarse import heads_only
from pixie_train.detail.heads import draw_heads
from pixie_train.detail.losses import (
    DetailWeights,
    photometric_detail,
    soft_symmetry,
)
from pixie_train.detail.network import DetailNetwork
from pixie_train.detail.run_config import HeadPictures
from pixie_train.detail.seen_heads import SeenHeads
from pixie_train.detail.sources import TrainedDetail
from pixie_train.detail.state import load
from pixie_train.detail.training import train
from pixie_train.picture_training.config import Machine
from pixie_train.rendering.texture import sampled
from tests.train.detail.conftest import TINY, same_pictures


@pytest.fixture(scope="module")
def heads(
    body: DetailBody, bank: MotionBank, tmp_path_factory: pytest.TempPathFactory
) -> SeenHeads:
    """Return heads with deep wrinkles in pictures of a useful size."""
    pictures = HeadPictures(count=3, size=224, crop_size=128, wrinkles=2.0)
    folder = tmp_path_factory.mktemp("heads")
    source = draw_heads(
        body.model, bank, body.surface, pictures, folder, seed=3, count=3, occluded=0
    )
    return SeenHeads(source, body.renderer, body.coarse, 10**9)


def test_the_true_relief_explains_pictures_better_than_a_smooth_face(
    body: DetailBody, heads: SeenHeads
) -> None:
    """And its negative worse: shading says what is a furrow and what a ridge."""
    faces = heads.of([0, 1, 2])
    picture = faces.batch.pictures.image / 255
    truth = heads.source.heights([0, 1, 2])
    gaps = [
        photometric_detail(body.renderer(faces.lit, z), picture, faces.lit.mask).value
        for z in (truth, 0 * truth, -truth)
    ]
    assert gaps[0].sum() < gaps[1].sum() < gaps[2].sum()


def test_faces_of_one_picture_do_not_depend_on_the_others(
    body: DetailBody, heads: SeenHeads
) -> None:
    together, alone = heads.of([0, 1, 2]), heads.of([1])
    truth = heads.source.heights([0, 1, 2])
    drawn = body.renderer(together.lit, truth)[1]
    torch.testing.assert_close(drawn, body.renderer(alone.lit, truth[1:2])[0])


def test_an_interrupted_run_ends_as_one_that_was_not(
    body: DetailBody, bank: MotionBank, trained: Path, tmp_path: Path
) -> None:
    class StoppedError(Exception):
        pass

    def stop(step: int, figures: dict[str, float]) -> None:
        if step == 4:
            raise StoppedError

    same_pictures(trained, tmp_path)
    with pytest.raises(StoppedError):
        train(TINY, body, bank, tmp_path, stop)
    assert load(tmp_path).step == 2
    whole, resumed = load(trained), load(train(TINY, body, bank, tmp_path))
    assert whole.step == resumed.step == 4
    for name, value in whole.weights.items():
        torch.testing.assert_close(value, resumed.weights[name], rtol=0, atol=0)
    for name, value in whole.average.items():
        torch.testing.assert_close(value, resumed.average[name], rtol=0, atol=0)
    assert whole.history[-1].keys() >= {"rmse_um", "zero_rmse_um", "correlation"}


def test_a_run_leaves_a_table_and_curves(trained: Path) -> None:
    with (trained / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["2", "4"]
    for row in rows:
        terms = [float(row[f"detail/{n}"]) for n in ("photometric", "symmetry", "size")]
        assert float(row["loss"]) == pytest.approx(sum(terms), rel=1e-5)
        assert float(row["zero_rmse_um"]) > 0
    (curves,) = (trained / "tensorboard").glob("events*")
    assert b"detail/photometric" in curves.read_bytes()


def test_weights_are_averaged_and_the_average_is_what_is_used(trained: Path) -> None:
    state = load(trained)
    moved = [
        name
        for name, value in state.weights.items()
        if value.is_floating_point() and not torch.equal(value, state.average[name])
    ]
    assert any("height" in name for name in moved)
    used = state.network().state_dict()
    assert all(torch.equal(used[name], state.average[name]) for name in used)


def test_a_run_of_before_there_was_an_average_is_read(
    trained: Path, tmp_path: Path
) -> None:
    content = torch.load(trained / LAST, weights_only=True)
    older = {n: v for n, v in content.items() if n not in ("average", "scaler")}
    told = {n: v for n, v in json.loads(older["run"]).items() if n != "ema_decay"}
    older["run"] = json.dumps({**told, "threads": 1})
    torch.save(older, tmp_path / LAST)
    state = load(tmp_path)
    assert state.run == replace(TINY, ema_decay=0.0)
    used = state.network().state_dict()
    assert all(torch.equal(used[name], older["weights"][name]) for name in used)


def test_all_that_a_step_needs_goes_where_the_network_is(
    body: DetailBody, heads: SeenHeads
) -> None:
    """A device of shapes without numbers refuses what was left behind."""
    meta = torch.device("meta")
    network = DetailNetwork(replace(TINY.network, n_expression=10)).to(meta)
    faces, there = heads.of([0, 1]).to(meta), body.on(meta)
    z = network(faces.batch.pictures.image / 255, faces.jaw, faces.expression)
    lit = faces.lit
    normals = there.surface.from_maps(lit.positions, lit.normals, lit.facets, z)
    drawn = lit.seen.picture(lit.colour * sampled(normals, lit.seen.sample, lit.uv))
    cost = photometric_detail(drawn, drawn, lit.mask).value
    cost = cost + soft_symmetry(z, there.surface.share).value
    assert cost.device == lit.light.device == meta
    assert there.renderer.surface is there.surface
    assert body.surface.share.device == torch.device("cpu")


def test_machines_that_would_not_be_used_are_refused(
    body: DetailBody, bank: MotionBank, tmp_path: Path
) -> None:
    for machine in (Machine(processes=2), Machine(workers=1)):
        with pytest.raises(UsageError, match="but detail is trained by one process"):
            train(TINY, body, bank, tmp_path, machine=machine)


def test_another_run_or_body_is_not_resumed(
    body: DetailBody, bank: MotionBank, trained: Path
) -> None:
    other = replace(TINY, batch=3, weights=DetailWeights(size=1.0))
    with pytest.raises(UsageError, match="another batch, weights"):
        train(other, body, bank, trained)
    frozen = replace(body, coarse_name="12ab")
    with pytest.raises(UsageError, match="another head"):
        train(TINY, frozen, bank, trained)


def test_a_loss_that_is_no_number_stops_the_run(
    body: DetailBody, bank: MotionBank, trained: Path, tmp_path: Path
) -> None:
    same_pictures(trained, tmp_path)
    wild = replace(TINY, learning_rate=1e30, clip=1e30)
    with pytest.raises(PixieError, match=r"not a number: .*synthetic/head/0/"):
        train(wild, body, bank, tmp_path)
    told = json.loads((tmp_path / "diverged.json").read_text())
    assert len(told["pictures"]) == TINY.batch
    assert load(tmp_path / "diverged.pt").step == told["step"]


def test_a_run_is_a_source_of_detail(body: DetailBody, trained: Path) -> None:
    source = TrainedDetail.read(trained, body.model)
    image = torch.rand(2, 3, source.crop_size, source.crop_size)
    z = source(image, torch.zeros(2, 3), torch.zeros(2, 10))
    assert z.shape == (2, 1, body.surface.size, body.surface.size)
    assert z.abs().max() <= TINY.network.limit_m


def test_damaged_checkpoints_and_other_pictures_are_refused(
    heads: SeenHeads, tmp_path: Path
) -> None:
    (tmp_path / LAST).write_bytes(b"PK")
    with pytest.raises(BundleError, match="not a readable checkpoint"):
        load(tmp_path)
    torch.save({"format": "other"}, tmp_path / LAST)
    with pytest.raises(BundleError, match="not a checkpoint of this kind"):
        load(tmp_path)
    batch = heads.source.batch([0])
    with pytest.raises(UsageError, match="found hand"):
        heads_only(replace(batch, kind=CropKind.HAND))
