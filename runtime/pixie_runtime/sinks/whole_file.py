"""Files that are at every moment the old one or the whole new one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pixie_runtime.errors import SinkError


@contextmanager
def written_whole(path: Path | str) -> Iterator[IO[bytes]]:
    """Yield a file, open for writing, that becomes `path` when the block ends well.

    Until then it has another name beside `path`; if the block fails it is removed.

    Raises:
        SinkError: it cannot be written, for example because the disk is full.
    """
    path = Path(path)
    unfinished = path.with_name(path.name + ".tmp")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException as error:
        with suppress(OSError):
            unfinished.unlink()
        if isinstance(error, OSError):
            raise SinkError(
                f"cannot write {path}: {error.strerror or error}"
            ) from error
        raise
