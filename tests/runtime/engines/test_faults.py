"""Whether inputs are at fault when a network did not run."""

import numpy as np
import pytest

from pixie_runtime.engines.faults import failure, misfit, uneven

SHAPES: dict[str, tuple[int | str, ...]] = {"a": ("people", 3), "b": ("people", "k")}
FLOATS = {name: np.dtype("float32") for name in SHAPES}


def given(a: tuple[int, ...], b: tuple[int, ...]) -> dict[str, np.ndarray]:
    return {"a": np.ones(a, np.float32), "b": np.ones(b, np.float32)}


def test_whatever_fits_is_not_at_fault() -> None:
    for inputs in (given((1, 3), (1, 9)), given((4, 3), (4, 0))):
        assert misfit(inputs, SHAPES, FLOATS) is None
        assert uneven(inputs, SHAPES) is None


def test_types_are_asked_for_only_where_they_are_known() -> None:
    inputs = {**given((1, 3), (1, 1)), "b": np.ones((1, 1), np.uint8)}
    assert misfit(inputs, SHAPES, FLOATS) == "input b is uint8, expected float32"
    assert misfit(inputs, SHAPES, {"a": FLOATS["a"]}) is None


def test_rows_must_agree_within_a_batch_only() -> None:
    inputs = given((2, 3), (3, 1))
    assert uneven(inputs, SHAPES) == (
        "inputs have different numbers of rows: {'a': 2, 'b': 3}"
    )
    assert uneven(inputs, {"a": ("people", 3), "b": ("hands", "k")}) is None
    assert uneven(inputs, {"a": ("people", 3), "b": (3, "k")}) is None


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("Exception during initialization: std::bad_alloc"),
        RuntimeError("CUDA failure 2: out of memory ; GPU=0"),
        RuntimeError("Failed to allocate memory for requested buffer of size 9"),
    ],
)
def test_memory_is_named_however_a_library_says_it(error: Exception) -> None:
    said = str(failure("ONNX Runtime 1", "run body.onnx", error, "why"))
    assert said.startswith("out of memory: ONNX Runtime 1 cannot run body.onnx (why); ")


def test_other_failures_say_why_and_what_to_do() -> None:
    error = RuntimeError("CUDA failure 700")
    said = str(failure("ONNX Runtime 1", "run body.onnx", error, "CUDA failure 700"))
    assert said == (
        "ONNX Runtime 1 cannot run body.onnx: CUDA failure 700; use another --engine"
    )
