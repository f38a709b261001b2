"""AGORA's validation set: crowds of rendered scans with SMPL-X.

`pixie_train.data.agora` reads its pickled frames, without running them, and says where
their layout is from. A frame's vertices fill memory by the gigabyte, so one is held at
a time.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from pixie_train.data.agora import (
    WIDTH,
    Person,
    Pictures,
    frames,
    read_people,
    scale_of,
)
from pixie_train.evaluation.benchmarks.files import PictureFile, complete
from pixie_train.evaluation.cases import Case, Truth, box_about
from pixie_train.pinhole import fitted_camera

_MATCHED = 24
"""The first joints are those by which people are told apart."""


@dataclass(frozen=True)
class _Place:
    file: Path
    number: int
    picture: Path


@dataclass(frozen=True, eq=False)
class Agora:
    """The benchmark, a case a person; meshes are read when asked for."""

    places: tuple[_Place, ...]
    scale: float
    """Of the pictures at hand against those of the truth's pixels."""
    name: str = "AGORA"
    protocol: str = "crowd"
    fps: float = 0.0
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return how many people there are."""
        return len(self.places)

    def __getitem__(self, index: int) -> Case:
        """Return one; raises PixieError where the truth cannot be read."""
        place = self.places[index]
        person = _opened(place.file)[place.number]
        pixels = person.pixels.astype(np.float64) * self.scale
        joints = person.joints.astype(np.float64)
        size = (round(WIDTH * self.scale), round(WIDTH * self.scale * 9 / 16))
        return Case(
            name=f"AGORA/{place.picture.stem}/{place.number}",
            picture=PictureFile(place.picture),
            truth=Truth(
                vertices=person.vertices,
                joints=joints,
                pixels=pixels[:_MATCHED],
            ),
            camera=fitted_camera(joints, pixels, size),
            box=box_about(pixels, 0.02),
            group=place.picture.name,
            number=place.number,
        )


def read_agora(folder: Path) -> Agora:
    """Open the validation set in a folder.

    Raises:
        SourceError: it is incomplete.
        ModelFileError: a frame is damaged.
    """
    pictures = Pictures(folder)
    places: list[_Place] = []
    for file in frames(folder, "validation"):
        valid = [person for person in read_people(file, vertices=False) if person.valid]
        # Those of one picture together, whatever their order in the file.
        for person in sorted(valid, key=lambda p: (p.picture, p.number)):
            at = pictures.find(person.picture)
            places.append(_Place(file, person.number, at))
    complete("AGORA", len(places), None, "people")
    return Agora(tuple(places), scale_of(places[0].picture))


@lru_cache(maxsize=1)
def _opened(path: Path) -> list[Person]:
    return read_people(path, vertices=True)
