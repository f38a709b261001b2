"""The command, what it writes, and the shipped network on people nobody drew before."""

import io
import json
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from smplx.lbs import vertices2landmarks
from smplx.vertex_ids import vertex_ids
from smplx.vertex_joint_selector import VertexJointSelector

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import ModelFileError, SinkError, SourceError, UsageError
from pixie_runtime.types import UInt8
from pixie_train.evaluation import submissions
from pixie_train.evaluation.anatomy import Anatomy
from pixie_train.evaluation.benchmarks.files import read_mesh
from pixie_train.evaluation.cases import Case, CaseList, Truth
from pixie_train.evaluation.command import EvaluateOptions, run_evaluate
from pixie_train.evaluation.paper import PUBLISHED
from pixie_train.evaluation.pictures import draw_pictures
from pixie_train.evaluation.report import as_text, page_of, table_of, write_report
from pixie_train.evaluation.running import Evaluation, evaluate
from pixie_train.evaluation.subjects import cut_about
from pixie_train.evaluation.synthetic import SyntheticBenchmark
from tests.train.evaluation.conftest import CAMERA, Oracle, posed


def _grey() -> UInt8:
    return np.full((480, 640, 3), 80, np.uint8)


@pytest.fixture(scope="module")
def result(model: BodyModel, anatomy: Anatomy) -> Evaluation:
    """Return an evaluation as of EHF: one person seen well, one badly, one not."""

    def unreadable() -> UInt8:
        raise SourceError("the picture x.png is empty (0 bytes)")

    people = [posed(model, seed) for seed in (1, 2, 3)]
    cases = tuple(
        Case(
            name=f"EHF/{k}",
            picture=_grey if k < 2 else unreadable,
            truth=Truth(vertices=person.vertices, joints=person.joints),
            camera=CAMERA,
            group="ab"[k % 2],
        )
        for k, person in enumerate(people)
    )
    says = {"EHF/0": people[0], "EHF/1": people[2]}
    oracle = Oracle(model, lambda case: says.get(case.name))
    return evaluate(oracle, CaseList("EHF", "whole", cases), anatomy)


def test_a_table_stands_beside_the_papers_rows(result: Evaluation) -> None:
    table = table_of(result)
    assert table[0][:3] == ["", "oracle", "PIXIE"]
    rows = {row[0]: row for row in table}
    assert rows["PA-V2V All"][2] == "55.0"
    assert rows["TR-V2V Right hand"][2] == "27.0"
    assert rows["MPVPE Left hand"][2] == ""
    assert len({len(line) for line in as_text(table).splitlines()}) <= len(table)


def test_a_report_has_everything_and_says_what_was_not_found(
    result: Evaluation, model: BodyModel, tmp_path: Path
) -> None:
    pictures = draw_pictures(result, model, tmp_path)
    assert pictures == ["errors.png", "worst.jpg"]
    page = write_report(result, tmp_path, pictures).read_text(encoding="utf-8")
    for words in (
        "nobody was found in 1 of them",
        "1 pictures could not be read",
        "x.png is empty",
        "| PA-V2V All |",
        "![worst](worst.jpg)",
        "without SMPLX_to_J14.pkl",
    ):
        assert words in page
    data = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert data["missed"] == 1
    assert len(data["rows"]) == 3
    means = [row["figures"]["PA-V2V All"] for row in data["rows"] if row["figures"]]
    assert data["figures"]["PA-V2V All"] == pytest.approx(sum(means) / 2)
    assert result.worst[0].case.name == "EHF/1"
    assert "By group" in page_of(result, [])


def test_a_report_that_cannot_be_written_is_said_in_a_sentence(
    result: Evaluation, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="choose another place with --out"):
        write_report(result, tmp_path / "file", [])


def test_published_figures_are_those_of_the_specification() -> None:
    ehf = PUBLISHED["EHF"][1]
    assert ehf["PIXIE"]["TR-V2V All"] == 67.6
    assert ehf["copy-paste"] == {"PA-V2V All": 60.3, "TR-V2V All": 72.9}
    assert PUBLISHED["AGORA"][1]["PIXIE (test)"]["NMVE FB"] == 233.9
    assert PUBLISHED["NoW"][1] == {}


def test_a_box_is_cut_with_a_camera_that_sees_the_same() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    cut, camera = cut_about(picture, CAMERA, (100, 50, 200, 150), 0.25)
    assert cut.shape == (150, 150, 3)
    np.testing.assert_array_equal(cut[0, 0], picture[25, 75])
    point = np.array([0.1, -0.2, 2.0], np.float32)
    shift = CAMERA.project(point) - camera.project(point)
    np.testing.assert_allclose(shift, [75, 25], atol=1e-4)
    whole, same = cut_about(picture, CAMERA, (-900, 0, -800, 9), 0.25)
    assert whole is picture
    assert same is CAMERA


def test_synthetic_truth_lies_on_the_samples_points(model: BodyModel) -> None:
    benchmark = SyntheticBenchmark.of(model, 3, size=96)
    case, sample = benchmark[1], benchmark.samples[1]
    assert case.truth.joints is not None
    np.testing.assert_allclose(case.truth.joints, sample.xyz[:55], atol=2e-4)
    assert case.camera is not None
    seen = case.camera.project(np.asarray(case.truth.joints, np.float32))
    np.testing.assert_allclose(seen, sample.pixels[:55], atol=0.1)


