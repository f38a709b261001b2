from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import SourceError, UsageError
from pixie_runtime.types import Float32
from pixie_train.batch import Batch, CropKind, join
from pixie_train.data.motion import MotionBank
from pixie_train.data.pictures import (
    Augmentation,
    Photographer,
    PictureConfig,
    PictureDataset,
    Sample,
    View,
    open_store,
    synthesise,
)
from pixie_train.data.pictures.mirroring import mirror
from pixie_train.gender import Gender
from pixie_train.key_points import FACE_POINTS, KeyPoints
from pixie_train.picture_commands import (
    ContactSheetOptions,
    SynthesiseOptions,
    run_contact_sheet,
    run_synthesise,
)
from pixie_train.utilities import read_utilities

SMALL = View(crop_size=32, hd_size=64)


@pytest.fixture(scope="module", params=list(CropKind), ids=lambda kind: kind.value)
def photographer(
    request: pytest.FixtureRequest, model: BodyModel, bank: MotionBank
) -> Photographer:
    config = PictureConfig(kind=request.param, size=64, occluded=0.5)
    return Photographer(config, model, bank, count=12)


@pytest.fixture(scope="module")
def bodies(model: BodyModel, bank: MotionBank) -> Photographer:
    return Photographer(PictureConfig(size=64, occluded=0.0), model, bank, count=6)


def same(one: Sample, other: Sample) -> None:
    for name, value in vars(one).items():
        np.testing.assert_array_equal(value, vars(other)[name], err_msg=name)


def test_a_number_is_a_picture_whoever_takes_it_and_in_whatever_order(
    photographer: Photographer, model: BodyModel, bank: MotionBank
) -> None:
    other = Photographer(photographer.config, model, bank, count=5)
    later = other[4]
    same(other[1], photographer[1])
    same(photographer[4], later)
    assert (photographer[4].picture != photographer[1].picture).any()


def test_key_points_are_those_of_the_parameters(
    bodies: Photographer, model: BodyModel
) -> None:
    tables, _ = read_utilities(None, model)
    key_points = KeyPoints(
        model, tables, n_betas=model.n_betas, n_expression=model.n_expression
    )
    for index in range(2):
        sample = bodies[index]
        points = key_points(
            *(
                torch.from_numpy(a)[None]
                for a in (sample.betas, sample.expression, sample.rotations)
            )
        )[0].numpy()
        # Which points the jaw line has depends on where the head is before the camera.
        shift = np.delete(sample.xyz - points, FACE_POINTS[51:], axis=0)
        np.testing.assert_allclose(shift, shift[:1].repeat(128, 0), atol=2e-3)


def test_head_and_wrists_are_absolute_as_their_chains_say(bodies: Photographer) -> None:
    R = bodies[0].rotations
    chains = ((3, 6, 9, 12, 15), (3, 6, 9, 13, 16, 18, 20), (3, 6, 9, 14, 17, 19, 21))
    for absolute, chain in zip(bodies[0].absolute, chains, strict=True):
        turned = R[0]
        for joint in chain:
            turned = turned @ R[joint]
        np.testing.assert_allclose(absolute, turned, atol=1e-5)


def test_people_with_the_same_number_share_shape_and_gender(
    model: BodyModel, bank: MotionBank
) -> None:
    config = PictureConfig(kind=CropKind.HEAD, size=48, pictures_of_each=2)
    first, second, other = (Photographer(config, model, bank)[i] for i in range(3))
    np.testing.assert_array_equal(first.betas, second.betas)
    assert (first.identity, second.identity, other.identity) == (0, 0, 1)
    assert first.gender == second.gender
    assert np.abs(first.rotations - second.rotations).max() > 0.1
    assert np.abs(first.betas - other.betas).max() > 0.1


def test_women_and_men_are_shaped_as_the_model_says(
    bodies: Photographer, model: BodyModel
) -> None:
    for index in range(6):
        sample = bodies[index]
        means = {
            Gender.FEMALE: model.betas_mean_female,
            Gender.MALE: model.betas_mean_male,
        }
        gap = {
            gender: abs(sample.betas[0] - mean[0])
            for gender, mean in means.items()
            if mean is not None
        }
        assert min(gap, key=lambda gender: gap[gender]) == sample.gender


def test_what_is_seen_is_inside_and_what_is_covered_is_not_seen(
    photographer: Photographer,
) -> None:
    part = {CropKind.BODY: 0, CropKind.HEAD: 0, CropKind.HAND: None}[
        photographer.config.kind
    ]
    shown = []
    for index in range(len(photographer)):
        sample = photographer[index]
        seen = sample.pixels[sample.seen]
        assert ((seen >= 0) & (seen <= sample.size)).all()
        if part is not None:
            shown.append((sample.covered[part], sample.seen[55:123].mean()))
    for covered, seen_share in shown:
        assert covered < 0.98 or seen_share < 0.1


def test_a_picture_seen_twice_in_a_mirror_is_the_picture(
    photographer: Photographer,
) -> None:
    sample = photographer[0]
    twice = mirror(mirror(sample))
    np.testing.assert_allclose(twice.pixels, sample.pixels, atol=1e-4)
    same(replace(twice, pixels=sample.pixels), sample)


