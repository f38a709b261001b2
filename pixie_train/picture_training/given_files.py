"""Which files a run was given, by their content: a path may hold another one later."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pixie_runtime.errors import ModelFileError
from pixie_train.recognition.embedding import MANIFEST
from pixie_train.recognition.shards import shards_of
from pixie_train.utilities import EXTRA_POINTS_FILE, REGRESSOR_FILE


def fingerprints(given: Mapping[str, Path | None]) -> dict[str, str]:
    """Return the SHA-256 of what each option names; options without a file have none.

    Args:
        given: a file, or the folder of utilities or of face-api's network, by option.

    Raises:
        ModelFileError: a file cannot be read.
    """
    return {
        option: _sha256(_files(path))
        for option, path in given.items()
        if path is not None
    }


def _files(path: Path) -> Sequence[Path]:
    """Return what is read of a file or folder, in an order of its own."""
    if path.is_dir():
        tables = [path / name for name in (EXTRA_POINTS_FILE, REGRESSOR_FILE)]
        network = _files(path / MANIFEST) if (path / MANIFEST).exists() else []
        return [*network, *(table for table in tables if table.exists())]
    if path.suffix != ".json":  # the manifest of a network in shards
        return [path]
    return [path, *shards_of(path)]


def _sha256(paths: Sequence[Path]) -> str:
    digests = []
    for path in paths:
        try:
            with path.open("rb") as file:
                digests.append(hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            raise ModelFileError(
                f"cannot open {path}: {error.strerror or error}"
            ) from error
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
