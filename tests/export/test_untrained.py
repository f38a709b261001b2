"""Small real networks from configuration to people on real footage."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pixie_runtime.attention import person_box
from pixie_runtime.body import BodyModel, embedded_body_file, embedded_body_model
from pixie_runtime.bundle import Bundle
from pixie_runtime.cli import main
from pixie_runtime.image_estimator import ATTENTIONS, Attention, ImageEstimator
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.part_estimator import EXPERTS, Expert, PartEstimator
from pixie_runtime.sources.images import read_picture
from pixie_runtime.types import Camera, Frame, PersonLandmarks, UInt8

PHOTO = Path(__file__).parents[1] / "footage" / "skimage_astronaut.png"


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return embedded_body_model()


@pytest.fixture(scope="module")
def bundle(small_bundle: Path) -> Bundle:
    return Bundle.open(small_bundle)


@pytest.fixture(scope="module")
def photo() -> UInt8:
    return read_picture(PHOTO)


def seen(picture: UInt8) -> tuple[PersonLandmarks, Frame, Camera]:
    frame = Frame(0, 0.0, 0, picture)
    landmarker = PixieLandmarker()
    landmarks = landmarker.detect(frame)
    landmarker.close()
    height, width = picture.shape[:2]
    return landmarks, frame, Camera.with_field_of_view(width, height, 60)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_a_person_stands_where_the_picture_has_one(
    bundle: Bundle, model: BodyModel, photo: UInt8, attention: Attention
) -> None:
    landmarks, frame, camera = seen(photo)
    estimator = ImageEstimator(bundle, model, attention=attention)
    person = estimator.estimate(landmarks, frame, camera)
    estimator.close()
    assert person is not None
    assert estimator.warning is None
    assert person.params.betas.shape == (50,)
    box = person_box(landmarks, camera.size_px)
    assert box is not None
    pelvis = camera.project(person.joints[:1])[0]
    assert np.abs(pelvis - box.centre).max() < 2 * max(box.sides)


@pytest.mark.parametrize("part", EXPERTS)
def test_experts_work_alone(
    bundle: Bundle, model: BodyModel, photo: UInt8, part: Expert
) -> None:
    estimator = PartEstimator(bundle, model, part, whole_picture=True)
    person = estimator.estimate(*seen(photo))
    estimator.close()
    assert person is not None
    assert np.isfinite(person.joints).all()


def test_a_person_cut_by_the_border_and_one_turned_by_exif_are_people(
    bundle: Bundle, photo: UInt8, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    bgr = photo[..., ::-1]
    cv2.imwrite("photos/cut.png", bgr[:, : bgr.shape[1] // 2])
    cv2.imwrite("photos/grey.png", cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY))
    cv2.imwrite("photos/rgba.png", cv2.cvtColor(bgr, cv2.COLOR_BGR2BGRA))
    options = ["--images", "photos", "--results", "results", "--quiet"]
    assert main([*options, "--bundle", str(bundle.folder)]) == 0
    written = sorted(path.name for path in Path("results").iterdir())
    assert written == [
        f"{name}.{kind}" for name in ("cut", "grey", "rgba") for kind in ("jpg", "npz")
    ]


def test_another_body_gets_rotations_and_the_user_is_told(
    bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    other = dict(np.load(embedded_body_file()))
    np.savez("other.npz", **other | {"name": np.array("other")})
    options = ["--demo", "--max-frames", "2", "--record", "take.npz", "--quiet"]
    options += ["--bundle", str(bundle.folder), "--body-model", "other.npz"]
    assert main(options) == 0
    assert "was made for the body model" in capsys.readouterr().err
    with np.load("take.npz") as take:
        assert take["poses"].shape[0] == 2
        assert not take["betas"].any()
