"""Crops made once and kept: what all trainings and all measurements share.

Cutting and spoiling takes about as long as a training step, and the trainings of an
ablation see the same pictures again and again; so the crops are made first, a few
views of every picture, and kept in one file for each set.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pixie_runtime.types import UInt8
from pixie_train.ablation.degrade import Degradation, spoilt, spoilt_crop
from pixie_train.ablation.pieces import read_piece, write_piece
from pixie_train.batch import Batch, CropKind, Pictures, Targets, join, unit_range
from pixie_train.data.pictures.augmentation import Augmentation, Cut, jittered
from pixie_train.data.pictures.dataset import (
    PictureDataset,
    Samples,
    View,
    as_batch,
    cut_out,
)
from pixie_train.data.pictures.sample import Sample
from pixie_train.networks.image_pixie import ImageCrops

Report = Callable[[int, int], None]
_STANDING = 0.7
"""Cosine of the angle between a body's upward axis and the picture's, at least."""


@dataclass(frozen=True, eq=False)
class CropSet:
    """Crops of N pictures and what is known of them."""

    kind: CropKind
    image: Tensor
    """(N, 3, S, S) uint8."""
    targets: Targets
    covered: Tensor
    """How much of head, left and right hand is hidden, (N, 3)."""
    parts: Tensor | None = None
    """Bodies only: head, left hand mirrored, right hand, (N, 3, 3, P, P) uint8."""

    def __len__(self) -> int:
        """Return N."""
        return len(self.image)

    def batch(self, rows: Tensor) -> Batch:
        """Return some of them as losses take them."""
        targets: dict[str, Any] = {
            f.name: getattr(self.targets, f.name)[rows]
            for f in fields(Targets)
            if f.name != "face_mask"
        }
        names = tuple(f"{self.kind.value}/{row}" for row in rows.tolist())
        pictures = Pictures(self.image[rows])
        return Batch(self.kind, pictures, Targets(**targets), names)

    def crops(self, rows: Tensor) -> ImageCrops:
        """Return some of them as the whole network takes them."""
        assert self.parts is not None
        parts = unit_range(self.parts[rows])
        image = unit_range(self.image[rows])
        return ImageCrops(image, parts[:, 0], parts[:, 1:], torch.ones(len(parts), 3))

    def upright(self) -> "CropSet":
        """Return those who stand upright and turn towards the camera."""
        rows = torch.nonzero(upright(self.targets.rotations[:, 0]))[:, 0]
        assert self.parts is not None
        return CropSet(
            self.kind,
            self.image[rows],
            self.batch(rows).targets,
            self.covered[rows],
            self.parts[rows],
        )

    def save(self, path: Path) -> None:
        """Write the set; it is there when it is whole."""
        content = {
            "image": self.image,
            "parts": self.parts,
            "covered": self.covered,
            "kind": self.kind.value,
            "targets": {
                f.name: getattr(self.targets, f.name)
                for f in fields(Targets)
                if f.name != "face_mask"
            },
        }
        write_piece(path, content)

    @classmethod
    def load(cls, path: Path) -> "CropSet":
        """Read a set.

        Raises:
            SourceError: the file is damaged.
        """
        content = read_piece(path)
        return cls(
            kind=CropKind(content["kind"]),
            image=content["image"],
            targets=Targets(**content["targets"]),
            covered=content["covered"],
            parts=content["parts"],
        )


def upright(R: Tensor) -> Tensor:
    """Say of root rotations (N, 3, 3) into camera axes whose are such people's."""
    return (R[:, 1, 1] < -_STANDING) & (R[:, 2, 2] < 0)


def cut_parts(samples: Samples, view: View, views: int, report: Report) -> CropSet:
    """Return crops of heads or hands alone, degraded as in the release's training."""
    dataset = PictureDataset(samples, view, Augmentation())
    batches = []
    for epoch in range(views):
        dataset.set_epoch(epoch)
        for index in range(len(dataset)):
            batches.append(dataset[index])
            report(len(batches), views * len(dataset))
    whole = join(batches)
    covered = torch.zeros(len(whole), 3)
    return CropSet(samples.config.kind, whole.pictures.image, whole.targets, covered)


def cut_people(
    samples: Samples,
    how: Degradation,
    view: View,
    part_px: int,
    views: int,
    report: Report,
) -> CropSet:
    """Return crops of whole people and of their parts.

    Args:
        samples: pictures of bodies.
        how: what is done to them.
        view: side of the body's crop, and of what the parts are cut out of.
        part_px: side of the parts' crops.
        views: how many of each picture; chance depends on picture and view only.
        report: told how many are done, and of how many.
    """
    batches, parts, covered = [], [], []
    for number in range(views):
        for index in range(len(samples)):
            random = np.random.default_rng((samples.config.seed, number, index))
            sample = spoilt(samples[index], how, random)
            batch, crops, hidden = cut_person(sample, how, view, part_px, random)
            batches.append(batch)
            parts.append(torch.from_numpy(crops.transpose(0, 3, 1, 2).copy()))
            covered.append(torch.from_numpy(hidden))
            report(len(batches), views * len(samples))
    whole = join(batches)
    return CropSet(
        CropKind.BODY,
        whole.pictures.image,
        whole.targets,
        torch.stack(covered),
        torch.stack(parts),
    )


def cut_person(
    sample: Sample,
    how: Degradation,
    view: View,
    part_px: int,
    random: np.random.Generator,
) -> tuple[Batch, UInt8, Any]:
    """Return a batch of one without its finer picture, the parts, what is hidden.

    The parts' crops are (3, P, P, 3), the left hand mirrored.
    """
    cut = jittered(sample, CropKind.BODY, how.body, random)
    batch = as_batch(sample, CropKind.BODY, cut, view, "synthetic")
    boxes = batch.pictures.part_boxes
    finer = cut_out(sample.picture, cut, view.hd_size)
    assert boxes is not None
    crops = []
    for part, (x, y, side) in enumerate(boxes[0].tolist()):
        jitter = how.head if part == 0 else how.hand
        extent = side / view.part_scale(CropKind.HEAD if part == 0 else CropKind.HAND)
        reach = 1.0 if random.random() < how.misplaced else jitter.shift
        dx, dy = random.uniform(-reach, reach, 2) * extent
        square = Cut(x + dx, y + dy, extent * random.uniform(*jitter.scale))
        crop = spoilt_crop(cut_out(finer, square, part_px), how, random)
        crops.append(crop[:, ::-1] if part == 1 else crop)
    light = Batch(
        batch.kind, Pictures(batch.pictures.image), batch.targets, batch.names
    )
    return light, np.stack(crops), sample.covered.copy()
