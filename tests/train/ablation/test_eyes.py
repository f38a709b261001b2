"""What eyes see of photographs and of synthetic people, against what is there."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixie_runtime.body import embedded_body_model
from pixie_runtime.landmarks.regions import Region
from pixie_runtime.types import Float32, UInt8
from pixie_train.ablation.crops import true_turn
from pixie_train.ablation.eyes import BODY_SIGHT, HAND_SIGHT, HEAD_SIGHT, Eyes
from pixie_train.batch import CropKind
from pixie_train.data.motion import load_motion_bank
from pixie_train.data.pictures.config import PictureConfig
from pixie_train.data.pictures.dataset import PictureDataset, View
from pixie_train.data.pictures.photographer import Photographer
from pixie_train.key_points import RIGHT_HAND_POINTS
from pixie_train.networks.landmark_inputs import FACE_POINTS

FOOTAGE = Path(__file__).parents[2] / "footage"
HAND_ORDER = (0, 5, 6, 7, 9, 10, 11, 17, 18, 19, 13, 14, 15, 1, 2, 3, 8, 12, 20, 16, 4)
"""MediaPipe's hand landmarks in the order of a hand's key points."""


@pytest.fixture(scope="module")
def eyes() -> Iterator[Eyes]:
    with closing(Eyes()) as eyes:
        yield eyes


@pytest.fixture(scope="module")
def portrait() -> UInt8:
    """Return the square about a face in a photograph."""
    bgr = cv2.imread(str(FOOTAGE / "face_recognition_biden.jpg"))
    assert bgr is not None
    square = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)[190:650, 320:780]
    return np.asarray(cv2.resize(square, (192, 192)), np.uint8)


def turned(crop: UInt8, angle: float) -> UInt8:
    """Return what a square shows of itself when it is turned by -`angle` radians."""
    half = len(crop) / 2
    return Region(half, half, 2 * half, -angle).crop(crop, len(crop))


def face(seen: Float32) -> Float32:
    return seen[288 : 288 + 3 * len(FACE_POINTS)].reshape(-1, 3)[:, :2]


def hand(seen: Float32) -> Float32:
    return seen[1152 : 1152 + 63].reshape(21, 3)[:, :2]


def test_a_turned_face_is_the_same_face_turned(eyes: Eyes, portrait: UInt8) -> None:
    level = face(eyes.head(portrait, 0.0))
    assert np.abs(level).max() < 1, "a face fills its crop and is inside it"
    assert np.ptp(level, axis=0).min() > 0.6
    angle = 0.4
    seen = face(eyes.head(turned(portrait, angle), angle))
    expected = Region(0, 0, 1, angle).turned(level)
    assert np.abs(seen - expected).max() < 0.06


def test_synthetic_hands_are_seen_where_they_are(eyes: Eyes) -> None:
    config = PictureConfig(CropKind.HAND, size=224, seed=3, occluded=0, supersampling=1)
    model = embedded_body_model()
    people = Photographer(config, model, load_motion_bank(), count=8)
    off = []
    for batch in PictureDataset(people, View(crop_size=224)):
        crop = batch.pictures.image[0].permute(1, 2, 0).contiguous().numpy()
        xy = batch.targets.xy[0].numpy()
        seen = hand(eyes.hand(crop, true_turn(CropKind.HAND, xy)))
        distance = np.linalg.norm(
            seen[list(HAND_ORDER)] - xy[RIGHT_HAND_POINTS], axis=1
        )
        off.append(float(distance.mean()))
    # In half sides of the crop, of which a hand takes about 0.8. Fists hide fingers.
    assert np.median(off) < 0.15, off


def test_a_body_says_how_its_parts_are_turned(eyes: Eyes) -> None:
    bgr = cv2.imread(str(FOOTAGE / "skimage_astronaut.png"))
    assert bgr is not None
    crop = np.ascontiguousarray(bgr[..., ::-1], np.uint8)
    before, after = (eyes.body(turned(crop, angle)) for angle in (0.0, 0.3))
    assert abs(before.turns[0]) < 0.3, "her head is nearly upright"
    assert after.turns[0] - before.turns[0] == pytest.approx(0.3, abs=0.15)
    assert before.seen.shape == (BODY_SIGHT,)
    assert eyes.head(crop, 0.0).shape == (HEAD_SIGHT,)
    assert eyes.hand(crop, 0.0).shape == (HAND_SIGHT,)


@pytest.mark.parametrize("kind", [CropKind.HEAD, CropKind.HAND])
def test_a_true_turn_grows_with_the_turn(kind: CropKind) -> None:
    xy = np.random.default_rng(4).normal(0, 0.3, (145, 2)).astype(np.float32)
    start = true_turn(kind, xy)
    further = true_turn(kind, Region(0, 0, 1, 0.2).turned(xy))
    # Heads are never upside down: their turn is known up to half a turn.
    around = 2 * np.pi if kind is CropKind.HAND else np.pi
    assert (further - start - 0.2 + 0.1) % around == pytest.approx(0.1, abs=1e-5)
