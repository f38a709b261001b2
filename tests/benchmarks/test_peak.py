"""The machine's peaks, where a library has no instructions for an arithmetic."""

import time
from collections.abc import Iterator

import pytest

from pixie_bench import peak
from pixie_bench.peak import Arithmetic, Product, measure_peak


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