def test_a_person_in_a_mirror_is_what_the_mirrored_parameters_give(
    bodies: Photographer, model: BodyModel
) -> None:
    # Shape components are not symmetric one by one; the mean body is.
    sample = mirror(bodies[0])
    tables, _ = read_utilities(None, model)
    key_points = KeyPoints(model, tables, n_betas=1, n_expression=1)
    zero = torch.zeros(1, 1)

    def posed(R: Float32) -> Float32:
        points: torch.Tensor = key_points(zero, zero, torch.from_numpy(R)[None])
        return points[0].numpy()

    there = replace(bodies[0], xyz=posed(bodies[0].rotations))
    # The jaw line is chosen by the head's yaw; the tables' two sides differ a little.
    np.testing.assert_allclose(mirror(there).xyz, posed(sample.rotations), atol=0.012)


def test_loaders_give_batches_that_the_losses_take(photographer: Photographer) -> None:
    dataset = PictureDataset(photographer, SMALL, Augmentation(seed=1))
    loader = DataLoader(dataset, batch_size=4, collate_fn=join)
    batch = next(iter(loader))
    assert isinstance(batch, Batch)
    kind = photographer.config.kind
    assert batch.kind is kind
    assert batch.pictures.image.shape == (4, 3, 32, 32)
    assert (batch.pictures.image_hd is not None) == (kind is CropKind.BODY)
    assert (batch.targets.face_mask is not None) == (kind is CropKind.HEAD)
    assert batch.names[3] == f"synthetic/{kind.value}/0/3"
    known = batch.targets.xy_confidence > 0
    assert known.any(1).all()
    assert (batch.targets.xy[known].abs() <= 1).all()


def test_hands_come_as_right_hands(model: BodyModel, bank: MotionBank) -> None:
    config = PictureConfig(kind=CropKind.HAND, size=64, occluded=0.0)
    photographer = Photographer(config, model, bank, count=8)
    dataset = PictureDataset(photographer, SMALL)
    mirrored = 0
    for index, batch in enumerate(dataset):
        right = batch.targets.xy[0, 40:55]
        assert right.mean(0).abs().max() < 0.6
        R = torch.from_numpy(photographer[index].rotations)
        mirrored += not torch.equal(batch.targets.rotations[0, 40:55], R[40:55])
        assert not batch.targets.betas_known.any()
    assert 0 < mirrored < 8


def test_a_folder_gives_back_what_was_photographed(
    photographer: Photographer, tmp_path: Path
) -> None:
    store = synthesise(photographer, tmp_path / "set")
    assert store.config == photographer.config
    assert len(store) == len(photographer)
    same(store[7], photographer[7])
    np.testing.assert_array_equal(store.covered[3], photographer[3].covered)


def test_an_interrupted_folder_is_refused_and_then_finished(
    bodies: Photographer, tmp_path: Path
) -> None:
    class StopError(Exception):
        pass

    def stop(done: int, count: int) -> None:
        if done == 3:
            raise StopError

    with pytest.raises(StopError):
        synthesise(bodies, tmp_path, stop)
    with pytest.raises(SourceError, match="lacks 3 of its 6 pictures"):
        open_store(tmp_path)
    heard: list[int] = []
    store = synthesise(bodies, tmp_path, lambda done, _: heard.append(done))
    assert heard == [4, 5, 6]
    same(store[5], bodies[5])


def test_a_folder_of_other_pictures_is_not_mixed_with(
    bodies: Photographer, model: BodyModel, bank: MotionBank, tmp_path: Path
) -> None:
    synthesise(bodies, tmp_path)
    other = Photographer(replace(bodies.config, seed=5), model, bank, count=6)
    with pytest.raises(UsageError, match=r"holds other pictures \(seed 0, not 5\)"):
        synthesise(other, tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("synthetic.json", "{", "is damaged"),
        ("synthetic.json", '{"format": "x"}', "of the format x, but"),
        ("xyz.npy", "", "cannot read .*xyz.npy"),
    ],
)
def test_damaged_folders_are_named(
    bodies: Photographer, tmp_path: Path, name: str, content: str, sentence: str
) -> None:
    synthesise(bodies, tmp_path)
    (tmp_path / name).write_text(content)
    with pytest.raises(SourceError, match=sentence):
        open_store(tmp_path)


def test_a_folder_without_pictures_says_how_to_get_some(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="pixie-train synthesise --out"):
        open_store(tmp_path)


def test_the_commands_fill_a_folder_and_draw_it(tmp_path: Path) -> None:
    config = PictureConfig(kind=CropKind.HEAD, size=48)
    said = run_synthesise(SynthesiseOptions(tmp_path / "set", count=3, pictures=config))
    assert "3 of kind head at 48 pixels" in said
    sheet = tmp_path / "sheet.png"
    run_contact_sheet(
        ContactSheetOptions(tmp_path / "set", out=sheet, columns=2, tile=64)
    )
    drawn = cv2.imread(str(sheet))
    assert drawn is not None
    assert drawn.shape == (128, 128, 3)
    with pytest.raises(UsageError, match=r'ends in ".gif"'):
        run_contact_sheet(
            ContactSheetOptions(tmp_path / "set", out=tmp_path / "sheet.gif")
        )


def test_the_users_backgrounds_are_behind_people(
    model: BodyModel, bank: MotionBank, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "blue.png"), np.full((90, 70, 3), (250, 3, 3), np.uint8))
    config = PictureConfig(size=64, occluded=0, truncated=0, backgrounds=tmp_path)
    picture = Photographer(config, model, bank)[0].picture
    assert (picture[0, 0] == (3, 3, 250)).all()
    (tmp_path / "blue.png").write_bytes(b"no picture")
    with pytest.raises(SourceError, match=r"blue.png cannot be decoded"):
        Photographer(config, model, bank)[0]
    (tmp_path / "blue.png").unlink()
    with pytest.raises(SourceError, match="has no pictures"):
        Photographer(config, model, bank)
