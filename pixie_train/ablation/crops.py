"""Crops looked at once: what all trainings and all measurements share.

The networks that look stay as they are (`eyes`), so each crop is cut, spoilt and looked
at once, a few views of every picture, and what was seen is kept in one file for each
set.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from pixie_runtime.errors import UsageError
from pixie_runtime.landmarks.regions import normalised, rotation_between
from pixie_runtime.types import Float32, UInt8
from pixie_train.ablation.degrade import Degradation, spoilt, spoilt_crop
from pixie_train.ablation.eyes import HAND_PX, HEAD_PX, Eyes
from pixie_train.ablation.network import Sights
from pixie_train.ablation.pieces import read_piece, write_piece
from pixie_train.batch import Batch, CropKind, Pictures, Targets, join
from pixie_train.data.pictures.augmentation import Augmentation, Cut, jittered
from pixie_train.data.pictures.dataset import (
    PictureDataset,
    Samples,
    View,
    as_batch,
    cut_out,
)
from pixie_train.data.pictures.line_of_sight import camera_of, looked_at
from pixie_train.data.pictures.sample import Sample
from pixie_train.key_points import FACE_POINTS, RIGHT_HAND_POINTS

Report = Callable[[int, int], None]
_STANDING = 0.7
"""Cosine of the angle between a body's upward axis and the picture's, at least."""
_THUMBNAIL = 160
_TURN_SEED = 5
_TURN_ERROR = 0.2
"""Radians, standard deviation: how a part alone is turned is known that well."""
_MIDDLE = 4
"""The middle finger's knuckle among a hand's points."""
_RIGHT_EYE, _LEFT_EYE = range(19, 25), range(25, 31)
"""Among the face's points."""


@dataclass(frozen=True, eq=False)
class CropSet:
    """What was seen of N pictures and what is known of them."""

    kind: CropKind
    seen: Tensor
    """What eyes saw of the body, the head or the hand, (N, ...) float16."""
    targets: Targets
    covered: Tensor
    """How much of head, left and right hand is hidden, (N, 3)."""
    head: Tensor | None = None
    """Bodies only: what eyes saw of their heads, (N, HEAD_SIGHT) float16."""
    hands: Tensor | None = None
    """Bodies only: of left hands, mirrored, and right hands, (N, 2, HAND_SIGHT)."""
    thumbnails: Tensor | None = None
    """Held-out bodies only: small pictures of them, (N, S, S, 3) uint8."""

    def __len__(self) -> int:
        """Return N."""
        return len(self.seen)

    def batch(self, rows: Tensor) -> Batch:
        """Return some of them as losses take them."""
        targets: dict[str, Any] = {
            f.name: getattr(self.targets, f.name)[rows]
            for f in fields(Targets)
            if f.name != "face_mask"
        }
        names = tuple(self.names(rows))
        return Batch(self.kind, _no_pictures(len(rows)), Targets(**targets), names)

    def names(self, rows: Tensor) -> list[str]:
        """Return what some of them are called: kind and number."""
        return [f"{self.kind.value}/{row}" for row in rows.tolist()]

    def sights(self, rows: Tensor) -> Sights:
        """Return what was seen of some whole people."""
        assert self.head is not None
        assert self.hands is not None
        return Sights(self.seen[rows], self.head[rows], self.hands[rows])

    def save(self, path: Path) -> None:
        """Write the set; it is there when it is whole."""
        content = {
            f.name: getattr(self, f.name)
            for f in fields(CropSet)
            if f.name not in ("kind", "targets")
        }
        targets = {
            f.name: getattr(self.targets, f.name)
            for f in fields(Targets)
            if f.name != "face_mask"
        }
        write_piece(path, {**content, "kind": self.kind.value, "targets": targets})

    @classmethod
    def load(cls, path: Path) -> "CropSet":
        """Read a set.

        Raises:
            SourceError: the file is damaged.
        """
        content = read_piece(path)
        content["kind"] = CropKind(content["kind"])
        content["targets"] = Targets(**content["targets"])
        return cls(**content)


def upright(R: Tensor) -> Tensor:
    """Say of root rotations (N, 3, 3) into camera axes whose are such people's."""
    return (R[:, 1, 1] < -_STANDING) & (R[:, 2, 2] < 0)


def cut_parts(
    samples: Samples, eyes: Eyes, view: View, views: int, report: Report
) -> CropSet:
    """Look at heads or hands alone, degraded as in the release's training.

    How they are turned is known as well as a body's landmarks would say it.
    """
    dataset = PictureDataset(samples, view, Augmentation())
    batches, seen, kind = [], [], samples.config.kind
    look = eyes.head if kind is CropKind.HEAD else eyes.hand
    for epoch in range(views):
        dataset.set_epoch(epoch)
        for index in range(len(dataset)):
            batch = dataset[index]
            random = np.random.default_rng((_TURN_SEED, epoch, index))
            turn = true_turn(kind, batch.targets.xy[0].numpy())
            turn += float(random.normal(0, _TURN_ERROR))
            picture = batch.pictures.image[0].permute(1, 2, 0).contiguous().numpy()
            seen.append(torch.from_numpy(look(picture, turn)).half())
            batches.append(_without_picture(batch))
            report(len(batches), views * len(dataset))
    covered = torch.zeros(len(batches), 3)
    return CropSet(kind, torch.stack(seen), join(batches).targets, covered)


