"""From takes to the files of other programs."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from pixie_runtime.body import BodyModel
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

NEED_BODY: tuple[Target, ...] = ("glb", "usd")
"""Files with the body itself in them, not only its bones."""
_AS_RECORDED: tuple[Target, ...] = ("csv",)
"""Tables have a column for time: nothing has to be made up between frames."""


def write_as(
    take: Take,
    target: Target,
    path: Path | str,
    *,
    fps: float | None = None,
    model: BodyModel | None = None,
    mesh: bool = True,
) -> Take:
    """Write a take as another program's file.

    Args:
        take: What to write.
        target: Which program's.
        path: Where; an existing file is replaced when the new one is whole.
        fps: Frames per second; None for 30 or 60, whichever is nearer to what was
            recorded, and for tables the frames as they were recorded.
        model: The body model that the take was recorded with; None for the embedded
            one.
        mesh: Whether files that need the body get it; False for its bones alone.

    Returns:
        What was written, frame by frame.

    Raises:
        ModelFileError: the take was recorded with another body model.
        SinkError: it cannot be written.
        MissingExtraError: it takes packages that are not installed.
    """
    write = writer_of(target, model, mesh=mesh)
    if fps is not None:
        take = resampled(take, fps)
    elif target not in _AS_RECORDED:
        take = resampled(take, usual_rate(take))
    write(take, path)
    return take


def writer_of(
    target: Target, model: BodyModel | None = None, *, mesh: bool = True
) -> Callable[[Take, Path | str], None]:
    """Return what writes such files.

    Raises:
        MissingExtraError: it takes packages that are not installed.
    """
    # Imported one by one: a recording that is converted to none of them waits for none.
    if target == "npz":
        from pixie_runtime.takes.npz import write_npz

        return write_npz
    if target == "bvh":
        from pixie_runtime.takes.bvh import write_bvh

        return write_bvh
    if target == "csv":
        from pixie_runtime.takes.csv import write_csv

        return write_csv
    if target == "glb":
        from pixie_runtime.takes.glb import write_glb

        return partial(write_glb, model=model, mesh=mesh)
    from pixie_runtime.takes.usd import write_usd

    return partial(write_usd, model=model, mesh=mesh)
