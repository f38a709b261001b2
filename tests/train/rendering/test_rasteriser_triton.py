"""The card's rasteriser without a card: interpreted here, compiled for cards."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from pixie_train.rendering.rasteriser import (
    by_tensors,
    card_rasteriser,
    visible_triangles,
)
from tests.train.rendering.test_rasteriser import H, W, troubled

pytest.importorskip("triton", reason="Triton has packages for Linux only")

from pixie_train.rendering.rasteriser_triton import (
    by_triton,
    draw_kernel,
    launched_on,
)

CARDS = (75, 86, 89, 90, 120)
"""Compute capabilities."""


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let Triton's interpreter run kernels."""
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    draw_kernel.cache_clear()
    card_rasteriser.cache_clear()
    yield
    draw_kernel.cache_clear()
    card_rasteriser.cache_clear()


@pytest.mark.usefixtures("interpreted")
@pytest.mark.parametrize("cull", [True, False])
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_it_agrees_with_the_compiled_loops_to_the_bit(cull: bool) -> None:
    points, faces = troubled(count=10)
    points[3, :, 2] -= 5  # before the camera and behind it: depths of both signs
    found = by_triton(points, faces, (H, W), cull=cull)
    assert torch.equal(found, visible_triangles(points, faces, (H, W), cull=cull))
    assert len(set(found.flatten().tolist())) > 5


@pytest.mark.usefixtures("interpreted")
def test_boxes_of_more_pixels_than_a_block_are_drawn_whole() -> None:
    points = torch.tensor([[[-1e9, -1e9, 2.0], [-1e9, 3e9, 2.0], [3e9, -1e9, 2.0]]])
    faces = torch.tensor([[0, 1, 2], [0, 1, 2]])
    assert torch.equal(by_triton(points, faces, (9, 7)), torch.zeros(1, 9, 7).long())
    none = torch.zeros(0, 3, dtype=torch.int64)
    assert torch.equal(by_triton(points, none, (2, 2)), torch.full((1, 2, 2), -1))


def test_it_is_launched_on_the_card_that_has_the_points() -> None:
    there = launched_on(torch.device("cuda:1"))
    assert isinstance(there, torch.cuda.device)
    assert there.idx == 1
    with launched_on(torch.device("cpu")):
        pass


@pytest.mark.parametrize("card", CARDS)
def test_it_compiles_for_cards_with_one_atomic_minimum_and_no_fused_sums(
    card: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    words = dict.fromkeys(("vertices", "height", "width"), "i32")
    arrays = {"points": "*fp32", "corners": "*i32", "best": "*i64"}
    known = {"CULL": True, "LEAST_AREA": 1e-6, "BLOCK": 32}
    signature = arrays | words | dict.fromkeys(known, "constexpr")
    source = ASTSource(fn=draw_kernel(), signature=signature, constexprs=known)
    built = triton.compile(
        source,
        target=GPUTarget("cuda", card, 32),
        options={"num_warps": 1, "enable_fp_fusion": False},
    )
    ptx = built.asm["ptx"]
    assert len(built.asm["cubin"]) > 1000
    assert ptx.count(".min.s64") == 1
    assert "fma" not in ptx
    assert "div.rn.f64" in ptx  # rounded as on the CPU


@pytest.mark.usefixtures("interpreted")
def test_a_card_that_triton_can_run_on_takes_its_kernel() -> None:
    assert card_rasteriser(torch.device("cpu")) is by_triton


def test_where_triton_cannot_run_tensor_operations_draw_and_the_log_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    card_rasteriser.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert card_rasteriser(torch.device("cpu")) is by_tensors
    assert "Triton cannot run" in caplog.text
    card_rasteriser.cache_clear()
