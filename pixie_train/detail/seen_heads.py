"""Heads with what is found of them before detail: looked at once, as it is frozen."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pixie_train.batch import Batch, join, unit_range
from pixie_train.detail.coarse import CoarseNetwork, heads_only
from pixie_train.detail.drawing import DetailRenderer, LitFaces
from pixie_train.detail.heads import WrinkledHeads


@dataclass(frozen=True, eq=False)
class SeenFaces:
    """A batch, and its coarse faces."""

    batch: Batch
    lit: LitFaces
    jaw: Tensor
    """(B, 3), see `CoarseFaces`."""
    expression: Tensor
    """(B, n_expression)."""

    @classmethod
    def join(cls, faces: Sequence["SeenFaces"]) -> "SeenFaces":
        """Put them together."""
        return cls(
            join([face.batch for face in faces]),
            LitFaces.join([face.lit for face in faces]),
            torch.cat([face.jaw for face in faces]),
            torch.cat([face.expression for face in faces]),
        )

    def to(self, device: torch.device) -> "SeenFaces":
        """Return them with their tensors on `device`."""
        return SeenFaces(
            self.batch.to(device),
            self.lit.to(device),
            self.jaw.to(device),
            self.expression.to(device),
        )


class SeenHeads:
    """Gives heads by number, and remembers as many as fit in memory."""

    def __init__(
        self,
        source: WrinkledHeads,
        renderer: DetailRenderer,
        coarse: CoarseNetwork,
        memory: int,
    ) -> None:
        """Take the heads, how they are looked at, and how many bytes may be used."""
        self.source = source
        self._renderer, self._coarse, self._room = renderer, coarse, memory
        self._remembered: dict[int, SeenFaces] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.source)

    def of(self, chosen: Sequence[int]) -> SeenFaces:
        """Return some of them together.

        Raises:
            UsageError: they are no heads with masks of their skin.
        """
        return SeenFaces.join([self._one(index) for index in chosen])

    def _one(self, index: int) -> SeenFaces:
        if index in self._remembered:
            return self._remembered[index]
        batch = self.source.batch([index])
        skin = heads_only(batch)
        coarse = self._coarse(batch)
        lit = self._renderer.lit(coarse, unit_range(batch.pictures.image), skin)
        faces = SeenFaces(batch, lit, coarse.jaw, coarse.expression)
        size = _bytes(faces)
        if size <= self._room:
            self._room -= size
            self._remembered[index] = faces
        return faces


def _bytes(faces: SeenFaces) -> int:
    lit = faces.lit
    tensors = [lit.uv, lit.positions, lit.normals, lit.facets, lit.colour, lit.mask]
    seen = [lit.seen.pixel, lit.seen.sample, lit.seen.corners, lit.seen.weights]
    return sum(t.nbytes for t in [*tensors, *seen, faces.batch.pictures.image])
