"""`pixie-train synthesise` and `pixie-train contact-sheet`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import cv2
import tyro
from tqdm import tqdm

from pixie_runtime.body import embedded_body_model, load_body_model
from pixie_runtime.errors import SinkError, UsageError
from pixie_runtime.types import UInt8
from pixie_train.data.amass import load_smplx_motion
from pixie_train.data.batch_sheet import batch_sheet
from pixie_train.data.catalogue import names, open_data
from pixie_train.data.motion import load_motion_bank
from pixie_train.data.pictures.augmentation import Augmentation
from pixie_train.data.pictures.config import PictureConfig
from pixie_train.data.pictures.contact_sheet import contact_sheet
from pixie_train.data.pictures.dataset import Samples, View
from pixie_train.data.pictures.photographer import Photographer
from pixie_train.data.pictures.store import open_store, synthesise


@dataclass(frozen=True)
class SynthesiseOptions:
    """Make pictures of synthetic people to train with, and keep them in a folder.

    Stopped, the same command goes on.
    """

    out: Path
    """The folder; its pictures take size x size x 3 bytes each."""
    count: int = 1000
    """How many."""
    body_model: Path | None = None
    """Body model file; default: the embedded CC0 body."""
    motion: Path | None = None
    """A folder of SMPL-X motion (.npz, as AMASS has it) to pose people with; default:
    DeepMimic's clips."""
    pictures: Annotated[PictureConfig, tyro.conf.arg(name="")] = field(
        default_factory=PictureConfig
    )
    """What they show."""


@dataclass(frozen=True)
class ContactSheetOptions:
    """Draw pictures side by side, with key points, boxes and masks.

    Synthetic ones, or with --data those of any data set, cut out as networks see them.
    """

    folder: Annotated[Path | None, tyro.conf.Positional] = None
    """What `synthesise` made; default: new pictures."""
    data: str | None = None
    """A data set as NAME:FOLDER, for example freihand:FreiHAND_pub_v2; the names are in
    docs/datasets.md. --kind says what is wanted of it."""
    augment: bool = False
    """With --data: as chance changes them in training, too."""
    out: Path = Path("sheet.png")
    """The picture to write, .png or .jpg."""
    count: int = 24
    """How many pictures: the first ones, of --data some from all over it."""
    columns: int = 6
    """How many in a row."""
    tile: int = 256
    """Side of each in pixels."""
    body_model: Path | None = None
    """Of new pictures: body model file; default: the embedded CC0 body."""
    pictures: Annotated[PictureConfig, tyro.conf.arg(name="")] = field(
        default_factory=PictureConfig
    )
    """What new pictures show."""


def run_synthesise(options: SynthesiseOptions) -> str:
    """Fill the folder with a progress bar; returns what to tell the user.

    Raises:
        PixieError: the options do not go together, or the folder cannot be written.
    """
    if options.count < 1:
        raise UsageError(f"--count is {options.count}; expected at least 1")
    photographer = _photographer(
        options.pictures, options.body_model, options.count, options.motion
    )
    with tqdm(total=options.count, unit="picture", smoothing=0.05) as bar:
        store = synthesise(photographer, options.out, lambda done, _: _move(bar, done))
    size = sum(path.stat().st_size for path in options.out.glob("*.npy"))
    return (
        f"pictures: {options.out}, {len(store)} of kind {store.config.kind.value} at "
        f"{store.config.size} pixels, {size / 1e6:.0f} MB\n"
        f"look at them: pixie-train contact-sheet {options.out}"
    )


def run_contact_sheet(options: ContactSheetOptions) -> str:
    """Write the sheet; returns what to tell the user.

    Raises:
        PixieError: there are no pictures there, or the sheet cannot be written.
    """
    if min(options.count, options.columns) < 1 or not 32 <= options.tile <= 2048:
        raise UsageError(
            f"--count {options.count} --columns {options.columns} --tile "
            f"{options.tile}; expected at least 1, 1 and 32 to 2048"
        )
    if options.data is not None:
        _write(options.out, _sheet_of_data(options, options.data))
        return f"contact sheet: {options.out}"
    if options.folder is None:
        samples: Samples = _photographer(
            options.pictures, options.body_model, options.count
        )
    else:
        samples = open_store(options.folder)
    shown = [samples[index] for index in range(min(options.count, len(samples)))]
    sheet = contact_sheet(
        shown, samples.config.kind, columns=options.columns, tile=options.tile
    )
    _write(options.out, sheet)
    return f"contact sheet: {options.out}"


def _sheet_of_data(options: ContactSheetOptions, data: str) -> UInt8:
    name, colon, folder = data.partition(":")
    if not colon or not folder or options.folder is not None:
        raise UsageError(
            f'--data is "{data}"; expected NAME:FOLDER, and no folder of synthetic '
            f"pictures beside it; names are {', '.join(names())}"
        )
    # Pictures of heads and hands are small: one side for all kinds.
    view = View(crop_size=options.tile, hd_size=options.tile)
    augmentation = Augmentation() if options.augment else None
    dataset = open_data(name, Path(folder), options.pictures.kind, view, augmentation)
    count = min(options.count, len(dataset))
    spread = [k * len(dataset) // count for k in range(count)]
    return batch_sheet([dataset[k] for k in spread], columns=options.columns)


def _photographer(
    config: PictureConfig,
    body_model: Path | None,
    count: int,
    motion: Path | None = None,
) -> Photographer:
    model = load_body_model(body_model) if body_model else embedded_body_model()
    bank = load_smplx_motion(motion) if motion else load_motion_bank()
    return Photographer(config, model, bank, count=count)


def _move(bar: tqdm, done: int) -> None:
    # What an earlier run had made is no work of this one's, nor of its time left.
    if bar.n == 0:
        bar.initial = done - 1
        bar.n = done - 1
    bar.update(done - bar.n)


def _write(path: Path, picture: UInt8) -> None:
    suffix = path.suffix.lower()
    if suffix not in {".png", ".jpg", ".jpeg"}:
        raise UsageError(f'--out {path} ends in "{suffix}"; expected .png or .jpg')
    quality = [cv2.IMWRITE_JPEG_QUALITY, 85] if suffix != ".png" else []
    _, data = cv2.imencode(suffix, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality)
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise SinkError(
            f"cannot write {path}: {error.strerror or error}; choose another place"
        ) from error
