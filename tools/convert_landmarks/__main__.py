"""`python -m tools.convert_landmarks WHEEL`: makes the shipped landmark models.

WHEEL is mediapipe 0.10.21 for any system, the last one with its models inside:
`pip download --no-deps mediapipe==0.10.21`.
"""

import argparse
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import onnx

from tools.convert_landmarks.convert import convert, convert_branch
from tools.convert_landmarks.models import MODELS, OUTLINE, OUTLINE_OF, LandmarkModel

_ROOT = Path(__file__).parents[2]
_SHIPPED = _ROOT / "runtime/pixie_runtime/assets/landmarks"
_OUTLINE = _ROOT / "pixie_train/ablation/pose_outline.onnx"
_DISTRIBUTION = "mediapipe 0.10.21"
_LICENCE = "Apache-2.0"


def main(arguments: list[str] | None = None) -> None:
    """Convert every model of the wheel and write the manifest beside them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path, help="the mediapipe 0.10.21 wheel")
    parser.add_argument("--output", type=Path, default=_SHIPPED, help="folder")
    parser.add_argument(
        "--outline",
        type=Path,
        default=_OUTLINE,
        help="file for what the body's network lacks to see outlines, too",
    )
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    entries = {}
    with zipfile.ZipFile(options.wheel) as wheel:
        for model in MODELS:
            data = wheel.read(model.source)
            content = convert(model, data).SerializeToString(deterministic=True)
            (options.output / f"{model.name}.onnx").write_bytes(content)
            entries[model.name] = _entry(model, data, content)
            print(f"{model.name:28} {len(content) / 1e6:6.2f} MB")
            if model.name == OUTLINE_OF:
                branch = convert_branch(model, data, OUTLINE)
                options.outline.write_bytes(
                    branch.SerializeToString(deterministic=True)
                )
    manifest = {
        "format": 1,
        "distribution": _DISTRIBUTION,
        "licence": _LICENCE,
        "models": entries,
    }
    text = json.dumps(manifest, indent=2) + "\n"
    (options.output / "manifest.json").write_text(text, encoding="utf-8")


def _entry(model: LandmarkModel, data: bytes, content: bytes) -> dict[str, Any]:
    graph = onnx.load_from_string(content).graph
    return {
        "file": f"{model.name}.onnx",
        "sha256": hashlib.sha256(content).hexdigest(),
        "source": model.source,
        "source_sha256": hashlib.sha256(data).hexdigest(),
        "inputs": {value.name: _shape(value) for value in graph.input},
        "outputs": {value.name: _shape(value) for value in graph.output},
    }


def _shape(value: onnx.ValueInfoProto) -> list[int | str]:
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


if __name__ == "__main__":
    main()
