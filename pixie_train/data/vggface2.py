"""VGGFace2 (Cao et al. 2018), and any folder of people's faces in folders.

    FOLDER/train/n000002/0001_01.jpg ...            a folder a person; or no `train`
    FOLDER/train_landmarks/n000002/0001_01.npy ...  68 landmarks (faces.files)
    FOLDER/train_masks/n000002/0001_01.png ...      the face's skin; may be missing
    FOLDER/gender_labels.csv                        labels of pictures; may be missing
    FOLDER/meta/identity_meta.csv                   VGGFace2's own list; may be missing

Pictures are as VGGFace2's readme lays them out. Landmarks and masks are not its own:
`pixie-train face-landmarks FOLDER/train` and `face-masks` make them, FAN's and a
segmentation network's take their places. Pictures without landmarks show no face that
was found, and are left out.

As in the paper six pictures of each person are seen in an epoch, others in the next;
which, depends on a seed, the epoch and the person, on nothing else. People with fewer
have some of theirs seen again.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixie_runtime.errors import SourceError, UsageError
from pixie_runtime.sources.images import SUFFIXES
from pixie_runtime.types import Float32
from pixie_train.batch import CropKind
from pixie_train.data.annotation_files import required
from pixie_train.data.gender_labels import read_gender_labels, read_identity_meta
from pixie_train.data.record import Points, Record
from pixie_train.faces.files import landmarks_file, mask_file, read_landmarks
from pixie_train.gender import Gender
from pixie_train.key_points import FACE_POINTS

_NAME = "VGGFace2"
_GET = (
    "unpack vggface2_train.tar.gz there, or make folders of people in it, a folder a "
    "person"
)
_JAW_LINE = 17
_SALT = 0x0FACE2


@dataclass(frozen=True)
class VggFace2Choices:
    """How much of each person is seen."""

    split: str = "train"
    """The folder of people in the data set's; where there is none, the data set's
    folder itself."""
    per_identity: int = 6
    """Pictures of each person in an epoch (the paper's six)."""
    fewest: int = 1
    """People with fewer pictures are left out."""
    seed: int = 0
    """Of which pictures are seen when."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if self.per_identity < 1 or self.fewest < 1:
            raise UsageError(
                f"per_identity is {self.per_identity} and fewest {self.fewest}; "
                "expected at least 1"
            )


@dataclass(frozen=True, eq=False)
class _Person:
    name: str
    pictures: tuple[Path, ...]
    gender: Gender


class VggFace2:
    """People's faces as records, `per_identity` of each person in a row."""

    def __init__(self, folder: Path, choices: VggFace2Choices | None = None) -> None:
        """List the people and their pictures.

        Raises:
            SourceError: there are no people, no landmarks, or labels are damaged.
        """
        self._choices = choices or VggFace2Choices()
        required(folder, _NAME, _GET)
        inside = folder / self._choices.split
        self._folder = (inside if inside.is_dir() else folder).resolve()
        genders = _genders(folder)
        people = sorted(p for p in self._folder.iterdir() if p.is_dir())
        if not people:
            raise SourceError(
                f"{_NAME} is incomplete: {self._folder} has no folders of people; "
                f"{_GET}"
            )
        listed = [self._person(path, genders) for path in people]
        self._people = [p for p in listed if len(p.pictures) >= self._choices.fewest]
        if not any(person.pictures for person in self._people):
            raise SourceError(
                f"not one picture in {self._folder} has landmarks beside it in "
                f"{self._folder.name}_landmarks; run: pixie-train face-landmarks "
                f"{self._folder}"
            )
        self._people = [person for person in self._people if person.pictures]
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose other pictures of each person."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Return how many pictures are seen in an epoch."""
        return len(self._people) * self._choices.per_identity

    def __getitem__(self, index: int) -> Record:
        """Return one of this epoch's; its landmarks are read, the picture is not."""
        number = range(len(self))[index]
        identity, place = divmod(number, self._choices.per_identity)
        person = self._people[identity]
        picture = person.pictures[self._chosen(identity)[place]]
        landmarks = landmarks_file(self._folder, picture)
        if landmarks is None:
            raise SourceError(
                f"the landmarks of {picture} are gone; run: pixie-train face-landmarks "
                f"{self._folder}"
            )
        return Record(
            f"vggface2/{person.name}/{picture.stem}",
            picture,
            CropKind.HEAD,
            pixels=points_of_face(read_landmarks(landmarks)),
            gender=person.gender,
            identity=identity,
            mask=mask_file(self._folder, picture),
        )

    def _chosen(self, identity: int) -> list[int]:
        """Return the numbers of a person's pictures that this epoch sees."""
        key = (_SALT, self._choices.seed, self._epoch, identity)
        count, wanted = len(self._people[identity].pictures), self._choices.per_identity
        order = np.random.default_rng(key).permutation(count)
        return np.resize(order, wanted).tolist()

    def _person(self, path: Path, genders: dict[str, Gender]) -> _Person:
        pictures = sorted(
            p
            for p in path.iterdir()
            if p.suffix.lower() in SUFFIXES and landmarks_file(self._folder, p)
        )
        gender = genders.get(path.name, Gender.UNKNOWN)
        return _Person(path.name, tuple(pictures), gender)


def points_of_face(landmarks: Float32) -> Points:
    """Return iBUG's 68 landmarks (68, n) as key points.

    iBUG has the jaw line first, the key points have it last.
    """
    return Points.of(FACE_POINTS, np.roll(landmarks, -_JAW_LINE, axis=0))


def _genders(folder: Path) -> dict[str, Gender]:
    """Return people's labels: pictures' majority before the data set's own list."""
    found: dict[str, Gender] = {}
    for place in (folder, folder / "meta", folder / "data"):
        if (place / "identity_meta.csv").is_file():
            found |= read_identity_meta(place / "identity_meta.csv")
            break
    labels = folder / "gender_labels.csv"
    return found | read_gender_labels(labels) if labels.is_file() else found
