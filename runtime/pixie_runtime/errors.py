"""What can go wrong for a user, each with one clear sentence and an exit code.

    PixieError            1   anything below
      UsageError          2   options that do not fit together
      SourceError         3   camera, video or pictures
      ModelFileError      4   a body model file
      BundleError         5   a bundle: missing, tampered with, made for another body
      SinkError           6   a port in use, a full disk, an unwritable file
      MissingExtraError   7   a part of the package that was not installed
      EngineError         8   what runs networks: no GPU, a driver, an operator
      CalibrationError    9   too little was seen of a person to calibrate

The sentence says what was wrong, what was found, what was expected and what to do.
A command prints it and leaves with `exit_code`; a stack trace means a bug of ours.
"""


class PixieError(Exception):
    """Root of every error that a user can cause and mend."""

    exit_code = 1


class UsageError(PixieError):
    """Options that contradict one another or make no sense."""

    exit_code = 2


class SourceError(PixieError):
    """A camera, video or picture that cannot be opened or read."""

    exit_code = 3


class ModelFileError(PixieError):
    """A body model file that is missing, damaged or of another kind."""

    exit_code = 4


class BundleError(PixieError):
    """A bundle that is missing, tampered with, or does not fit its body model."""

    exit_code = 5


class SinkError(PixieError):
    """An output that cannot be opened or written."""

    exit_code = 6


class MissingExtraError(PixieError):
    """A feature whose optional packages are not installed.

    Its command names the package, not the clone it came from: pip takes the one that is
    installed already and adds what the extra needs, whatever folder it runs in.
    """

    exit_code = 7

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs packages that are not installed: "
            f'pip install "pixie-live[{extra}]"'
        )


class EngineError(PixieError):
    """An engine that cannot run here, or a network that it cannot run."""

    exit_code = 8


class CalibrationError(PixieError):
    """A calibration for which too little was seen of the person."""

    exit_code = 9
