"""Laws of the baked body, checked on the file that ships."""

from pathlib import Path

import numpy as np
import pytest
import smplx
import torch
from scipy.spatial import cKDTree

import pixie_runtime
from pixie_runtime.smplx import JOINT_INDEX, JOINT_NAMES, MIRRORED_JOINTS, PARENTS
from tools.bake_body import hands, numbering, packing, raster, smplx_layout
from tools.bake_body.arrays import Float, Int
from tools.bake_body.geometry import MIRROR_X, volume
from tools.bake_body.landmarks import Embedding
from tools.bake_body.posing import BakedBody, Pose
from tools.bake_body.skeleton import FINGERS

ASSET = Path(pixie_runtime.__file__).parent / "assets" / "body" / "pixie_body.npz"
EYES = ("left_eye_smplhf", "right_eye_smplhf")


@pytest.fixture(scope="module")
def body() -> BakedBody:
    return BakedBody(ASSET)


@pytest.fixture(scope="module")
def mirror(body: BakedBody) -> Int:
    """Return the vertex on the other side, (V,); where two coincide, the same group."""
    tagged = np.column_stack([body.rest, 10.0 * (body.group % 3 == 0)])
    distance, other = cKDTree(tagged).query(tagged * [*MIRROR_X, 1.0])
    assert distance.max() < 0.01
    return np.asarray(other)


def landmark(body: BakedBody, number: int, vertices: Float) -> Float:
    """Return one of MediaPipe's 468 points on the given vertices."""
    face = np.asarray(body.file["mediapipe468_faces_idx"][number], np.int64)
    bary = np.asarray(body.file["mediapipe468_bary_coords"][number], np.float64)
    return Embedding(face, bary).at(vertices, body.faces)


def visible_eye_pixels(body: BakedBody, vertices: Float) -> int:
    """Count the pixels (0.25 mm) that show eyeball, seen from ahead."""
    view = raster.View(body.joints[JOINT_INDEX[EYES[0]]], 0.06, (240, 240))
    face, _ = raster.rasterise(view.pixels(vertices), body.faces, view.size)
    seen = face[face >= 0]
    return int((body.group[body.faces[seen, 0]] == 1).sum())


def test_the_file_is_small_and_complete(body: BakedBody) -> None:
    assert ASSET.stat().st_size <= 6_000_000
    vertices = len(body.rest)
    assert str(body.file["format"]) == "pixie-body-1"
    for key, shape, dtype in (
        ("v_template", (vertices, 3), np.float32),
        ("shapedirs_q", (50, 3, vertices), np.int16),
        ("expressiondirs_q", (43, 3, vertices), np.int16),
        ("posedirs_q", (486, 3, vertices), np.int16),
        ("J_regressor", (55, vertices), np.float32),
        ("lmk_faces_idx", (51,), np.int32),
        ("dynamic_lmk_bary_coords", (79, 17, 3), np.float32),
        ("mediapipe468_bary_coords", (468, 3), np.float32),
        ("hands_componentsl", (45, 45), np.float32),
        ("arkit_to_expression", (43, 43), np.float32),
        ("betas_cov_female", (50, 50), np.float32),
        ("source_vertex", (vertices,), np.int32),
    ):
        assert body.file[key].shape == shape, key
        assert body.file[key].dtype == dtype, key


def test_nothing_in_the_file_needs_pickle(body: BakedBody) -> None:
    assert all(array.dtype != object for array in body.file.values())


def test_the_same_arrays_give_the_same_bytes(tmp_path: Path, body: BakedBody) -> None:
    part = {key: body.file[key] for key in ("format", "v_template", "f")}
    for name in ("one.npz", "two.npz"):
        packing.write(tmp_path / name, part)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_skinning_weights_of_a_vertex_sum_exactly_to_one(body: BakedBody) -> None:
    sums = body.file["weights_value"].astype(np.int64).sum(1)
    assert (sums == 65535).all()
    assert body.file["weights_index"].max() < len(JOINT_NAMES)


def test_joints_are_convex_mixes_of_vertices(body: BakedBody) -> None:
    regressor = body.file["J_regressor"]
    assert regressor.min() >= 0
    np.testing.assert_allclose(regressor.sum(1), 1.0, atol=1e-5)


def test_the_tree_is_smplx(body: BakedBody) -> None:
    tree = body.file["kintree_table"].astype(np.int64)
    assert tuple(tree[0, 1:]) == PARENTS[1:]
    assert tree[0, 0] == 2**32 - 1
    assert tuple(tree[1]) == tuple(range(55))


