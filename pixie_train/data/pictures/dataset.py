"""Samples as batches of one, for a torch DataLoader."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from pixie_runtime.smplx import JAW, JOINT_COUNT, RIGHT_HAND_JOINTS
from pixie_runtime.types import UInt8
from pixie_train.batch import CROP_SIZE, Batch, CropKind, Pictures, Targets
from pixie_train.data.pictures.augmentation import Augmentation, Cut, augmented, centred
from pixie_train.data.pictures.config import PictureConfig
from pixie_train.data.pictures.line_of_sight import camera_of, looked_at
from pixie_train.data.pictures.mirroring import mirror
from pixie_train.data.pictures.sample import PART_POINTS, RIGHT, Sample
from pixie_train.key_points import KEY_POINT_COUNT
from pixie_train.part_boxes import part_boxes

Axes = Literal["crop", "camera"]
"""Whose axes targets are in: of a camera that looks at the middle of the crop, as weak
perspective has it, or of the one that took the picture, whose pinhole they then fit."""


class Samples(Protocol):
    """Where samples come from: a `Photographer` or a `PictureStore`."""

    @property
    def config(self) -> PictureConfig:
        """What the pictures show."""
        ...

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def __getitem__(self, index: int) -> Sample:
        """Return one; the same every time."""
        ...


@dataclass(frozen=True)
class View:
    """How samples become what networks see."""

    crop_size: int = CROP_SIZE
    """Side of `Pictures.image`."""
    hd_size: int = 512
    """Side of `Pictures.image_hd`, bodies only."""
    n_betas: int = 50
    """The first so many shape coefficients are targets."""
    n_expression: int = 43
    """The first so many expression coefficients are targets."""
    hidden_confidence: float = 0.3
    """Confidence in the picture of key points that are inside it but hidden."""
    gone: float = 0.95
    """Parts hidden more than this are not seen (`Pictures.parts_seen`)."""
    head_scale: float = 2.0
    """Side of a head's square over the extent of its points."""
    hand_scale: float = 2.4
    """Likewise of a hand."""

    def part_scale(self, kind: CropKind) -> float:
        """Return the side of a crop's square over its points' extent."""
        return self.head_scale if kind is CropKind.HEAD else self.hand_scale


class PictureDataset(Dataset[Batch]):
    """Batches of one; `batch.join` is the loader's `collate_fn`.

    Without augmentation a sample is always the same; with it what happens depends on
    its seed, the sample's number and the epoch (`set_epoch`), on nothing else.
    """

    def __init__(
        self,
        samples: Samples,
        view: View | None = None,
        augmentation: Augmentation | None = None,
        *,
        axes: Axes = "crop",
    ) -> None:
        """Take the samples, what to make of them, and what to do to them first.

        Args:
            samples: a `Photographer` or a `PictureStore`.
            view: sizes of what networks see.
            augmentation: None: every sample is always the same.
            axes: of points in space and absolute rotations.
        """
        self.samples = samples
        self.view = view or View()
        self.augmentation = augmentation
        self.axes = axes
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Draw other augmentations; before the loader starts its workers."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Return how many samples there are."""
        return len(self.samples)

    def __iter__(self) -> Iterator[Batch]:
        """Yield every sample once."""
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Batch:
        """Return a batch of one."""
        config, view = self.samples.config, self.view
        sample = self.samples[index]
        if config.kind is CropKind.HAND and shows_left(sample):
            sample = mirror(sample)
        if self.axes == "crop":
            sample = looked_at(sample, config.kind, camera_of(sample))
        cut = centred(sample, config.kind, view.part_scale(config.kind))
        if self.augmentation is not None:
            key = (self.augmentation.seed, self._epoch, index)
            random = np.random.default_rng(key)
            sample, cut = augmented(sample, config.kind, self.augmentation, random)
        name = f"synthetic/{config.kind.value}/{config.seed}/{index}"
        return as_batch(sample, config.kind, cut, view, name)


def shows_left(sample: Sample) -> bool:
    """Return whether a hand's picture is about the left one: the one in its middle."""
    middle = [sample.pixels[points].mean(0) for points in PART_POINTS[1:]]
    left, right = (np.abs(m - sample.size / 2).max() for m in middle)
    return bool(left < right)


