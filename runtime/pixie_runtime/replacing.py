"""Files that are at every moment the old one or the whole new one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def replacing(path: Path, *, until_then: str) -> Iterator[IO[bytes]]:
    """Yield a file, open for writing, that becomes `path` when the block ends well.

    Args:
        path: What is replaced, if it is there.
        until_then: The file's name beside `path`; if the block fails it is removed.

    Raises:
        OSError: it cannot be written; what was there is still there.
    """
    unfinished = path.with_name(until_then)
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
