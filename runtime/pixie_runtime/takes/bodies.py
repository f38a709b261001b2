"""Which body model goes with a recording."""

from pathlib import Path

from pixie_runtime.body import BodyModel, embedded_body_model, load_body_model
from pixie_runtime.errors import ModelFileError
from pixie_runtime.takes.recording import Recording


def body_of(recording: Recording, path: Path | None = None) -> BodyModel:
    """Return the body model that a recording was made with.

    Args:
        recording: One that says nothing of it (an `.npz`) is believed to fit.
        path: The model's file; None for the embedded one.

    Raises:
        ModelFileError: the recording was made with another one, or the file cannot be
            read.
    """
    model = embedded_body_model() if path is None else load_body_model(path)
    info = recording.info
    if info.body_model_sha256 and info.body_model_sha256 != model.sha256:
        advice = "give its file with --body-model" if path is None else "give that one"
        raise ModelFileError(
            f"{recording.path} was recorded with the body model {info.body_model} "
            f"(SHA-256 {info.body_model_sha256[:12]}...), not with "
            f"{path or 'the one that ships'} ({model.sha256[:12]}...): {advice}"
        )
    return model
