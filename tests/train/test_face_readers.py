"""Readers of data sets of faces, on miniature files of exactly their layouts."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from pixie_runtime.errors import SourceError, UsageError
from pixie_train.batch import CropKind
from pixie_train.data.catalogue import open_data
from pixie_train.data.gender_labels import read_gender_labels, read_identity_meta
from pixie_train.data.now import NowPictures, read_box
from pixie_train.data.pictures.augmentation import Augmentation
from pixie_train.data.pictures.config import PictureConfig
from pixie_train.data.pictures.dataset import View
from pixie_train.data.record_dataset import RecordDataset
from pixie_train.data.vggface2 import VggFace2, VggFace2Choices
from pixie_train.faces.files import write_landmarks, write_mask
from pixie_train.gender import Gender
from pixie_train.key_points import face68
from pixie_train.picture_commands import ContactSheetOptions, run_contact_sheet

META = """Class_ID, Name, Sample_Num, Flag, Gender,
n000001, "14th_Dalai_Lama",424,0, m,
n000002, "A_Fine_Frenzy",315,1, f,
n000003, "Aamir, the Younger",12,1, m
"""


def face(seed: int) -> np.ndarray:
    """Return 68 landmarks somewhere in a picture of 100 x 120 pixels."""
    points = np.random.default_rng(seed).uniform(30, 80, (68, 2))
    return points.astype(np.float32)


def write_vggface2(folder: Path, counts: dict[str, int]) -> None:
    """Write people with so many pictures each; every landmark file is another's."""
    for number, (person, count) in enumerate(counts.items()):
        for k in range(count):
            name = f"{person}/{k + 1:04d}_01"
            picture = folder / "train" / f"{name}.jpg"
            picture.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(picture), np.full((120, 100, 3), 200, np.uint8))
            landmarks = folder / "train_landmarks" / f"{name}.npy"
            write_landmarks(landmarks, face(100 * number + k))
            mask = np.zeros((120, 100), np.uint8)
            mask[40:60, 30:70] = 255
            write_mask(folder / "train_masks" / f"{name}.png", mask)
    (folder / "meta").mkdir()
    (folder / "meta" / "identity_meta.csv").write_text(META)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vggface2")
    write_vggface2(folder, {"n000001": 9, "n000002": 2, "n000009": 1})
    # A picture in which no face was found has no landmarks.
    faceless = folder / "train" / "n000002" / "0099_01.jpg"
    cv2.imwrite(str(faceless), np.zeros((20, 20, 3), np.uint8))
    return folder


def names(records: VggFace2) -> list[str]:
    return [records[index].name for index in range(len(records))]


def test_six_pictures_of_each_person_are_seen_in_an_epoch(people: Path) -> None:
    records = VggFace2(people)
    assert len(records) == 18
    seen = names(records)
    assert [n.split("/")[1] for n in seen[::6]] == ["n000001", "n000002", "n000009"]
    assert len(set(seen[:6])) == 6
    # Who has fewer is seen as often; the picture without a face never is.
    assert set(seen[6:12]) == {f"vggface2/n000002/{k:04d}_01" for k in (1, 2)}
    assert [records[k].identity for k in (0, 5, 6, 17)] == [0, 0, 1, 2]


def test_epochs_see_other_pictures_and_the_same_each_time(people: Path) -> None:
    records, again = VggFace2(people), VggFace2(people)
    first = names(records)
    epochs = []
    for epoch in range(12):
        records.set_epoch(epoch)
        again.set_epoch(epoch)
        epochs.append(names(records)[:6])
        assert names(again)[:6] == epochs[-1]
    assert epochs[0] == first[:6]
    assert len({tuple(epoch) for epoch in epochs}) > 8
    assert len({name for epoch in epochs for name in epoch}) == 9  # all come up
    other = VggFace2(people, VggFace2Choices(seed=1))
    assert names(other) != first


def test_a_datasets_epoch_reaches_its_people(people: Path) -> None:
    dataset = RecordDataset(VggFace2(people), View(crop_size=16))
    before = [batch.names for batch in dataset]
    dataset.set_epoch(3)
    assert [batch.names for batch in dataset] != before


