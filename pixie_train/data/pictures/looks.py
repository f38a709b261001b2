"""How a person looks: skin, hair, beard, clothes, drawn and painted on a surface.

Everything is a function of where a point is on the mean body in rest pose, so a look
fits every shape and pose, and edges are sharp at any size.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from pixie_runtime.smplx import JAW, JOINT_INDEX
from pixie_runtime.types import Float32
from pixie_train.data.pictures.sample import Bools
from pixie_train.data.pictures.surface_map import (
    BROWS,
    EYE,
    FACE,
    LASHES,
    LIPS,
    PUPIL,
    SKIN,
    TEETH,
    Ints,
    SurfaceMap,
)
from pixie_train.data.pictures.surfaces import skin_tone

_HAIR = ((0.05, 0.04, 0.035), (0.17, 0.1, 0.06), (0.4, 0.26, 0.14), (0.7, 0.55, 0.33))
_HANGING_M = 0.03
"""How thick hanging hair is; it fills the neck's hollow."""
_OFF_HEAD = -0.5
"""`SurfaceMap.fields` of brows are less than this anywhere but on the head."""
_LONG_FEMALE, _LONG_MALE = 0.7, 0.08
"""Shares of women and men, bald ones aside, whose hair hangs below the nape."""
_GREY_HAIR = (0.6, 0.59, 0.57)
_EYES = ((0.16, 0.09, 0.05), (0.3, 0.2, 0.1), (0.25, 0.35, 0.45), (0.28, 0.36, 0.24))


@dataclass(frozen=True, eq=False)
class Points:
    """Points of the surface."""

    rest: Float32
    """Where they are on the mean body at rest, (n, 3), metres."""
    fields: Float32
    """(n, 5), see `SurfaceMap.fields`."""
    material: Ints
    """(n,)."""

    @classmethod
    def vertices(cls, surface: SurfaceMap) -> Self:
        """Return the surface's vertices."""
        return cls(surface.rest, surface.fields, surface.material)


@dataclass(frozen=True, eq=False)
class Head:
    """What belongs to a person's head for good."""

    skin: Float32
    hair: Float32
    eyes: Float32
    lips: Float32
    """RGB, (3,)."""
    hairline_m: float
    """How far the hair begins above the brows; large: bald."""
    hair_slope: float
    """How the hair's edge rises from back to front."""
    hair_m: float
    """How thick the hair is."""
    hair_length_m: float
    """How far it hangs down behind, below the nape; 0: short hair."""
    beard: float
    """How dense, 0 to 1."""
    blotches: Float32
    """Waves of the skin's colour, (4, 4): direction times frequency, and phase."""


@dataclass(frozen=True, eq=False)
class Garment:
    """A piece of clothing: where it ends, and its cloth."""

    low: float
    high: float
    """Between which heights of the resting body, metres."""
    reach: float
    """How far from the middle it goes, along the arms."""
    round_neck: bool
    """Whether it covers the shoulders."""
    v_neck: float
    """How far down the neck's opening goes, metres."""
    thickness_m: float
    colours: Float32
    """(2, 3)."""
    pattern: Float32
    """Direction times frequency of its stripes, (3,), radians a metre."""
    checked: bool
    sharp: float
    """0: plain, else how hard the stripes' edges are."""


@dataclass(frozen=True, eq=False)
class Look:
    """All of it."""

    head: Head
    clothes: tuple[Garment, ...]
    """Later ones are worn over earlier ones."""


