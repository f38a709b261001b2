from collections import Counter
from itertools import pairwise

import cv2
import numpy as np
import pytest

from pixie_runtime.body import BodyModel
from pixie_runtime.types import Float32
from pixie_train.faces.finding import FaceFinder
from pixie_train.faces.landmarks68 import head_rotation, landmarks68
from pixie_train.faces.mesh import (
    INNER_LIPS,
    LEFT_EYE,
    MESH_POINTS,
    OUTER_LIPS,
    OVAL,
    RIGHT_EYE,
    face_mesh,
    rest_points,
)
from pixie_train.faces.skin import SkinChoices, skin_mask
from tests.train.faces.conftest import FOOTAGE

NOSE_TIP, FOREHEAD, CHEEK, CHIN = 4, 151, 50, 199


def seen(model: BodyModel, yaw_deg: float) -> Float32:
    """Return the resting head's mesh in a picture of 400 pixels, turned by degrees."""
    return in_picture(rest_points(model), rest_points(model), yaw_deg)


def in_picture(points: Float32, about: Float32, yaw_deg: float) -> Float32:
    yaw = np.radians(yaw_deg)
    turn = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    facing = np.diag([1.0, -1, -1]) @ np.array(turn)
    return np.asarray((points - about.mean(0)) @ facing.T * 1200 + 200, np.float32)


def test_the_mesh_is_one_sheet_whose_rim_is_the_oval() -> None:
    triangles = face_mesh().triangles
    edges = Counter(
        frozenset(edge)
        for a, b, c in triangles.tolist()
        for edge in ((a, b), (b, c), (c, a))
    )
    assert set(triangles.ravel()) == set(range(MESH_POINTS))
    assert max(edges.values()) == 2
    assert MESH_POINTS - len(edges) + len(triangles) == 1  # Euler, of a disc
    rim = {edge for edge, count in edges.items() if count == 1}
    assert rim == {frozenset(edge) for edge in pairwise([*OVAL, OVAL[0]])}


def test_skin_is_where_the_face_is_and_not_in_eyes_and_mouth(model: BodyModel) -> None:
    mesh = seen(model, 0)
    mask = skin_mask(mesh, (400, 400), SkinChoices(margin=0))

    def at(point: Float32) -> int:
        return int(mask[int(point[1]), int(point[0])])

    for skin in (NOSE_TIP, FOREHEAD, CHEEK, CHIN):
        assert at(mesh[skin]) == 255
    for hole in (LEFT_EYE, RIGHT_EYE):
        assert at(mesh[list(hole)].mean(0)) == 0
    outside = mesh[list(OVAL)].copy()
    outside += 0.1 * (outside - outside.mean(0))
    assert not any(at(point) for point in outside)


def test_an_open_mouth_is_no_skin_and_lips_are_a_choice(model: BodyModel) -> None:
    mesh = seen(model, 0)
    lower = list(INNER_LIPS[1:10])
    mesh[lower, 1] += 15
    mesh[list(OUTER_LIPS[1:10]), 1] += 15
    mouth = mesh[list(INNER_LIPS)].mean(0)
    lip = (mesh[14] + mesh[17]) / 2
    for lips, expected in ((True, 255), (False, 0)):
        mask = skin_mask(mesh, (400, 400), SkinChoices(lips=lips, margin=0))
        assert mask[int(mouth[1]), int(mouth[0])] == 0
        assert mask[int(lip[1]), int(lip[0])] == expected


def test_a_turned_heads_skin_is_its_silhouette(model: BodyModel) -> None:
    mesh = seen(model, 70)
    mask = skin_mask(mesh, (400, 400), SkinChoices(margin=0))
    across = np.flatnonzero(mask.any(0))
    assert across[0] == pytest.approx(mesh[:, 0].min(), abs=1)
    assert across[-1] == pytest.approx(mesh[:, 0].max(), abs=1)
    blobs, _ = cv2.connectedComponents(mask)
    assert blobs == 2  # the face and what is around it