def true_turn(kind: CropKind, xy: Float32) -> float:
    """Return how a head or right hand is turned in its crop, as `BodySight.turns`.

    Args:
        kind: which of the two.
        xy: key points (145, 2).
    """
    if kind is CropKind.HAND:
        wrist, knuckle = xy[RIGHT_HAND_POINTS[0]], xy[RIGHT_HAND_POINTS[_MIDDLE]]
        return rotation_between(wrist, knuckle, target=np.pi / 2)
    right, left = (xy[FACE_POINTS][eye].mean(0) for eye in (_RIGHT_EYE, _LEFT_EYE))
    turn = rotation_between(right, left, target=0.0)
    # Of a head that looks away the eyes are the other way round.
    return turn if abs(turn) < np.pi / 2 else normalised(turn + np.pi)


def cut_people(
    samples: Samples,
    eyes: Eyes,
    how: Degradation,
    view: View,
    report: Report,
    *,
    views: int = 1,
    only_upright: bool = False,
    thumbnails: bool = False,
) -> CropSet:
    """Look at whole people and at their parts.

    Args:
        samples: pictures of bodies.
        eyes: what looks.
        how: what is done to the pictures.
        view: side of the body's crop, and of what the parts are cut out of.
        report: told how many are done, and of how many.
        views: how many of each picture; chance depends on picture and view only.
        only_upright: leave out who does not stand upright and face the camera.
        thumbnails: keep a small picture of each.
    """
    batches, sights, covered, small = [], [], [], []
    done = 0
    for number in range(views):
        for index in range(len(samples)):
            done += 1
            sample = samples[index]
            if not only_upright or upright(torch.from_numpy(sample.rotations[:1])):
                random = np.random.default_rng((samples.config.seed, number, index))
                sample = spoilt(sample, how, random)
                person = cut_person(sample, eyes, how, view, random)
                batches.append(person.batch)
                sights.append(person.sights)
                if thumbnails:
                    small.append(torch.from_numpy(_thumbnail(person.crop)))
                covered.append(torch.from_numpy(sample.covered.copy()))
            report(done, views * len(samples))
    if not batches:
        raise UsageError(
            f"none of {len(samples)} people stands upright and faces the camera; "
            "take more, or all of them"
        )
    return CropSet(
        CropKind.BODY,
        torch.cat([seen.body for seen in sights]).half(),
        join(batches).targets,
        torch.stack(covered),
        torch.cat([seen.head for seen in sights]).half(),
        torch.cat([seen.hands for seen in sights]).half(),
        torch.stack(small) if thumbnails else None,
    )


@dataclass(frozen=True, eq=False)
class CutPerson:
    """One person's crops, what was seen of them, and what is known."""

    batch: Batch
    """Without a picture."""
    crop: UInt8
    """The body's, (S, S, 3)."""
    parts: tuple[UInt8, UInt8, UInt8]
    """Head, left hand mirrored, right hand."""
    sights: Sights
    """Of one."""


def cut_person(
    sample: Sample,
    eyes: Eyes,
    how: Degradation,
    view: View,
    random: np.random.Generator,
) -> CutPerson:
    """Cut a person's body and parts out of a picture, spoil the parts, and look."""
    sample = looked_at(sample, CropKind.BODY, camera_of(sample))
    cut = jittered(sample, CropKind.BODY, how.body, random)
    batch = as_batch(sample, CropKind.BODY, cut, view, "synthetic")
    boxes = batch.pictures.part_boxes
    finer = cut_out(sample.picture, cut, view.hd_size)
    assert boxes is not None
    crops = []
    for part, (x, y, side) in enumerate(boxes[0].tolist()):
        is_head = part == 0
        jitter = how.head if is_head else how.hand
        extent = side / view.part_scale(CropKind.HEAD if is_head else CropKind.HAND)
        reach = 1.0 if random.random() < how.misplaced else jitter.shift
        dx, dy = random.uniform(-reach, reach, 2) * extent
        square = Cut(x + dx, y + dy, extent * random.uniform(*jitter.scale))
        pixels = HEAD_PX if is_head else HAND_PX
        crop = spoilt_crop(cut_out(finer, square, pixels), how, random)
        crops.append(np.ascontiguousarray(crop[:, ::-1]) if part == 1 else crop)
    crop = cut_out(sample.picture, cut, view.crop_size)
    body = eyes.body(crop)
    head, left, right = crops
    at_head, at_left, at_right = body.turns
    hands = [eyes.hand(left, -at_left), eyes.hand(right, at_right)]
    sights = Sights(
        torch.from_numpy(body.seen)[None],
        torch.from_numpy(eyes.head(head, at_head))[None],
        torch.from_numpy(np.stack(hands))[None],
    )
    return CutPerson(_without_picture(batch), crop, (head, left, right), sights)


def _without_picture(batch: Batch) -> Batch:
    targets = replace(batch.targets, face_mask=None)
    return Batch(batch.kind, _no_pictures(1), targets, batch.names)


def _no_pictures(count: int) -> Pictures:
    """Return what stands for pictures where no loss looks at them."""
    return Pictures(torch.zeros(count, 3, 1, 1, dtype=torch.uint8))


def _thumbnail(crop: UInt8) -> UInt8:
    side = (_THUMBNAIL, _THUMBNAIL)
    return np.asarray(cv2.resize(crop, side, interpolation=cv2.INTER_AREA), np.uint8)
