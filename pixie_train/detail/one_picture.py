"""One picture of a face as a batch of which nothing else is known."""

from pathlib import Path

import cv2
import numpy as np
import torch

from pixie_runtime.errors import SourceError
from pixie_runtime.landmarks.face import FaceTracker
from pixie_runtime.landmarks.models import LandmarkModels
from pixie_train.batch import Batch, CropKind, Pictures, Targets
from pixie_train.data.pictures.augmentation import Cut
from pixie_train.data.pictures.dataset import cut_out


def face_of_picture(path: Path, *, scale: float, size: int) -> Batch:
    """Find the face in a picture and cut it out.

    Args:
        path: a picture file.
        scale: side of the square over the extent of the face mesh's points.
        size: of the crop, pixels.

    Raises:
        SourceError: the file cannot be read, or shows no face.
    """
    stored = cv2.imread(str(path))
    if stored is None:
        raise SourceError(
            f"{path} cannot be read as a picture; give a JPEG or PNG file"
        )
    picture = cv2.cvtColor(stored, cv2.COLOR_BGR2RGB).astype(np.uint8)
    found = FaceTracker(LandmarkModels.shipped()).update(picture, None)
    if found is None:
        raise SourceError(
            f"no face was found in {path}; give a picture in which one is large enough"
        )
    low, high = found.image[:, :2].min(0), found.image[:, :2].max(0)
    x, y = ((low + high) / 2).tolist()
    cut = Cut(x, y, float((high - low).max()) * scale)
    image = torch.from_numpy(cut_out(picture, cut, size)).permute(2, 0, 1)[None]
    targets = Targets.unknown(1, n_betas=0, n_expression=0)
    pictures = Pictures(image.contiguous())
    return Batch(CropKind.HEAD, pictures, targets, (str(path),))
