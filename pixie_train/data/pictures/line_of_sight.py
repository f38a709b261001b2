"""Samples in the axes that a crop's networks see them in.

Weak perspective looks straight at the middle of the crop, and so the runtime turns what
networks say from there to the ray through that middle
(`pixie_runtime.weak_perspective`). A picture's own camera looks past most of what it
shows; what a sample says in its axes is turned the other way here. A crop does not
tell where in a picture it was, so no network could say anything else.
"""

from dataclasses import replace

import numpy as np
import torch

from pixie_runtime.types import Float32, Float64
from pixie_train import rotations
from pixie_train.batch import CropKind
from pixie_train.data.pictures.augmentation import centred
from pixie_train.data.pictures.sample import Sample
from pixie_train.pinhole import fitted_camera


def looked_at(sample: Sample, kind: CropKind) -> Sample:
    """Return the sample in the axes of a camera that looks at what is shown.

    That is the middle of the square which a crop of this kind shows when chance does
    not move it. The picture and everything in it stay as they are.

    Args:
        sample: in the axes of the camera that took it, its points from that camera.
        kind: what the crop is of.
    """
    cut = centred(sample, kind, 1.0)
    camera = fitted_camera(sample.xyz, sample.pixels)
    offset = np.subtract((cut.x, cut.y), camera.centre_px) / camera.focal_px
    R = turned_ahead(np.append(offset, 1.0))
    whole = sample.rotations.copy()
    whole[0] = R @ whole[0]
    return replace(
        sample, xyz=sample.xyz @ R.T, rotations=whole, absolute=R @ sample.absolute
    )


def turned_ahead(ray: Float32 | Float64) -> Float32:
    """Return the rotation (3, 3) into the axes of a camera that looks along a ray."""
    R = rotations.look_at(torch.from_numpy(np.asarray(ray, np.float64)))
    return np.asarray(R.numpy(), np.float32)
