"""A command's data: NAME:FOLDER[:SHARE], or synthetic people made on the spot."""

from collections.abc import Sequence
from pathlib import Path

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import UsageError
from pixie_train.batch import CropKind
from pixie_train.data.catalogue import names, open_data
from pixie_train.data.motion import MotionBank
from pixie_train.data.pictures.augmentation import Augmentation
from pixie_train.data.pictures.config import PictureConfig
from pixie_train.data.pictures.dataset import PictureDataset, View
from pixie_train.data.pictures.photographer import Photographer
from pixie_train.data.pictures.store import PictureStore
from pixie_train.picture_training.body import TrainingBody
from pixie_train.picture_training.loading import Share

HELD_OUT_SEED = 10_001
"""Of the people whom overlays show: no training set's unless its seed is this one."""


def parsed(text: str) -> tuple[str, Path, float]:
    """Return name, folder and share of NAME:FOLDER[:SHARE]; without a share 1.

    Raises:
        UsageError: it is something else.
    """
    name, _, rest = text.partition(":")
    folder, _, last = rest.rpartition(":")
    try:
        share = float(last) if folder else 1.0
    except ValueError:  # a colon of the folder's own
        folder, share = rest, 1.0
    if not name or not rest:
        raise UsageError(
            f'--data has "{text}"; expected NAME:FOLDER or NAME:FOLDER:SHARE, with a '
            f"name of {', '.join(names())}"
        )
    return name, Path(folder or rest), share


def opened(
    given: Sequence[str],
    kind: CropKind,
    view: View,
    augmentation: Augmentation,
    body: TrainingBody,
) -> list[Share]:
    """Open data sets of one kind, to train for a body model.

    Raises:
        UsageError: one is not written as it should be, unknown, of another kind, or of
            synthetic people of another body model.
        SourceError: a folder lacks something.
    """
    shares = []
    for name, folder, share in map(parsed, given):
        data = open_data(name, folder, kind, view, augmentation, body)
        store = data.samples if isinstance(data, PictureDataset) else None
        model = body.model
        if isinstance(store, PictureStore) and store.body_model_sha256 != model.sha256:
            raise UsageError(
                f"{folder} holds people of another body model than {model.name}, whose "
                "coefficients mean other shapes; give the --body-model that they were "
                "made with, or make others with pixie-train synthesise --body-model"
            )
        shares.append(Share(data, share))
    return shares


def synthetic(
    kind: CropKind,
    count: int,
    view: View,
    model: BodyModel,
    bank: MotionBank,
    *,
    seed: int,
    augmentation: Augmentation | None,
) -> PictureDataset:
    """Return pictures of synthetic people, made whenever they are asked for."""
    # Part crops show about two thirds of a part's picture.
    size = view.hd_size if kind is CropKind.BODY else view.crop_size * 3 // 2
    config = PictureConfig(kind=kind, seed=seed, size=size)
    photographer = Photographer(config, model, bank, count=count)
    return PictureDataset(photographer, view, augmentation)
