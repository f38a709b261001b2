"""The landmark networks that ship with the package, checked when they are loaded."""

import hashlib
import json
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from pixie_runtime.engines import AnyArray, Engine, EngineMaker
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeMaker
from pixie_runtime.errors import BundleError

_FORMAT = 1
NAMES = (
    "pose_detection",
    "pose_landmark_full",
    "palm_detection_full",
    "hand_recrop",
    "hand_landmark_full",
    "face_detection_short_range",
    "face_landmark",
    "iris_landmark",
)
"""The networks that ship, each `NAME.onnx`."""
_PAIRS = ("hand_recrop", "hand_landmark_full", "iris_landmark")
"""Networks that see two hands or eyes at once, or one."""
_BESIDE_OTHERS = (*_PAIRS, "face_detection_short_range", "face_landmark")
"""Networks that run while others do: of two hands and a face each has its own core."""
_INT8 = "int8"
"""What the manifest calls networks that ship in int8 too. Their weights are read out of
the other file: they can only be opened where both lie in a folder."""


@dataclass(frozen=True, slots=True)
class LandmarkModels:
    """One engine for each network of the pipeline.

    Each takes `image`, (n, S, S, 3) uint8 RGB crops. Their outputs are in the units of
    MediaPipe's TFLite models of the same names; see docs/landmarks.md.
    """

    pose_detection: Engine
    pose_landmark_full: Engine
    palm_detection_full: Engine
    hand_recrop: Engine
    hand_landmark_full: Engine
    face_detection_short_range: Engine
    face_landmark: Engine
    iris_landmark: Engine
    concurrent: bool = False
    """Whether the hands' networks may run for both hands at the same time."""

    @classmethod
    def shipped(
        cls,
        *,
        threads: int = 2,
        folder: Traversable | None = None,
        maker: EngineMaker | None = None,
    ) -> "LandmarkModels":
        """Load the package's models.

        Args:
            threads: Cores that may be used.
            folder: Where `manifest.json` and the files are; the package's by default.
            maker: Opens the networks; ONNX Runtime by default.

        Raises:
            BundleError: A file is missing or is not the one in the manifest.
            EngineError: The maker's library or device cannot run a network.
        """
        folder = folder or files("pixie_runtime") / "assets" / "landmarks"
        entries, in_int8 = _manifest(folder)
        maker = maker or OnnxRuntimeMaker()
        engines: dict[str, Engine] = {}
        concurrent, shared = maker.concurrent, max(threads // 2, 1)
        with ExitStack() as opened:
            for name in NAMES:
                model: bytes | Path = _checked_content(folder, name, entries)
                if maker.int8 and name in in_int8 and isinstance(folder, Path):
                    _checked_content(folder, name, in_int8)
                    model = folder / in_int8[name]["file"]
                alone = not (concurrent and name in _BESIDE_OTHERS)
                engines[name] = maker.open(model, threads=threads if alone else shared)
                opened.callback(engines[name].close)
            for name in _PAIRS:
                engines[name].infer(_nothing_to_see(engines[name], 2))
            opened.pop_all()
        return cls(**engines, concurrent=concurrent)

    def close(self) -> None:
        """Free all networks."""
        for name in NAMES:
            engine: Engine = getattr(self, name)
            engine.close()


def _nothing_to_see(engine: Engine, batch: int) -> dict[str, AnyArray]:
    """Return black pictures: engines that prepare every size of a batch do it now."""
    _, *picture = engine.input_shapes["image"]
    return {"image": np.zeros((batch, *map(int, picture)), np.uint8)}


def _manifest(folder: Traversable) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what it says of every network, and of those that ship in int8 too."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        found = manifest["format"]
        entries: dict[str, Any] = manifest["models"]
        in_int8: dict[str, Any] = manifest.get(_INT8, {})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(
            f"{folder} has no readable manifest.json of landmark models: reinstall"
        ) from error
    if found != _FORMAT:
        raise BundleError(
            f"{folder}/manifest.json has format {found}, expected {_FORMAT}"
        )
    return entries, in_int8


def _checked_content(folder: Traversable, name: str, entries: dict[str, Any]) -> bytes:
    if name not in entries:
        raise BundleError(f"{folder}/manifest.json lacks the landmark model {name}")
    file = folder / entries[name]["file"]
    try:
        content: bytes = file.read_bytes()
    except OSError as error:
        raise BundleError(f"cannot read {file}: reinstall the package") from error
    found = hashlib.sha256(content).hexdigest()
    expected = entries[name]["sha256"]
    if found != expected:
        raise BundleError(
            f"{file} has sha256 {found[:12]}..., but the manifest says "
            f"{expected[:12]}...: it was damaged or replaced; reinstall the package"
        )
    return content
