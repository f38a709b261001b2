"""Readers on miniatures of their layouts, and what is scored with them."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import ModelFileError, PixieError, SourceError, UsageError
from pixie_train.data.ehf import CAMERA
from pixie_train.evaluation.anatomy import HAND_POINTS, Anatomy
from pixie_train.evaluation.benchmarks.agora import read_agora
from pixie_train.evaluation.benchmarks.ehf import read_ehf
from pixie_train.evaluation.benchmarks.freihand import read_freihand
from pixie_train.evaluation.benchmarks.now import read_now
from pixie_train.evaluation.benchmarks.opening import open_benchmark
from pixie_train.evaluation.benchmarks.threedpw import read_3dpw
from pixie_train.evaluation.cases import Case, Estimate
from pixie_train.evaluation.command import EvaluateOptions, run_evaluate
from pixie_train.evaluation.pictures import draw_pictures
from pixie_train.evaluation.report import page_of
from pixie_train.evaluation.running import evaluate
from pixie_train.evaluation.scoring import neutral_head
from pixie_train.evaluation.submissions import NowSubmission
from pixie_train.key_points import REGRESSED_JOINTS
from tests.train.evaluation import miniatures
from tests.train.evaluation.conftest import Oracle, posed


def test_ehf_knows_a_persons_mesh_and_scan_in_the_cameras_axes(
    tmp_path: Path, model: BodyModel, anatomy: Anatomy
) -> None:
    people = [posed(model, seed) for seed in (1, 2)]
    miniatures.make_ehf(
        tmp_path, [p.vertices.astype(float) for p in people], model.faces
    )
    benchmark = read_ehf(tmp_path, count=2)
    case = benchmark[1]
    assert case.truth.vertices is not None
    np.testing.assert_allclose(case.truth.vertices, people[1].vertices, atol=1e-5)
    assert case.box is not None
    middle = CAMERA.project(people[1].joints[:1])[0]
    assert case.box[0] < middle[0] < case.box[2]
    assert case.picture().shape == (1200, 1600, 3)

    # Somebody 40 mm beside: nothing to alignments, and nothing about the root.
    beside = replace(
        people[0],
        vertices=people[0].vertices + np.array([0.04, 0, 0], np.float32),
        joints=people[0].joints + np.array([0.04, 0, 0], np.float32),
    )
    says = {"EHF/01": beside, "EHF/02": None}
    result = evaluate(Oracle(model, lambda c: says[c.name]), benchmark, anatomy)
    assert result.missed == 1
    figures = result.figures
    for name in ("PA-V2V All", "TR-V2V Face", "MPVPE All", "PA-P2S mean", "MPJPE-14"):
        assert figures[name] < 0.02, name
    assert [bad.case.name for bad in result.worst] == ["EHF/01"]


def test_a_wrong_hand_is_an_error_of_that_hand(
    tmp_path: Path, model: BodyModel, anatomy: Anatomy
) -> None:
    person = posed(model, 3)
    miniatures.make_ehf(tmp_path, [person.vertices.astype(float)], model.faces)
    vertices = person.vertices.copy()
    vertices[anatomy.left_hand[::2]] += np.array([0, 0, 0.03], np.float32)
    wrong = replace(person, vertices=vertices)
    found = evaluate(Oracle(model, lambda _: wrong), read_ehf(tmp_path, 1), anatomy)
    figures = found.figures
    # Half its vertices are 30 mm off: 15 mm each once the middles meet.
    assert figures["TR-V2V Left hand"] == pytest.approx(15, abs=0.1)
    assert figures["MPVPE Left hand"] == pytest.approx(15, abs=2)
    assert figures["TR-V2V Right hand"] < 0.01
    assert figures["TR-V2V FB"] == pytest.approx(15 / 3, abs=0.1)
    assert 1 < figures["PA-V2V All"] < 6


def test_meshes_of_another_body_are_refused(
    tmp_path: Path, model: BodyModel, anatomy: Anatomy
) -> None:
    miniatures.make_ehf(tmp_path, [np.random.rand(9, 3)], [[0, 1, 2]])
    oracle = Oracle(model, lambda _: posed(model))
    with pytest.raises(ModelFileError, match="have 9 vertices"):
        evaluate(oracle, read_ehf(tmp_path, 1), anatomy)


def test_3dpw_puts_joints_before_each_frames_camera(
    tmp_path: Path, model: BodyModel, anatomy: Anatomy
) -> None:
    random = np.random.default_rng(0)
    people = [posed(model, seed=5, z=3 + 0.01 * t) for t in range(6)]
    poses = np.tile(np.eye(4), (6, 1, 1))
    poses[:, :3, :3] = Rotation.random(6, random_state=1).as_matrix()
    poses[:, :3, 3] = random.normal(size=(6, 3))
    camera = np.array([p.joints[:24] for p in people], float)
    world = np.einsum("tji,tnj->tni", poses[:, :3, :3], camera - poses[:, None, :3, 3])
    miniatures.make_3dpw(tmp_path, world, poses, valid=[1, 1, 1, 1, 1, 0])
    benchmark = read_3dpw(tmp_path, count=1)
    cases = [benchmark[k] for k in range(len(benchmark))]
    assert [case.number for case in cases] == [0, 1, 2, 3, 4]
    for person, case in zip(people, cases, strict=False):
        assert case.truth.joints14 is not None
        expected = person.joints[list(REGRESSED_JOINTS)]
        np.testing.assert_allclose(case.truth.joints14, expected, atol=1e-5)
    shaken = [
        replace(
            p,
            joints=p.joints
            + np.float32(0.005 * (-1) ** k) * (np.arange(55) == 4)[:, None],
        )
        for k, p in enumerate(people)
    ]
    result = evaluate(
        Oracle(model, lambda case: shaken[case.number]), benchmark, anatomy
    )
    shift = 5 * 3**0.5 / 14
    assert result.figures["TR-MPJPE-14"] == pytest.approx(shift, rel=1e-3)
    # Second differences of +-5 mm are 20 mm a picture squared.
    wobble = result.figures["acceleration error (mm/frame²)"]
    assert wobble == pytest.approx(20 * 3**0.5 / 14, rel=1e-3)
    assert any("SMPL_to_J14.pkl" in note for note in result.notes)
    assert result.figures["true jitter (m/s³)"] < 0.1 < result.figures["jitter (m/s³)"]


def test_freihands_points_are_the_right_hands_in_its_order(
    tmp_path: Path, model: BodyModel, anatomy: Anatomy
) -> None:
    person = posed(model, 7)
    hand = anatomy.right_hand_points(person)
    # From the palm to the tip each finger's points follow one another on the hand.
    rest = model.v_template.copy()
    fingers = anatomy.key_points(
        replace(person, vertices=rest, joints=model.J_template.copy())
    )
    rows = fingers[HAND_POINTS][1:].reshape(5, 4, 3)
    along = np.linalg.norm(rows - fingers[HAND_POINTS[0]], axis=2)
    assert (np.diff(along, axis=1) > 0.005).all()
    thumb_to_little = rows[:, 1, 2]
    assert (np.diff(thumb_to_little) < 0).all()  # the thumb is in front

    mesh = person.vertices[np.resize(anatomy.right_hand, 778)].astype(float)
    miniatures.make_freihand(tmp_path, hand[None].astype(float), mesh[None])
    benchmark = read_freihand(tmp_path, count=1)
    found = evaluate(Oracle(model, lambda _: person), benchmark, anatomy)
    assert found.figures["PA-MPJPE"] < 1e-3
    assert 0.7 < found.figures["F@5"] <= found.figures["F@15"] <= 1
    assert benchmark.cases[0].camera is not None
    assert benchmark.cases[0].camera.focal_px == 480


def test_now_compares_neutral_heads_with_scans(
    tmp_path: Path, model: BodyModel, anatomy: Anatomy
) -> None:
    person = posed(model, 8)
    surface, landmarks = neutral_head(anatomy, person)
    scan = surface.vertices[::5] * 1000
    miniatures.make_now(tmp_path, scan, [[0, 1, 2]], landmarks * 1000)
    benchmark = read_now(tmp_path)
    assert [case.group for case in benchmark.cases] == ["multiview_neutral", "selfie"]
    assert benchmark.cases[0].box == (10, 5.5, 50, 40)
    result = evaluate(Oracle(model, lambda _: person), benchmark, anatomy, limit=1)
    assert result.figures["median"] < 1e-3
    assert set(result.figures) == {"median", "mean", "std"}


def test_nows_test_set_has_no_truth_and_is_there_to_be_submitted(
    tmp_path: Path, model: BodyModel, anatomy: Anatomy
) -> None:
    landmarks = np.arange(21.0).reshape(7, 3)
    miniatures.make_now(tmp_path, landmarks, [[0, 1, 2]], landmarks)
    (tmp_path / "imagepathsvalidation.txt").rename(tmp_path / "imagepathstest.txt")
    shutil.rmtree(tmp_path / "scans")
    shutil.rmtree(tmp_path / "scans_lmks_onlypp")
    benchmark = read_now(tmp_path, "test")
    people = iter([posed(model, 8), None])
    out = NowSubmission(tmp_path / "out", anatomy)
    oracle = Oracle(model, lambda _: next(people))
    result = evaluate(oracle, benchmark, anatomy, also=out.add)
    assert len(list((tmp_path / "out").rglob("*.obj"))) == 1
    assert (result.missed, result.figures) == (1, {})
    assert draw_pictures(result, model, tmp_path / "report") == []
    page = page_of(result, [])
    assert "nobody was found in 1 of them" in page
    assert "only the challenge measures it" in page
    assert "By group" not in page
    options = EvaluateOptions(benchmark=f"now-test:{tmp_path}")
    with pytest.raises(UsageError, match="nothing to measure; give --submission"):
        run_evaluate(options)


def _agora_person(
    anatomy: Anatomy, estimate: Estimate, valid: bool
) -> dict[str, object]:
    joints = anatomy.joints127(estimate)
    return {
        "isValid": valid,
        "gt_verts": estimate.vertices,
        "gt_joints_3d": joints,
        "gt_joints_2d": estimate.camera.project(joints) * np.float32(3),
    }


@pytest.fixture(scope="module")
def agora(
    tmp_path_factory: pytest.TempPathFactory, model: BodyModel, anatomy: Anatomy
) -> tuple[Path, dict[str, list[Estimate]]]:
    """Return two pictures with three valid people and an invalid one."""
    folder = tmp_path_factory.mktemp("agora")
    people = {
        "ag_1.png": [posed(model, 11, 3), posed(model, 12, 5)],
        "ag_2.png": [posed(model, 13, 4), posed(model, 14, 4)],
    }
    valid = {"ag_1.png": [True, True], "ag_2.png": [True, False]}
    written = {
        name: [
            _agora_person(anatomy, p, v) for p, v in zip(some, valid[name], strict=True)
        ]
        for name, some in people.items()
    }
    miniatures.make_agora(folder, written)
    return folder, people


def test_agora_has_a_case_for_each_valid_person_and_finds_the_camera(
    agora: tuple[Path, dict[str, list[Estimate]]], model: BodyModel, anatomy: Anatomy
) -> None:
    folder, people = agora
    benchmark = read_agora(folder)
    assert len(benchmark) == 3
    camera = benchmark[0].camera
    assert camera is not None
    # The truth's pixels are of pictures three times as wide as those at hand.
    assert camera.focal_px == pytest.approx(1000, rel=1e-4)
    assert camera.size_px == (1280, 720)

    def says(case: Case) -> Estimate | None:
        found = people[case.group.replace("_1280x720", "")][case.number % 2]
        return None if case.group.startswith("ag_2") else found

    result = evaluate(Oracle(model, says), benchmark, anatomy)
    assert result.figures["recall (share)"] == pytest.approx(2 / 3)
    assert result.figures["precision (share)"] == 1
    assert result.figures["MVE FB"] < 0.01
    assert result.figures["NMVE FB"] == pytest.approx(result.figures["MVE FB"] / 0.8)


def test_an_incomplete_download_is_said_in_one_sentence(
    tmp_path: Path, model: BodyModel
) -> None:
    vertices = [posed(model).vertices.astype(float)]
    ehf, freihand, now = tmp_path / "ehf", tmp_path / "hand", tmp_path / "now"
    miniatures.make_ehf(ehf, vertices, model.faces)
    with pytest.raises(SourceError, match=r"1 aligned meshes .* expected 100"):
        read_ehf(ehf)
    (ehf / "01_scan.obj").unlink()
    with pytest.raises(SourceError, match=r"01_scan\.obj is missing"):
        read_ehf(ehf, count=1)
    (ehf / "01_align.ply").write_bytes(b"ply\nformat nonsense\n")
    (ehf / "01_scan.obj").touch()
    with pytest.raises(SourceError, match="cannot read the mesh"):
        read_ehf(ehf, count=1)[0]
    miniatures.make_freihand(freihand, np.ones((2, 21, 3)), np.ones((2, 778, 3)))
    with pytest.raises(SourceError, match=r"2 cameras .* expected 3960"):
        read_freihand(freihand)
    (freihand / "evaluation_verts.json").write_text("[[1, 2], [3]]")
    with pytest.raises(SourceError, match=r"evaluation_verts\.json"):
        read_freihand(freihand, count=2)
    with pytest.raises(SourceError, match=r"there is no .*sequenceFiles.test"):
        read_3dpw(tmp_path)
    landmarks = np.arange(21.0).reshape(7, 3)
    miniatures.make_now(now, np.random.rand(4, 3), [[0, 1, 2]], landmarks)
    (now / "imagepathsvalidation.txt").write_text("../../secret/IMG_1.jpg\n")
    with pytest.raises(PixieError):
        read_now(now)
    shutil.rmtree(now / "scans_lmks_onlypp")
    with pytest.raises(SourceError):
        read_now(now)
    frame = tmp_path / "agora" / "validation_0_withjv.pkl"
    frame.parent.mkdir()
    frame.touch()
    with pytest.raises(ModelFileError, match="not a pickled pandas frame"):
        read_agora(frame.parent)
    frame.unlink()
    with pytest.raises(SourceError, match=r"holds no validation_\*_withjv\.pkl"):
        read_agora(frame.parent)
    with pytest.raises(UsageError, match="ehf, 3dpw, agora, now, now-test, freihand"):
        open_benchmark("coco", tmp_path)
