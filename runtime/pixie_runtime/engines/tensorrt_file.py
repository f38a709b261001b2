"""One built engine in one file: what it was built from and for, then the plan.

    pixie-engine-1
    {"library": "tensorrt", ...}
    the plan's bytes

Engines hold code that runs on the GPU: the cache is the user's own, never handed out,
and what does not match its hash is not given to the library.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from pixie_runtime.engines.whole_files import write_whole
from pixie_runtime.errors import EngineError

_MAGIC = b"pixie-engine-1\n"
_MAX_HEADER = 10_000


@dataclass(frozen=True, slots=True)
class EngineRecord:
    """What an engine was built from, with and for."""

    network: str
    """The network's name: its file's without suffix."""
    model_sha256: str
    """Of the ONNX file and the weights it refers to; see `model_hash`."""
    library: str
    """`tensorrt` or `tensorrt-rtx`."""
    version: str
    """Of the library; another one refuses the engine or may misread it."""
    targets: tuple[str, ...]
    """Compute capabilities, `sm89`; several only for TensorRT-RTX."""
    gpu: str = ""
    """The GPU's name; empty: any of the targets."""
    driver: str = ""
    """What the driver knew of CUDA when it was built; empty: any."""

    @property
    def file_name(self) -> str:
        """A name that tells engines apart."""
        kind = "".join(c if c.isalnum() else "-" for c in self.gpu) or "any"
        parts = (
            self.network,
            self.model_sha256[:16],
            f"{self.library}-{self.version}",
            "+".join(self.targets),
            *((kind, f"cuda{self.driver}") if self.gpu else ()),
        )
        return "_".join(parts) + ".engine"

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read back what `asdict` gave; raises KeyError or TypeError."""
        return cls(**{**values, "targets": tuple(values["targets"])})


def write_engine(folder: Path, record: EngineRecord, plan: bytes) -> Path:
    """Write an engine; it appears whole or not at all.

    Raises:
        EngineError: the folder cannot be written.
    """
    path = folder / record.file_name
    header = asdict(record) | {"plan_sha256": hashlib.sha256(plan).hexdigest()}
    try:
        write_whole(path, _MAGIC + json.dumps(header).encode() + b"\n", plan)
    except OSError as error:
        raise EngineError(
            f"cannot write the engine {path}: {error.strerror or error}; give another "
            "folder with --out, on a disk with room, and pixie-live the same with "
            "--engines"
        ) from error
    return path


def read_record(path: Path) -> EngineRecord | None:
    """Return what an engine was built for, or None if that cannot be read."""
    try:
        with path.open("rb") as file:
            return _header(file.read(len(_MAGIC)), file.readline(_MAX_HEADER))[0]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_plan(path: Path, command: str) -> bytes:
    """Return the plan of an engine, unless it is damaged.

    Args:
        path: an engine's file.
        command: what builds it again, for the error's sentence.

    Raises:
        EngineError: it is.
    """
    try:
        with path.open("rb") as file:
            _, expected = _header(file.read(len(_MAGIC)), file.readline(_MAX_HEADER))
            plan = file.read()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EngineError(f"cannot read the engine {path}: {error}; {command}") from (
            error
        )
    found = hashlib.sha256(plan).hexdigest()
    if found != expected:
        raise EngineError(
            f"the engine {path} is damaged: sha256 {found[:12]}..., expected "
            f"{expected[:12]}...; {command}"
        )
    return plan


def _header(magic: bytes, line: bytes) -> tuple[EngineRecord, str]:
    if magic != _MAGIC:
        raise ValueError("it is no engine of pixie-live")
    values = json.loads(line)
    expected = str(values.pop("plan_sha256"))
    return EngineRecord.from_json(values), expected
