"""From recordings to the files of other programs."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Literal, get_args

from pixie_runtime.errors import UsageError
from pixie_runtime.takes.resampling import resampled, usual_rate
from pixie_runtime.takes.take import Take

Target = Literal["npz", "bvh", "glb", "usd", "csv"]
TARGETS: tuple[Target, ...] = get_args(Target)
SUFFIXES: Mapping[str, Target] = {
    **{f".{target}": target for target in TARGETS},
    ".usda": "usd",
    ".usdc": "usd",
}
"""What a file's name asks for."""

_AS_RECORDED: tuple[Target, ...] = ("csv",)
"""Tables have a column for time: nothing has to be made up between frames."""


def write_as(
    take: Take, target: Target, path: Path, *, fps: float | None = None
) -> Take:
    """Write a take as another program's file.

    Args:
        take: What to write.
        target: Which program's.
        path: Where; an existing file is replaced when the new one is whole.
        fps: Frames per second; None for 30 or 60, whichever is nearer to what was
            recorded, and for tables the frames as they were recorded.

    Returns:
        What was written, frame by frame.

    Raises:
        SinkError: it cannot be written.
        UsageError: this version does not write such files.
        MissingExtraError: it takes packages that are not installed.
    """
    write = writer_of(target)
    if fps is not None:
        take = resampled(take, fps)
    elif target not in _AS_RECORDED:
        take = resampled(take, usual_rate(take))
    write(take, path)
    return take


def writer_of(target: Target) -> Callable[[Take, Path], None]:
    """Return what writes such files.

    Raises:
        UsageError: this version writes none.
        MissingExtraError: it takes packages that are not installed.
    """
    module = f"pixie_runtime.takes.{target}"
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise UsageError(
            f"this version of pixie-live does not write {target}"
        ) from None
    writer: Callable[[Take, Path], None] = getattr(found, f"write_{target}")
    return writer
