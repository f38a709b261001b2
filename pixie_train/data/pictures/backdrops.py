"""What is behind a person: rooms and clutter as drawn, or the user's own pictures."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pixie_runtime.errors import SourceError
from pixie_runtime.types import Float32, UInt8
from pixie_train.data.pictures.surfaces import dull_colour, texture

_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}


def background_files(folder: Path | None) -> tuple[Path, ...]:
    """Return the pictures in a folder, by name; none where there is no folder.

    Raises:
        SourceError: the folder has none.
    """
    if folder is None:
        return ()
    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder; expected one of backgrounds")
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES)
    if not files:
        raise SourceError(
            f"{folder} has no pictures; expected backgrounds that end in "
            f"{', '.join(sorted(_SUFFIXES))}"
        )
    return tuple(files)


def draw_backdrop(
    random: np.random.Generator, size: int, files: tuple[Path, ...]
) -> UInt8:
    """Return a background, (size, size, 3): of the files, or drawn without any."""
    if files:
        return _cut_of_file(random, size, files[int(random.integers(len(files)))])
    return _drawn(random, size)


def _cut_of_file(random: np.random.Generator, size: int, path: Path) -> UInt8:
    data = np.fromfile(path, np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if len(data) else None
    if picture is None:
        raise SourceError(f"the background {path} cannot be decoded; take it away")
    height, width = picture.shape[:2]
    side = max(1, int(min(height, width) * random.uniform(0.4, 1.0)))
    top, left = random.integers(height - side + 1), random.integers(width - side + 1)
    cut = picture[top : top + side, left : left + side]
    cut = cut[:, ::-1] if random.random() < 0.5 else cut
    way = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(cut, (size, size), interpolation=way), np.uint8)


def _drawn(random: np.random.Generator, size: int) -> UInt8:
    """Draw wall, floor and things, near ones sharp, far ones blurred."""
    scene = texture(random, size, dull_colour(random))
    if random.random() < 0.6:
        horizon = random.uniform(0.45, 0.95) * size
        tilt = random.normal(0, 0.04) * size
        floor = np.array([[0, horizon - tilt], [size, horizon + tilt]])
        corners = np.concatenate([floor, [[size, size + 9], [0, size + 9]]])
        _fill(random, scene, corners)
    for _ in range(random.integers(0, 14)):
        _fill(random, scene, _thing(random, size))
    for _ in range(random.integers(0, 6)):
        ends = (random.uniform(-0.1, 1.1, (2, 2)) * size).astype(int).tolist()
        width = int(random.integers(1, max(2, size // 24)))
        colour = dull_colour(random).tolist()
        cv2.line(scene, ends[0], ends[1], colour, width, cv2.LINE_AA)
    blur = random.uniform(0, 0.012) * size
    if blur > 0.3:
        scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), blur), np.float32)
    ramp = np.linspace(random.uniform(0.6, 1.2), random.uniform(0.6, 1.2), size)
    scene *= ramp[None, :, None] if random.random() < 0.5 else ramp[:, None, None]
    return np.clip(scene * 255, 0, 255).astype(np.uint8)


def _thing(random: np.random.Generator, size: int) -> npt.NDArray[np.floating]:
    """Draw an outline, (n, 2): box, disc or blob."""
    middle = random.uniform(-0.1, 1.1, 2) * size
    reach = random.uniform(0.03, 0.35, 2) * size
    count = int(random.choice([4, 4, 4, 5, 7, 32]))
    around = (np.arange(count) + 0.5) * (2 * np.pi / count)
    corners = np.stack([np.cos(around), np.sin(around)], 1)
    if count in (5, 7):
        corners *= random.uniform(0.5, 1.2, (count, 1))
    turn = random.normal(0, 0.15) if count == 4 else random.uniform(0, 6.3)
    c, s = np.cos(turn), np.sin(turn)
    return np.asarray(middle + (corners * reach) @ np.array([[c, s], [-s, c]]))


def _fill(
    random: np.random.Generator, scene: Float32, corners: npt.NDArray[np.floating]
) -> None:
    """Draw a thing into a scene, with a surface of its own."""
    size = len(scene)
    left, top = np.clip(np.floor(corners.min(0)), 0, size).astype(int).tolist()
    right, bottom = np.clip(np.ceil(corners.max(0)), 0, size).astype(int).tolist()
    width, height = right - left, bottom - top
    surface = texture(random, max(width, height, 32), dull_colour(random))
    if width <= 0 or height <= 0:
        return
    mask = np.zeros((height, width), np.uint8)
    fixed = np.round((corners - (left, top)) * 16).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, 4)
    alpha = (mask / np.float32(255))[..., None]
    under = scene[top:bottom, left:right]
    under += (surface[:height, :width] - under) * alpha