def test_the_mean_body_is_its_own_mirror_image(body: BakedBody) -> None:
    distance, _ = cKDTree(body.rest).query(body.rest * MIRROR_X)
    assert distance.max() < 1e-6
    mirrored = body.joints[list(MIRRORED_JOINTS)] * MIRROR_X
    np.testing.assert_allclose(mirrored, body.joints, atol=1e-5)


def test_every_shape_component_is_symmetric_or_antisymmetric(
    body: BakedBody, mirror: Int
) -> None:
    paired = mirror[mirror] == np.arange(len(mirror))
    for component in body.file["shapedirs_q"].astype(np.int64):
        reflected = component[:, mirror] * MIRROR_X[:, None]
        even = np.abs(component - reflected)[:, paired].mean()
        odd = np.abs(component + reflected)[:, paired].mean()
        assert min(even, odd) < 0.01 * max(even, odd)


def test_posing_the_other_side_gives_the_mirror_image(body: BakedBody) -> None:
    left = body.posed(Pose({"left_elbow": (10, -70, 20), "left_hip": (-50, 10, 15)}))
    right = body.posed(
        Pose({"right_elbow": (10, 70, -20), "right_hip": (-50, -10, -15)})
    )
    distance, _ = cKDTree(left).query(right * MIRROR_X)
    assert distance.max() < 2e-4


def test_joints_lie_inside_the_body(body: BakedBody) -> None:
    skin = body.faces[(body.group[body.faces] == 0).all(1)]
    corners = body.rest[skin]
    for name, joint in zip(JOINT_NAMES, body.joints, strict=True):
        if name not in (*EYES, "jaw"):
            assert winding_number(corners - joint) > 0.5, name


def test_the_jaws_hinge_lies_between_the_ears(body: BakedBody) -> None:
    jaw, ear = (
        body.joints[JOINT_INDEX["jaw"]],
        body.rest[numbering.WELL_KNOWN["left_ear"]],
    )
    nose = body.rest[numbering.WELL_KNOWN["nose"]]
    assert abs(jaw[0]) < 1e-6
    assert ear[1] - 0.07 < jaw[1] < ear[1]
    assert ear[2] < jaw[2] < nose[2] - 0.05


def winding_number(corners: Float) -> float:
    """Return how often triangles (F, 3, 3) wrap around the origin (van Oosterom)."""
    a, b, c = (corners[:, k] for k in range(3))
    la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
    top = (a * np.cross(b, c)).sum(1)
    bottom = la * lb * lc
    bottom += (a * b).sum(1) * lc + (b * c).sum(1) * la + (c * a).sum(1) * lb
    return float(np.arctan2(top, bottom).sum() / (2 * np.pi))


def test_hips_are_as_far_apart_as_femoral_heads(body: BakedBody) -> None:
    left, right = (body.joints[JOINT_INDEX[f"{s}_hip"]] for s in ("left", "right"))
    assert 0.16 < left[0] - right[0] < 0.19


def test_expressions_leave_the_joints_alone(body: BakedBody) -> None:
    regressor = np.asarray(body.file["J_regressor"], np.float64)
    for name in ("mouthSmile", "jawLeft", "cheekPuff", "eyeBlink", "browInnerUp"):
        moved = body.posed(Pose(arkit={name: 1.0})) - body.rest
        assert np.abs(regressor @ moved).max() < 5e-5


def test_arkit_scores_come_back_as_their_own_unit(body: BakedBody) -> None:
    back = body.file["arkit_to_expression"].astype(np.float64)
    assert np.linalg.matrix_rank(back) == len(body.file["arkit_names"])
    half = body.posed(Pose(arkit={"mouthPucker": 0.5})) - body.rest
    whole = body.posed(Pose(arkit={"mouthPucker": 1.0})) - body.rest
    np.testing.assert_allclose(2 * half, whole, rtol=0, atol=1e-7)


def test_an_open_jaw_opens_the_mouth(body: BakedBody) -> None:
    angle = np.degrees(float(body.file["jaw_open_angle"]))
    assert 15 < angle < 30
    shut = landmark(body, 13, body.rest) - landmark(body, 14, body.rest)
    opened = body.posed(Pose({"jaw": (angle, 0, 0)}))
    gap = landmark(body, 13, opened) - landmark(body, 14, opened)
    assert np.linalg.norm(shut) < 0.006
    assert 0.025 < np.linalg.norm(gap) < 0.055


def test_an_open_jaw_leaves_skull_and_upper_teeth_alone(body: BakedBody) -> None:
    moved = np.linalg.norm(body.posed(Pose({"jaw": (20, 0, 0)})) - body.rest, axis=1)
    above = body.rest[:, 1] > body.joints[JOINT_INDEX[EYES[0]], 1] + 0.03
    assert moved[above].max() < 1e-4
    assert moved[body.group == 3].max() < 1e-3


