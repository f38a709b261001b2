"""Synthetic heads with wrinkles, kept in a folder, and the truth about their relief."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pixie_runtime.body import BodyModel
from pixie_train.batch import Batch, CropKind, join
from pixie_train.data.motion import MotionBank
from pixie_train.data.pictures.config import PictureConfig
from pixie_train.data.pictures.dataset import PictureDataset, View
from pixie_train.data.pictures.photographer import Photographer
from pixie_train.data.pictures.store import synthesise
from pixie_train.detail.run_config import HeadPictures
from pixie_train.detail.surface import DetailSurface

HELD_OUT_SEED = 1_000_003
"""Added to a run's seed: the people that it is tried on."""


@dataclass(frozen=True, eq=False)
class WrinkledHeads:
    """Batches of one, and what their detail should be."""

    dataset: PictureDataset
    photographer: Photographer
    surface: DetailSurface

    def __len__(self) -> int:
        """Return how many."""
        return len(self.dataset)

    def batch(self, chosen: Sequence[int]) -> Batch:
        """Return some of them together."""
        return join([self.dataset[index] for index in chosen])

    def heights(self, chosen: Sequence[int]) -> Tensor:
        """Return their relief as far as the surface takes it, (n, 1, S, S), metres."""
        return torch.cat(
            [true_heights(self.photographer, self.surface, index) for index in chosen]
        )


def draw_heads(
    body: BodyModel,
    bank: MotionBank,
    surface: DetailSurface,
    pictures: HeadPictures,
    folder: Path,
    *,
    seed: int,
    count: int,
    occluded: float,
    report: Callable[[int, int], None] = lambda done, count: None,
) -> WrinkledHeads:
    """Photograph `count` synthetic heads, or go on with, or take, those in a folder.

    Args:
        body: the body.
        bank: how people move.
        surface: whose chart the truth is written down in.
        pictures: sizes, and how deep wrinkles are.
        folder: where they are kept.
        seed: of the people.
        count: how many.
        occluded: share of the heads with something before them.
        report: told how many there are, and of how many.

    Raises:
        UsageError: the folder holds other pictures.
        SinkError: it cannot be written.
    """
    config = head_pictures(pictures, seed=seed, occluded=occluded)
    photographer = Photographer(config, body, bank, count=count)
    view = View(
        crop_size=pictures.crop_size,
        n_betas=body.n_betas,
        n_expression=body.n_expression,
        head_scale=pictures.head_scale,
    )
    store = synthesise(photographer, folder, report)
    return WrinkledHeads(
        PictureDataset(store, view, axes="camera"), photographer, surface
    )


def head_pictures(
    pictures: HeadPictures, *, seed: int, occluded: float
) -> PictureConfig:
    """Return what is drawn."""
    return PictureConfig(
        kind=CropKind.HEAD,
        seed=seed,
        size=pictures.size,
        wrinkles=pictures.wrinkles,
        occluded=occluded,
    )


def true_heights(
    photographer: Photographer, surface: DetailSurface, index: int
) -> Tensor:
    """Return the relief in a picture, in the surface's chart, (1, 1, S, S), metres."""
    relief = photographer.relief(index)
    if relief is None:
        return torch.zeros(1, 1, surface.size, surface.size)
    rest = torch.from_numpy(np.array(photographer.model.v_template))[None]
    places = surface.maps.uv_positions(rest)[0].flatten(1).T.numpy()
    heights, _ = relief.heights(np.ascontiguousarray(places))
    flat = torch.from_numpy(heights).reshape(1, 1, surface.size, surface.size)
    return surface.heights(flat)