def as_batch(sample: Sample, kind: CropKind, cut: Cut, view: View, name: str) -> Batch:
    """Return what networks see of a sample, as a batch of one.

    Args:
        sample: the picture and what is known.
        kind: what to make of it; a body's sample gives a head's batch too.
        cut: the square of the picture that is shown.
        view: sizes and confidences.
        name: of the sample.
    """
    S = view.crop_size
    image = cut_out(sample.picture, cut, S)
    xy = torch.from_numpy(cut.projected(sample.pixels, S))[None]
    targets = _targets(sample, xy, kind, view)
    if kind is CropKind.BODY:
        hd = cut_out(sample.picture, cut, view.hd_size)
        boxes = part_boxes(
            xy,
            hd_size=view.hd_size,
            head_scale=view.head_scale,
            hand_scale=view.hand_scale,
        )
        seen = torch.from_numpy(sample.covered <= view.gone)[None]
        pictures = Pictures(_planes(image), _planes(hd), boxes, seen)
        return Batch(kind, pictures, targets, (name,))
    if kind is CropKind.HEAD:
        skin = cut_out(sample.skin.astype(np.uint8) * 255, cut, S) > 127
        targets = replace(targets, face_mask=torch.from_numpy(skin)[None, None])
    return Batch(kind, Pictures(_planes(image)), targets, (name,))


def cut_out(picture: UInt8, cut: Cut, size: int) -> UInt8:
    """Return a square of a picture as the runtime cuts it (`crops.square_crop`).

    Bilinear, the outermost pixels' centres on the square's edges, black outside.
    """
    step = cut.side / (size - 1)
    left, top = cut.x - cut.side / 2 - 0.5, cut.y - cut.side / 2 - 0.5
    to_source = np.array([[step, 0, left], [0, step, top]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(picture, to_source, (size, size), flags=flags))


def _planes(picture: UInt8) -> Tensor:
    return torch.from_numpy(picture.transpose(2, 0, 1).copy())[None]


def _targets(sample: Sample, xy: Tensor, kind: CropKind, view: View) -> Targets:
    unknown = Targets.unknown(1, n_betas=view.n_betas, n_expression=view.n_expression)
    inside = (xy.abs() <= 1).all(-1).float()
    seen = torch.from_numpy(sample.seen)[None]
    told = torch.zeros_like(inside)
    told[:, _points(kind)] = 1
    joints = torch.zeros(1, JOINT_COUNT, dtype=torch.bool)
    joints[:, _joints(kind)] = True
    parts = torch.tensor([[kind is not CropKind.HAND, False, kind is CropKind.HAND]])
    parts = parts | torch.tensor(kind is CropKind.BODY)
    has_face, has_shape = kind is not CropKind.HAND, not sample.mirrored
    known: dict[str, Any] = {
        "xy": xy,
        "xy_confidence": torch.where(seen, 1.0, view.hidden_confidence) * inside * told,
        "xyz": torch.from_numpy(sample.xyz)[None],
        "xyz_confidence": told,
        "rotations": torch.from_numpy(sample.rotations)[None],
        "rotations_known": joints,
        "absolute": torch.from_numpy(sample.absolute)[None],
        "absolute_known": parts,
        "betas": torch.from_numpy(sample.betas[: view.n_betas])[None],
        "betas_known": torch.full((1, view.n_betas), has_face and has_shape),
        "expression": torch.from_numpy(sample.expression[: view.n_expression])[None],
        "expression_known": torch.full((1, view.n_expression), has_face),
        "gender": torch.tensor([sample.gender]),
        "identity": torch.tensor([sample.identity]),
    }
    return replace(unknown, **known)


def _points(kind: CropKind) -> list[int]:
    """Return the key points that a crop of a kind says something about."""
    if kind is CropKind.BODY:
        return list(range(KEY_POINT_COUNT))
    return PART_POINTS[0] if kind is CropKind.HEAD else PART_POINTS[RIGHT]


def _joints(kind: CropKind) -> list[int]:
    """Return the joints likewise; absolute rotations are apart."""
    if kind is CropKind.BODY:
        return list(range(JOINT_COUNT))
    return [JAW] if kind is CropKind.HEAD else list(RIGHT_HAND_JOINTS)
