"""Records of real pictures become the batches that samples of the same truth become."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import SourceError, UsageError
from pixie_runtime.smplx import JOINT_INDEX
from pixie_train.batch import Batch, CropKind, join
from pixie_train.data import catalogue
from pixie_train.data.motion import MotionBank
from pixie_train.data.pictures import (
    Augmentation,
    Photographer,
    PictureConfig,
    PictureDataset,
    Sample,
    View,
    synthesise,
)
from pixie_train.data.pictures.dataset import shows_left
from pixie_train.data.pictures.sample import PART_POINTS
from pixie_train.data.record import Points, Record, Turns
from pixie_train.data.record_dataset import PartsOfBodies, RecordDataset
from pixie_train.gender import Gender
from pixie_train.key_points import FACE_POINTS
from pixie_train.pinhole import fitted_camera

VIEW = View(crop_size=48, hd_size=96, n_betas=10, n_expression=10)


@pytest.fixture(scope="module", params=list(CropKind), ids=lambda kind: kind.value)
def photographer(
    request: pytest.FixtureRequest, model: BodyModel, bank: MotionBank
) -> Photographer:
    config = PictureConfig(kind=request.param, size=128, occluded=0, truncated=0)
    return Photographer(config, model, bank, count=4)


def record_of(sample: Sample, kind: CropKind, folder: Path, name: str) -> Record:
    """Write a sample as a data set would, off the middle of a larger picture."""
    before, after = (37, 11), (5, 60)
    picture = np.pad(sample.picture, (before, after, (0, 0)))
    path = folder / f"{name}.png"
    cv2.imwrite(str(path), picture[..., ::-1])
    every = list(range(len(sample.xyz)))
    box = np.array([5, 37, 5 + sample.size, 37 + sample.size], np.float32)
    return Record(
        f"mine/{name}",
        path,
        kind,
        pixels=Points.of(every, sample.pixels + np.array([5, 37], np.float32)),
        xyz=Points.of(every, sample.xyz),
        rotations=Turns.of(55, range(55), sample.rotations),
        absolute=Turns.of(3, range(3), sample.absolute),
        betas=sample.betas,
        expression=sample.expression,
        gender=Gender(sample.gender),
        identity=sample.identity,
        box=box if kind is CropKind.BODY else None,
        left=kind is CropKind.HAND and shows_left(sample),
    )


def same_targets(one: Batch, other: Batch, atol: float) -> None:
    for name, tensor in vars(one.targets).items():
        if name not in ("face_mask", "xy_confidence"):
            torch.testing.assert_close(
                vars(other.targets)[name], tensor, atol=atol, rtol=1e-4, msg=name
            )


def test_a_record_becomes_the_batch_that_its_sample_becomes(
    photographer: Photographer, tmp_path: Path
) -> None:
    kind = photographer.config.kind
    samples = [photographer[i] for i in range(4)]
    records = [record_of(s, kind, tmp_path, str(i)) for i, s in enumerate(samples)]
    theirs = PictureDataset(photographer, VIEW)
    # Bodies' windows are wider than their boxes: what is shown of them is, too.
    for mine, wanted in zip(RecordDataset(records, VIEW), theirs, strict=True):
        assert mine.kind is kind
        xy = wanted.targets.xy / 1.2 if kind is CropKind.BODY else wanted.targets.xy
        wanted = replace(wanted, targets=replace(wanted.targets, xy=xy))
        same_targets(wanted, mine, 0.02)
        if kind is not CropKind.BODY:
            gap = mine.pictures.image.float() - wanted.pictures.image.float()
            assert gap.abs().mean() < 6


def test_a_camera_that_is_known_says_what_points_in_space_say(
    photographer: Photographer, tmp_path: Path
) -> None:
    kind = photographer.config.kind
    for index in range(4):
        record = record_of(photographer[index], kind, tmp_path, str(index))
        camera = fitted_camera(record.xyz.at, record.pixels.at)
        told = replace(record, xyz=Points.unknown(3), camera=camera)
        mine, wanted = (RecordDataset([r], VIEW)[0].targets for r in (told, record))
        torch.testing.assert_close(mine.rotations, wanted.rotations, atol=1e-4, rtol=0)
        torch.testing.assert_close(mine.absolute, wanted.absolute, atol=1e-4, rtol=0)
        assert (mine.rotations[0, 0] - torch.eye(3)).abs().max() > 0.1


@pytest.mark.parametrize("lacking", ["points in space", "where they are from"])
def test_without_a_camera_rotations_stay_as_the_data_set_has_them(
    photographer: Photographer, tmp_path: Path, lacking: str
) -> None:
    kind, sample = photographer.config.kind, photographer[0]
    record = record_of(sample, kind, tmp_path, "one")
    xyz = Points.unknown(3)
    if lacking == "where they are from":  # relative to a joint, as many have them
        xyz = Points(record.xyz.at - record.xyz.at[0], record.xyz.confidence)
    batch = RecordDataset([replace(record, xyz=xyz, left=False)], VIEW)[0]
    np.testing.assert_array_equal(batch.targets.rotations[0, 0], sample.rotations[0])


def test_the_unknown_is_unknown_in_the_batch_and_costs_nothing_to_leave_out(
    photographer: Photographer, tmp_path: Path
) -> None:
    kind, sample = photographer.config.kind, photographer[0]
    full = record_of(sample, kind, tmp_path, "full")
    few = [FACE_POINTS[40], *PART_POINTS[1][3:6], *PART_POINTS[2][3:6]]
    bare = Record(
        "mine/bare",
        full.picture,
        kind,
        pixels=Points.of(few, full.pixels.at[few], 0.5),
        box=np.array([20, 50, 90, 120], np.float32),
        betas=full.betas[:4],
        left=full.left,
    )
    batch = RecordDataset([bare], VIEW)[0]
    known = batch.targets.xy_confidence[0].nonzero().flatten().tolist()
    assert 0 < len(known) <= len(few)
    assert batch.targets.xy_confidence.max() <= 0.5
    assert not batch.targets.rotations_known.any()
    assert not batch.targets.absolute_known.any()
    assert not batch.targets.xyz_confidence.any()
    has_shape = kind is CropKind.HEAD or kind is CropKind.BODY
    assert batch.targets.betas_known.sum() == (4 if has_shape else 0)
    assert len(join([batch, RecordDataset([full], VIEW)[0]])) == 2


def test_heads_and_wrists_follow_from_the_rotations_above_them(
    photographer: Photographer, tmp_path: Path
) -> None:
    kind = photographer.config.kind
    for index in range(2):
        record = record_of(photographer[index], kind, tmp_path, str(index))
        derived = replace(record, absolute=Turns.unknown(3))
        mine, wanted = (RecordDataset([r], VIEW)[0].targets for r in (derived, record))
        torch.testing.assert_close(mine.absolute, wanted.absolute, atol=1e-5, rtol=0)
        assert torch.equal(mine.absolute_known, wanted.absolute_known)
        assert mine.absolute_known.any()


def test_what_is_said_of_a_wrist_counts_and_a_missing_elbow_says_nothing_of_it() -> (
    None
):
    turns = Turns.of(55, range(22), Rotation.random(22, random_state=0).as_matrix())
    nothing = Record("mine/one", Path("one.jpg"), CropKind.BODY)
    assert not nothing.absolutes().known.any()
    turns.known[JOINT_INDEX["left_elbow"]] = False
    body = replace(nothing, rotations=turns)
    assert body.absolutes().known.tolist() == [True, False, True]
    said = Turns.of(3, [1, 2], np.tile(np.eye(3), (2, 1, 1)))
    both = replace(body, absolute=said).absolutes()
    assert both.known.all()
    np.testing.assert_array_equal(both.R[1:], said.R[1:])
    np.testing.assert_array_equal(both.R[0], body.absolutes().R[0])


def test_chance_depends_on_seed_number_and_epoch_alone(
    photographer: Photographer, tmp_path: Path
) -> None:
    kind = photographer.config.kind
    records = [record_of(photographer[0], kind, tmp_path, "a")]
    one, other = (RecordDataset(records, VIEW, Augmentation(seed=3)) for _ in range(2))
    assert torch.equal(one[0].pictures.image, other[0].pictures.image)
    other.set_epoch(1)
    assert not torch.equal(one[0].pictures.image, other[0].pictures.image)


@pytest.fixture(scope="module")
def bodies(
    model: BodyModel, bank: MotionBank, tmp_path_factory: pytest.TempPathFactory
) -> list[Record]:
    """Return five people of whom everything is known and can be seen."""
    config = PictureConfig(size=128, truncated=0, occluded=0)
    samples = Photographer(config, model, bank, count=5)
    folder = tmp_path_factory.mktemp("bodies")
    return [
        record_of(samples[i], CropKind.BODY, folder, str(i))
        for i in range(len(samples))
    ]


def test_bodies_give_heads_and_both_hands(bodies: list[Record]) -> None:
    records = bodies[:2]
    heads = PartsOfBodies(records, CropKind.HEAD)
    hands = PartsOfBodies(records, CropKind.HAND)
    assert [hands[i].left for i in range(len(hands))] == [True, False] * 2
    assert hands[1].name == "mine/0/right_hand"
    head = RecordDataset(heads, VIEW)[1]
    assert head.kind is CropKind.HEAD
    shown = head.targets.xy[0, FACE_POINTS].abs().amax()
    assert 0.4 < shown < 0.6


@pytest.mark.parametrize(
    ("known", "seen"),
    [
        (FACE_POINTS[:51], [True, False, False]),
        (PART_POINTS[1][1:16], [False, True, False]),
        ([PART_POINTS[1][0], PART_POINTS[2][0]], [False, False, False]),
        (PART_POINTS[2][::2], [False, False, True]),
        (list(range(22)), [False, False, False]),
    ],
    ids=["inner face", "no wrist nor tips", "wrists alone", "every second", "body"],
)
def test_parts_of_bodies_are_where_their_known_points_are(
    known: list[int], seen: list[bool], bodies: list[Record]
) -> None:
    full = bodies[0]
    few = replace(full, pixels=Points.of(known, full.pixels.at[known]))
    mine, whole = (RecordDataset([r], VIEW)[0].pictures for r in (few, full))
    assert mine.parts_seen is not None
    assert mine.parts_seen[0].tolist() == seen
    assert mine.part_boxes is not None
    assert whole.part_boxes is not None
    for part in np.flatnonzero(seen):
        (x, y, side), square = mine.part_boxes[0, part], whole.part_boxes[0, part]
        assert 0.5 * square[2] < side < 1.25 * square[2]
        assert (torch.stack([x, y]) - square[:2]).abs().max() < square[2] / 3
    # What is not seen is not larger than what is known of it either.
    assert (mine.part_boxes[..., 2] < 1.25 * whole.part_boxes[..., 2]).all()


def test_faces_without_jaw_lines_are_shown_as_large_as_those_with(
    bodies: list[Record],
) -> None:
    inner = [replace(r, pixels=r.pixels.without(FACE_POINTS[51:])) for r in bodies]

    def sides(records: list[Record]) -> list[float]:
        heads = PartsOfBodies(records, CropKind.HEAD)
        boxes = [heads[i].box for i in range(len(heads))]
        return [float((b[2:] - b[:2]).max()) for b in boxes if b is not None]

    larger = np.divide(sides(inner), sides(bodies))
    assert 0.9 < np.median(larger) < 1.1


def test_pictures_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    box = np.array([0, 0, 9, 9], np.float32)
    record = Record("ds/7", broken, CropKind.HEAD, box=box)
    with pytest.raises(SourceError, match=r"ds/7: cannot decode .*broken\.jpg"):
        RecordDataset([record], VIEW)[0]
    with pytest.raises(SourceError, match="ds/7 says nothing of where"):
        RecordDataset([replace(record, box=None)], VIEW)[0]
    with pytest.raises(SourceError, match="cannot open"):
        RecordDataset([replace(record, picture=tmp_path / "none.jpg")], VIEW)[0]


def test_data_sets_are_opened_by_name(
    model: BodyModel, bank: MotionBank, tmp_path: Path
) -> None:
    config = PictureConfig(kind=CropKind.HEAD, size=64)
    synthesise(Photographer(config, model, bank, count=1), tmp_path / "heads")
    found = catalogue.open_data("synthetic", tmp_path / "heads", CropKind.HEAD, VIEW)
    assert len(found) == 1
    with pytest.raises(UsageError, match="--kind HAND"):
        catalogue.open_data("synthetic", tmp_path / "heads", CropKind.HAND)
    with pytest.raises(UsageError, match=r"expected one of .*synthetic"):
        catalogue.open_data("nothing", tmp_path, CropKind.BODY)