def test_a_margin_takes_the_rim_off(model: BodyModel) -> None:
    mesh = seen(model, 0)
    whole = skin_mask(mesh, (400, 400), SkinChoices(margin=0)) > 0
    less = skin_mask(mesh, (400, 400), SkinChoices(margin=0.05)) > 0
    assert not (less & ~whole).any()
    assert 0.6 < less.sum() / whole.sum() < 0.9


def test_a_face_outside_of_the_picture_has_no_skin_in_it(model: BodyModel) -> None:
    far = seen(model, 0) + 10_000
    assert not skin_mask(far, (40, 30)).any()
    assert skin_mask(far, (40, 30)).shape == (40, 30)


@pytest.mark.parametrize("yaw_deg", [-38, -20, 0, 11, 35])
def test_landmarks_are_the_bodys_own_on_its_head(
    model: BodyModel, yaw_deg: float
) -> None:
    mesh = seen(model, yaw_deg)
    found = landmarks68(mesh)
    # What KeyPoints takes: the tables' own points, the jaw line by the yaw's row.
    row = yaw_row(mesh)
    faces = np.concatenate([model.dynamic_lmk_faces_idx[row], model.lmk_faces_idx])  # type: ignore[index]
    bary = np.concatenate([model.dynamic_lmk_bary_coords[row], model.lmk_bary_coords])  # type: ignore[index]
    places = np.einsum("kb,kbc->kc", bary, model.v_template[model.faces[faces]])
    own = in_picture(places, rest_points(model), yaw_deg)[:, :2]
    away_mm = np.linalg.norm(found - own, axis=1) / 1200 * 1000
    assert away_mm[17:].max() < 0.1
    assert away_mm[:17].max() < 30  # some lie on skin beyond the mesh's rim
    assert np.median(away_mm[:17]) < 6


def yaw_row(mesh: Float32) -> int:
    R = head_rotation(mesh).astype(np.float64)
    degrees = round(float(np.degrees(np.arcsin(-R[2, 0]))))
    return 39 - degrees if degrees < 0 else degrees


@pytest.mark.parametrize("yaw_deg", [-60, -10, 25, 80])
def test_the_heads_turn_is_read_off_the_mesh(model: BodyModel, yaw_deg: float) -> None:
    R = head_rotation(seen(model, yaw_deg))
    np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-5)
    looks = R @ np.array([0, 0, 1])
    expected = np.radians(yaw_deg)
    np.testing.assert_allclose(
        looks, [np.sin(expected), 0, -np.cos(expected)], atol=1e-4
    )


def test_landmarks_and_skin_of_a_portrait_lie_where_its_face_is(
    finder: FaceFinder,
) -> None:
    bgr = cv2.imread(str(FOOTAGE / "skimage_astronaut.png"))
    assert bgr is not None
    picture = np.asarray(bgr[..., ::-1], np.uint8)
    mesh = finder.find(picture)
    assert mesh is not None
    points = landmarks68(mesh)
    # Read off the picture by eye: pupils, nose tip, corners of the mouth, chin.
    expected = {
        (36, 42): (203, 102),
        (42, 48): (246, 104),
        (30, 31): (224, 127),
        (48, 49): (203, 140),
        (54, 55): (246, 141),
        (8, 9): (225, 177),
    }
    for (first, last), place in expected.items():
        assert np.linalg.norm(points[first:last].mean(0) - place) < 5
    mask = skin_mask(mesh, (512, 512)) > 0
    colours = picture[mask].astype(float)
    assert (colours[:, 0] > colours[:, 2]).mean() > 0.95  # skin is more red than blue
    assert 0.02 < mask.mean() < 0.1


def test_a_picture_without_a_face_has_none(finder: FaceFinder) -> None:
    assert finder.find(np.full((64, 64, 3), 127, np.uint8)) is None
