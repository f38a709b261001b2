import csv
import subprocess
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import ModelFileError, UsageError
from pixie_train.batch import CropKind
from pixie_train.data.motion import load_motion_bank
from pixie_train.data.pictures.augmentation import Augmentation
from pixie_train.data.pictures.config import PictureConfig
from pixie_train.data.pictures.dataset import View
from pixie_train.data.pictures.photographer import Photographer
from pixie_train.data.pictures.store import synthesise
from pixie_train.key_points import FACE_POINTS, RIGHT_HAND_POINTS
from pixie_train.picture_training import given_files
from pixie_train.picture_training.beginning import Experts, begin_from, begin_upright
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.commands import (
    ExpertOptions,
    WholeOptions,
    run_expert,
    run_whole,
)
from pixie_train.picture_training.config import Machine, PartCrops, StageRun
from pixie_train.picture_training.given_files import fingerprints
from pixie_train.picture_training.made_with import commit
from pixie_train.picture_training.passes import StagePass
from pixie_train.picture_training.resuming import require_same_files
from pixie_train.picture_training.sources import opened, parsed
from pixie_train.picture_training.state import load, load_image_run
from pixie_train.shape_file import write_gaussians
from tests.runtime.body.files import in_smplx_layout, save
from tests.train.hand_files import posed_hand, write_freihand
from tests.train.picture_training.small import CONFIG, RUN, Noise, network

HEAD_RUN = StageRun(
    stage="head",
    steps=2,
    batch=2,
    log_every=1,
    checkpoint_every=1,
)


