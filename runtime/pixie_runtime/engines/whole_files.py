"""Files of a cache that several programs write: each appears whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, *pieces: bytes) -> None:
    """Write a file, and the folders it lies in, in place of an older one.

    Raises:
        OSError: that cannot be done; what was there is still there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            for piece in pieces:
                file.write(piece)
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
