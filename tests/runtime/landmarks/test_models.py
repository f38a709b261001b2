import json
import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeMaker
from pixie_runtime.errors import BundleError
from pixie_runtime.landmarks.models import LandmarkModels


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The shipped models in a folder that may be spoiled."""
    source = files("pixie_runtime") / "assets" / "landmarks"
    folder = tmp_path / "landmarks"
    folder.mkdir()
    for item in source.iterdir():
        if item.name.endswith((".onnx", ".json")):
            shutil.copyfile(str(item), folder / item.name)
    return folder


def test_tampered_model_is_refused(copied: Path) -> None:
    file = copied / "pose_detection.onnx"
    content = bytearray(file.read_bytes())
    content[1000] ^= 1
    file.write_bytes(content)
    with pytest.raises(
        BundleError, match=r"pose_detection\.onnx has sha256 .* damaged"
    ):
        LandmarkModels.shipped(folder=copied)


def test_missing_model_is_named(copied: Path) -> None:
    (copied / "pose_detection.onnx").unlink()
    with pytest.raises(BundleError, match=r"cannot read .*pose_detection\.onnx"):
        LandmarkModels.shipped(folder=copied)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1}'])
def test_manifest_that_is_none_is_refused(copied: Path, text: str) -> None:
    (copied / "manifest.json").write_text(text)
    with pytest.raises(BundleError, match=r"no readable manifest\.json"):
        LandmarkModels.shipped(folder=copied)


def test_manifest_of_another_format_is_refused(copied: Path) -> None:
    manifest = json.loads((copied / "manifest.json").read_text())
    (copied / "manifest.json").write_text(json.dumps({**manifest, "format": 2}))
    with pytest.raises(BundleError, match="has format 2, expected 1"):
        LandmarkModels.shipped(folder=copied)


def test_manifest_without_a_model_is_refused(copied: Path) -> None:
    manifest = json.loads((copied / "manifest.json").read_text())
    del manifest["models"]["pose_detection"]
    (copied / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="lacks the landmark model pose_detection"):
        LandmarkModels.shipped(folder=copied)


def test_a_tampered_network_in_int8_is_refused_where_it_would_be_used(
    copied: Path,
) -> None:
    (copied / "hand_landmark_int8.onnx").write_bytes(b"not it")
    with pytest.raises(
        BundleError, match=r"hand_landmark_int8\.onnx has sha256 .* damaged"
    ):
        LandmarkModels.shipped(folder=copied, maker=OnnxRuntimeMaker(int8=True))
