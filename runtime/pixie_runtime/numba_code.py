"""Inner loops compiled for this processor by numba, and kept in the user's cache.

Imported only where something is compiled: numba takes a fifth of a second to import,
and the first use ever of a loop compiles for some seconds.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

_LOG = logging.getLogger(__name__)

T = TypeVar("T")
_CONFIG: Any = numba.config
_SETTINGS = threading.Lock()
"""Held while numba's settings, of which a process has one set, are those of a loop."""
_FASTMATH = {"contract", "nsz", "reassoc"}
"""Let products and sums fuse and change their order. What is not finite stays so."""


def compiled(
    function: Callable[..., None], cache_dir: Path | None, **options: Any
) -> Any:
    """Return a loop that compiles at its first use or is read from `cache_dir`.

    It lets go of Python's lock while it runs.

    Args:
        function: the loop.
        cache_dir: folder for machine code; None, or one that cannot be written to,
            compiles again in every process.
        options: of `numba.njit`, besides how numbers may be rounded.
    """
    options = {"nogil": True, "error_model": "numpy", "fastmath": _FASTMATH, **options}
    if cache_dir is not None:
        with _SETTINGS:
            before = _CONFIG.CACHE_DIR
            _CONFIG.CACHE_DIR = str(cache_dir)
            try:
                return numba.njit(cache=True, **options)(function)
            except (OSError, RuntimeError):  # numba's word for an unwritable folder
                pass
            finally:
                _CONFIG.CACHE_DIR = before
    return numba.njit(**options)(function)


def despite_damage(make: Callable[[Path | None], T], cache_dir: Path | None) -> T:
    """Return what `make` makes with a folder of compiled code, or else without one."""
    try:
        return make(cache_dir)
    except Exception as error:
        if cache_dir is None:
            raise
        # numba reads its cache by unpickling: damage may raise anything.
        _LOG.warning("cannot use the compiled code in %s: %s", cache_dir, error)
        return make(None)
