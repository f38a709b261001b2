"""What a training step is given: pictures of one kind, and what is known of them.

Data sets label different things. Everything is therefore there for every sample, and
beside it says whether it is known; values that are not known may be anything, also not
a number, and change nothing. A data set makes batches of one:

    targets = replace(Targets.unknown(1, n_betas=200, n_expression=50), ...)
    Batch(CropKind.BODY, Pictures(image, ...), targets, names=("3dpw/downtown_00042",))

and `join` puts them together. Points are the 145 key points of `pixie_train.key_points`
whatever the data set calls its own; those it does not have get no confidence.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Self, TypeVar

import torch
from torch import Tensor

from pixie_runtime.smplx import JOINT_COUNT
from pixie_train.gender import Gender
from pixie_train.key_points import KEY_POINT_COUNT

CROP_SIZE = 224
"""Side of the released encoders' pictures in pixels. Encoders that average over the
picture take any side, and smaller ones train faster."""
NO_IDENTITY = -1
"""In `Targets.identity`: nobody knows who that is."""


class CropKind(Enum):
    """What the pictures of a batch show, and so which experts they train."""

    BODY = "body"
    """A whole person; the parts are cut out of its finer picture."""
    HEAD = "head"
    """A head alone."""
    HAND = "hand"
    """A right hand alone. Left hands come mirrored, picture and targets, as right
    ones."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """What the encoders see; RGB."""

    image: Tensor
    """(B, 3, S, S) uint8; S is `CROP_SIZE` unless said otherwise."""
    image_hd: Tensor | None = None
    """Bodies only: the same square in more pixels, (B, 3, H, H) uint8, of which the
    parts are cut; None: cut them of `image`."""
    part_boxes: Tensor | None = None
    """Bodies only: where head, left hand and right hand truly are, (B, 3, 3): centre x,
    centre y and side in pixels of `image_hd`, as `part_boxes.part_boxes` gives them;
    None: look where the coarse body has them."""
    parts_seen: Tensor | None = None
    """Bodies only: whether head, left hand and right hand can be seen, (B, 3) boolean;
    None: all of them."""

    def __post_init__(self) -> None:
        """Refuse shapes that do not fit together."""
        count, side = self.image.shape[0], self.image.shape[-1]
        _require("image", self.image, (count, 3, side, side))
        for name, tensor, tail in (
            ("image_hd", self.image_hd, (3, None, None)),
            ("part_boxes", self.part_boxes, (3, 3)),
            ("parts_seen", self.parts_seen, (3,)),
        ):
            if tensor is not None:
                _require(name, tensor, (count, *tail))


@dataclass(frozen=True, eq=False)
class Targets:
    """What is known of B people. Camera axes: x right, y down, z away from us.

    Weak perspective, which networks project with, takes a camera that looks at the
    middle of the crop, and so do targets, wherever points in space say which camera
    took the picture (`data.pictures.line_of_sight`).
    """

    xy: Tensor
    """Key points in the picture, (B, 145, 2), in [-1, 1] over `Pictures.image`."""
    xy_confidence: Tensor
    """(B, 145), 0: not known, to 1."""
    xyz: Tensor
    """Key points in metres, camera axes, any origin, (B, 145, 3)."""
    xyz_confidence: Tensor
    """(B, 145), 0: not known, to 1."""
    rotations: Tensor
    """(B, 55, 3, 3): row 0 in camera axes, the others relative to the parent."""
    rotations_known: Tensor
    """(B, 55) booleans."""
    absolute: Tensor
    """Head, left wrist, right wrist in camera axes, (B, 3, 3, 3)."""
    absolute_known: Tensor
    """(B, 3) booleans."""
    betas: Tensor
    """(B, n_betas) of the body model that is trained for."""
    betas_known: Tensor
    """(B, n_betas) booleans: fits often stop at ten coefficients."""
    expression: Tensor
    """(B, n_expression)."""
    expression_known: Tensor
    """(B, n_expression) booleans."""
    gender: Tensor
    """(B,) integers: `gender.Gender`."""
    identity: Tensor
    """(B,) integers: the same person in all the data has the same; -1: not known."""
    face_mask: Tensor | None = None
    """Heads only: the skin of the face in `Pictures.image`, (B, 1, S, S) boolean;
    a sample without such a mask has nothing in it; None: nobody has one."""

    def __post_init__(self) -> None:
        """Refuse shapes that do not fit together."""
        count, points = self.xy.shape[0], KEY_POINT_COUNT
        n_betas, n_expression = self.betas.shape[-1], self.expression.shape[-1]
        shapes: dict[str, tuple[int, ...]] = {
            "xy": (count, points, 2),
            "xy_confidence": (count, points),
            "xyz": (count, points, 3),
            "xyz_confidence": (count, points),
            "rotations": (count, JOINT_COUNT, 3, 3),
            "rotations_known": (count, JOINT_COUNT),
            "absolute": (count, 3, 3, 3),
            "absolute_known": (count, 3),
            "betas": (count, n_betas),
            "betas_known": (count, n_betas),
            "expression": (count, n_expression),
            "expression_known": (count, n_expression),
            "gender": (count,),
            "identity": (count,),
        }
        for name, shape in shapes.items():
            _require(name, getattr(self, name), shape)
        if self.face_mask is not None:
            side = self.face_mask.shape[-1]
            _require("face_mask", self.face_mask, (count, 1, side, side))

    @classmethod
    def unknown(cls, count: int, *, n_betas: int, n_expression: int) -> Self:
        """Return targets of `count` people of whom nothing is known.

        `dataclasses.replace` puts in what a data set has.
        """
        points = KEY_POINT_COUNT
        eye = torch.eye(3)
        return cls(
            xy=torch.zeros(count, points, 2),
            xy_confidence=torch.zeros(count, points),
            xyz=torch.zeros(count, points, 3),
            xyz_confidence=torch.zeros(count, points),
            rotations=eye.repeat(count, JOINT_COUNT, 1, 1),
            rotations_known=torch.zeros(count, JOINT_COUNT, dtype=torch.bool),
            absolute=eye.repeat(count, 3, 1, 1),
            absolute_known=torch.zeros(count, 3, dtype=torch.bool),
            betas=torch.zeros(count, n_betas),
            betas_known=torch.zeros(count, n_betas, dtype=torch.bool),
            expression=torch.zeros(count, n_expression),
            expression_known=torch.zeros(count, n_expression, dtype=torch.bool),
            gender=torch.full((count,), int(Gender.UNKNOWN)),
            identity=torch.full((count,), NO_IDENTITY),
        )


@dataclass(frozen=True, eq=False)
class Batch:
    """B samples of one kind."""

    kind: CropKind
    pictures: Pictures
    targets: Targets
    names: tuple[str, ...]
    """Where each sample came from, data set first, to be named when it does harm."""

    def __post_init__(self) -> None:
        """Refuse parts of different lengths, and masks of other sizes than pictures."""
        count = len(self.names)
        for name, other in (
            ("pictures", len(self.pictures.image)),
            ("targets", len(self.targets.xy)),
        ):
            if other != count:
                raise ValueError(f"{name} has {other} samples, but {count} are named")
        if self.targets.face_mask is not None:
            side = self.pictures.image.shape[-1]
            _require("face_mask", self.targets.face_mask, (count, 1, side, side))

    def __len__(self) -> int:
        """Return B."""
        return len(self.names)

    def to(self, device: torch.device | str) -> "Batch":
        """Return the batch with its tensors on `device`."""
        return Batch(
            self.kind,
            _each(self.pictures, lambda t: t.to(device, non_blocking=True)),
            _each(self.targets, lambda t: t.to(device, non_blocking=True)),
            self.names,
        )


def join(batches: Sequence[Batch]) -> Batch:
    """Put batches of one kind and equal sizes together, in their order.

    What only some of them have (`part_boxes`, `parts_seen`, `face_mask`) is filled in:
    no mask, parts all seen; part boxes and finer pictures must be there for all or for
    none.
    """
    kinds = {batch.kind for batch in batches}
    if len(kinds) != 1:
        raise ValueError(
            f"a batch is of one kind, found {sorted(k.value for k in kinds)}"
        )
    seen = _all_or_filled(
        [b.pictures.parts_seen for b in batches],
        [torch.ones(len(b), 3, dtype=torch.bool) for b in batches],
    )
    masks = _all_or_filled(
        [b.targets.face_mask for b in batches],
        [
            b.pictures.image.new_zeros(b.pictures.image[:, :1].shape, dtype=torch.bool)
            for b in batches
        ],
    )
    pictures = Pictures(
        image=torch.cat([b.pictures.image for b in batches]),
        image_hd=_all_or_none("image_hd", [b.pictures.image_hd for b in batches]),
        part_boxes=_all_or_none("part_boxes", [b.pictures.part_boxes for b in batches]),
        parts_seen=seen,
    )
    whole: dict[str, Any] = {
        field.name: torch.cat([getattr(b.targets, field.name) for b in batches])
        for field in fields(Targets)
        if field.name != "face_mask"
    }
    names = tuple(name for batch in batches for name in batch.names)
    return Batch(kinds.pop(), pictures, Targets(**whole, face_mask=masks), names)


def unit_range(picture: Tensor) -> Tensor:
    """Return a uint8 picture in [0, 1], as networks and losses take it."""
    return picture.float() / 255


_Tensors = TypeVar("_Tensors", Pictures, Targets)


def _each(value: _Tensors, change: Callable[[Tensor], Tensor]) -> _Tensors:
    tensors: dict[str, Any] = {
        field.name: getattr(value, field.name) for field in fields(value)
    }
    changed: dict[str, Any] = {
        n: None if t is None else change(t) for n, t in tensors.items()
    }
    return type(value)(**changed)


def _all_or_none(name: str, tensors: Sequence[Tensor | None]) -> Tensor | None:
    there = [tensor for tensor in tensors if tensor is not None]
    if there and len(there) != len(tensors):
        raise ValueError(f"{len(there)} of {len(tensors)} samples have a {name}")
    return torch.cat(there) if there else None


def _all_or_filled(
    tensors: Sequence[Tensor | None], filling: Sequence[Tensor]
) -> Tensor | None:
    if all(tensor is None for tensor in tensors):
        return None
    filled = [
        other if tensor is None else tensor
        for tensor, other in zip(tensors, filling, strict=True)
    ]
    return torch.cat(filled)


def _require(name: str, tensor: Tensor, shape: tuple[int | None, ...]) -> None:
    found = tuple(tensor.shape)
    if len(found) != len(shape) or any(
        wanted not in (None, size) for size, wanted in zip(found, shape, strict=True)
    ):
        raise ValueError(f"{name} has shape {found}, expected {shape}")
