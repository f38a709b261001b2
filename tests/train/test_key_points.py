from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from pixie_export.to_onnx import export
from pixie_runtime import rotations as quaternions
from pixie_runtime.body import BodyModel
from pixie_runtime.body.surface import contour_row as runtime_row
from pixie_runtime.bundle import TensorSpec
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.smplx import JOINT_COUNT, JOINT_INDEX, JOINT_NAMES
from pixie_runtime.types import Float32
from pixie_train import rotations
from pixie_train.body_model import TorchSurface
from pixie_train.camera import project
from pixie_train.key_points import (
    EXTRA_POINT_NAMES,
    FACE_POINTS,
    KEY_POINT_COUNT,
    LEFT_HAND_POINTS,
    REGRESSED_JOINTS,
    RIGHT_HAND_POINTS,
    KeyPoints,
    KeyPointTables,
    SurfaceKeyPoints,
    Viewer,
    contour_row,
    face68,
)
from pixie_train.utilities import read_utilities
from tests.train.conftest import Recorded
from tests.train.test_body_model import People, people

SETTINGS = ["body", "soft", "paste", "bodyonly"]
TO_VIEWER: dict[Viewer, Float32] = {
    "camera": np.array([0, 0, -1], np.float32),
    "release": np.array([0, 0, 1], np.float32),
}


@pytest.fixture(scope="module")
def tables(model: BodyModel) -> KeyPointTables:
    return read_utilities(None, model)[0]


@pytest.fixture(scope="module")
def key_points(model: BodyModel, tables: KeyPointTables) -> KeyPoints:
    return KeyPoints(model, tables, n_betas=5, n_expression=3)


@pytest.fixture(scope="module")
def official_points(official_model: BodyModel, official_assets: Path) -> KeyPoints:
    tables, notes = read_utilities(official_assets, official_model)
    assert notes == ()
    return KeyPoints(
        official_model, tables, n_betas=200, n_expression=50, viewer="release"
    )


@pytest.mark.parametrize("setting", SETTINGS)
def test_points_are_those_of_the_official_release(
    official_points: KeyPoints, recorded: Recorded, setting: str
) -> None:
    points = official_points(
        recorded[f"{setting}.param.shape"],
        recorded[f"{setting}.param.exp"],
        recorded[f"{setting}.full_pose"],
    )
    projected = project(points, recorded[f"{setting}.param.body_cam"])[..., :2]

    for ours, name in (
        (points, "joints"),
        (projected, "smplx_kpt"),
        (face68(projected), "face_kpt"),
    ):
        expected = recorded[f"{setting}.{name}"]
        torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0)


def test_parts_are_those_that_the_specification_counts() -> None:
    assert KEY_POINT_COUNT == 145
    assert list(range(55, 123)) == FACE_POINTS
    tips = {"left": [128, 129, 130, 131, 133], "right": [139, 140, 141, 142, 144]}
    assert sorted(LEFT_HAND_POINTS) == [20, *range(25, 40), *tips["left"]]
    assert sorted(RIGHT_HAND_POINTS) == [21, *range(40, 55), *tips["right"]]


def test_face_landmarks_are_those_of_the_runtime(
    model: BodyModel, key_points: KeyPoints
) -> None:
    some = people(4, 5, 3)

    landmarks = face68(key_points(some.betas, some.expression, some.R))

    for i in range(4):
        posed = People(
            some.betas, some.expression, some.R, torch.zeros(4, 3)
        ).in_runtime(model, i)
        inner, jaw_line = (
            posed.landmarks68(TO_VIEWER["camera"])[:51],
            posed.landmarks68(TO_VIEWER["camera"])[51:],
        )
        np.testing.assert_allclose(landmarks[i, :17], jaw_line, atol=1e-5, rtol=0)
        np.testing.assert_allclose(landmarks[i, 17:], inner, atol=1e-5, rtol=0)


@pytest.mark.parametrize("viewer", TO_VIEWER)
def test_the_jaw_lines_row_is_the_runtimes_at_every_yaw(viewer: Viewer) -> None:
    yaw = torch.linspace(-np.pi, np.pi, 1000)
    w = torch.stack([torch.full_like(yaw, 0.2), yaw, torch.zeros_like(yaw)], dim=-1)
    R = rotations.matrix_from_rotvec(torch.stack([0 * yaw, yaw, 0 * yaw], -1))
    R = R @ rotations.matrix_from_rotvec(w * torch.tensor([1.0, 0, 0]))

    rows = contour_row(R, viewer)

    assert set(rows.tolist()) == set(range(79))
    assert rows.tolist() == [runtime_row(one, TO_VIEWER[viewer]) for one in R.numpy()]


