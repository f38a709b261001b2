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

from pixie_runtime.types import Camera, Float32, Float64
from pixie_train import rotations
from pixie_train.batch import CropKind
from pixie_train.data.pictures.augmentation import centred
from pixie_train.data.pictures.sample import Bools, Sample
from pixie_train.pinhole import fitted_camera

_ENOUGH = 8
"""Key points, at least, that say which camera took a picture."""
_NEAREST_M = 0.1
"""Points nearer than this are not counted from a camera."""
_AGREES = 0.03
"""Of the points' extent: how far they may be from where that camera has them."""


def looked_at(sample: Sample, kind: CropKind, camera: Camera | None) -> Sample:
    """Return the sample in the axes of a camera that looks at what is shown.

    That is the middle of the square which a crop of this kind shows when chance does
    not move it. The picture and everything in it stay as they are.

    Args:
        sample: in the axes of the camera that took it, its points from that camera.
        kind: what the crop is of.
        camera: what took it (`camera_of`, `camera_told`); None: that is not known, and
            the sample stays as it is.
    """
    if camera is None:
        return sample
    cut = centred(sample, kind, 1.0)
    offset = np.subtract((cut.x, cut.y), camera.centre_px) / camera.focal_px
    R = turned_ahead(np.append(offset, 1.0))
    whole = sample.rotations.copy()
    whole[0] = R @ whole[0]
    return replace(
        sample, xyz=sample.xyz @ R.T, rotations=whole, absolute=R @ sample.absolute
    )


def camera_of(sample: Sample) -> Camera:
    """Return the camera that took a sample all of whose key points are known."""
    return fitted_camera(sample.xyz, sample.pixels)


def camera_told(sample: Sample, known: Bools) -> Camera | None:
    """Return the camera that took a sample, or None where its points do not say.

    Because there are few of them, or they are relative to some joint.

    Args:
        sample: in any axes.
        known: the key points, (145,), that are known in the picture and in space.
    """
    points, pixels = sample.xyz[known], sample.pixels[known]
    if len(points) < _ENOUGH or points[:, 2].min() < _NEAREST_M:
        return None
    camera = fitted_camera(points, pixels)
    projected = points[:, :2] / points[:, 2:] * camera.focal_px + camera.centre_px
    off = np.linalg.norm(projected - pixels, axis=1).mean()
    agrees = off < _AGREES * np.ptp(pixels, axis=0).max()
    return camera if camera.focal_px > 0 and agrees else None


def turned_ahead(ray: Float32 | Float64) -> Float32:
    """Return the rotation (3, 3) into the axes of a camera that looks along a ray."""
    R = rotations.look_at(torch.from_numpy(np.asarray(ray, np.float64)))
    return np.asarray(R.numpy(), np.float32)
