"""One picture of a face as batches of which nothing else is known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch

from pixie_runtime.errors import SourceError
from pixie_runtime.landmarks.face import FaceTracker
from pixie_runtime.landmarks.models import LandmarkModels
from pixie_runtime.sources.images import read_picture
from pixie_runtime.types import UInt8
from pixie_train.batch import Batch, CropKind, Pictures, Targets
from pixie_train.data.pictures.augmentation import Cut
from pixie_train.data.pictures.dataset import cut_out


@dataclass(frozen=True, eq=False)
class FacePicture:
    """A picture in which a face was found."""

    name: str
    picture: UInt8
    """(H, W, 3), RGB."""
    middle: tuple[float, float]
    """Of the face mesh's points, pixels."""
    extent: float
    """Of these points, pixels."""

    @classmethod
    def find(cls, path: Path) -> Self:
        """Find the face in a picture.

        Raises:
            SourceError: the file cannot be read, or shows no face.
        """
        picture = read_picture(path)
        found = FaceTracker(LandmarkModels.shipped()).update(picture, None)
        if found is None:
            raise SourceError(
                f"no face was found in {path}; give a picture in which one is large "
                "enough"
            )
        low, high = found.image[:, :2].min(0), found.image[:, :2].max(0)
        x, y = ((low + high) / 2).tolist()
        return cls(str(path), picture, (x, y), float((high - low).max()))

    def cut(self, *, scale: float, size: int) -> Batch:
        """Cut the face out: a square of `scale` times its extent, `size` pixels."""
        cut = Cut(*self.middle, self.extent * scale)
        crop = torch.from_numpy(cut_out(self.picture, cut, size))
        targets = Targets.unknown(1, n_betas=0, n_expression=0)
        pictures = Pictures(crop.permute(2, 0, 1)[None].contiguous())
        return Batch(CropKind.HEAD, pictures, targets, (self.name,))
