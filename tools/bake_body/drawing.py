"""Draws the baked body: shaded pictures and contact sheets."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from tools.bake_body import raster
from tools.bake_body.arrays import Float, Int
from tools.bake_body.geometry import unit, vertex_normals

Picture = npt.NDArray[np.uint8]

BACKGROUND = (238, 240, 244)
SKIN = (208, 178, 160)
_OF_GROUP = (
    SKIN,
    (245, 245, 245),
    (245, 245, 245),
    *[(240, 236, 225)] * 2,
    (200, 110, 110),
)
_LIGHTS = (((0.4, 0.6, 0.8), 0.62), ((-0.8, 0.2, 0.4), 0.22))
_AMBIENT = 0.28
_OVERSAMPLING = 2


def vertex_colours(rest: Float, group: Int) -> Float:
    """Return colours (V, 3) in 0..255: skin, iris, pupil, teeth and so on."""
    colours = np.array(_OF_GROUP, np.float64)[group]
    for eye in (1, 2):
        rows = np.flatnonzero(group == eye)
        ahead = unit(rest[rows] - rest[rows].mean(0))[:, 2]
        colours[rows[ahead > 0.9]] = (95, 70, 50)
        colours[rows[ahead > 0.985]] = (20, 20, 20)
    return colours


def draw(vertices: Float, faces: Int, colours: Float, view: raster.View) -> Picture:
    """Return a shaded picture (H, W, 3) of the mesh."""
    width, height = (s * _OVERSAMPLING for s in view.size)
    fine = raster.View(
        view.centre, view.extent, (width, height), view.yaw_deg, view.pitch_deg
    )
    face, bary = raster.rasterise(fine.pixels(vertices), faces, fine.size)
    covered = face >= 0
    corners, at = faces[face[covered]], bary[covered][..., None]
    normals = vertex_normals(fine.turn(vertices), faces)
    normal = unit((normals[corners] * at).sum(1) + 1e-9)
    light = np.full(len(normal), _AMBIENT)
    for direction, strength in _LIGHTS:
        light += strength * np.clip(normal @ unit(np.array(direction)), 0, 1)
    colour = (colours[corners] * at).sum(1) * light[:, None]
    a, b, c = (fine.turn(vertices)[corners[:, k], :2] for k in range(3))
    from_behind = (b - a)[:, 0] * (c - a)[:, 1] < (b - a)[:, 1] * (c - a)[:, 0]
    colour[from_behind] *= 0.6
    picture = np.empty((height, width, 3))
    picture[:] = BACKGROUND
    picture[covered] = colour
    folded = picture.reshape(
        view.size[1], _OVERSAMPLING, view.size[0], _OVERSAMPLING, 3
    )
    return np.asarray(folded.mean((1, 3)).clip(0, 255), np.uint8)


def mark(picture: Picture, pixels: Float, colour: tuple[int, int, int]) -> Picture:
    """Return the picture with a small disc at each pixel position (N, 2)."""
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    for x, y in pixels[:, :2].tolist():
        pen.ellipse([x - 2.5, y - 2.5, x + 2.5, y + 2.5], fill=colour)
    return np.asarray(image)


def save_sheet(path: Path, pictures: dict[str, Picture], *, columns: int) -> None:
    """Write labelled pictures side by side, as a small indexed PNG."""
    height, width = next(iter(pictures.values())).shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), BACKGROUND)
    pen = ImageDraw.Draw(sheet)
    for k, (label, picture) in enumerate(pictures.items()):
        x, y = k % columns * width, k // columns * height
        sheet.paste(Image.fromarray(picture), (x, y))
        pen.text((x + 8, y + 6), label, fill=(40, 40, 40))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(255, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        path, optimize=True
    )
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")
