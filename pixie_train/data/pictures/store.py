"""Samples kept in a folder, one memory-mapped array for each of their fields.

    synthetic.json    what the pictures show, how many, of which body model
    done.npy          which of them are there
    picture.npy ...   the fields of `Sample`, one sample a row; `skin` as packed bits

Writing goes on where it stopped: a sample counts once its mark is in `done.npy`, which
is set after everything else of it.
"""

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixie_runtime.errors import SinkError, SourceError, UsageError
from pixie_train.batch import CropKind
from pixie_train.data.pictures.config import PictureConfig
from pixie_train.data.pictures.photographer import Photographer
from pixie_train.data.pictures.sample import Sample

_DESCRIPTION = "synthetic.json"
_DONE = "done"
FORMAT = "pixie-synthetic-2"
"""Changes whenever the same configuration would make other pictures."""

AnyArray = npt.NDArray[Any]


class PictureStore:
    """Samples read back; arrays come off the disk as they are asked for."""

    def __init__(
        self,
        folder: Path,
        config: PictureConfig,
        arrays: dict[str, AnyArray],
        body_model_sha256: str = "",
    ) -> None:
        self.folder = folder
        self.body_model_sha256 = body_model_sha256
        """Of the file of the body model whose coefficients its samples have."""
        self._config = config
        self._arrays = arrays

    @property
    def config(self) -> PictureConfig:
        """What the pictures show."""
        return self._config

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._arrays[_DONE])

    def __getitem__(self, index: int) -> Sample:
        """Return one."""
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        row = {name: array[index] for name, array in self._arrays.items()}
        del row[_DONE]
        size = self._config.size
        row["skin"] = np.unpackbits(row["skin"], count=size * size).reshape(size, size)
        fields: dict[str, Any] = {
            name: value.copy() if value.ndim else value.item()
            for name, value in row.items()
        }
        fields["skin"] = fields["skin"].astype(bool)
        return Sample(**fields)

    @property
    def coefficients(self) -> tuple[int, int]:
        """How many shape and expression coefficients its people have."""
        betas, expression = (self._arrays[n] for n in ("betas", "expression"))
        return betas.shape[1], expression.shape[1]

    @property
    def covered(self) -> AnyArray:
        """How much of head and hands is hidden in every sample, (N, 3)."""
        return self._arrays["covered"]


def open_store(folder: Path) -> PictureStore:
    """Open a folder that `synthesise` has filled.

    Raises:
        SourceError: there is none, it is damaged, or it is not finished.
    """
    description = _read_description(folder)
    arrays = _open_arrays(folder, "r")
    config = config_from(description["pictures"])
    count = description["count"]
    missing = count - int(arrays[_DONE].sum()) if len(arrays[_DONE]) == count else count
    if missing:
        raise SourceError(
            f"{folder} lacks {missing} of its {count} pictures; run the same "
            f"`pixie-train synthesise --out {folder}` again, which goes on with them"
        )
    return PictureStore(folder, config, arrays, str(description.get("body_model")))


def synthesise(
    photographer: Photographer,
    folder: Path,
    report: Callable[[int, int], None] = lambda done, count: None,
) -> PictureStore:
    """Fill a folder with a photographer's samples, or go on filling it.

    Args:
        photographer: makes them.
        folder: where to; made if need be.
        report: told how many are there, and of how many.

    Raises:
        UsageError: the folder holds other pictures.
        SinkError: it cannot be written.
    """
    count = len(photographer)
    description = {
        "format": FORMAT,
        "count": count,
        "body_model": photographer.model.sha256,
        "pictures": described(photographer.config),
    }
    if photographer.motion:
        description["motion"] = photographer.motion
    try:
        arrays = _prepared(folder, description, photographer)
        done = arrays[_DONE]
        for index in np.flatnonzero(~done):
            _write(arrays, int(index), photographer[int(index)])
            done[index] = True
            report(int(done.sum()), count)
        for array in arrays.values():
            array.flush()  # type: ignore[attr-defined]
    except OSError as error:
        raise SinkError(
            f"cannot write pictures to {folder}: {error.strerror or error}; make room "
            "there or choose another place, then the same command goes on"
        ) from error
    return open_store(folder)


