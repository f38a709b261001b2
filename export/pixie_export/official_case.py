"""A parity case: pictures, boxes, and the crops that the official code made of them.

Of what was recorded only inputs are read: `full.N.bbox`, the fine pictures of
`image_hd.npz`, the head and hand pictures, and, if asked for, the crops.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixie_export import official_crops
from pixie_runtime.bundle import CropSpec
from pixie_runtime.crops import Square
from pixie_runtime.errors import SourceError
from pixie_runtime.sources.images import read_picture
from pixie_runtime.types import Float32, UInt8

PARTS = ("head", "left_hand", "right_hand")
_INPUTS = (".bbox", ".image", ".image_hd")


@dataclass(frozen=True, eq=False)
class Case:
    """N pictures of one person each."""

    pictures: tuple[UInt8, ...]
    """(H, W, 3) RGB each."""
    boxes: tuple[Float32, ...]
    """The person in each: left, top, right, bottom, pixel centres at integers."""
    hd: Float32
    """Fine pictures of the persons' squares, (N, 3, 1024, 1024)."""
    head_images: Float32 | None
    """Pictures of heads alone, (M, 3, 224, 224)."""
    hand_images: Float32 | None
    """Pictures of hands alone, (M, 3, 224, 224)."""
    crops: dict[str, Float32]
    """Recorded crops (N, 3, 224, 224) of "body" and of each part; empty unless asked
    for."""
    spec: CropSpec

    def body_crops(self) -> Float32:
        """Return the body crops, (N, 3, 224, 224)."""
        if self.crops:
            return self.crops["body"]
        return _squares(self.pictures, self.boxes, self.spec.size, self.spec)

    def part_crops(self, boxes: Float32) -> dict[str, Float32]:
        """Return the parts' crops (N, 3, 224, 224), left hands not mirrored.

        Args:
            boxes: centre x, centre y, side of head, left and right hand in pixels of
                the fine pictures, (N, 3, 3).
        """
        if self.crops:
            return self.crops
        return {
            part: np.stack(
                [
                    official_crops.part_crop(hd, Square(*map(float, box)), self.spec)
                    for hd, box in zip(self.hd, boxes[:, i], strict=True)
                ]
            )
            for i, part in enumerate(PARTS)
        }


def read_case(folder: Path, spec: CropSpec, *, recorded_crops: bool = False) -> Case:
    """Read a case.

    Raises:
        SourceError: the folder is not a case or lacks something.
    """
    recorded = _arrays(folder / "reference.npz")
    files = sorted(folder.glob("full_*.png"))
    if not files:
        raise SourceError(f"{folder} has no full_0.png; expected a parity case")
    pictures = tuple(read_picture(file) for file in files)
    boxes = tuple(
        _required(recorded, f"full.{i}.bbox", folder) for i in range(len(files))
    )
    crops: dict[str, Float32] = {}
    if recorded_crops:
        crops["body"] = _required(recorded, "body.image", folder)
        for part in PARTS:
            crops[part] = _required(recorded, f"body.crop.{part}.image", folder)
    path = folder / "image_hd.npz"
    return Case(
        pictures=pictures,
        boxes=boxes,
        hd=_required(_arrays(path), "body.image_hd", folder)
        if path.exists()
        else _squares(pictures, boxes, spec.hd_size, spec),
        head_images=recorded.get("head_only.image"),
        hand_images=recorded.get("hand_only.image"),
        crops=crops,
        spec=spec,
    )


def _squares(
    pictures: tuple[UInt8, ...], boxes: tuple[Float32, ...], size: int, spec: CropSpec
) -> Float32:
    return np.stack(
        [
            official_crops.warped(
                picture, official_crops.body_similarity(box, size, spec), size
            )
            for picture, box in zip(pictures, boxes, strict=True)
        ]
    )


def _arrays(path: Path) -> dict[str, Float32]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            wanted = [name for name in archive.files if name.endswith(_INPUTS)]
            return {name: archive[name] for name in wanted}
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot read {path} of the parity case: {error}") from error


def _required(arrays: dict[str, Float32], name: str, folder: Path) -> Float32:
    if name not in arrays:
        raise SourceError(f"the parity case {folder} lacks {name}")
    return arrays[name]