def quiet(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def head_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a head's expert, trained on synthetic people."""
    out = tmp_path_factory.mktemp("head")
    options = ExpertOptions(
        out=out,
        synthetic=4,
        crop_size=32,
        network=CONFIG,
        machine=Machine(threads=1),
        run=HEAD_RUN,
    )
    assert "pixie-export run" in run_expert(options, quiet)
    return out


def test_an_expert_is_trained_without_any_data_and_leaves_log_plot_and_samples(
    head_run: Path,
) -> None:
    with (head_run / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2"]
    assert all(float(row["head/face_2d"]) > 0 for row in rows)
    (curves,) = (head_run / "tensorboard").glob("events*")
    assert b"head/face_2d" in curves.read_bytes()
    picture = cv2.imread(str(head_run / "samples" / "0000002.png"))
    assert picture is not None
    assert picture.shape == (2 * 256, 6 * 256, 3)
    blue, green, red = (picture[..., channel].astype(int) for channel in range(3))
    truth = (green > blue + 40) & (green > red + 40)
    network = (blue > green + 30) & (red > green + 30)
    assert truth[:256].mean() > 0.1  # a head is more than its key points
    assert network[256:].sum() > 100
    assert (head_run / "losses.png").stat().st_size > 10_000


def test_whole_bodies_begin_with_what_experts_have_learned(
    head_run: Path, body: TrainingBody
) -> None:
    expert, whole = load_image_run(head_run)[1], network(seed=3)
    untouched = whole.encode_body.state_dict()
    begin_from(whole, Experts(head=head_run), body)
    for name, tensor in expert.encode_head.state_dict().items():
        assert torch.equal(whole.encode_head.state_dict()[name], tensor)
    for name, tensor in untouched.items():
        assert torch.equal(whole.encode_body.state_dict()[name], tensor)


def test_experts_of_other_sizes_are_refused(head_run: Path, body: TrainingBody) -> None:
    core = replace(CONFIG.core, feature_dim=8)
    other = type(network())(replace(CONFIG, core=core))
    with pytest.raises(UsageError, match=r"encode_head of --experts\.head .* another"):
        begin_from(other, Experts(head=head_run), body)


def test_a_run_of_a_command_says_what_it_was_made_with(head_run: Path) -> None:
    state = load(head_run)
    # Crops of parts are as large as --crop-size says.
    assert state.run == replace(HEAD_RUN, parts=PartCrops(size=32))
    assert state.network == CONFIG
    (start,) = state.starts
    assert start["torch"] == torch.__version__
    assert start["commit"] == (commit() or "not a git checkout")


def test_a_commit_is_that_of_the_checkout_that_tracks_the_code(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=b")
        return subprocess.run(
            ["git", "-C", str(tmp_path), *who, *arguments],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    code = tmp_path / "installed" / "code.py"
    code.parent.mkdir()
    code.write_text("1")
    assert commit(code.parent) is None
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "Another project")
    assert commit(code.parent) is None
    git("add", ".")
    git("commit", "-q", "-m", "This one")
    assert commit(code.parent) == git("rev-parse", "HEAD")
    code.write_text("2")
    assert commit(code.parent) == git("rev-parse", "HEAD") + "-dirty"


def test_a_run_is_not_continued_on_other_pictures(head_run: Path) -> None:
    options = ExpertOptions(
        out=head_run,
        synthetic=5,
        crop_size=32,
        network=CONFIG,
        machine=Machine(threads=1),
        run=HEAD_RUN,
    )
    with pytest.raises(
        UsageError, match=r"another data of head crops \(.*was 4 synthetic, now 5 synth"
    ):
        run_expert(options, quiet)


def test_a_run_is_not_continued_with_other_shape_gaussians(
    head_run: Path, body: TrainingBody, model: BodyModel, tmp_path: Path
) -> None:
    options = ExpertOptions(
        out=head_run,
        synthetic=4,
        crop_size=32,
        gaussians=tmp_path / "people.npz",
        network=CONFIG,
        machine=Machine(threads=1),
        run=HEAD_RUN,
    )
    write_gaussians(tmp_path / "people.npz", body.gaussians, model)
    with pytest.raises(
        UsageError, match=r"another --gaussians \(.*was left out, now a file with the S"
    ):
        run_expert(options, quiet)


def test_files_are_known_by_what_is_in_them(tmp_path: Path) -> None:
    one, other = tmp_path / "one.npz", tmp_path / "elsewhere" / "other.npz"
    other.parent.mkdir()
    for path in (one, other):
        path.write_bytes(b"the same")
    asked = {"--gaussians": one, "--identity": None}
    found = fingerprints(asked)
    assert found == fingerprints({"--gaussians": other})
    assert found.keys() == {"--gaussians"}
    one.write_bytes(b"not the same")
    assert fingerprints(asked) != found

    nothing = fingerprints({"--utilities": tmp_path})
    (tmp_path / "README").write_text("is not read")
    assert fingerprints({"--utilities": tmp_path}) == nothing
    (tmp_path / "SMPLX_to_J14.pkl").write_bytes(b"joints")
    assert fingerprints({"--utilities": tmp_path}) != nothing


@pytest.mark.parametrize("name", ["weights_manifest.json", "net-manifest.json"])
@pytest.mark.parametrize("asked", [".", "manifest"])
def test_a_recognition_network_is_known_by_manifest_and_shards(
    tmp_path: Path, name: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given_files, "MANIFEST", name)
    manifest, shard = tmp_path / name, tmp_path / "net-shard1"
    manifest.write_text('[{"paths": ["net-shard1"], "weights": []}]')
    shard.write_bytes(b"one")
    given = {"--identity": tmp_path if asked == "." else manifest}
    found = fingerprints(given)
    shard.write_bytes(b"two")
    other = fingerprints(given)
    manifest.write_text('[{"paths": ["net-shard1"], "weights": [ ]}]')
    assert len({*found.values(), *other.values(), *fingerprints(given).values()}) == 3
    shard.unlink()
    with pytest.raises(ModelFileError, match="cannot open"):
        fingerprints(given)


def test_a_run_that_does_not_say_its_files_is_gone_on_with(
    head_run: Path, tmp_path: Path
) -> None:
    older = replace(load(head_run), files=None)
    require_same_files(older, {"--gaussians": "12"}, tmp_path)
    newer = replace(older, files={"--gaussians": "34"})
    with pytest.raises(UsageError, match=r"SHA-256 34, now a file with the SHA-256 12"):
        require_same_files(newer, {"--gaussians": "12"}, tmp_path)


def test_a_run_has_crops_of_one_size_as_bundles_have(tmp_path: Path) -> None:
    run = replace(HEAD_RUN, parts=PartCrops(size=32))
    options = ExpertOptions(tmp_path, crop_size=64, run=run)
    with pytest.raises(
        UsageError, match=r"parts\.size is 32 and --crop-size 64; a bund"
    ):
        run_expert(options, quiet)


def test_the_wrong_command_for_a_stage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="use pixie-train whole"):
        run_expert(ExpertOptions(tmp_path, run=RUN), quiet)
    with pytest.raises(UsageError, match="use pixie-train expert"):
        run_whole(WholeOptions(tmp_path, run=HEAD_RUN), quiet)
    options = ExpertOptions(
        tmp_path,
        photometric=True,
        crop_size=32,
        network=CONFIG,
        run=replace(HEAD_RUN, stage="hand"),
    )
    with pytest.raises(UsageError, match="about heads, but the stage hand sees none"):
        run_expert(options, quiet)


def test_data_are_named_with_folder_and_share() -> None:
    assert parsed("freihand:/data/hands") == ("freihand", Path("/data/hands"), 1.0)
    assert parsed("now:a b:0.25") == ("now", Path("a b"), 0.25)
    assert parsed("now:c:/faces") == ("now", Path("c:/faces"), 1.0)
    for wrong in ("freihand", ":folder", "freihand:"):
        with pytest.raises(UsageError, match="expected NAME:FOLDER or NAME:FOLDER:SHA"):
            parsed(wrong)


def test_pictures_of_other_bodies_and_of_fewer_coefficients_are_refused(
    body: TrainingBody, tmp_path: Path
) -> None:
    model = body.model
    config = PictureConfig(kind=CropKind.HEAD, size=64)
    synthesise(Photographer(config, model, load_motion_bank(), count=1), tmp_path)
    given, how = (f"synthetic:{tmp_path}",), Augmentation()
    fits = View(n_betas=model.n_betas, n_expression=model.n_expression)
    (share,) = opened(given, CropKind.HEAD, fits, how, body)
    assert len(share.data) == 1
    other = replace(body, model=replace(model, name="another", sha256="0" * 64))
    with pytest.raises(UsageError, match="people of another body model than another,"):
        opened(given, CropKind.HEAD, fits, how, other)
    more = replace(fits, n_betas=model.n_betas + 1)
    with pytest.raises(UsageError, match=r"but \d+ and \d+ are asked for; take as few"):
        opened(given, CropKind.HEAD, more, how, body)


def test_heads_and_hands_begin_in_the_middle_of_their_crops(body: TrainingBody) -> None:
    begun = network()
    begin_upright(begun.core, body)
    begun.eval()
    for kind, points in (
        (CropKind.HEAD, FACE_POINTS),
        (CropKind.HAND, RIGHT_HAND_POINTS),
    ):
        run = HEAD_RUN if kind is CropKind.HEAD else replace(HEAD_RUN, stage="hand")
        passes = StagePass(run, begun, body)
        look = passes.head if kind is CropKind.HEAD else passes.hand
        said = look(Noise(kind).whole())
        where = said.points_2d[:, points]
        assert where.mean(1).abs().max() < 0.3
        assert where.abs().max() < 1.2


@pytest.fixture
def licensed(model: BodyModel, tmp_path: Path) -> Path:
    """Return a body as licensed files have it: no ARKit units, ten of each."""
    arrays = in_smplx_layout(model)
    directions = arrays["shapedirs"]
    arrays["shapedirs"] = np.concatenate(
        [directions[..., :10], directions[..., 300:310]], axis=-1
    )
    return save(tmp_path / "SMPLX_NEUTRAL.npz", arrays)


def test_licensed_bodies_are_trained_on_synthetic_people_and_real_pictures(
    licensed: Path, model: BodyModel, tmp_path: Path
) -> None:
    write_freihand(tmp_path / "FreiHAND", [posed_hand(model, 0)])
    options = WholeOptions(
        out=tmp_path / "run",
        synthetic=2,
        hands=(f"freihand:{tmp_path / 'FreiHAND'}",),
        crop_size=32,
        hd_size=64,
        body_model=licensed,
        network=CONFIG,
        machine=Machine(threads=1),
        run=replace(RUN, steps=1, batch=2, extra_heads=0, extra_hands=2),
    )
    run_whole(options, quiet)
    assert load(tmp_path / "run").body_model_sha256 != model.sha256
    with (tmp_path / "run" / "log.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["whole/expression"]) > 0
    assert float(row["hand/finger_pose"]) > 0
