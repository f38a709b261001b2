"""`python tools/record_networks.py WHEEL`: what the TFLite interpreter answers.

Run in an environment of its own with numpy and ai-edge-litert. Writes to
`tests/golden/landmark_networks.npz` some values of every output of every model in
`tools/convert_landmarks/models.py`, for a picture made of waves: `MODEL/OUTPUT`.
"""

import importlib
import importlib.util
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

_ROOT = Path(__file__).parents[1]
STEP = 7
"""Of the values of an output one in so many is kept."""


def waves(side: int) -> npt.NDArray[np.uint8]:
    """Return a picture (1, side, side, 3) that has edges in every direction."""
    y, x = np.mgrid[0:side, 0:side] / side
    channels = [
        np.sin(2 * np.pi * (a * x + b * y) * (1 + x * y)) > 0.3
        for a, b in ((3, 1), (-2, 4), (1, -5))
    ]
    shaded = np.stack(channels, axis=-1) * 160 + (x + y)[..., None] * 40
    return np.asarray(shaded.astype(np.uint8)[None])


def _models() -> ModuleType:
    """Load the list of models alone: its package imports onnx and tflite."""
    path = _ROOT / "tools/convert_landmarks/models.py"
    spec = importlib.util.spec_from_file_location("landmark_models", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def main(wheel: Path) -> None:
    """Run every model and write what it answered."""
    litert: Any = importlib.import_module("ai_edge_litert.interpreter")
    arrays: dict[str, Any] = {}
    with zipfile.ZipFile(wheel) as archive:
        models = _models()
        for model in models.MODELS:
            asked = list(model.outputs)
            if model.name == models.OUTLINE_OF:
                asked.append(models.OUTLINE)
            interpreter = litert.Interpreter(model_content=archive.read(model.source))
            interpreter.allocate_tensors()
            (source,) = interpreter.get_input_details()
            low, high = model.pixel_range
            picture = waves(int(source["shape"][1])).astype(np.float32)
            picture = picture * np.float32((high - low) / 255) + np.float32(low)
            interpreter.set_tensor(source["index"], picture)
            interpreter.invoke()
            for details in interpreter.get_output_details():
                for output in asked:
                    if output.source == details["name"]:
                        value = interpreter.get_tensor(details["index"])
                        if output.channels_first:
                            value = value.transpose(0, 3, 1, 2)
                        kept = value.ravel()[::STEP]
                        arrays[f"{model.name}/{output.name}"] = kept
            print(model.name)
    np.savez_compressed(_ROOT / "tests/golden/landmark_networks.npz", **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