def _turned(degrees: float) -> Tensor:
    """Return an upright head before the camera, turned to its left."""
    turn = torch.tensor([[0, np.radians(degrees), 0]], dtype=torch.float32)
    upright = torch.diag(torch.tensor([1.0, -1, -1]))
    return upright @ rotations.matrix_from_rotvec(turn)


@pytest.mark.parametrize("degrees", [20, 35])
def test_the_jaw_line_ends_where_the_camera_sees_the_face_end(
    model: BodyModel, key_points: KeyPoints, degrees: float
) -> None:
    for side, far in ((1, range(106, 111)), (-1, range(118, 123))):
        R = torch.eye(3).repeat(1, 55, 1, 1)
        R[:, 0] = _turned(-side * degrees)
        zeros = torch.zeros(1, 5), torch.zeros(1, 3)
        line = key_points(*zeros, R)[0, list(far)].numpy()
        head = np.isin(model.part, [JOINT_INDEX["head"], JOINT_INDEX["jaw"]])
        face = (model.v_template[head] - model.J_template[0]) @ R[0, 0].numpy().T
        for x, y, _ in line - model.J_template[0]:
            level = face[np.abs(face[:, 1] - y) < 0.004, 0] * side
            beyond = level.min() - x * side  # the picture's left for heads to the right
            assert abs(beyond) < 0.006


def test_the_rows_of_a_head_and_of_its_mirror_image_are_each_others_sides(
    model: BodyModel,
) -> None:
    rows = [int(contour_row(_turned(degrees))) for degrees in (25, -25)]
    assert rows == [64, 25]
    faces, weights = model.dynamic_lmk_faces_idx, model.dynamic_lmk_bary_coords
    assert faces is not None
    assert weights is not None
    left, right = (
        (model.v_template[model.faces[faces[row]]] * weights[row][..., None]).sum(1)
        for row in rows
    )
    np.testing.assert_allclose(left * [-1, 1, 1], right[::-1], atol=0.008)


def test_a_head_that_is_not_a_number_still_has_a_row() -> None:
    row = contour_row(torch.full((1, 3, 3), float("nan")))
    assert 0 <= int(row) <= 78


def test_without_a_regressor_the_joints_are_the_skeletons(
    model: BodyModel, key_points: KeyPoints
) -> None:
    some = people(2, 5, 3)
    points = key_points(some.betas, some.expression, some.R)
    surface = TorchSurface(model, n_betas=5, n_expression=3, vertices=[0])
    joints = surface(some.betas, some.expression, some.R).joints
    torch.testing.assert_close(points[:, :55], joints)


def test_regressed_joints_replace_the_named_ones_and_no_other(
    model: BodyModel, tables: KeyPointTables
) -> None:
    chosen = np.linspace(0, model.vertex_count - 1, 14).astype(int)
    regressor = np.zeros((14, model.vertex_count), np.float32)
    regressor[np.arange(14), chosen] = 1
    regressed = KeyPointTables(
        tables.static,
        tables.contour,
        tables.extra,
        regressor,
        np.array(REGRESSED_JOINTS),
    )
    some = people(2, 5, 3)
    points = KeyPoints(model, regressed, n_betas=5, n_expression=3)(
        some.betas, some.expression, some.R
    )

    surface = TorchSurface(model, n_betas=5, n_expression=3)
    output = surface(some.betas, some.expression, some.R)
    for row, joint in enumerate(REGRESSED_JOINTS):
        torch.testing.assert_close(
            points[:, joint], output.vertices[:, int(chosen[row])]
        )
    others = [j for j in range(JOINT_COUNT) if j not in REGRESSED_JOINTS]
    torch.testing.assert_close(points[:, others], output.joints[:, others])


def test_points_of_a_whole_surface_are_the_same(
    model: BodyModel, tables: KeyPointTables, key_points: KeyPoints
) -> None:
    some = people(2, 5, 3)
    surface = TorchSurface(model, n_betas=5, n_expression=3)
    on_whole = SurfaceKeyPoints(tables, np.arange(model.vertex_count))

    output = surface(some.betas, some.expression, some.R)

    torch.testing.assert_close(
        on_whole(output), key_points(some.betas, some.expression, some.R)
    )


def test_a_batch_equals_its_items(key_points: KeyPoints) -> None:
    many = people(3, 5, 3)
    together = key_points(many.betas, many.expression, many.R)
    for i in range(3):
        one = many[i]
        alone = key_points(one.betas, one.expression, one.R)
        torch.testing.assert_close(together[i], alone[0])


