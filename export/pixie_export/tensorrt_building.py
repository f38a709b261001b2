"""ONNX to an engine, by TensorRT 10, 11 or RTX through the same calls.

Networks are strongly typed: an engine computes in the types that the ONNX file has, as
TensorRT 11 knows it no other way, and TF32 is off. Half precision is a bundle of its
own (`pixie-export precision`).
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

import onnx
from onnx import ModelProto, TensorProto

from pixie_export.uint8_inputs import cast_first
from pixie_runtime.engines.tensorrt_api import (
    Builder,
    IBuilderConfig,
    INetworkDefinition,
    OnnxParser,
    RtxBuilderConfig,
    RtxTensorrt,
)
from pixie_runtime.engines.tensorrt_library import Library
from pixie_runtime.engines.whole_files import write_whole
from pixie_runtime.errors import BundleError, EngineError

Rows = tuple[int, int, int]
"""Fewest, usual and most rows of the batch axis."""

_HANDS = ("hand", "hand_recrop", "hand_landmark_full")
"""Networks that see both hands of a person at once."""
_QUANTISING = ("QuantizeLinear", "DequantizeLinear")


def rows_of(network: str) -> Rows:
    """Return the numbers of rows that a network's engine is built for."""
    return (1, 2, 4) if network in _HANDS else (1, 1, 4)


def build_plan(
    library: Library,
    name: str,
    model: Path | bytes,
    *,
    targets: Sequence[str] = (),
    timing: Path | None = None,
) -> bytes:
    """Build an engine.

    Args:
        library: what builds.
        name: the network's name: says how many rows, and is used in errors.
        model: an ONNX file, or its content if it has no external data.
        targets: compute capabilities, `sm89`; TensorRT-RTX only. TensorRT builds for
            the GPU that it runs on.
        timing: file of measured kernels to begin with and to write back; TensorRT only.

    Raises:
        BundleError: the file is missing or no ONNX.
        EngineError: an operator that the library lacks, it does not start, or the
            build failed.
    """
    module = library.module
    builder = library.make(module.Builder)
    flags = 1 << int(module.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    network = builder.create_network(flags)
    parser = library.make(module.OnnxParser, network)
    _parse(library, parser, name, model)
    config = builder.create_builder_config()
    config.clear_flag(module.BuilderFlag.TF32)
    _add_profile(builder, network, config, name)
    if targets:
        _aim(library, config, targets)
    if timing is not None:
        _begin_timing(config, timing)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise _failed(library, name)
    if timing is not None:
        _keep_timing(config, timing)
    return bytes(memoryview(plan))


def known_targets(library: Library) -> tuple[str, ...]:
    """Return what TensorRT-RTX can build for, `sm89`."""
    found = vars(cast(RtxTensorrt, library.module).ComputeCapability)
    return tuple(name.lower() for name in found if name.startswith("SM"))


def _parse(
    library: Library, parser: OnnxParser, name: str, model: Path | bytes
) -> None:
    """Read a model; from its file where that may refer to others beside it."""
    data = _content(model)
    try:
        content = onnx.load_from_string(data)
    except Exception as error:  # protobuf's error has no stable class
        raise BundleError(f"{name} is no ONNX model: {error}; export it again") from (
            error
        )
    if not content.graph.node:
        raise BundleError(f"{name} is no ONNX model: it is empty; export it again")
    if isinstance(model, Path):
        _require_weights(content, model)
    bytes_in = any(
        tensor.type.tensor_type.elem_type == TensorProto.UINT8
        for tensor in content.graph.input
    )
    if bytes_in or isinstance(model, bytes):
        parsed = parser.parse(cast_first(content).SerializeToString())
    else:
        parsed = parser.parse_from_file(str(model))
    if not parsed:
        raise _not_understood(library, parser, name)


def _require_weights(content: ModelProto, model: Path) -> None:
    """Refuse a graph whose weights are not where it says."""
    for tensor in content.graph.initializer:
        for entry in tensor.external_data:
            path = model.parent / entry.value
            if entry.key == "location" and not path.is_file():
                raise BundleError(
                    f"{model} has its weights in {path}, which is missing; export it "
                    "again"
                )


def _content(model: Path | bytes) -> bytes:
    if isinstance(model, bytes):
        return model
    try:
        return model.read_bytes()
    except OSError as error:
        raise BundleError(f"cannot read {model}: {error.strerror}") from error


def _not_understood(library: Library, parser: OnnxParser, name: str) -> EngineError:
    if parser.num_errors == 0:
        return _failed(library, name)
    error = parser.get_error(0)
    lines = error.desc().splitlines() or [library.reason()]
    operator = error.node_operator() or "a part of it"
    node = f" ({error.node_name()})" if error.node_name() else ""
    advice = (
        "make its int8 with pixie-export precision --to int8 --for tensorrt"
        if operator in _QUANTISING
        else "run this bundle with --engine onnxruntime"
    )
    return EngineError(
        f"{library.title} lacks something that {name} needs: {operator}{node}: "
        f"{' '.join(lines[:2]).rstrip('.')}; {advice}"
    )


def _failed(library: Library, name: str) -> EngineError:
    reason = library.reason()
    advice = (
        "close other programs that use the GPU, or build an fp16 bundle "
        "(pixie-export precision)"
        if "memory" in reason.lower()
        else "run this bundle with --engine onnxruntime"
    )
    return EngineError(
        f"{library.title} cannot build an engine for {name}: {reason}; {advice}"
    )


def _add_profile(
    builder: Builder, network: INetworkDefinition, config: IBuilderConfig, name: str
) -> None:
    """Say how many rows the first axis may have, if it is free."""
    profile = builder.create_optimization_profile()
    free = False
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        first, *others = tensor.shape
        if -1 in others:
            raise EngineError(
                f"{name}: {tensor.name} of shape {(first, *others)} has a free axis "
                "besides the first; export it with fixed sizes"
            )
        if first == -1:
            free = True
            low, usual, high = rows_of(name)
            profile.set_shape(
                tensor.name, (low, *others), (usual, *others), (high, *others)
            )
    if free:
        config.add_optimization_profile(profile)


def _aim(library: Library, config: IBuilderConfig, targets: Sequence[str]) -> None:
    rtx = cast(RtxBuilderConfig, config)
    capabilities = cast(RtxTensorrt, library.module).ComputeCapability
    rtx.num_compute_capabilities = len(targets)
    for index, target in enumerate(targets):
        if not rtx.set_compute_capability(getattr(capabilities, target.upper()), index):
            raise EngineError(f"{library.title} refuses {target}: {library.reason()}")


def _begin_timing(config: IBuilderConfig, path: Path) -> None:
    """Begin with what was measured before, or with nothing if that is damaged."""
    known = b""
    with suppress(OSError):
        known = path.read_bytes()
    cache = config.create_timing_cache(known)
    if cache is None:
        cache = config.create_timing_cache(b"")
    if cache is not None:
        # What another version or GPU measured is refused, and measured again.
        config.set_timing_cache(cache, False)


def _keep_timing(config: IBuilderConfig, path: Path) -> None:
    cache = config.get_timing_cache()
    if cache is None:
        return
    # It only saves time; the engine is what was asked for.
    with suppress(OSError):
        write_whole(path, bytes(memoryview(cache.serialize())))
