"""Files of a cache that several programs write: each appears whole or not at all."""

import os
from pathlib import Path

from pixie_runtime.replacing import replacing


def write_whole(path: Path, *pieces: bytes) -> None:
    """Write a file, and the folders it lies in, in place of an older one.

    Raises:
        OSError: that cannot be done; what was there is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, until_then=f".{path.name}.{os.getpid()}") as file:
        for piece in pieces:
            file.write(piece)
