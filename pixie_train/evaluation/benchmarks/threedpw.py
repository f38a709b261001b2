"""3DPW's test set: people outdoors, filmed with a telephone.

`pixie_train.data.threedpw` reads its files and says where their layout is from. The
truth is LSP's 14 joints, regressed from SMPL's surface as in published figures where
the user has that model (`pixie_train.evaluation.smpl`). Without it they are SMPL's own
joints; hips, neck and head then lie some centimetres elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixie_runtime.errors import SourceError
from pixie_runtime.types import Float64
from pixie_train.data.threedpw import SEQUENCES, Sequence3dpw, read_sequences
from pixie_train.evaluation.benchmarks.files import PictureFile
from pixie_train.evaluation.cases import Case, Truth, box_about
from pixie_train.evaluation.smpl import REGRESSOR_FILE, SmplPoints
from pixie_train.key_points import REGRESSED_JOINTS

_WITHOUT = (
    f"without {REGRESSOR_FILE}, SMPL_FEMALE and SMPL_MALE in --assets the truth is "
    "SMPL's own joints and no figure is to be held against published ones"
)


@dataclass(frozen=True, eq=False)
class ThreeDpwTest:
    """The benchmark, a case a person and picture."""

    places: tuple[tuple[Sequence3dpw, int, int], ...]
    """Sequence, person, picture."""
    smpl: Mapping[str, SmplPoints] | None
    """By gender."""
    name: str = "3DPW"
    protocol: str = "joints"
    fps: float = 30.0

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not as published figures have it."""
        return () if self.smpl is not None else (_WITHOUT,)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.places)

    def __getitem__(self, index: int) -> Case:
        """Return one; raises SourceError where its sequence is damaged."""
        sequence, person, frame = self.places[index]
        joints = sequence.joints(person, frame)
        pixels = sequence.camera.project(joints.astype(np.float32))
        joints14 = joints[list(REGRESSED_JOINTS)]
        if self.smpl is not None:
            joints14 = self._regressed(self.smpl, sequence, person, frame)
        return Case(
            name=f"3DPW/{sequence.name}/{person}/{frame}",
            picture=PictureFile(sequence.picture(frame)),
            truth=Truth(joints14=joints14),
            camera=sequence.camera,
            box=box_about(pixels, 0.12),
            group=f"{sequence.name}/{person}",
            number=frame,
        )

    def _regressed(
        self,
        smpl: Mapping[str, SmplPoints],
        sequence: Sequence3dpw,
        person: int,
        frame: int,
    ) -> Float64:
        said = sequence.people[person]
        try:
            points = smpl[str(said["genders"])[:1].lower()].posed(
                np.asarray(said["poses"][frame], np.float64).reshape(24, 3),
                np.asarray(said["betas"], np.float64).ravel(),
                np.asarray(said["trans"][frame], np.float64).reshape(3),
            )
        except (KeyError, IndexError, ValueError) as error:
            raise SourceError(
                f"the sequence {sequence.name} of 3DPW does not say how its people are "
                f"posed ({error}); get a fresh copy"
            ) from error
        pose = sequence.poses[frame]
        seen: Float64 = points @ pose[:3, :3].T + pose[:3, 3]
        return seen


def read_3dpw(
    folder: Path,
    count: int | None = SEQUENCES["test"],
    smpl: Mapping[str, SmplPoints] | None = None,
) -> ThreeDpwTest:
    """Read the test set in a folder.

    Args:
        folder: with sequenceFiles and imageFiles.
        count: how many sequences there must be; None: any.
        smpl: women's and men's joints out of SMPL's surface; None: do without.

    Raises:
        SourceError: it is incomplete.
        ModelFileError: a sequence's file is damaged.
    """
    also = ("genders", "betas", "poses", "trans") if smpl is not None else ()
    places = [
        (sequence, person, frame)
        for sequence in read_sequences(folder, "test", count, also)
        for person in range(len(sequence.people))
        for frame in sequence.frames(person)
    ]
    return ThreeDpwTest(tuple(places), smpl)
