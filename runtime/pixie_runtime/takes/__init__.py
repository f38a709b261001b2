"""Takes: recorded motion, one person's at a time, and the files that hold it."""

from pixie_runtime.takes.loading import load_take
from pixie_runtime.takes.take import Take

__all__ = ["Take", "load_take"]
