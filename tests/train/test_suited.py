"""What data sets say of SMPL-X's own body, on it and on others."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pixie_runtime import rotations
from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JOINT_INDEX, LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS
from pixie_train.batch import CropKind, Targets
from pixie_train.data import catalogue
from pixie_train.data.pictures import Augmentation, View
from pixie_train.data.record import Record
from pixie_train.data.record_dataset import RecordDataset
from pixie_train.key_points import (
    FACE_POINTS,
    LEFT_HAND_POINTS,
    RIGHT_HAND_POINTS,
    KeyPoints,
)
from pixie_train.losses.choices import Choices
from pixie_train.losses.points import BODY_POINTS
from pixie_train.losses.shape import GenderedShape
from pixie_train.losses.terms import TERMS, Case
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.sources import opened
from pixie_train.shape_file import gaussians_for
from pixie_train.utilities import read_utilities
from tests.train.body_files import MAKERS, POSE, curated
from tests.train.losses.samples import N_BETAS, N_EXPRESSION, predictions
from tests.train.tiny import TINY_CORE

VIEW = View(32, 64, n_betas=12, n_expression=12)
FITS = ("curated-fits", "bedlam", "coco-wholebody")


@dataclass(frozen=True, eq=False)
class Body:
    """A body that is trained for."""

    model: BodyModel
    key_points: KeyPoints


def of(model: BodyModel, *, regressed: bool = False) -> Body:
    tables, _ = read_utilities(None, model)
    if regressed:
        joints = np.array([JOINT_INDEX["left_hip"]])
        at = np.full((1, model.vertex_count), 1 / model.vertex_count, np.float32)
        tables = replace(tables, regressor=at, regressed_joints=joints)
    return Body(model, KeyPoints(model, tables, n_betas=12, n_expression=12))


@pytest.fixture(scope="module")
def smplx(official_model: BodyModel) -> Body:
    """Return a body of SMPL-X's own size, with mean hands as licensed files have."""
    mean = np.random.default_rng(1).normal(0, 0.2, (30, 3)).astype(np.float32)
    return of(replace(official_model, hands_mean=mean))


def record(
    name: str, folder: Path, body: Body, kind: CropKind = CropKind.BODY
) -> Record:
    made = MAKERS[name](folder)
    return catalogue.open_records(name, made, kind, body)[0]


def targets(one: Record) -> Targets:
    return RecordDataset([one], VIEW)[0].targets


@pytest.mark.parametrize("name", FITS)
def test_coefficients_of_fits_are_known_on_smplx_s_own_body(
    name: str, smplx: Body, tmp_path: Path
) -> None:
    known = targets(record(name, tmp_path, smplx))
    assert known.betas_known.sum() == 10
    np.testing.assert_array_equal(known.betas[0, :10], np.full(10, 0.5))
    assert known.expression_known.sum() == (0 if name == "bedlam" else 10)


@pytest.mark.parametrize("name", FITS)
def test_on_another_body_neither_coefficients_nor_points_of_fits_are_known(
    name: str, model: BodyModel, tmp_path: Path
) -> None:
    one = record(name, tmp_path, of(model))
    known = targets(one)
    assert not known.betas_known.any()
    assert not known.expression_known.any()
    assert not known.xyz_confidence.any()
    assert known.rotations_known[0, :22].all()


@pytest.mark.parametrize("name", FITS)
def test_fits_are_posed_for_their_points_in_space(
    name: str, smplx: Body, tmp_path: Path
) -> None:
    one = record(name, tmp_path, smplx)
    shaped = smplx.model.shaped(one.betas, one.expression)
    quaternions = rotations.from_matrix(one.rotations.R).astype(np.float32)
    joints = shaped.posed(quaternions, np.zeros(3, np.float32)).joints
    told = np.flatnonzero(one.xyz.known[:55])
    np.testing.assert_allclose(
        one.xyz.at[told] - one.xyz.at[0], joints[told] - joints[0], atol=1e-5
    )
    assert one.xyz.known[BODY_POINTS].all()
    assert one.xyz.known[LEFT_HAND_POINTS].all()
    right, face = one.xyz.known[RIGHT_HAND_POINTS[1:]], one.xyz.known[FACE_POINTS]
    # COCO's right hand is marked as not valid, BEDLAM's faces are not said.
    assert right.all() if name != "coco-wholebody" else not right.any()
    assert face.all() if name != "bedlam" else not face.any()


@pytest.mark.parametrize("kind", CropKind)
def test_no_camera_is_read_from_a_posed_fit(
    kind: CropKind, smplx: Body, tmp_path: Path
) -> None:
    one = record("curated-fits", tmp_path, smplx, kind)
    known = targets(replace(one, left=False))
    np.testing.assert_array_equal(known.rotations[0, 0], one.rotations.R[0])
    np.testing.assert_allclose(known.xyz[0], one.xyz.at, atol=1e-6)


