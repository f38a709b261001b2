"""NVIDIA's real Python bindings, without the libraries that they bind.

The libraries are not on PyPI, but the bindings are: a wheel of 1.3 MB, whose shared
object asks for nine functions when it is loaded. Three stubs have them, and then every
class and enumeration can be looked at.
"""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

_PACKAGE = "tensorrt-cu13-bindings"
_LIBRARIES = ("nvinfer", "nvinfer_plugin", "nvonnxparser")
_FACTORIES = (
    "createInferBuilder_INTERNAL",
    "createInferRefitter_INTERNAL",
    "createInferRuntime_INTERNAL",
    "createNvOnnxParserRefitter_INTERNAL",
    "createNvOnnxParser_INTERNAL",
    "getBuilderPluginRegistry",
    "getNvOnnxParserVersion",
    "getPluginRegistry",
    "initLibNvInferPlugins",
)


def bindings(version: str, folder: Path) -> Path:
    """Return a folder to import `tensorrt` of a version from; skip if it cannot be had.

    Args:
        version: as on PyPI.
        folder: where it is kept between runs.
    """
    unpacked = folder / version
    if not (unpacked / "tensorrt.py").is_file():
        wheel = _download(version, folder)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)
        # As NVIDIA's own package `tensorrt` does.
        (unpacked / "tensorrt.py").write_text(
            "from tensorrt_bindings import *\n"
            "from tensorrt_bindings import __version__\n"
        )
    return unpacked


def _download(version: str, folder: Path) -> Path:
    # An environment may have no pip; the interpreter that it is made of has.
    python = Path(sys.base_prefix) / "bin" / "python3"
    wanted = f"{_PACKAGE}=={version}"
    options = ["-q", "--no-deps", "--only-binary=:all:", "-d", str(folder)]
    options += [f"--python-version={sys.version_info[0]}.{sys.version_info[1]}"]
    done = subprocess.run(
        [python, "-m", "pip", "download", *options, wanted],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    found = sorted(folder.glob(f"*bindings-{version}-*.whl"))
    if done.returncode or not found:
        pytest.skip(f"{wanted} cannot be downloaded: {done.stderr.strip()[-200:]}")
    return found[0]


def stubs(version: str, folder: Path) -> Path:
    """Return a folder of libraries that do nothing; skip if there is no compiler."""
    major = version.split(".")[0]
    target = folder / f"stubs-{major}"
    target.mkdir(parents=True, exist_ok=True)
    source = target / "stubs.c"
    source.write_text(
        "".join(f"void *{name}(void) {{ return 0; }}\n" for name in _FACTORIES)
    )
    for name in _LIBRARIES:
        file = f"lib{name}.so.{major}"
        if (target / file).is_file():
            continue
        command = ["cc", "-shared", "-fPIC", f"-Wl,-soname,{file}", "-o"]
        try:
            subprocess.run([*command, target / file, source], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no C compiler: {error}")
    return target


def run(code: str, path: Path | None, libraries: Path | None = None) -> str:
    """Run code in a fresh interpreter and return what it prints."""
    folders = [*([str(path)] if path else []), *sys.path]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(folders),
            "LD_LIBRARY_PATH": str(libraries or ""),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