def draw_head(random: np.random.Generator, *, male: bool) -> Head:
    """Draw what does not change between pictures of one person."""
    skin = skin_tone(random)
    tint = random.uniform(0.7, 0.95) * skin
    blood = np.array([1.0, random.uniform(0.45, 0.75), random.uniform(0.5, 0.8)])
    grey = random.random() < 0.2
    hair = np.array(_GREY_HAIR if grey else _HAIR[random.integers(len(_HAIR))])
    bald = random.random() < (0.15 if male else 0.03)
    head = Head(
        skin=skin,
        hair=np.asarray(hair * random.uniform(0.8, 1.2), np.float32),
        eyes=np.array(_EYES[random.integers(len(_EYES))], np.float32),
        lips=np.asarray(tint * blood, np.float32),
        hairline_m=1.0 if bald else random.uniform(0.036, 0.066),
        hair_slope=random.uniform(0.7, 1.05) if male else random.uniform(0.95, 1.6),
        hair_m=random.uniform(0.002, 0.016) if male else random.uniform(0.006, 0.028),
        beard=random.uniform(0.3, 1.0) if male and random.random() < 0.4 else 0.0,
        blotches=random.normal(0, 1, (4, 4)).astype(np.float32)
        * np.array([40, 40, 40, 3], np.float32),
        hair_length_m=0.0,
    )
    long = not bald and random.random() < (_LONG_MALE if male else _LONG_FEMALE)
    return replace(head, hair_length_m=random.uniform(0.02, 0.3)) if long else head


def draw_clothes(
    random: np.random.Generator, surface: SurfaceMap
) -> tuple[Garment, ...]:
    """Draw trousers, shoes, top: later ones are worn over earlier ones."""
    at = {name: surface.joints[index] for name, index in JOINT_INDEX.items()}
    hip, knee = at["left_hip"][1], at["left_knee"][1]
    ankle, neck = at["left_ankle"][1], at["neck"][1]
    shoulder, wrist = at["left_shoulder"][0], at["left_wrist"][0]
    hems = (ankle - 0.03, ankle + 0.02, knee - 0.08, knee + 0.12, hip - 0.12)
    waist = at["spine1"][1] + random.uniform(-0.06, 0.05)
    trousers = _cloth(random, low=random.choice(hems), high=waist, reach=0.34)
    sleeve = random.choice([-0.06, 0.3, 0.42, 0.9, 0.97])
    top = _cloth(
        random,
        low=random.uniform(hip - 0.06, waist - 0.02),
        high=neck - random.uniform(-0.03, 0.03),
        reach=shoulder + sleeve * (wrist - shoulder),
        round_neck=random.random() < 0.93,
        v_neck=random.uniform(0.0, 0.14) * float(random.random() < 0.5),
        loosest=0.02,
    )
    shoes = _cloth(random, low=-9.0, high=ankle + random.uniform(-0.04, 0.1), reach=9.0)
    worn = [trousers, top]
    return tuple([shoes, *worn] if random.random() < 0.85 else worn)


def under(garment: Garment, at: Points) -> Float32:
    """Return how far inside a garment's edges points are, (n,), metres; outside < 0."""
    x, y, z = at.rest.T
    # The neck's opening is round, and cut down in front.
    front, aside = np.clip(z / 0.05, 0, 1), np.abs(x)
    opening = garment.high - front * garment.v_neck * np.clip(1 - aside / 0.09, 0, 1)
    if garment.round_neck:
        opening = opening + 4 * np.maximum(aside - 0.075, 0)
    inside = np.minimum(np.minimum(y - garment.low, opening - y), garment.reach - aside)
    return np.where(at.material == SKIN, inside, -1).astype(np.float32)


def under_hair(head: Head, surface: SurfaceMap, at: Points) -> Float32:
    """Return how far inside the hair's edge points are, (n,), metres; outside < 0."""
    x, y, z = at.rest.T
    front = surface.joints[JOINT_INDEX["left_eye_smplhf"], 2] + 0.02
    edge = surface.brow_y + head.hairline_m + head.hair_slope * (z - front)
    # Temples go back, ears stay free.
    edge = edge + 0.35 * np.maximum(np.abs(x) - 0.05, 0) * (z > 0.08)
    nape = surface.joints[JOINT_INDEX["neck"], 1] + 0.02
    on_head = (at.fields[:, BROWS] > _OFF_HEAD) & (at.material == SKIN)
    on_head &= ~_ears(surface, at)
    short = np.where(on_head, y - np.maximum(edge, nape), -1)
    return np.maximum(short, under_long_hair(head, surface, at)).astype(np.float32)