def test_hands_of_coco_s_fits_are_counted_from_the_mean_hands(
    smplx: Body, tmp_path: Path
) -> None:
    mean = smplx.model.hands_mean
    assert mean is not None
    turns = record("coco-wholebody", tmp_path, smplx).rotations
    left = list(LEFT_HAND_JOINTS)
    whole = rotations.to_matrix(rotations.from_rotvec(POSE[left] + mean[:15]))
    np.testing.assert_allclose(turns.R[left], whole, atol=1e-6)
    assert turns.known[left].all()
    assert not turns.known[list(RIGHT_HAND_JOINTS)].any()


@pytest.mark.parametrize("body", ["without mean hands", "another"])
def test_fingers_are_not_known_where_the_mean_hands_are_not(
    body: str, smplx: Body, model: BodyModel, tmp_path: Path
) -> None:
    mean = smplx.model.hands_mean
    less = replace(smplx.model, hands_mean=None), replace(model, hands_mean=mean)
    one = less[body == "another"]
    found = record("coco-wholebody", tmp_path, replace(smplx, model=one))
    assert not found.rotations.known[25:].any()
    assert found.rotations.known[:23].all()


@pytest.mark.parametrize("name", ["agora", "bedlam"])
def test_joints_of_the_skeleton_are_key_points_where_the_body_has_its_own_there(
    name: str, smplx: Body, model: BodyModel, tmp_path: Path
) -> None:
    folder = MAKERS[name](tmp_path)

    def lacking(body: Body) -> set[int]:
        one = catalogue.open_records(name, folder, CropKind.BODY, body)[0]
        if name == "agora":
            np.testing.assert_array_equal(one.xyz.known, one.pixels.known)
        return set(np.flatnonzero(~one.pixels.known[:55]).tolist())

    assert lacking(smplx) == set()
    far = {JOINT_INDEX[n] for n in ("left_hip", "right_hip", "neck", "head")}
    assert lacking(of(model)) == far
    with_regressor = lacking(of(smplx.model, regressed=True))
    assert far < with_regressor
    assert JOINT_INDEX["left_elbow"] in with_regressor
    # Hands are compared about their wrists, whatever the body has there.
    assert JOINT_INDEX["left_wrist"] not in with_regressor


ROTATIONS = {"body_pose", "root_pose", "wrist_pose", "head_pose"}
COEFFICIENTS = {"betas", "expression"}
POINTS = {"body_3d", "hand_3d"}
FINE = {"finger_pose", "jaw_pose"}


@pytest.mark.parametrize(
    ("name", "on_smplx", "on_another"),
    [
        (
            "curated-fits",
            ROTATIONS | FINE | POINTS | COEFFICIENTS,
            ROTATIONS | FINE,
        ),
        ("bedlam", ROTATIONS | FINE | POINTS | {"betas"}, ROTATIONS | FINE),
        (
            "coco-wholebody",
            ROTATIONS | FINE | POINTS | COEFFICIENTS,
            ROTATIONS | {"jaw_pose"},
        ),
        ("agora", *[{"body_pose", "jaw_pose"} | POINTS] * 2),
        ("3dpw", *[ROTATIONS | {"body_3d"}] * 2),
    ],
)
def test_data_sets_of_bodies_have_these_terms_of_the_loss(
    name: str,
    on_smplx: set[str],
    on_another: set[str],
    smplx: Body,
    model: BodyModel,
    tmp_path: Path,
) -> None:
    folder = MAKERS[name](tmp_path)
    view = replace(VIEW, n_betas=N_BETAS, n_expression=N_EXPRESSION)
    shape = GenderedShape(gaussians_for(model, None, N_BETAS)[0])

    def terms(body: Body) -> set[str]:
        records = catalogue.open_records(name, folder, CropKind.BODY, body)
        batch = RecordDataset(records, view)[0]
        image = batch.pictures.image
        case = Case(predictions(1), batch.targets, image, Choices(), shape, None)
        return {
            term
            for term in ROTATIONS | COEFFICIENTS | POINTS | FINE
            if sum(cost.value.sum() for cost in TERMS[term].costs(case)) > 0
        }

    assert terms(smplx) == on_smplx
    assert terms(of(model)) == on_another


def test_commands_open_fits_for_the_body_that_they_train(
    official_model: BodyModel, tmp_path: Path
) -> None:
    given = (f"curated-fits:{curated(tmp_path)}",)
    core = replace(TINY_CORE, n_betas=12, n_expression=12)
    body = TrainingBody.of(official_model, core)
    (share,) = opened(given, CropKind.BODY, VIEW, Augmentation(), body)
    assert share.data[0].targets.betas_known.sum() == 10


def test_key_points_stay_on_the_cpu_when_training_takes_the_body_elsewhere(
    smplx: Body, tmp_path: Path
) -> None:
    moved = replace(smplx, key_points=of(smplx.model).key_points)
    folder = curated(tmp_path)
    records = catalogue.open_records("curated-fits", folder, CropKind.BODY, moved)
    before = records[0].xyz.at
    moved.key_points.to(torch.float64)  # as with a device, in place
    np.testing.assert_array_equal(records[0].xyz.at, before)
