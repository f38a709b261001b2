"""The machine's peaks, and a card's, where instructions for an arithmetic lack."""

import time
from collections.abc import Iterator

import pytest
import torch

from pixie_bench import gpu_peak, peak
from pixie_bench.gpu_peak import measure_gpu_peak
from pixie_bench.peak import Arithmetic, Product, measure_peak
from pixie_runtime.errors import EngineError


def test_a_library_that_would_take_minutes_multiplies_only_small_matrices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sides = set[int]()

    def products(threads: int, side: int) -> Iterator[tuple[Arithmetic, str, Product]]:
        def multiply() -> None:
            sides.add(side)
            time.sleep(0.02)

        yield "int8", "one by one", multiply

    monkeypatch.setattr(peak, "_products", products)
    found = measure_peak(1, size=2048, megabytes=4)
    assert sides == {256}
    assert 0 < found.gflops["int8"] <= 2 * 256**3 / 0.02 / 1e9


def test_a_device_that_pytorch_has_is_measured_in_every_arithmetic() -> None:
    found = measure_gpu_peak("cpu", size=64, megabytes=1)
    assert set(found.gflops) == {"float32", "float16", "bfloat16", "int8"}
    assert min(found.gflops.values()) > 0
    assert set(found.by.values()) == {"PyTorch on cpu"}
    assert found.gbytes > 0


def test_a_card_that_multiplies_no_bytes_has_the_other_roofs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(a: torch.Tensor, b: torch.Tensor) -> None:
        raise RuntimeError("_int_mm: not on this card")

    monkeypatch.setattr(torch, "_int_mm", refuse)
    found = measure_gpu_peak("cpu", size=64, megabytes=1)
    assert set(found.gflops) == {"float32", "float16", "bfloat16"}


def test_a_pytorch_without_cuda_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EngineError, match="sees no CUDA device; install a build"):
        measure_gpu_peak()


def test_too_little_memory_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("tried to allocate 256 MiB")

    monkeypatch.setattr(gpu_peak, "_copy_rate", full)
    with pytest.raises(EngineError, match="out of GPU memory: tried to allocate"):
        measure_gpu_peak("cpu", size=64)
