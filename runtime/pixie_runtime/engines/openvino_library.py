"""OpenVINO as a library: imported without its telemetry, its messages made short."""

import sys
from functools import cache
from importlib import import_module, metadata
from io import BytesIO
from pathlib import Path
from typing import Any

from pixie_runtime.engines.faults import failure, lacks_memory
from pixie_runtime.errors import BundleError, EngineError, MissingExtraError

_TELEMETRY = "openvino_telemetry"


def version() -> str:
    """Return OpenVINO's version, `2026.4.1`, without importing it.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return metadata.version("openvino")
    except metadata.PackageNotFoundError:
        raise MissingExtraError("--engine openvino", "openvino") from None


@cache
def openvino() -> Any:
    """Return the imported package.

    Where the package openvino_telemetry is installed, as it is with OpenVINO, parts of
    OpenVINO use it to report their use over the network, with an id written to the
    user's home. Marking it as absent (`None` in `sys.modules`, see Python's import
    system) before the import keeps both from happening, in this process.

    Raises:
        MissingExtraError: it is not installed.
        EngineError: it is, but cannot be loaded.
    """
    version()
    sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type]
    try:
        return import_module("openvino")
    except (ImportError, OSError) as error:
        raise EngineError(
            f"OpenVINO is installed but cannot be loaded ({error}); install it again "
            'with pip install "pixie-live[openvino]", or use --engine onnxruntime'
        ) from error


@cache
def core() -> Any:
    """Return the one object through which this process compiles networks."""
    return openvino().Core()


def capabilities() -> tuple[str, ...]:
    """Return the arithmetics that OpenVINO finds in the processor: `FP32`, `BF16`."""
    return tuple(core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))


def read_onnx(model: Path | bytes) -> Any:
    """Return an ONNX file, with its external data, or its content as a network.

    Only the reader for ONNX is asked. Left the choice, OpenVINO tries all its readers,
    and that for TensorFlow writes to standard error about whatever is no such file.

    Raises:
        BundleError: there is no such file, or it is no whole ONNX model.
        EngineError: OpenVINO lacks one of its operators, or the memory for it.
    """
    shown = "the model given as bytes" if isinstance(model, bytes) else str(model)
    if isinstance(model, Path) and not model.is_file():
        raise BundleError(f"no model file {model}: the installation is incomplete")
    openvino()
    reader = (
        import_module("openvino.frontend").FrontEndManager().load_by_framework("onnx")
    )
    try:
        source = BytesIO(model) if isinstance(model, bytes) else str(model)
        read = reader.convert(reader.load(source))
    # OpenVINO's exceptions have no common base but Exception.
    except Exception as error:
        lacking = _operators_lacking(str(error))
        if lacking:
            raise EngineError(
                f"OpenVINO {version()} lacks operators of {shown} ({lacking}); use "
                "--engine onnxruntime"
            ) from error
        if lacks_memory(error):
            running = f"OpenVINO {version()}"
            raise failure(running, f"load {shown}", error, reason(error)) from error
        raise BundleError(
            f"{shown} is not a model that OpenVINO {version()} can run: {reason(error)}"
        ) from error
    if not read.outputs:
        raise BundleError(f"{shown} is not an ONNX model: it is empty")
    return read


def reason(error: Exception) -> str:
    """Return the line of OpenVINO's message that says what happened.

    Its messages begin with the places in its source code, one a line.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    places = ("Exception from ", "Check '", "FrontEnd API failed")
    telling = [line for line in lines if not line.startswith(places)]
    return (telling or lines or [type(error).__name__])[0]


def _operators_lacking(message: str) -> str:
    """Return the operators that a message says cannot be converted, or nothing."""
    _, found, names = message.partition("No conversion rule found for operations:")
    return names.splitlines()[0].strip() if found else ""
