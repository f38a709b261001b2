import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixie_runtime.errors import SinkError, SourceError, UsageError
from pixie_train.faces.commands import (
    FaceLandmarksOptions,
    FaceMasksOptions,
    run_face_landmarks,
    run_face_masks,
)
from pixie_train.faces.files import (
    landmarks_file,
    mask_file,
    read_landmarks,
    write_landmarks,
)
from pixie_train.faces.skin import SkinChoices
from tests.train.faces.conftest import FOOTAGE


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of people with a face, no face, and a damaged picture."""
    folder = tmp_path_factory.mktemp("data") / "people"
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
    shutil.copy(FOOTAGE / "skimage_astronaut.png", folder / "a" / "1.png")
    cv2.imwrite(str(folder / "b" / "2.jpg"), np.full((50, 40, 3), 90, np.uint8))
    (folder / "b" / "3.jpg").write_bytes(b"\xff\xd8 no picture")
    return folder


def test_landmarks_and_masks_lie_beside_the_pictures(people: Path) -> None:
    told = run_face_landmarks(FaceLandmarksOptions(people))
    assert "1 were done now, 1 show no face, 1 do not decode" in told
    run_face_masks(FaceMasksOptions(people))
    picture = people / "a" / "1.png"
    landmarks, mask = landmarks_file(people, picture), mask_file(people, picture)
    assert landmarks == people.parent / "people_landmarks" / "a" / "1.npy"
    assert mask == people.parent / "people_masks" / "a" / "1.png"
    skin = cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE)
    assert skin is not None
    assert skin.shape == (512, 512)
    assert set(np.unique(skin)) == {0, 255}
    points = read_landmarks(landmarks)
    x, y = points[30].astype(int)
    assert skin[y, x] == 255  # the nose's tip
    assert landmarks_file(people, people / "b" / "2.jpg") is None

    # The same command goes on: what is there is not made again.
    before = landmarks.stat().st_mtime_ns
    assert "1 had been done, 0 were" in run_face_landmarks(FaceLandmarksOptions(people))
    assert landmarks.stat().st_mtime_ns == before


def test_landmarks_come_back_as_written_and_as_fan_writes_them(tmp_path: Path) -> None:
    points = np.random.default_rng(0).uniform(0, 99, (68, 2)).astype(np.float32)
    write_landmarks(tmp_path / "ours.npy", points)
    np.testing.assert_allclose(read_landmarks(tmp_path / "ours.npy"), points, atol=1e-4)
    # FAN counts pixels by their centres, and may say depth too.
    np.savetxt(tmp_path / "fan.txt", np.column_stack([points - 0.5, np.zeros(68)]))
    np.testing.assert_allclose(read_landmarks(tmp_path / "fan.txt"), points, atol=1e-4)


@pytest.mark.parametrize(
    "content",
    [
        np.zeros((67, 2)),
        np.full((68, 2), np.nan),
        np.array([{"a": 1}], dtype=object),
        np.zeros((2, 68)),
    ],
    ids=["too few", "not numbers", "a pickle", "lying"],
)
def test_files_that_are_no_landmarks_are_named(
    tmp_path: Path, content: np.ndarray
) -> None:
    path = tmp_path / "x.npy"
    np.save(path, content, allow_pickle=True)
    with pytest.raises(SourceError, match=r"x\.npy is not a file of 68 face landmarks"):
        read_landmarks(path)
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(SourceError, match="is not a file of 68 face landmarks"):
        read_landmarks(path)


def test_what_cannot_be_done_is_said_in_one_sentence(
    people: Path, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="is not a folder"):
        run_face_landmarks(FaceLandmarksOptions(tmp_path / "absent"))
    with pytest.raises(SourceError, match="holds no picture; expected files"):
        run_face_landmarks(FaceLandmarksOptions(tmp_path))
    with pytest.raises(UsageError, match="--limit is 0"):
        run_face_landmarks(FaceLandmarksOptions(people, limit=0))
    with pytest.raises(UsageError, match=r"--margin is 0\.7"):
        run_face_masks(FaceMasksOptions(people, skin=SkinChoices(margin=0.7)))
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(SinkError, match=r"cannot write .*choose another place"):
        run_face_landmarks(FaceLandmarksOptions(people, out=blocked))
