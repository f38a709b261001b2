"""The default colours of faces, our own: made on the spot, nothing is read.

Principal components of faces that the painter of synthetic pictures paints
(`data.pictures.looks`: tones of skin from pale to dark, lips, brows, beards, irises,
cheeks), then make-up, then smooth waves of brightness and of redness, which stand for
all that the painter does not know. In units of their standard deviations, so that
coefficients have the prior |alpha|^2. Any body with face landmarks has them, in the
chart of its own face.
"""

from dataclasses import replace

import numpy as np
import torch

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import UsageError
from pixie_runtime.types import Float32
from pixie_train.albedo import ALBEDO_SIZE, AlbedoSpace
from pixie_train.data.pictures import looks
from pixie_train.data.pictures.surface_map import EYE, LASHES, LIPS, SKIN, SurfaceMap
from pixie_train.rendering.uv_maps import UvMaps

_PAINTED = 48
"""Faces that the components are of; the painter varies 15 numbers."""
_FROM_PAINTER = 16
_SEED = 0
_BALD_M = 1.0
_WAVE_SD = 0.035
"""Of each smooth wave's amplitude at frequency 1; as 1 / frequency beyond."""
_BRIGHT, _RED = (1.0, 1.0, 1.0), (0.5, -0.5, -0.4)


def painted_albedo(
    model: BodyModel, maps: UvMaps, *, n_texture: int = 50
) -> AlbedoSpace:
    """Make the space.

    Args:
        model: the body.
        maps: of the chart of its face, `ALBEDO_SIZE` texels along a side.
        n_texture: how many components, at most 120; less important ones come last.

    Raises:
        UsageError: more were asked for.
        ModelFileError: the model has no face landmarks.
    """
    if not 1 <= n_texture <= 120:
        raise UsageError(
            f"{n_texture} texture coefficients were asked for; the embedded albedo has "
            "1 to 120"
        )
    if maps.size != ALBEDO_SIZE:
        raise ValueError(f"maps of {maps.size} texels, expected {ALBEDO_SIZE}")
    surface = SurfaceMap.of(model)
    full = maps.mask[0, 0].numpy() > 0.5
    points = chart_points(surface, maps)
    heads = [looks.Look(painted_head(i), ()) for i in range(_PAINTED)]
    painted = np.stack([looks.albedo(head, surface, points) for head in heads])
    mean = painted.mean(0)
    varied = [*_principal(painted - mean), *_make_up(points)]
    waves = _waves(points, n_texture - len(varied))
    components = np.stack([*varied, *waves][:n_texture])
    return AlbedoSpace(
        _spread(mean[None], full, maps)[0], _spread(components, full, maps)
    )


def chart_points(surface: SurfaceMap, maps: UvMaps) -> looks.Points:
    """Return the chart's full texels as points of the surface."""
    table = np.concatenate([surface.rest, surface.fields], axis=1)
    mixed = maps.of_vertices(torch.from_numpy(table)[None])[0].flatten(1)
    chosen = mixed[:, maps.mask.flatten() > 0.5].T.numpy()
    skin = (maps.skin.flatten() > 0.5)[maps.mask.flatten() > 0.5].numpy()
    return looks.Points(chosen[:, :3], chosen[:, 3:], np.where(skin, SKIN, EYE))


def painted_head(number: int) -> looks.Head:
    """Draw a head to paint: its skin without blotches, no hair on the chart."""
    random = np.random.default_rng((_SEED, number))
    head = looks.draw_head(random, male=number % 2 == 0)
    bare = replace(head, hairline_m=_BALD_M, hair_length_m=0.0)
    return replace(bare, blotches=np.zeros_like(head.blotches))


def _principal(varied: Float32) -> Float32:
    """Return the components (k, n, 3) of centred faces, times their deviations."""
    flat = varied.reshape(len(varied), -1).astype(np.float64)
    variances, turns = np.linalg.eigh(flat @ flat.T)
    chosen = np.argsort(variances)[::-1][:_FROM_PAINTER]
    components = turns[:, chosen].T @ flat / np.sqrt(len(flat))
    return np.asarray(components.reshape(-1, *varied.shape[1:]), np.float32)


def _make_up(points: looks.Points) -> list[Float32]:
    """Return shadow on the upper lids, dark and coloured, and lipstick."""
    skin = (points.material == SKIN)[:, None]
    above = points.fields[:, LASHES] + 0.004
    lids = np.exp(-((above / 0.005) ** 2))[:, None] * skin
    lips = np.clip(points.fields[:, LIPS] / 0.0012 + 0.5, 0, 1)[:, None] * skin
    return [
        np.asarray(mask * np.array(colour), np.float32)
        for mask, colour in (
            (lids, (-0.1, -0.1, -0.1)),
            (lids, (-0.05, -0.01, 0.05)),
            (lips, (0.1, -0.06, -0.02)),
        )
    ]


def _waves(points: looks.Points, count: int) -> list[Float32]:
    """Return waves over the resting face, slow ones first and larger."""
    skin = points.material == SKIN
    x, y, _ = points.rest.T
    low, high = points.rest[skin, :2].min(0), points.rest[skin, :2].max(0)
    across, up = (x - low[0]) / (high - low)[0], (y - low[1]) / (high - low)[1]
    found: list[Float32] = []
    pairs = sorted(
        ((i, j) for i in range(9) for j in range(9) if i + j),
        key=lambda pair: (pair[0] ** 2 + pair[1] ** 2, pair),
    )
    for i, j in pairs:
        if len(found) >= count:
            break
        wave = np.cos(np.pi * i * across) * np.cos(np.pi * j * up) * skin
        wave = wave * (_WAVE_SD / np.hypot(i, j))
        for colour in (_BRIGHT, _RED):
            found.append(np.asarray(wave[:, None] * np.array(colour), np.float32))
    return found


def _spread(values: Float32, full: np.ndarray, maps: UvMaps) -> Float32:
    """Put values of the full texels, (k, n, 3), into maps (k, 3, S, S), and fill up."""
    pictures = np.zeros((len(values), 3, *full.shape), np.float32)
    pictures[:, :, full] = values.transpose(0, 2, 1)
    return maps.filled(torch.from_numpy(pictures)).numpy()