def test_a_blink_hides_the_eyeball(body: BakedBody) -> None:
    open_pixels = visible_eye_pixels(body, body.rest)
    shut = body.posed(Pose(arkit={"eyeBlink": 1.0}))
    assert open_pixels > 500
    assert visible_eye_pixels(body, shut) < 0.02 * open_pixels
    upper, lower = landmark(body, 386, shut), landmark(body, 374, shut)
    assert np.linalg.norm(upper - lower) < 0.004


def test_lids_follow_the_gaze_and_keep_the_eye_open(body: BakedBody) -> None:
    straight = visible_eye_pixels(body, body.rest)
    down, up, aside = (
        visible_eye_pixels(body, body.posed(Pose(dict.fromkeys(EYES, turn))))
        for turn in ((15.0, 0.0, 0.0), (-12.0, 0.0, 0.0), (0.0, 20.0, 0.0))
    )
    assert 0.4 * straight < down < straight < up < 1.8 * straight
    assert aside == pytest.approx(straight, rel=0.05)


def test_landmarks_lie_on_the_face(body: BakedBody) -> None:
    eye_y = body.joints[JOINT_INDEX[EYES[0]], 1]
    for kind in ("lmk", "mediapipe468"):
        faces = body.file[f"{kind}_faces_idx"].astype(np.int64)
        bary = body.file[f"{kind}_bary_coords"].astype(np.float64)
        assert bary.min() >= 0
        np.testing.assert_allclose(bary.sum(-1), 1.0, atol=1e-5)
        points = Embedding(faces, bary).at(body.rest, body.faces)
        assert (body.group[body.faces[faces]] == 0).all()
        assert (np.abs(points[:, 0]) < 0.09).all()
        assert (points[:, 2] > 0.05).all()
        assert (points[:, 1] > eye_y - 0.13).all()
        assert (points[:, 1] < eye_y + 0.07).all()


def test_the_two_halves_landmarks_mirror_each_other(body: BakedBody) -> None:
    faces = body.file["mediapipe468_faces_idx"].astype(np.int64)
    bary = body.file["mediapipe468_bary_coords"].astype(np.float64)
    points = Embedding(faces, bary).at(body.rest, body.faces)
    distance, _ = cKDTree(points).query(points * MIRROR_X)
    assert distance.max() < 0.0005


def test_landmarks_are_where_their_names_say(body: BakedBody) -> None:
    nose, chin, brow = (landmark(body, k, body.rest) for k in (4, 152, 10))
    outer_left, outer_right = (landmark(body, k, body.rest) for k in (263, 33))
    assert nose[2] > max(chin[2], brow[2])
    assert abs(nose[0]) < 1e-3
    assert chin[1] < nose[1] < brow[1]
    np.testing.assert_allclose(outer_left, outer_right * MIRROR_X, atol=1e-3)
    assert 0.035 < outer_left[0] < 0.055


@pytest.mark.parametrize("degrees", [-30, 30])
def test_a_turned_heads_contour_is_its_silhouette(
    body: BakedBody, degrees: int
) -> None:
    row = -degrees if degrees < 0 else 39 + degrees
    contour = Embedding(
        body.file["dynamic_lmk_faces_idx"][row].astype(np.int64),
        body.file["dynamic_lmk_bary_coords"][row].astype(np.float64),
    ).at(body.rest, body.faces)
    view = raster.View(np.zeros(3), 2.0, (10, 10), yaw_deg=degrees)
    far = slice(0, 8) if degrees < 0 else slice(9, 17)
    sign = -1 if degrees < 0 else 1
    face = np.abs(body.rest - contour[8]).max(1) < 0.13
    head = view.turn(body.rest[face & (np.asarray(body.file["part"], np.int64) >= 15)])
    for point in view.turn(contour[far]):
        level = np.abs(head[:, 1] - point[1]) < 0.004
        assert sign * point[0] > (sign * head[level, 0]).max() - 0.006


def test_well_known_vertex_numbers_are_right(body: BakedBody) -> None:
    at = {name: body.rest[k] for name, k in numbering.WELL_KNOWN.items()}
    for side, sign in (("left", 1), ("right", -1)):
        for finger in FINGERS:
            joint = body.joints[JOINT_INDEX[f"{side}_{finger}3"]]
            assert 0.01 < np.linalg.norm(at[f"{side}_{finger}"] - joint) < 0.05
        assert sign * at[f"{side}_ear"][0] > 0.07
        ankle = body.joints[JOINT_INDEX[f"{side}_ankle"]]
        assert at[f"{side}_heel"][2] < ankle[2] < at[f"{side}_big_toe"][2]
        assert sign * (at[f"{side}_small_toe"] - at[f"{side}_big_toe"])[0] > 0.03


