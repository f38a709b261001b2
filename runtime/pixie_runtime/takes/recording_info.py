"""What a recording says about itself: text by name, as containers keep it."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from pixie_runtime import __version__
from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JOINT_NAMES, PARENTS
from pixie_runtime.types import Camera

FORMAT_VERSION = 1

_FIELDS = ("program", "created", "source", "body_model", "body_model_sha256")


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """What is known when a recording begins; an empty text is not known."""

    body_model: str = ""
    """Name of the body model that the parameters are for."""
    body_model_sha256: str = ""
    """Of its file, in hexadecimal."""
    source: str = ""
    """Where the pictures came from."""
    setup: Mapping[str, str] = field(default_factory=dict)
    """What ran, by name and in words: engine, bundle, ..."""
    created: str = ""
    """Date and time at which it began, ISO 8601 with the offset from UTC."""
    unix_time_at_zero_s: float = 0.0
    """Unix time at zero of the monotonic clock of `t_capture_s` and `t_send_s`."""
    program: str = f"pixie-live {__version__}"
    """What wrote it, and its version."""

    @classmethod
    def of(cls, model: BodyModel, *, source: str, setup: Mapping[str, str]) -> Self:
        """Return what to say of a recording that begins now."""
        return cls(
            body_model=model.name,
            body_model_sha256=model.sha256,
            source=source,
            setup=setup,
            created=datetime.now().astimezone().isoformat(timespec="seconds"),
            unix_time_at_zero_s=time.time() - time.monotonic(),
        )

    def to_metadata(self) -> dict[str, str]:
        """Return it as text, with the contract that readers of the file need."""
        return {
            "format_version": str(FORMAT_VERSION),
            **{name: getattr(self, name) for name in _FIELDS},
            "setup": json.dumps(dict(self.setup)),
            "unix_time_at_zero_s": repr(self.unix_time_at_zero_s),
            "joint_names": json.dumps(JOINT_NAMES),
            "parents": json.dumps(PARENTS),
            "axes": "camera: x right, y down, z forward; body: x to the person's left, "
            "y up, z out of the chest; both right-handed; metres, seconds, wxyz",
        }

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Self:
        """Read it back.

        Raises:
            ValueError: it is not as `to_metadata` makes it.
        """
        setup = json.loads(metadata.get("setup", "{}"))
        if not isinstance(setup, dict):
            raise ValueError(f"setup is {setup!r}, no object")
        return cls(
            **{name: metadata.get(name, "") for name in _FIELDS},
            setup={str(name): str(value) for name, value in setup.items()},
            unix_time_at_zero_s=float(metadata.get("unix_time_at_zero_s", "0")),
        )


def version_of(metadata: Mapping[str, str]) -> int:
    """Return the format's version that metadata name; 0 where that is no number."""
    text = metadata.get("format_version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0


def camera_to_metadata(camera: Camera) -> dict[str, str]:
    """Return a camera as text."""
    return {
        "focal_px": repr(camera.focal_px),
        "centre_px": json.dumps(camera.centre_px),
        "size_px": json.dumps(camera.size_px),
    }


def camera_from_metadata(metadata: Mapping[str, str]) -> Camera:
    """Read a camera back.

    Raises:
        ValueError: it is none.
    """

    def pair(name: str) -> tuple[Any, Any]:
        first, second = json.loads(metadata[name])
        return first, second

    try:
        x, y = pair("centre_px")
        width, height = pair("size_px")
        focal = float(metadata["focal_px"])
        return Camera(focal, (float(x), float(y)), (int(width), int(height)))
    except (KeyError, TypeError) as error:
        raise ValueError(f"no camera: {error}") from error