def test_gradients_are_those_of_finite_differences(
    model: BodyModel, tables: KeyPointTables
) -> None:
    points = KeyPoints(model, tables, n_betas=2, n_expression=2).double()
    one = people(1, 2, 2)
    R = one.R.double()
    variables = [v.double().requires_grad_() for v in (one.betas, one.expression)]
    turns = torch.zeros(1, 2, 3, dtype=torch.float64).requires_grad_()

    def turned(betas: Tensor, expression: Tensor, w: Tensor) -> Tensor:
        # To first order a rotation; only neck and head turn, to keep the check short.
        x, y, z = w.unbind(-1)
        zero = torch.zeros_like(x)
        K = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1)
        joints = torch.tensor([JOINT_INDEX["neck"], JOINT_INDEX["head"]])
        step = R[:, joints] @ K.reshape(1, 2, 3, 3)
        return points(betas, expression, R.index_add(1, joints, step))  # type: ignore[no-any-return]

    assert torch.autograd.gradcheck(turned, [*variables, turns], fast_mode=True)


def test_the_exported_points_are_the_same_for_any_batch(
    model: BodyModel, tables: KeyPointTables
) -> None:
    rng = np.random.default_rng(0)
    regressor = np.zeros((14, model.vertex_count), np.float32)
    regressor[:, ::500] = rng.dirichlet(np.ones(28), 14)
    module = KeyPoints(
        model,
        KeyPointTables(
            tables.static,
            tables.contour,
            tables.extra,
            regressor,
            np.array(REGRESSED_JOINTS),
        ),
        n_betas=5,
        n_expression=3,
    )
    names = ("betas", "expression", "rotations")
    shapes: tuple[tuple[int, ...], ...] = ((5,), (3,), (JOINT_COUNT, 3, 3))
    specs = [
        TensorSpec(name, ("batch", *shape), "float32", "")
        for name, shape in zip(names, shapes, strict=True)
    ]
    points = TensorSpec("points", ("batch", KEY_POINT_COUNT, 3), "float32", "")
    onnx_model = export(module, specs, [points])

    with OnnxRuntimeEngine(onnx_model.SerializeToString(), threads=1) as engine:
        for count in (1, 64):  # of many heads, some turn far to either side
            some = people(count, 5, 3, seed=count)
            inputs = (some.betas, some.expression, some.R)
            found = engine.infer(
                {n: x.numpy() for n, x in zip(names, inputs, strict=True)}
            )["points"]
            np.testing.assert_allclose(found, module(*inputs), atol=1e-5, rtol=0)


@pytest.mark.parametrize("side", ["left", "right"])
def test_derived_tips_lie_beyond_the_last_finger_joints(
    model: BodyModel, key_points: KeyPoints, side: str
) -> None:
    points = rest_points(key_points)
    for finger in ("index", "middle", "pinky", "ring", "thumb"):
        tip = points[f"{side}_{finger}"]
        last, before = (points[f"{side}_{finger}{bone}"] for bone in (3, 2))
        along = (last - before) / np.linalg.norm(last - before)
        assert 0.008 < (tip - last) @ along < 0.05
        assert np.linalg.norm(tip - last) < 0.05


def test_derived_points_lie_where_their_names_say(key_points: KeyPoints) -> None:
    p = rest_points(key_points)
    for side, outwards in (("left", 1), ("right", -1)):
        big, small, heel = (p[f"{side}_{n}"] for n in ("big_toe", "small_toe", "heel"))
        ankle = p[f"{side}_ankle"]
        assert (small - big)[0] * outwards > 0.02
        assert min(big[2], small[2]) > ankle[2] + 0.1
        assert heel[2] < ankle[2]
        assert heel[1] < ankle[1] - 0.03
        assert p[f"{side}_ear"][0] * outwards > 0.06
        eye, inside = p[f"{side}_eye"], p[f"{side}_eye_smplhf"]
        assert 0.005 < eye[2] - inside[2] < 0.03
        assert np.linalg.norm((eye - inside)[:2]) < 0.01
    assert p["nose"][2] > p["left_eye"][2]
    assert p["head_top"][1] > p["left_ear"][1] + 0.08


def rest_points(key_points: KeyPoints) -> dict[str, np.ndarray]:
    R = torch.from_numpy(quaternions.to_matrix(quaternions.identity(JOINT_COUNT)))
    points = key_points(torch.zeros(1, 5), torch.zeros(1, 3), R[None].float())[0]
    named = [*enumerate(JOINT_NAMES), *enumerate(EXTRA_POINT_NAMES, start=123)]
    return {name: points[i].numpy() for i, name in named}
