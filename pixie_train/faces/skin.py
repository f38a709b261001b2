"""Which pixels show the skin of a face, by its mesh.

The photometric loss compares drawn and real pixels where skin is (equation 11). The
paper's masks are a segmentation network's (Nirkin et al. 2018); its weights are not
ours to ship, so the default is what the landmark model's mesh covers. What that lacks:
hair, glasses and hands before a face are not known to it, and the forehead ends with
the mesh.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pixie_runtime.types import Float32, UInt8
from pixie_train.faces.mesh import INNER_LIPS, OUTER_LIPS, face_mesh

_FRACTION_BITS = 4


@dataclass(frozen=True)
class SkinChoices:
    """What the paper leaves open."""

    lips: bool = True
    """Whether lips count as skin: albedo models colour them. The mouth never does."""
    margin: float = 0.02
    """How much of the mask's rim is taken off, over the face's width: hair and
    background are nearest there."""


def skin_mask(
    points: Float32, size: tuple[int, int], choices: SkinChoices | None = None
) -> UInt8:
    """Return the skin of a face, (H, W), 255 where it is and 0 elsewhere.

    The mesh's triangles are filled one over the other, those between the lids left
    out, so that the mask of a turned head is its silhouette and a nose covers the eye
    behind it; then what is between the lips is taken out.

    Args:
        points: the mesh in the picture, (468, 2 or more), pixels from its edges.
        size: the picture's height and width.
        choices: what counts as skin.
    """
    choices = choices or SkinChoices()
    mesh = face_mesh()
    mask = np.zeros(size, np.uint8)
    fixed = _fixed(points)
    for triangle in mesh.triangles[~mesh.in_eyes]:
        cv2.fillConvexPoly(mask, fixed[triangle], 255, cv2.LINE_8, _FRACTION_BITS)
    hole = INNER_LIPS if choices.lips else OUTER_LIPS
    cv2.fillPoly(mask, [fixed[list(hole)]], 0, cv2.LINE_8, _FRACTION_BITS)
    width = float(np.ptp(points[:, 0]))
    rim = round(choices.margin * width)
    if rim > 0:
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1, 2 * rim + 1))
        mask = np.asarray(cv2.erode(mask, disc, borderValue=0), np.uint8)
    return mask


def _fixed(points: Float32) -> npt.NDArray[np.int32]:
    """Return pixels as cv2 counts them: sixteenths, pixel centres at integers."""
    far = 1 << 24
    scaled = (np.asarray(points)[:, :2] - 0.5) * (1 << _FRACTION_BITS)
    return np.round(scaled).clip(-far, far).astype(np.int32)
