"""Data sets of real pictures as batches of one, like synthetic ones."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from torch.utils.data import Dataset

from pixie_runtime.errors import UsageError
from pixie_train.batch import Batch, CropKind
from pixie_train.data.pictures.augmentation import Augmentation, augmented, centred
from pixie_train.data.pictures.dataset import View, as_batch
from pixie_train.data.pictures.line_of_sight import camera_told, looked_at
from pixie_train.data.pictures.mirroring import mirror
from pixie_train.data.pictures.sample import HEAD, LEFT, RIGHT
from pixie_train.data.record import EpochRecords, Record, Records
from pixie_train.data.record_window import Known, Place, part_box, window


class RecordDataset(Dataset[Batch]):
    """Batches of one; `batch.join` is the loader's `collate_fn`.

    As with `PictureDataset` what chance does to a sample depends on the augmentation's
    seed, the sample's number and the epoch (`set_epoch`), on nothing else.
    """

    def __init__(
        self,
        records: Records,
        view: View | None = None,
        augmentation: Augmentation | None = None,
        *,
        largest: int = 512,
    ) -> None:
        """Take the records, what to make of them, and what to do to them first.

        Args:
            records: a reader of a data set, or `PartsOfBodies`.
            view: sizes of what networks see.
            augmentation: None: every record is always the same.
            largest: side in pixels beyond which a picture's square is scaled down
                before anything else happens to it.
        """
        self.records = records
        self.view = view or View()
        self.augmentation = augmentation
        self.largest = largest
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Draw other augmentations, and other records of those that change.

        Before the loader starts its workers.
        """
        self._epoch = epoch
        if isinstance(self.records, EpochRecords):
            self.records.set_epoch(epoch)

    def __len__(self) -> int:
        """Return how many records there are."""
        return len(self.records)

    def __iter__(self) -> Iterator[Batch]:
        """Yield every record once."""
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Batch:
        """Return a batch of one.

        Raises:
            SourceError: its picture cannot be read; the record is named.
        """
        record, view = self.records[index], self.view
        place = Place.around(record, self.largest)
        sample = window(
            record, place, n_betas=view.n_betas, n_expression=view.n_expression
        )
        known = Known.of(record)
        mirrored = record.kind is CropKind.HAND and record.left
        if mirrored:
            sample, known = mirror(sample), known.mirrored()
        if record.camera is not None:
            camera = place.camera(record.camera, mirrored=mirrored)
            sample = looked_at(sample, record.kind, camera)
        else:
            both = (known.xyz > 0) & (known.pixels > 0)
            sample = looked_at(sample, record.kind, camera_told(sample, both))
        cut = centred(sample, record.kind, view.part_scale(record.kind))
        if self.augmentation is not None:
            random = np.random.default_rng((self.augmentation.seed, self._epoch, index))
            sample, cut = augmented(sample, record.kind, self.augmentation, random)
        batch = as_batch(sample, record.kind, cut, view, record.name)
        return known.limit(batch)


class PartsOfBodies:
    """Heads or hands of a data set of bodies; the paper takes them "from body images".

    Reads all records once to find those with enough points of the part.
    """

    def __init__(self, bodies: Records, kind: CropKind) -> None:
        """Find the heads, or the left and right hands.

        Raises:
            UsageError: there are none, or `kind` is no part.
        """
        if kind is CropKind.BODY:
            raise UsageError("a body is no part of bodies; expected head or hand")
        parts = (HEAD,) if kind is CropKind.HEAD else (LEFT, RIGHT)
        self._bodies, self._kind = bodies, kind
        self._places = [
            (index, part)
            for index in range(len(bodies))
            for part in parts
            if part_box(bodies[index], part) is not None
        ]
        if not self._places:
            raise UsageError(
                f"none of the {len(bodies)} bodies has half of a {kind.value}'s key "
                f"points; expected some, so take another data set for {kind.value}s"
            )

    def __len__(self) -> int:
        """Return how many parts there are."""
        return len(self._places)

    def __getitem__(self, index: int) -> Record:
        """Return a body's record as one of its part."""
        number, part = self._places[index]
        body = self._bodies[number]
        return replace(
            body,
            name=f"{body.name}/{('head', 'left_hand', 'right_hand')[part]}",
            kind=self._kind,
            box=part_box(body, part),
            left=part == LEFT,
        )
