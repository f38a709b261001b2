"""Results of the user's: each appears whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pixie_runtime.errors import SinkError
from pixie_runtime.replacing import replacing


@contextmanager
def written_whole(path: Path | str) -> Iterator[IO[bytes]]:
    """Yield a file, open for writing, that becomes `path` when the block ends well.

    Until then it has another name beside `path`; if the block fails it is removed.

    Raises:
        SinkError: it cannot be written, for example because the disk is full.
    """
    path = Path(path)
    try:
        with replacing(path, until_then=f"{path.name}.tmp") as file:
            yield file
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror or error}") from error
