"""Data sets by name, as commands take them: NAME:FOLDER."""

from collections.abc import Callable
from pathlib import Path

from pixie_runtime.errors import UsageError
from pixie_train.batch import CropKind
from pixie_train.data.agora import Agora
from pixie_train.data.bedlam import Bedlam
from pixie_train.data.cmu_hands import CmuHands
from pixie_train.data.coco_wholebody import CocoWholeBody
from pixie_train.data.curated_fits import CuratedFits
from pixie_train.data.ehf import Ehf
from pixie_train.data.freihand import FreiHand
from pixie_train.data.now import NowPictures
from pixie_train.data.pictures.augmentation import Augmentation
from pixie_train.data.pictures.dataset import PictureDataset, View
from pixie_train.data.pictures.store import open_store
from pixie_train.data.record import Records
from pixie_train.data.record_dataset import PartsOfBodies, RecordDataset
from pixie_train.data.suited import FittedBody, SuitedRecords
from pixie_train.data.threedpw import ThreeDpw
from pixie_train.data.total_motion import TotalMotion
from pixie_train.data.vggface2 import VggFace2

SYNTHETIC = "synthetic"
"""What `pixie-train synthesise` has made."""

Opener = Callable[[Path], Records]

OPENERS: dict[str, tuple[CropKind, Opener]] = {
    "3dpw": (CropKind.BODY, ThreeDpw),
    "agora": (CropKind.BODY, Agora),
    "bedlam": (CropKind.BODY, Bedlam),
    "cmu-hands": (CropKind.HAND, CmuHands),
    "coco-wholebody": (CropKind.BODY, CocoWholeBody),
    "curated-fits": (CropKind.BODY, CuratedFits),
    "ehf": (CropKind.BODY, Ehf),
    "freihand": (CropKind.HAND, FreiHand),
    "now": (CropKind.HEAD, NowPictures),
    "total-motion": (CropKind.HAND, TotalMotion),
    "vggface2": (CropKind.HEAD, VggFace2),
}
"""Readers of data sets of real pictures by name, with what they are about."""


def names() -> list[str]:
    """Return the names that `open_data` knows."""
    return sorted([SYNTHETIC, *OPENERS])


def open_records(
    name: str, folder: Path, kind: CropKind, body: FittedBody | None = None
) -> Records:
    """Open a data set of real pictures; of bodies also their heads or hands.

    Args:
        name: one of `OPENERS`.
        folder: where it lies.
        kind: what is wanted of it.
        body: what is trained for; None: records as the data set tells them, the
            skeleton's joints too, without what would hold on one body alone.

    Raises:
        UsageError: there is no such data set, or it has no such pictures.
        SourceError: the folder lacks something.
    """
    if name not in OPENERS:
        raise UsageError(
            f'there is no data set "{name}"; expected one of {", ".join(names())}'
        )
    shown, opener = OPENERS[name]
    if shown not in (kind, CropKind.BODY):
        raise UsageError(
            f"{name} has pictures of a {shown.value} alone, but a {kind.value} is "
            "trained on; take another data set"
        )
    records = opener(folder)
    if shown is not kind:
        records = PartsOfBodies(records, kind)
    if body is None or shown is not CropKind.BODY:  # others say nothing of one body
        return records
    return SuitedRecords(records, body)


def open_data(
    name: str,
    folder: Path,
    kind: CropKind,
    view: View | None = None,
    augmentation: Augmentation | None = None,
    body: FittedBody | None = None,
) -> RecordDataset | PictureDataset:
    """Open any data set as batches of one.

    Args:
        name: one of `names()`.
        folder: where it lies.
        kind: what is wanted of it.
        view: sizes of what networks see.
        augmentation: None: none.
        body: what is trained for; None: records as the data set tells them, the
            skeleton's joints too, without what would hold on one body alone.

    Raises:
        UsageError: there is no such data set, or it has no such pictures.
        SourceError: the folder lacks something.
    """
    if name == SYNTHETIC:
        store = open_store(folder)
        if store.config.kind is not kind:
            raise UsageError(
                f"{folder} holds pictures of kind {store.config.kind.value}, but "
                f"{kind.value} is trained on; make some with pixie-train synthesise "
                f"--kind {kind.name}"
            )
        has, wanted = store.coefficients, view or View()
        if has[0] < wanted.n_betas or has[1] < wanted.n_expression:
            raise UsageError(
                f"{folder} has people of {has[0]} shape and {has[1]} expression "
                f"coefficients, but {wanted.n_betas} and {wanted.n_expression} are "
                "asked for; take as few (--network.core.n-betas and n-expression in "
                "training), or make pictures of a body model that has more"
            )
        return PictureDataset(store, view, augmentation)
    return RecordDataset(open_records(name, folder, kind, body), view, augmentation)