def described(config: PictureConfig) -> dict[str, Any]:
    """Return a configuration as JSON has it."""
    values = dataclasses.asdict(config)
    values["kind"] = config.kind.value
    if not config.wrinkles:  # unknown to folders that are older than it
        del values["wrinkles"]
    backgrounds = config.backgrounds
    values["backgrounds"] = None if backgrounds is None else str(backgrounds.resolve())
    return values


def config_from(values: dict[str, Any]) -> PictureConfig:
    """Return the configuration that `described` was given."""
    backgrounds = values["backgrounds"]
    path = None if backgrounds is None else Path(backgrounds)
    known = {**values, "kind": CropKind(values["kind"]), "backgrounds": path}
    return PictureConfig(**known)


def _prepared(
    folder: Path, description: dict[str, Any], photographer: Photographer
) -> dict[str, AnyArray]:
    """Return the folder's arrays, writable; makes them where there are none."""
    path = folder / _DESCRIPTION
    if path.exists():
        found = _read_description(folder)
        if found != description:
            raise UsageError(
                f"{folder} holds other pictures ({_difference(found, description)}); "
                "give the options that it was begun with, or another folder"
            )
        return _open_arrays(folder, "r+")
    folder.mkdir(parents=True, exist_ok=True)
    count, example = description["count"], _row(photographer[0])
    for name, value in example.items():
        _reserve(folder / f"{name}.npy", (count, *value.shape), value.dtype)
    _reserve(folder / f"{_DONE}.npy", (count,), np.dtype(bool))
    # Last: a folder with a description has all its arrays.
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(description, indent=2) + "\n")
    temporary.replace(path)
    return _open_arrays(folder, "r+")


def _reserve(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Make an array of zeros whose room on the disk is taken at once.

    A memory map of a sparse file ends the process when the disk is full; running out
    here is an error like any other.
    """
    array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    del array
    size = path.stat().st_size
    with path.open("r+b") as file:
        if hasattr(os, "posix_fallocate") and size:
            os.posix_fallocate(file.fileno(), 0, size)


def _open_arrays(folder: Path, mode: Any) -> dict[str, AnyArray]:
    names = [f.name for f in dataclasses.fields(Sample)]
    arrays = {}
    for name in [*names, _DONE]:
        path = folder / f"{name}.npy"
        try:
            arrays[name] = np.load(path, mmap_mode=mode, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise SourceError(
                f"cannot read {path} ({error}); delete {folder} and make the pictures "
                "again"
            ) from error
    return arrays


def _row(sample: Sample) -> dict[str, AnyArray]:
    row = {
        f.name: np.asarray(getattr(sample, f.name)) for f in dataclasses.fields(Sample)
    }
    row["skin"] = np.packbits(sample.skin)
    return row


def _write(arrays: dict[str, AnyArray], index: int, sample: Sample) -> None:
    for name, value in _row(sample).items():
        arrays[name][index] = value


def _read_description(folder: Path) -> dict[str, Any]:
    path = folder / _DESCRIPTION
    try:
        found = json.loads(path.read_text())
    except OSError as error:
        raise SourceError(
            f"{folder} holds no synthetic pictures ({_DESCRIPTION}: "
            f"{error.strerror or error}); make some with "
            f"`pixie-train synthesise --out {folder}`"
        ) from error
    except ValueError as error:
        raise SourceError(
            f"{path} is damaged ({error}); delete {folder} and make the pictures again"
        ) from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        kind = found.get("format") if isinstance(found, dict) else type(found).__name__
        raise SourceError(
            f"{path} is of the format {kind}, but {FORMAT} was expected; make the "
            "pictures again in another folder"
        )
    return found


def _difference(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    pairs = {**{k: (found.get(k), wanted[k]) for k in ("count", "body_model")}}
    ours, theirs = wanted["pictures"], found.get("pictures", {})
    pairs |= {name: (theirs.get(name), ours[name]) for name in ours}
    return ", ".join(
        f"{name} {old}, not {new}" for name, (old, new) in pairs.items() if old != new
    )
