"""Things before a person: boxes, balls, splinters, other people's arms."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from pixie_runtime.types import Float32, UInt8
from pixie_train.data.pictures.sample import Bools
from pixie_train.data.pictures.surfaces import dull_colour, skin_tone, texture

Form = Literal["rectangle", "ellipse", "polygon", "limb"]


@dataclass(frozen=True, eq=False)
class Occluder:
    """A flat thing."""

    form: Form
    outline: Float32
    """Corners in the picture's pixels, (n, 2); of a limb its bones' ends."""
    thickness_px: float
    """Of a limb."""
    colour: Float32
    """RGB, (3,), in [0, 1]."""
    grain: int
    """Seed of its texture."""


def draw_occluder(
    random: np.random.Generator, low: Float32, high: Float32, share: float
) -> Occluder:
    """Draw a thing over about `share` of the box from `low` to `high` (pixels).

    It comes in from one side of the box; with a share of 1 or more it covers it all.
    """
    form: Form = random.choice(["rectangle", "ellipse", "polygon", "limb"])
    extent = np.maximum(high - low, 4.0)
    angle = random.uniform(0, 2 * np.pi)
    inwards = np.array([np.cos(angle), np.sin(angle)])
    radius = float(extent.max()) / 2
    # A thing as wide as the box, its edge `share` of the way through.
    own = radius * random.uniform(1.1, 1.6)
    middle = (low + high) / 2 - inwards * (radius * (1 - 2 * min(share, 1.2)) + own)
    colour = skin_tone(random) if form == "limb" else dull_colour(random)
    outline = _outline(random, form, middle.astype(np.float32), own, angle)
    return Occluder(
        form=form,
        outline=outline.astype(np.float32),
        thickness_px=1.6 * own,
        colour=np.asarray(colour, np.float32),
        grain=int(random.integers(1 << 30)),
    )


def put_before(picture: UInt8, thing: Occluder) -> tuple[UInt8, Bools]:
    """Return the picture (S, S, 3) with a thing drawn over it, and where (S, S)."""
    height, width = picture.shape[:2]
    soft = np.zeros((height, width), np.uint8)
    corners = np.round(thing.outline.clip(-4 * width, 5 * width) * 16).astype(np.int32)
    if thing.form == "limb":
        thickness = max(1, min(round(thing.thickness_px), 4 * width))
        cv2.polylines(soft, [corners], False, 255, thickness, cv2.LINE_AA, 4)
    else:
        cv2.fillPoly(soft, [corners], 255, cv2.LINE_AA, 4)
    shade = texture(np.random.default_rng(thing.grain), height, thing.colour)
    if thing.form == "limb":
        # Rounded: darker towards the edges.
        depth = cv2.distanceTransform((soft > 127).astype(np.uint8), cv2.DIST_L2, 3)
        round_off = np.sqrt(np.clip(depth / max(thing.thickness_px / 2, 1), 0, 1))
        shade = shade * (0.45 + 0.55 * round_off[..., None])
    alpha = (soft / 255.0)[..., None]
    mixed = picture * (1 - alpha) + shade * (255 * alpha)
    return np.clip(mixed, 0, 255).round().astype(np.uint8), soft > 127


def mask_at(mask: Bools, pixels: Float32) -> Bools:
    """Return what a mask (S, S) says at pixels (n, 2); outside it says nothing."""
    column, row = np.floor(pixels).astype(np.int64).T
    height, width = mask.shape
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    at = mask[row.clip(0, height - 1), column.clip(0, width - 1)]
    return np.asarray(at & inside)


def _outline(
    random: np.random.Generator,
    form: Form,
    middle: Float32,
    own: float,
    angle: float,
) -> Float32:
    if form == "limb":
        # Across the way in, elbow included.
        along = np.array([-np.sin(angle), np.cos(angle)])
        back = np.array([np.cos(angle), np.sin(angle)])
        bend = random.uniform(-1.2, 0.2) * own
        ends = middle + along * 1.6 * own, middle - along * 4 * own + back * bend * 2
        return np.asarray(np.stack([ends[0], middle - along * own, ends[1]]))
    if form == "rectangle":
        long = own * random.uniform(1.0, 2.0)
        corners = np.array([[-own, -long], [own, -long], [own, long], [-own, long]])
    else:
        count = 40 if form == "ellipse" else int(random.integers(5, 9))
        around = np.arange(count) * (2 * np.pi / count)
        reach = np.full(count, own)
        if form == "polygon":
            around = around + random.uniform(-0.25, 0.25, count)
            reach = own * random.uniform(0.75, 1.25, count)
        corners = np.stack([np.cos(around), np.sin(around)], 1) * reach[:, None]
        corners[:, 1] *= random.uniform(1.0, 1.5)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(corners @ turn.T + middle)
