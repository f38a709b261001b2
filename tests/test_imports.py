"""The direction of dependencies: the runtime is light and knows nothing of training."""

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import pixie_runtime

HEAVY = ["torch", "onnx", "pixie_train", "pixie_export", "matplotlib", "scipy"]
OPTIONAL = {
    "pixie_runtime.compiled_resampling",
    "pixie_runtime.landmarks.mediapipe",
    "pixie_runtime.numba_code",
    "pixie_runtime.rendering.compiled_rasteriser",
    "pixie_runtime.skinning.numba_kernels",
    "pixie_runtime.skinning.numba_skinner",
    "pixie_runtime.skinning.skin_tiles",
    "pixie_runtime.takes.usd",
    "pixie_runtime.takes.usd_stage",
}
"""Modules whose purpose is an optional package."""

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(pixie_runtime.__path__, "pixie_runtime.")
    if module.name not in OPTIONAL
)

PROBE = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps([name for name in json.loads(sys.argv[2]) if name in sys.modules]))
"""


def heavy_after_importing(modules: list[str]) -> list[str]:
    """Import `modules` in a fresh interpreter; return which heavy ones came along."""
    folders = [str(Path(path).parent) for path in pixie_runtime.__path__]
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(modules), json.dumps(HEAVY)],
        env={"PYTHONPATH": ":".join(folders)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    heavy: list[str] = json.loads(done.stdout)
    return heavy


def test_the_runtime_has_modules_to_look_at() -> None:
    assert {"pixie_runtime.cli", "pixie_runtime.sinks.osc"} <= set(MODULES)


def test_no_module_of_the_runtime_imports_training_or_export() -> None:
    assert heavy_after_importing(MODULES) == []


@pytest.mark.parametrize("name", HEAVY)
def test_no_module_of_the_runtime_names_a_heavy_package(name: str) -> None:
    root = Path(pixie_runtime.__file__).parent
    guilty = [
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith((f"import {name}", f"from {name} ", f"from {name}."))
        and not line.strip().startswith(f"import {name}runtime")
    ]
    assert guilty == []


def test_asking_for_help_loads_neither_numpy_nor_video_nor_engine() -> None:
    probe = (
        "import sys, pixie_runtime.cli\n"
        "print(*[m for m in ('numpy', 'cv2', 'av', 'onnxruntime') if m in sys.modules])"
    )
    folders = [str(Path(path).parent) for path in pixie_runtime.__path__]
    done = subprocess.run(
        [sys.executable, "-c", probe],
        env={"PYTHONPATH": ":".join(folders)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""