def test_landmarks_are_in_their_places_and_masks_in_the_picture(people: Path) -> None:
    records = VggFace2(people)
    record = records[6]
    number = int(record.picture.stem[:4]) - 1
    points = torch.from_numpy(record.pixels.at)[None]
    np.testing.assert_allclose(face68(points)[0], face(100 + number), atol=1e-4)
    assert record.pixels.known.sum() == 68
    batch = RecordDataset(records, View(crop_size=64), Augmentation())[6]
    assert batch.targets.xy_confidence.sum() == pytest.approx(68, abs=40)
    assert batch.targets.face_mask is not None
    assert batch.targets.face_mask.any()
    assert batch.targets.identity.tolist() == [1]
    assert batch.targets.gender.tolist() == [Gender.FEMALE]


def test_people_without_landmarks_say_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no .*absent; unpack vggface2_train"):
        VggFace2(tmp_path / "absent")
    with pytest.raises(SourceError, match="has no folders of people"):
        VggFace2(tmp_path)
    (tmp_path / "somebody").mkdir()
    cv2.imwrite(str(tmp_path / "somebody" / "1.png"), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(SourceError, match="run: pixie-train face-landmarks"):
        VggFace2(tmp_path)
    with pytest.raises(UsageError, match="per_identity is 0"):
        VggFace2Choices(per_identity=0)


def test_any_folder_of_people_is_read_as_vggface2(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    for name in ("anna/1", "ben/1"):
        picture = folder / f"{name}.png"
        picture.parent.mkdir(parents=True)
        cv2.imwrite(str(picture), np.zeros((99, 99, 3), np.uint8))
        write_landmarks(tmp_path / "mine_landmarks" / f"{name}.npy", face(0))
    (folder / "gender_labels.csv").write_text("identity,gender\nanna,f\n")
    records = VggFace2(folder, VggFace2Choices(per_identity=1))
    assert names(records) == ["vggface2/anna/1", "vggface2/ben/1"]
    assert [records[k].gender for k in (0, 1)] == [Gender.FEMALE, Gender.UNKNOWN]
    assert records[0].mask is None


def test_vggface2s_own_list_of_people_is_read(tmp_path: Path) -> None:
    path = tmp_path / "identity_meta.csv"
    path.write_text(META)
    assert read_identity_meta(path) == {
        "n000001": Gender.MALE,
        "n000002": Gender.FEMALE,
        "n000003": Gender.MALE,
    }
    path.write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match="is not VGGFace2's list of people"):
        read_identity_meta(path)


def test_pictures_labels_become_peoples_by_majority(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    votes = ["a/1,f", "a/2,F", "a/3,m", "b/1,0.9", "b/2,0.45", "b/3,nan", "b/4,0.8"]
    votes += ["c/1,f", "c/2,m", "d/1,non-binary", "d/2,"]
    path.write_text("picture,gender\n" + "\n".join(votes))
    assert read_gender_labels(path) == {
        "a": Gender.FEMALE,
        "b": Gender.MALE,
        "c": Gender.UNKNOWN,
        "d": Gender.NON_BINARY,
    }
    path.write_text("picture,gender\na/1,0.6\na/2,0.1\na/3,0.55\n")
    assert read_gender_labels(path) == {"a": Gender.MALE}
    assert read_gender_labels(path, unsure=0.2) == {"a": Gender.FEMALE}


def test_labels_that_are_no_table_are_named(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    with pytest.raises(SourceError, match="cannot read"):
        read_gender_labels(path)
    path.write_text("file,sex\nx,f\n")
    with pytest.raises(SourceError, match="has the columns file, sex; expected"):
        read_gender_labels(path)
    path.write_text("picture,gender\n1.jpg,f\n")
    with pytest.raises(SourceError, match="in line 2 is in no folder"):
        read_gender_labels(path)


NOW_PICTURE = "FaMoS_1/multiview_neutral/IMG_0045.jpg"


def write_now(folder: Path) -> None:
    release = folder / "final_release_version"
    picture = release / "iphone_pictures" / NOW_PICTURE
    picture.parent.mkdir(parents=True)
    cv2.imwrite(str(picture), np.zeros((99, 99, 3), np.uint8))
    box = (release / "detected_face" / NOW_PICTURE).with_suffix(".npy")
    box.parent.mkdir(parents=True)
    sides = {"left": 10, "top": np.float64(20.5), "right": 60, "bottom": 80.0}
    np.save(box, np.array(sides, dtype=object), allow_pickle=True)
    (folder / "imagepathsvalidation.txt").write_text(f"{NOW_PICTURE}\n")


def test_nows_pictures_have_boxes(tmp_path: Path) -> None:
    write_now(tmp_path)
    records = NowPictures(tmp_path)
    assert len(records) == 1
    record = records[0]
    assert record.name == "now/FaMoS_1/multiview_neutral/IMG_0045"
    assert record.picture.is_file()
    assert record.box is not None
    assert record.box.tolist() == [10, 20.5, 60, 80]
    batch = RecordDataset(records, View(crop_size=16))[0]
    assert not batch.targets.xy_confidence.any()


def test_an_incomplete_now_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"iphone_pictures; download NoW_Dataset"):
        NowPictures(tmp_path)
    write_now(tmp_path)
    with pytest.raises(SourceError, match=r"no .*imagepathstest\.txt"):
        NowPictures(tmp_path, "test")
    with pytest.raises(UsageError, match="NoW has no part training"):
        NowPictures(tmp_path, "training")
    for line, message in (
        ("../../secret.jpg", "is outside of the data set"),
        ("FaMoS_2/selfie/IMG_1.jpg", r"there is no .*IMG_1\.jpg"),
        ("", "it is empty"),
    ):
        (tmp_path / "imagepathsvalidation.txt").write_text(line)
        with pytest.raises(SourceError, match=message):
            NowPictures(tmp_path)


class _Runs:
    """Pickles as a call."""

    def __reduce__(self) -> object:  # type: ignore[override]
        return print, ("run",)


@pytest.mark.parametrize(
    "content",
    [_Runs(), {"left": 1}, {"left": 9, "top": 0, "right": 5, "bottom": 5}, [1, 2]],
    ids=["a program", "too few sides", "turned over", "a list"],
)
def test_boxes_that_are_none_are_named_and_run_nothing(
    tmp_path: Path, content: object, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "box.npy"
    wrapped = np.empty((), dtype=object)
    wrapped[()] = content
    np.save(path, wrapped, allow_pickle=True)
    with pytest.raises(SourceError, match=r"box\.npy is not NoW's"):
        read_box(path)
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(SourceError, match=r"box\.npy is not NoW's"):
        read_box(path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("augment", [False, True])
def test_a_contact_sheet_shows_a_data_sets_points_where_the_network_has_them(
    people: Path, tmp_path: Path, augment: bool
) -> None:
    options = ContactSheetOptions(
        data=f"vggface2:{people}",
        augment=augment,
        out=tmp_path / "sheet.png",
        count=5,
        columns=3,
        tile=64,
        pictures=PictureConfig(kind=CropKind.HEAD),
    )
    run_contact_sheet(options)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None
    assert sheet.shape == (2 * 64, 3 * 64, 3)
    augmentation = Augmentation() if augment else None
    dataset = open_data(
        "vggface2", people, CropKind.HEAD, View(crop_size=64, hd_size=64), augmentation
    )
    targets = dataset[0].targets
    sure = targets.xy_confidence[0] > 0.5
    places = (targets.xy[0, sure].numpy() + 1) / 2 * 64
    blue, green, _ = np.array(
        [sheet[round(y), round(x)] for x, y in places.clip(0, 63)], int
    ).T
    assert (green > blue).mean() > 0.9  # the pictures themselves are grey


@pytest.mark.parametrize("data", ["vggface2", "vggface2:", ":x", "moon:x"])
def test_a_data_set_that_is_not_named_by_name_and_folder_is_asked_for(
    data: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="expected"):
        run_contact_sheet(ContactSheetOptions(data=data, out=tmp_path / "sheet.png"))
