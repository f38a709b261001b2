"""Where what can be computed again is kept between runs."""

import os
import sys
from pathlib import Path

_NAME = "pixie-live"


def user_cache() -> Path:
    """Return this program's folder in the user's cache; it may not exist yet.

    `XDG_CACHE_HOME` (freedesktop.org's base directory specification) counts on every
    system; without it the folder is where each system keeps caches.
    """
    named = os.environ.get("XDG_CACHE_HOME", "")
    if named and Path(named).is_absolute():
        return Path(named) / _NAME
    if sys.platform == "win32" and "LOCALAPPDATA" in os.environ:
        return Path(os.environ["LOCALAPPDATA"]) / _NAME / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / _NAME
    return Path.home() / ".cache" / _NAME
