"""What would spoil a run at its end, looked at before anything is measured."""

from pathlib import Path

from pixie_bench.settings import Settings
from pixie_runtime.assembly import open_source
from pixie_runtime.body import load_body_model
from pixie_runtime.errors import SinkError
from pixie_runtime.options import Options


def require_readable(settings: Settings) -> None:
    """Open the user's own files once.

    Raises:
        SourceError: the clip cannot be read.
        ModelFileError: the body model cannot be used.
    """
    if settings.video is not None:
        open_source(Options(video=settings.video)).close()
    if settings.body_model is not None:
        load_body_model(settings.body_model)


def require_writable(*paths: Path | None) -> None:
    """Try every file; what is there stays as it is, and nothing is left behind.

    Raises:
        SinkError: one cannot be written.
    """
    for path in paths:
        if path is None:
            continue
        was_there = path.exists()
        try:
            path.open("ab").close()
            if not was_there:
                path.unlink()
        except OSError as error:
            raise SinkError(
                f"cannot write {path}: {error.strerror}; name a file in a folder that "
                "is there"
            ) from error
