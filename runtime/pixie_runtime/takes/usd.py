"""Takes as USD: a skinned, animated body of UsdSkel.

Importing this raises MissingExtraError where usd-core is not installed.
"""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.errors import MissingExtraError
from pixie_runtime.sinks.whole_file import written_whole
from pixie_runtime.takes.skin import CORRECTIVES, Skin
from pixie_runtime.takes.take import Take

try:
    from pixie_runtime.takes.usd_stage import export, stage_of
except ModuleNotFoundError as error:
    if error.name != "pxr":
        raise
    raise MissingExtraError("USD", "usd") from error

_INFLUENCES = 8
"""Joints per vertex: USD has no limit, and the embedded body needs seven."""


def write_usd(
    take: Take,
    path: Path | str,
    *,
    model: BodyModel | None = None,
    mesh: bool = True,
    correctives: int = CORRECTIVES,
) -> None:
    """Write a take as USD; an existing file is replaced when the new one is whole.

    The stage is y-up and in metres, its axes are the take's world; a time code is a
    frame. Names ending in `.usda` give text, all others the binary form.

    Args:
        take: Its frames are written as they come, at `take.mocap_frame_rate`.
        path: Where to write.
        model: The body model that the take was recorded with; None for the embedded
            one. Its mesh becomes part of the file, in the take's one shape: with a
            licensed model the file may not be passed on.
        mesh: False for the bones alone, which are the take's own; `model` is not used.
        correctives: Blend shapes to say pose correctives with; 0 for none.

    Raises:
        ModelFileError: the take was recorded with another body model.
        SinkError: it cannot be written, for example because the disk is full.
    """
    skin = None
    if mesh:
        model = embedded_body_model() if model is None else model
        skin = Skin.of(take, model, influences=_INFLUENCES, correctives=correctives)
    stage = stage_of(take, skin)
    path = Path(path)
    # USD writes files by their names only. Beside `path`: where there is room for both.
    with written_whole(path) as file, TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / ("take.usda" if path.suffix == ".usda" else "take.usdc")
        export(stage, made)
        with made.open("rb") as whole:
            shutil.copyfileobj(whole, file)
