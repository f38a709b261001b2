"""What a graphics card can do at most, as far as PyTorch shows it.

Large products of matrices in each arithmetic, and copies within the card's memory, as
`peak` has them of a processor. Not run on a card yet.
"""

from collections.abc import Iterator
from functools import partial

import torch

from pixie_bench.peak import Arithmetic, Peak, Product, best_rates, best_s
from pixie_runtime.errors import EngineError

_TRIAL = 2048
"""Size of the products that say how long the large ones would take: large enough for a
card to be busy with more than with being told."""


def measure_gpu_peak(
    device: str = "cuda", *, size: int = 8192, megabytes: int = 1024
) -> Peak:
    """Measure; to be run in a process of its own, which frees what PyTorch holds.

    Args:
        device: PyTorch's name of it.
        size: of the matrices, rows and columns; a multiple of 8, more than 16.
        megabytes: of the array that is copied.

    Raises:
        EngineError: PyTorch sees no card, or has not enough of its memory.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise EngineError(
            f"PyTorch {torch.__version__} sees no CUDA device; install a build of it "
            "for the card's CUDA version"
        )
    place = torch.device(device)
    try:
        with torch.inference_mode():
            gflops, by = best_rates(partial(_products, place), size, trial=_TRIAL)
            return Peak(gflops, by, _copy_rate(place, megabytes))
    except torch.OutOfMemoryError as error:
        raise EngineError(f"out of GPU memory: {error}") from None


def _products(
    place: torch.device, size: int
) -> Iterator[tuple[Arithmetic, str, Product]]:
    library = f"PyTorch on {_name(place)}"
    a = torch.rand(size, size, device=place)
    whole = (a * 100).to(torch.int8)
    kinds: tuple[tuple[Arithmetic, torch.Tensor], ...] = (
        ("float32", a),
        ("float16", a.half()),
        ("bfloat16", a.bfloat16()),
    )
    for arithmetic, factor in kinds:
        yield arithmetic, library, _to_the_end(partial(torch.mm, factor, factor), place)
    product = _to_the_end(partial(torch._int_mm, whole, whole), place)
    if _is_able(product):
        yield "int8", library, product


def _to_the_end(run: Product, place: torch.device) -> Product:
    """Return `run` and waiting until the card has done it."""

    def done() -> None:
        run()
        if place.type == "cuda":
            torch.cuda.synchronize(place)

    return done


def _is_able(product: Product) -> bool:
    """Whether a card has the arithmetic: not every one multiplies bytes."""
    try:
        product()
    except torch.OutOfMemoryError:
        raise
    except RuntimeError:
        return False
    return True


def _copy_rate(place: torch.device, megabytes: int) -> float:
    """Return what a copy reads and writes a second, 10^9 bytes."""
    source = torch.ones(megabytes * 1_000_000 // 4, device=place)
    target = torch.zeros_like(source)
    seconds = best_s(_to_the_end(partial(target.copy_, source), place))
    return 2 * source.nbytes / seconds / 1e9


def _name(place: torch.device) -> str:
    return torch.cuda.get_device_name(place) if place.type == "cuda" else place.type