def test_the_shipped_network_finds_a_held_out_person(tmp_path: Path) -> None:
    options = EvaluateOptions(synthetic=2, out=tmp_path, size=256)
    told = run_evaluate(options)
    assert "pixie-landmark" in told
    data = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    # Far better than a body that knows nothing, whose hands alone are 100 mm off.
    assert data["figures"]["PA-V2V All"] < 150
    assert data["figures"]["PA-V2V Face"] < 12
    assert (tmp_path / "worst.jpg").stat().st_size > 5000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (EvaluateOptions(), "expected --synthetic N"),
        (EvaluateOptions(synthetic=5, benchmark="ehf:x"), "not both"),
        (EvaluateOptions(synthetic=0), "at least 1"),
        (EvaluateOptions(benchmark="ehf"), "NAME:FOLDER"),
        (EvaluateOptions(synthetic=1, margin=-1), "--margin -1"),
    ],
)
def test_options_that_do_not_go_together_are_said(
    options: EvaluateOptions, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        run_evaluate(options)


def test_agoras_submission_has_the_joints_of_the_smplx_package(
    model: BodyModel, anatomy: Anatomy, tmp_path: Path
) -> None:
    estimate = posed(model, 4)
    path = tmp_path / "sub" / "pred.zip"
    writer = submissions.AgoraSubmission(path, anatomy, model.vertex_count)
    case = Case("AGORA/x/0", _grey, Truth(), group="ag_1_1280x720.png")
    writer.add(case, estimate)
    writer.add(case, replace(estimate, vertices=estimate.vertices + 1))
    writer.close()
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        values = pickle.loads(archive.read(names[0]))
    numbered = ["ag_1_personId_0.pkl", "ag_1_personId_1.pkl"]
    assert [Path(name).name for name in names] == numbered
    assert {name: value.shape for name, value in values.items()} == {
        "joints": (24, 2),
        "verts": (model.vertex_count, 3),
        "allSmplJoints3d": (127, 3),
    }
    select = VertexJointSelector(vertex_ids["smplx"])
    vertices, joints = (
        torch.tensor(estimate.vertices)[None],
        torch.tensor(estimate.joints),
    )
    faces, idx = torch.tensor(model.faces.astype(np.int64)), model.lmk_faces_idx
    landmarks = vertices2landmarks(
        vertices,
        faces,
        torch.tensor(idx)[None].long(),
        torch.tensor(model.lmk_bary_coords)[None],
    )
    expected = torch.cat([select(vertices, joints[None]), landmarks], 1)[0].numpy()
    np.testing.assert_allclose(values["allSmplJoints3d"], expected, atol=1e-6)
    pixels = estimate.camera.project(expected[:24]) * 6  # 640 to 3840 pixels
    np.testing.assert_allclose(values["joints"], pixels, atol=0.01)


def test_agora_takes_no_other_body(anatomy: Anatomy, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="SMPL-X's 10475"):
        submissions.open_submission("AGORA", tmp_path / "a.zip", anatomy)
    with pytest.raises(UsageError, match="takes none here"):
        submissions.open_submission("EHF", tmp_path / "a.zip", anatomy)


def test_nows_submission_is_a_head_beside_its_landmarks(
    model: BodyModel, anatomy: Anatomy, tmp_path: Path
) -> None:
    writer = submissions.open_submission("NoW", tmp_path, anatomy)
    case = Case("NoW/FaMoS_1/selfie/IMG_7.jpg", _grey, Truth())
    writer.add(case, posed(model, 6))
    writer.close()
    path = tmp_path / "FaMoS_1" / "selfie" / "IMG_7.obj"
    vertices, faces = read_mesh(path)
    assert faces.max() < len(vertices)
    landmarks = np.load(io.BytesIO(path.with_suffix(".npy").read_bytes()))
    assert landmarks.shape == (7, 3)
    gaps = np.linalg.norm(vertices[:, None] - landmarks, axis=2).min(0)
    assert gaps.max() < 5  # millimetres: they lie on the face
    right, left = landmarks[0], landmarks[3]
    assert right[0] < left[0]  # in body axes the person's left is at +x
    assert landmarks[[5, 6], 1].max() < landmarks[4, 1] < landmarks[:4, 1].min()
    assert 200 < np.ptp(vertices[:, 1]) < 400


def test_files_that_name_parts_are_taken(model: BodyModel, tmp_path: Path) -> None:
    hands = {"left_hand": np.arange(778), "right_hand": np.arange(1000, 1778)}
    path = tmp_path / "MANO_SMPLX_vertex_ids.pkl"
    path.write_bytes(pickle.dumps(hands, protocol=2))
    np.save(tmp_path / "SMPL-X__FLAME_vertex_ids.npy", np.arange(5000, 10023))
    anatomy = Anatomy.of(model, tmp_path)
    assert len(anatomy.parts["Left hand"]) == 778
    assert len(anatomy.parts["Face"]) == 5023
    assert len(anatomy.body) == model.vertex_count - 2 * 778 - 5023
    np.save(tmp_path / "SMPL-X__FLAME_vertex_ids.npy", np.array([99_999_999]))
    with pytest.raises(ModelFileError, match="names other vertices"):
        Anatomy.of(model, tmp_path)