def test_every_finger_reaches_the_palm_in_a_fist(body: BakedBody) -> None:
    numbers = [numbering.WELL_KNOWN[f"left_{finger}"] for finger in FINGERS]
    turns = np.degrees(hands.fist(body.joints, body.rest[numbers])).reshape(15, 3)
    pose = {JOINT_NAMES[25 + k]: tuple(turn) for k, turn in enumerate(turns)}
    fist = body.posed(Pose({k: (v[0], v[1], v[2]) for k, v in pose.items()}))
    for finger in ("index", "middle", "ring", "pinky"):
        knuckle = body.joints[JOINT_INDEX[f"left_{finger}1"]]
        tip = fist[numbering.WELL_KNOWN[f"left_{finger}"]]
        reach = body.rest[numbering.WELL_KNOWN[f"left_{finger}"]] - knuckle
        assert np.linalg.norm(tip - knuckle) < 0.55 * np.linalg.norm(reach), finger
        assert abs(tip[2] - knuckle[2]) < 0.012, finger


def test_the_hands_pose_spaces_are_mirror_images(body: BakedBody) -> None:
    signs = np.tile([1, -1, -1], 15)
    for kind in ("mean", "components"):
        left, right = (body.file[f"hands_{kind}{s}"] for s in "lr")
        np.testing.assert_array_equal(left * signs, right)


def test_phenotypes_do_what_they_are_called(body: BakedBody) -> None:
    def person(**values: float) -> Float:
        return body.posed(Pose(betas=body.phenotype(**values)))

    def weight_kg(vertices: Float) -> float:
        skin = body.faces[(body.group[body.faces] == 0).all(1)]
        return 1010 * volume(vertices, skin)

    def height(vertices: Float) -> float:
        return float(np.ptp(vertices[:, 1]))

    man, woman = person(gender=0.0), person(gender=1.0)
    assert 1.70 < height(man) < 1.80
    assert 1.56 < height(woman) < 1.68
    assert height(person(height=0.6)) > height(person(height=0.17)) + 0.4
    heavy, thin = person(weight=1.45), person(weight=0.0)
    assert weight_kg(heavy) / height(heavy) ** 2 > 31
    assert weight_kg(thin) / height(thin) ** 2 < 20


def test_the_gender_priors_differ_in_size(body: BakedBody) -> None:
    man, woman = (
        body.posed(Pose(betas=np.asarray(body.file[f"betas_mean_{g}"], np.float64)))
        for g in ("male", "female")
    )
    assert np.ptp(man[:, 1]) > np.ptp(woman[:, 1]) + 0.1
    covariance = body.file["betas_cov_male"]
    assert np.linalg.eigvalsh(covariance.astype(np.float64)).min() > 0


def test_the_smplx_package_poses_the_converted_file_alike(
    tmp_path: Path, body: BakedBody
) -> None:
    path = tmp_path / "SMPLX_NEUTRAL.npz"
    np.savez(path, allow_pickle=False, **smplx_layout.convert(body.file))
    model = smplx.create(
        str(path),
        model_type="smplx",
        ext="npz",
        num_betas=50,
        num_expression_coeffs=43,
        use_pca=False,
        flat_hand_mean=True,
        use_face_contour=True,
    )
    rng = np.random.default_rng(3)
    joints = {name: tuple(rng.normal(0, 25, 3)) for name in JOINT_NAMES}
    betas = rng.normal(0, 1, 50)
    arkit = {"mouthSmileLeft": 0.7, "eyeBlinkRight": 0.4}
    pose = Pose({k: (v[0], v[1], v[2]) for k, v in joints.items()}, arkit, betas)

    def tensor(values: Float) -> torch.Tensor:
        return torch.from_numpy(values.reshape(1, -1).astype(np.float32))

    rotvecs = np.radians(np.array(list(joints.values())))
    with torch.no_grad():
        posed = model(
            betas=tensor(betas),
            expression=tensor(body.expression(arkit)),
            global_orient=tensor(rotvecs[0]),
            body_pose=tensor(rotvecs[1:22]),
            jaw_pose=tensor(rotvecs[22]),
            leye_pose=tensor(rotvecs[23]),
            reye_pose=tensor(rotvecs[24]),
            left_hand_pose=tensor(rotvecs[25:40]),
            right_hand_pose=tensor(rotvecs[40:55]),
        )
    assert posed.joints.shape == (1, 144, 3)
    np.testing.assert_allclose(posed.vertices[0].numpy(), body.posed(pose), atol=2e-5)
