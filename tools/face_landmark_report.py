"""How near `pixie-train face-landmarks` and `face-masks` come to a known truth.

    python -m tools.face_landmark_report --count 200

makes synthetic heads, looks for their faces, and compares landmarks and masks with what
is known of them: medians by how far the head is turned. Distances are in percent of the
face's size, the square root of the area of its landmarks' box.
"""

import argparse
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pixie_runtime.body import embedded_body_model
from pixie_runtime.types import Float32
from pixie_train.batch import CropKind
from pixie_train.data.motion import load_motion_bank
from pixie_train.data.pictures import Photographer, PictureConfig, Sample
from pixie_train.faces.finding import FaceFinder
from pixie_train.faces.landmarks68 import landmarks68
from pixie_train.faces.skin import skin_mask
from pixie_train.key_points import FACE_POINTS

_PARTS = {
    "jaw line": slice(0, 17),
    "brows": slice(17, 27),
    "nose": slice(27, 36),
    "eyes": slice(36, 48),
    "mouth": slice(48, 68),
}
_TURNS = (0, 20, 40, 90)


@dataclass(frozen=True)
class _Found:
    off: tuple[float, ...]
    """Mean distance of each part, percent."""
    covered: float
    """How much of the true skin the mask covers, percent."""
    right: float
    """How much of the mask is true skin, percent."""


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=77)
    options = parser.parse_args()
    config = PictureConfig(kind=CropKind.HEAD, size=256, seed=options.seed, occluded=0)
    model, bank = embedded_body_model(), load_motion_bank()
    heads = Photographer(config, model, bank, count=options.count)
    with FaceFinder() as finder:
        looked = [_compared(heads[k], finder) for k in range(options.count)]
    turned = np.array([_yaw_deg(heads[k]) for k in range(options.count)])
    print("| head turned | found", *_PARTS, "skin covered | mask right |", sep=" | ")
    for low, high in pairwise(_TURNS):
        here = np.flatnonzero((turned >= low) & (turned < high))
        found = [look for k in here if (look := looked[k]) is not None]
        off = np.median([f.off for f in found], axis=0)
        covered = np.median([f.covered for f in found])
        right = np.median([f.right for f in found])
        numbers = " | ".join(f"{number:.1f}" for number in off)
        print(
            f"| {low} to {high} degrees | {len(found)} of {len(here)} | {numbers} "
            f"| {covered:.0f} | {right:.0f} |"
        )


def _compared(head: Sample, finder: FaceFinder) -> _Found | None:
    mesh = finder.find(head.picture)
    if mesh is None:
        return None
    inner_first = head.pixels[FACE_POINTS]
    truth = np.concatenate([inner_first[51:], inner_first[:51]])
    size = float(np.sqrt(np.prod(np.ptp(truth, axis=0))))
    off = np.linalg.norm(landmarks68(mesh) - truth, axis=1) / size * 100
    mask = skin_mask(mesh, (head.size, head.size)) > 0
    both = (mask & head.skin).sum()
    return _Found(
        off=tuple(float(off[part].mean()) for part in _PARTS.values()),
        covered=100 * both / max(head.skin.sum(), 1),
        right=100 * both / max(mask.sum(), 1),
    )


def _yaw_deg(head: Sample) -> float:
    R: Float32 = head.absolute[0]
    return abs(float(np.degrees(np.arctan2(R[2, 0], np.hypot(R[0, 0], R[1, 0])))))


if __name__ == "__main__":
    main()