def under_long_hair(head: Head, surface: SurfaceMap, at: Points) -> Float32:
    """Return how far inside hanging hair points are, (n,), metres; outside < 0.

    It hangs over the ears, behind the neck, and down the back over all clothes.
    """
    if not head.hair_length_m:
        return np.full(len(at.rest), -1, np.float32)
    x, y, z = at.rest.T
    neck, jaw = (surface.joints[JOINT_INDEX[name]] for name in ("neck", "jaw"))
    # Its front edge goes from before the ears back to the nape.
    share = np.clip((y - neck[1]) / (jaw[1] - neck[1]), 0, 1)
    before_ears = jaw[2] - 0.012
    front = neck[2] + share * (before_ears - neck[2])
    low = neck[1] + 0.02 - head.hair_length_m + 2 * x**2
    below_brows = surface.brow_y + 0.012 - y
    inside = np.minimum(np.minimum(front - z, y - low), below_brows)
    inside = np.minimum(inside, 0.1 - np.abs(x))
    return np.where(at.material == SKIN, inside, -1).astype(np.float32)


def _ears(surface: SurfaceMap, at: Points) -> Bools:
    """Return which points are ears, or hair at their height beside the face, (n,)."""
    x, y, _ = at.rest.T
    above_neck = y > surface.joints[JOINT_INDEX["neck"], 1] + 0.06
    low = y < surface.brow_y + 0.012
    return np.asarray((np.abs(x) > 0.074) & low & above_neck)


def thickness(look: Look, surface: SurfaceMap) -> Float32:
    """Return how far hair and clothes stand off the vertices, (V,), metres.

    Both rise from nothing at their edges, which are finer than the mesh.
    """
    at = Points.vertices(surface)
    hair = np.clip(under_hair(look.head, surface, at) / 0.02, 0, 1)
    hanging = np.clip(under_long_hair(look.head, surface, at) / 0.02, 0, 1)
    # Ears would stand off even further.
    hanging[_ears(surface, at)] *= 0.1
    off = np.maximum(look.head.hair_m * hair, _HANGING_M * hanging)
    for garment in look.clothes:
        creases = np.sin(at.rest @ (garment.pattern + 31.0)) * 0.25 + 1
        share = np.clip(under(garment, at) / 0.015, 0, 1)
        off = np.maximum(off, garment.thickness_m * creases * share)
    return np.asarray(off, np.float32)


def albedo(look: Look, surface: SurfaceMap, at: Points) -> Float32:
    """Return the surface's colours, (n, 3), in [0, 1]."""
    head = look.head
    colour = _skin(head, surface, at)
    hair = under_hair(head, surface, at) > 0
    colour[hair] = _strands(head, at.rest[hair])
    eye = at.material == EYE
    colour[eye] = _eyes(head, at.fields[eye, PUPIL])
    colour[at.material == TEETH] = (0.86, 0.83, 0.76)
    colour[at.material > TEETH] = (0.62, 0.3, 0.3)
    over = under_long_hair(head, surface, at) > 0
    for garment in look.clothes:
        worn = (under(garment, at) > 0) & ~over
        colour[worn] = _pattern(garment, at.rest[worn])
    return np.clip(colour, 0, 1).astype(np.float32)


def face_skin(look: Look, surface: SurfaceMap, at: Points) -> Bools:
    """Return which points are skin of the face, (n,)."""
    inside = (at.fields[:, FACE] > 0) & (at.material == SKIN)
    return np.asarray(inside & (under_hair(look.head, surface, at) <= 0))


def _strands(head: Head, rest: Float32) -> Float32:
    """Return the colour of hair, brushed away from the crown."""
    x, y, z = rest.T
    around = np.arctan2(x, z - np.float32(0.08))
    strands = np.sin(around * 90 + 3 * np.sin(around * 7)) + np.sin(y * 300)
    return np.asarray(head.hair * (1 + 0.05 * strands[:, None]), np.float32)


