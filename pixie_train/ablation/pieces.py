"""Files that an ablation is made of: each is there when it is whole, and then kept."""

from pathlib import Path
from typing import Any

import torch

from pixie_runtime.errors import SinkError, SourceError
from pixie_runtime.sinks.whole_file import written_whole


def write_piece(path: Path, content: dict[str, Any]) -> None:
    """Write tensors and plain values to a file that appears when it is whole.

    Raises:
        SinkError: there is no room, or no right to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as file:
            torch.save(content, file)
    # A full disk is an error of the file or a RuntimeError of torch's writer.
    except (OSError, RuntimeError, SinkError) as error:
        raise SinkError(
            f"cannot write {path} ({error}); make room there or choose another --out, "
            "then the same command goes on"
        ) from error


def read_piece(path: Path) -> dict[str, Any]:
    """Read such a file; tensors and plain values only, never code.

    Raises:
        SourceError: it is damaged.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise SourceError(
            f"{path} cannot be read ({type(error).__name__}); delete it, and the same "
            "command makes it again"
        ) from error
    if not isinstance(content, dict):
        raise SourceError(
            f"{path} holds a {type(content).__name__}, not a piece of an ablation; "
            "delete it, and the same command makes it again"
        )
    return content
