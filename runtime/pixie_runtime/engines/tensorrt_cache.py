"""Where built engines are kept, and which of them fits a network and a machine."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from pixie_runtime.bundle import MANIFEST_NAME
from pixie_runtime.engines.tensorrt_device import Gpu
from pixie_runtime.engines.tensorrt_file import EngineRecord, read_plan, read_record
from pixie_runtime.errors import BundleError, EngineError
from pixie_runtime.user_cache import user_cache

CACHE_SUFFIX = ".engines"


def beside(bundle: Path) -> Path:
    """Return the folder of a bundle's engines: `pixie.engines` beside `pixie`."""
    whole = bundle.resolve()
    return whole.with_name(whole.name + CACHE_SUFFIX)


def user_engines(library: str) -> Path:
    """Return the folder of engines for the networks that ship with the package."""
    return user_cache() / library


def shipped_are_built(cache: Path) -> bool:
    """Whether a cache has engines at all; without those that ship nothing runs."""
    return any(cache.glob("*.engine"))


def is_shipped(model: Path) -> bool:
    """Whether a file or folder is one of the package's own."""
    return model.resolve().is_relative_to(Path(str(files("pixie_runtime"))).resolve())


def model_hash(model: Path | bytes) -> str:
    """Return what identifies a network: the hash of its ONNX file and its weights.

    Weights may lie in files beside the graph, shared with other networks. Which they
    are is read from the graph's bytes: ONNX writes an external file's name as it is
    (`onnx.proto`, TensorProto.external_data). Their hashes come from the bundle's
    manifest, against which they were checked when it was opened.

    Raises:
        BundleError: there is no such file.
    """
    if isinstance(model, bytes):
        return hashlib.sha256(model).hexdigest()
    if not model.is_file():
        raise BundleError(f"no model file {model}: export the bundle again")
    try:
        content = model.read_bytes()
        digest = hashlib.sha256(content)
        known = _manifest_hashes(model.parent)
        for other in sorted(model.parent.iterdir()):
            if other == model or not other.is_file():
                continue
            if other.name.encode() in content:
                digest.update(bytes.fromhex(known.get(other.name) or _hash(other)))
    except (OSError, ValueError) as error:
        raise BundleError(
            f"cannot read the network {model}: {error}; export the bundle again"
        ) from error
    return digest.hexdigest()


def _manifest_hashes(folder: Path) -> dict[str, str]:
    path = folder / MANIFEST_NAME
    if not path.is_file():
        return {}
    try:
        hashes = json.loads(path.read_text("utf-8"))["sha256"]
        return {str(name): str(found) for name, found in hashes.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Wanted:
    """The engine that a machine can run."""

    library: str
    version: str
    title: str
    """Library and version for people."""
    gpu: Gpu

    def misfit(self, record: EngineRecord) -> str | None:
        """Return why an engine does not run here, or None if it does."""
        if record.version != self.version:
            return f"was built with version {record.version}, this is {self.title}"
        if self.gpu.target not in record.targets:
            built = ", ".join(record.targets).upper()
            return f"was built for {built}, this GPU is {self.gpu}"
        if record.gpu and record.gpu != self.gpu.name:
            return f"was built on {record.gpu}, this GPU is {self.gpu}"
        if record.driver and record.driver != self.gpu.driver:
            return (
                f"was built with a driver for CUDA {record.driver}, this one is for "
                f"CUDA {self.gpu.driver}"
            )
        return None


def find_plan(
    model: Path | bytes, wanted: Wanted, cache: Path, *, first: Path | None = None
) -> bytes:
    """Return the plan of the engine that fits.

    Args:
        model: the network's ONNX file, or its content.
        wanted: what this machine can run.
        cache: where to look besides the folder beside the bundle.
        first: where to look before both.

    Raises:
        BundleError: there is no such file.
        EngineError: no engine of the network, none that fits, or a damaged one; with
            the command that builds it.
    """
    identity = model_hash(model)
    folders = [*([first] if first else []), cache]
    if not isinstance(model, bytes):
        folders.insert(-1, beside(model.parent))
    command = _command(model, wanted)
    reasons = []
    for path, record in _engines(folders, identity):
        if record.model_sha256 != identity or record.library != wanted.library:
            continue
        reason = wanted.misfit(record)
        if reason is None:
            return read_plan(path, command)
        reasons.append(f"{path.name} {reason}")
    shown = "a landmark model" if isinstance(model, bytes) else str(model)
    why = reasons[0] if reasons else "none was built from this file"
    raise EngineError(f"no {wanted.title} engine for {shown} fits: {why}; {command}")


def _engines(
    folders: Sequence[Path], identity: str
) -> Iterator[tuple[Path, EngineRecord]]:
    for folder in folders:
        for path in sorted(folder.glob(f"*_{identity[:16]}_*.engine")):
            record = read_record(path)
            if record is not None:
                yield path, record


def _command(model: Path | bytes, wanted: Wanted) -> str:
    target = f" --for {wanted.gpu.target}" if wanted.library == "tensorrt-rtx" else ""
    shipped = isinstance(model, bytes) or is_shipped(model)
    what = "--shipped" if shipped or isinstance(model, bytes) else str(model.parent)
    return f"build it with: pixie-export {wanted.library} {what}{target}"
