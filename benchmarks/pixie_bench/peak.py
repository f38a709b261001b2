"""What this machine can do at most, as far as the installed libraries show it.

Large products of matrices in each arithmetic and by each library, and copies of arrays
that no cache holds. A kernel written for the processor may do better; what the
libraries reach is a roof that networks can come near to.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np

Arithmetic = Literal["float32", "float16", "bfloat16", "int8"]
_LEAST_RUNS, _LEAST_S = 5, 0.5
_TRIAL, _PATIENCE_S = 256, 2.0
"""Size of the products that say how long the large ones would take, and how long they
may: some libraries multiply what a processor has no instructions for one by one."""
Product = Callable[[], object]
Products = Callable[[int], Iterable[tuple[Arithmetic, str, Product]]]
"""Given how many rows and columns matrices have: each arithmetic, who multiplies, and
how to do it once, to the end."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The best that was seen."""

    gflops: Mapping[Arithmetic, float]
    """10^9 operations a second, a multiply-add being two; what no library computes in
    is not there."""
    by: Mapping[Arithmetic, str]
    """The library that did it."""
    gbytes: float
    """10^9 bytes a second that a copy reads and writes."""


def measure_peak(threads: int = 2, *, size: int = 2048, megabytes: int = 256) -> Peak:
    """Measure; to be run in a process of its own, since libraries keep their threads.

    Args:
        threads: cores to use.
        size: of the matrices, rows and columns.
        megabytes: of the array that is copied.
    """
    gflops, by = best_rates(partial(_products, threads), size)
    return Peak(gflops, by, _copy_rate(threads, megabytes))


def best_rates(
    products: Products, size: int, *, trial: int = _TRIAL
) -> tuple[dict[Arithmetic, float], dict[Arithmetic, str]]:
    """Return each arithmetic's 10^9 operations a second, and who did it.

    Matrices have `size` rows and columns; what would take too long multiplies none but
    those of `trial`.
    """
    gflops: dict[Arithmetic, float] = {}
    by: dict[Arithmetic, str] = {}
    too_slow = set[tuple[Arithmetic, str]]()
    for side in sorted({min(size, trial), size}):
        for arithmetic, library, product in products(side):
            if (arithmetic, library) in too_slow:
                continue
            shortest_s = best_s(product)
            if shortest_s * (size / side) ** 3 > _PATIENCE_S:
                too_slow.add((arithmetic, library))
            rate = 2 * side**3 / shortest_s / 1e9
            if rate > gflops.get(arithmetic, 0):
                gflops[arithmetic], by[arithmetic] = rate, library
    return gflops, by


def best_s(product: Product) -> float:
    """Return the shortest of some runs; a peak is what nothing disturbed."""
    product()
    seconds: list[float] = []
    enough_s = time.perf_counter() + _LEAST_S
    while len(seconds) < _LEAST_RUNS or time.perf_counter() < enough_s:
        began_s = time.perf_counter()
        product()
        seconds.append(time.perf_counter() - began_s)
    return min(seconds)


def _products(threads: int, size: int) -> Iterator[tuple[Arithmetic, str, Product]]:
    if find_spec("torch") is not None:
        yield from _torch(threads, size)
    if find_spec("openvino") is not None:
        yield from _openvino(threads, size)
    if find_spec("onnx") is not None:
        yield from _onnxruntime(threads, size)
    a = np.ones((size, size), np.float32)
    yield "float32", "numpy", lambda: a @ a


def _torch(threads: int, size: int) -> Iterator[tuple[Arithmetic, str, Product]]:
    import torch

    torch.set_num_threads(threads)
    a = torch.rand(size, size)
    half, whole = a.bfloat16(), (a * 100).to(torch.int8)
    yield "float32", "PyTorch", lambda: a @ a
    yield "bfloat16", "PyTorch", lambda: half @ half
    yield "int8", "PyTorch", lambda: torch._int_mm(whole, whole)


def _openvino(threads: int, size: int) -> Iterator[tuple[Arithmetic, str, Product]]:
    from pixie_runtime.engines import openvino_library

    openvino, core = openvino_library.openvino(), openvino_library.core()
    able = openvino_library.capabilities()
    ops: Any = import_module("openvino.opset13")
    rng = np.random.default_rng(0)
    weights = rng.uniform(-1, 1, (size, size)).astype(np.float32)

    def levels(values: Any, low: float) -> Any:
        ends = (np.float32(low), np.float32(1), np.float32(low), np.float32(1))
        return ops.fake_quantize(values, *ends, 256)

    names: dict[Arithmetic, str] = {
        "float32": "FP32",
        "bfloat16": "BF16",
        "int8": "INT8",
    }
    for arithmetic, name in names.items():
        if name not in able:
            continue
        given = ops.parameter([size, size], np.float32)
        a, b = given, ops.constant(weights)
        if arithmetic == "int8":
            a, b = levels(a, 0.0), levels(b, -1.0)
        model = openvino.Model([ops.matmul(a, b, False, True)], [given], "product")
        compiled = core.compile_model(
            model,
            "CPU",
            {
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": 1,
                "INFERENCE_PRECISION_HINT": "bf16"
                if arithmetic == "bfloat16"
                else "f32",
            },
        )
        request = compiled.create_infer_request()
        request.set_input_tensor(openvino.Tensor(np.abs(weights)))
        yield arithmetic, "OpenVINO", request.infer


def _onnxruntime(threads: int, size: int) -> Iterator[tuple[Arithmetic, str, Product]]:
    from onnx import TensorProto, helper

    from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine

    rng = np.random.default_rng(0)
    sorts: tuple[tuple[Arithmetic, str, int, int, Any], ...] = (
        ("float32", "MatMul", TensorProto.FLOAT, TensorProto.FLOAT, np.float32),
        ("int8", "MatMulInteger", TensorProto.UINT8, TensorProto.INT32, np.uint8),
    )
    for arithmetic, operator, kind, result, dtype in sorts:
        a = rng.integers(0, 100, (size, size)).astype(dtype)
        graph = helper.make_graph(
            [helper.make_node(operator, ["a", "b"], ["c"])],
            "product",
            [helper.make_tensor_value_info("a", kind, [size, size])],
            [helper.make_tensor_value_info("c", result, [size, size])],
            [helper.make_tensor("b", kind, [size, size], a.tobytes(), raw=True)],
        )
        opsets = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
        engine = OnnxRuntimeEngine(model.SerializeToString(), threads=threads)
        yield arithmetic, "ONNX Runtime", partial(engine.infer, {"a": a})


def _copy_rate(threads: int, megabytes: int) -> float:
    """Return what a copy by all threads reads and writes a second, 10^9 bytes."""
    source = np.ones(megabytes * 1_000_000 // 4, np.float32)
    target = np.zeros_like(source)
    pieces = list(
        zip(
            np.array_split(target, threads),
            np.array_split(source, threads),
            strict=True,
        )
    )
    with ThreadPoolExecutor(threads) as pool:
        seconds = best_s(lambda: list(pool.map(lambda p: np.copyto(*p), pieces)))
    return 2 * source.nbytes / seconds / 1e9