def _skin(head: Head, surface: SurfaceMap, at: Points) -> Float32:
    directions, phases = head.blotches[:, :3], head.blotches[:, 3]
    waves = np.sin(at.rest @ directions.T + phases).mean(1, keepdims=True)
    colour = head.skin * (1 + np.float32(0.07) * waves)
    on_head = np.flatnonzero(at.fields[:, BROWS] > _OFF_HEAD)
    colour[on_head] = _face(head, surface, colour[on_head], at, on_head)
    return np.asarray(colour, np.float32)


def _face(
    head: Head, surface: SurfaceMap, colour: Float32, at: Points, chosen: Ints
) -> Float32:
    """Return the colours (m, 3) of skin on the head, made up."""
    fields = at.fields[chosen]
    x, y, z = at.rest[chosen].T
    eye_y = surface.joints[JOINT_INDEX["left_eye_smplhf"], 1]
    # Cheeks are redder.
    aside, below = (np.abs(x) - 0.035) / 0.02, (y - eye_y + 0.04) / 0.02
    cheek = np.exp(-(aside**2) - below**2) * (z > surface.joints[JAW, 2])
    colour = colour * (1 - cheek[:, None] * np.array([0.0, 0.14, 0.12]))
    if head.beard:
        edge = eye_y - 0.058 + 0.45 * np.abs(x)
        beard = np.clip((edge - y) / 0.008, 0, 1) * (fields[:, FACE] > -0.02)
        colour += (head.hair - colour) * beard[:, None] * 0.85 * head.beard
    lips = np.clip(fields[:, LIPS] / 0.0012 + 0.5, 0, 1)
    colour += (head.lips - colour) * lips[:, None] * 0.8
    brow = np.clip(1.6 + fields[:, BROWS] / 0.0028, 0, 1) * 0.85
    colour += (head.hair * 0.8 - colour) * brow[:, None]
    lash = np.clip(1.5 + fields[:, LASHES] / 0.0014, 0, 1) * 0.75
    return np.asarray(colour + (0.05 - colour) * lash[:, None], np.float32)


def _eyes(head: Head, aside: Float32) -> Float32:
    aside = aside[:, None]
    iris = head.eyes * (0.6 + 0.9 * aside)
    colour = np.where(aside < 0.45, iris, np.array([0.88, 0.86, 0.84]))
    return np.asarray(np.where(aside < 0.2, 0.02, colour), np.float32)


def _pattern(garment: Garment, rest: Float32) -> Float32:
    first, second = garment.colours
    phase = rest @ garment.pattern
    value = np.sin(phase)
    if garment.checked:
        value = value * np.sin(rest @ np.roll(garment.pattern, 1))
    share = np.clip(0.5 + value * 3, 0, 1) * garment.sharp
    return np.asarray(first + (second - first) * share[:, None], np.float32)


def _cloth(
    random: np.random.Generator,
    *,
    low: float,
    high: float,
    reach: float,
    round_neck: bool = False,
    v_neck: float = 0.0,
    loosest: float = 0.012,
) -> Garment:
    grey = random.uniform(0.04, 0.9, (2, 1))
    vivid = random.uniform(0.02, 0.95, (2, 3))
    colours = grey + (vivid - grey) * random.beta(1.3, 1.6, (2, 1))
    main = int(random.integers(3))
    direction = random.normal(0, 0.08, 3)
    direction[main] = 1
    plain = random.random() < 0.5
    return Garment(
        low=float(low),
        high=float(high),
        reach=float(reach),
        round_neck=round_neck,
        v_neck=float(v_neck),
        thickness_m=float(random.uniform(0.003, loosest)),
        colours=colours.astype(np.float32),
        pattern=(direction * random.uniform(40, 260)).astype(np.float32),
        checked=bool(random.random() < 0.35),
        sharp=0.0 if plain else float(random.uniform(0.4, 1.0)),
    )
