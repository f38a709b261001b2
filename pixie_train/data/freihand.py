"""FreiHAND's training set (Zimmermann et al., ICCV 2019): right hands.

    FOLDER/training/rgb/00000000.jpg ... 00130239.jpg   224 x 224
    FOLDER/training_K.json      32560 camera matrices 3 x 3
    FOLDER/training_xyz.json    32560 x 21 x 3, metres, camera axes
    FOLDER/training_mano.json   32560 x 1 x 61: pose 48, shape 10, root in the picture
                                2, scale 1

Four versions of each picture, the first before a green screen and three composed, share
an annotation: picture i has number i modulo 32560. Source: the data set's README and
issues (lmb-freiburg/freihand), and how public readers open it. `training/mask` (hands),
`training_verts.json` and `training_scale.json` are not needed.

What was inferred, as no copy of the data was at hand. The pose holds whole rotations,
MANO's mean pose in them (`mean_included`): readers that set `flat_hand_mean=False` got
other hands than the pictures show (vchoutas/expose#25,
mks0601/I2L-MeshNet_RELEASE#114). The first three numbers turn the wrist in camera axes;
one public note calls them world axes, so that each is compared with the palm's own
points and taken where both agree (`wrist_within_deg`). Cameras' middles are 112 of 224
pixels: pixels count from edges. MANO's shape is another space than a body's betas,
which are not known.
"""

from dataclasses import dataclass
from pathlib import Path

from pixie_runtime.errors import SourceError, UsageError
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.types import Float32
from pixie_train.batch import CropKind
from pixie_train.data.annotation_files import as_numbers, read_json, required
from pixie_train.data.hand_layouts import (
    HAND_POINTS,
    RIGHT_21,
    degrees_between,
    fingers_of_mano,
    rotation_matrix,
    wrist_of_points,
)
from pixie_train.data.pictures.sample import RIGHT
from pixie_train.data.record import Points, Record, Turns

_NAME = "FreiHAND"
_GET = (
    "download FreiHAND_pub_v2.zip from lmb.informatik.uni-freiburg.de and unpack all "
    "of it there"
)
_VERSIONS = 4
_POSE = slice(3, 48)


@dataclass(frozen=True)
class FreiHandChoices:
    """What the data set leaves open."""

    mean_included: bool = True
    """Whether poses hold MANO's mean pose. If they do not, fingers' rotations are not
    known, as the mean is in MANO's licensed file; points are."""
    wrist_within_deg: float = 35.0
    """Wrist rotations farther than this from the palm's own points are not known."""
    versions: int = _VERSIONS
    """How many of the four versions of each picture are taken, the green screen
    first."""

    def __post_init__(self) -> None:
        """Refuse numbers of versions that there are not."""
        if not 1 <= self.versions <= _VERSIONS:
            raise UsageError(
                f"versions is {self.versions}; FreiHAND has 1 to {_VERSIONS}"
            )


class FreiHand:
    """FreiHAND's training pictures as records."""

    def __init__(self, folder: Path, choices: FreiHandChoices | None = None) -> None:
        """Read the annotations.

        Args:
            folder: where `training` and the `training_*.json` lie.
            choices: what is taken of them.

        Raises:
            SourceError: the download is incomplete or damaged.
        """
        self._choices = choices or FreiHandChoices()
        required(folder, _NAME, _GET)
        self._xyz = _annotation(folder, "xyz", (None, HAND_POINTS, 3))
        count = len(self._xyz)
        self._K = _annotation(folder, "K", (count, 3, 3))
        self._mano = _annotation(folder, "mano", (count, 1, 61))[:, 0]
        self._pictures = required(folder / "training" / "rgb", _NAME, _GET)
        self._check_pictures(count)

    def _check_pictures(self, count: int) -> None:
        """Refuse a folder in which the last picture of a version is missing."""
        for version in range(1, self._choices.versions + 1):
            last = self._picture(version * count - 1)
            if not last.is_file():
                raise SourceError(
                    f"{_NAME} is incomplete: {count} annotations have "
                    f"{self._choices.versions} pictures each, but there is no {last}; "
                    f"{_GET}, or take fewer versions"
                )

    def _picture(self, index: int) -> Path:
        return self._pictures / f"{index:08d}.jpg"

    def __len__(self) -> int:
        """Return how many pictures are taken."""
        return len(self._xyz) * self._choices.versions

    def __getitem__(self, index: int) -> Record:
        """Return one; the picture is not opened."""
        number = range(len(self))[index]
        row = number % len(self._xyz)
        xyz, mano = self._xyz[row], self._mano[row]
        at = xyz @ self._K[row].T
        wrist = rotation_matrix(mano[:3])
        away = degrees_between(wrist, wrist_of_points(xyz, left=False))
        agree = away <= self._choices.wrist_within_deg
        return Record(
            f"freihand/training/{number:08d}",
            self._picture(number),
            CropKind.HAND,
            pixels=Points.of(RIGHT_21, at[:, :2] / at[:, 2:]),
            xyz=Points.of(RIGHT_21, xyz),
            rotations=(
                fingers_of_mano(mano[_POSE], left=False)
                if self._choices.mean_included
                else Turns.unknown(JOINT_COUNT)
            ),
            absolute=Turns.of(3, [RIGHT], wrist[None]) if agree else Turns.unknown(3),
        )


def _annotation(folder: Path, what: str, shape: tuple[int | None, ...]) -> Float32:
    path = folder / f"training_{what}.json"
    return as_numbers(read_json(path, _NAME, _GET), shape, path, _NAME, _GET)
