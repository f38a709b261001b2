"""A folder of compiled networks that does not grow without end."""

import os
from pathlib import Path

LIMIT_BYTES = 2_000_000_000
"""About twice what the largest bundle takes, compiled for one arithmetic."""


def ready_cache(folder: Path, *, limit_bytes: int = LIMIT_BYTES) -> Path | None:
    """Make the folder, and room in it; return it, or None if it cannot be written.

    Files that nobody opened for longest go first. What goes is only compiled again.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            return None
        files = [(path, path.stat()) for path in folder.glob("*.blob")]
    except OSError:
        return None
    files.sort(key=lambda known: max(known[1].st_atime, known[1].st_mtime))
    excess = sum(stat.st_size for _, stat in files) - limit_bytes
    for path, stat in files:
        if excess <= 0:
            break
        try:
            path.unlink()
        except OSError:
            # Another process uses it, or removed it just now.
            continue
        excess -= stat.st_size
    return folder
