"""What ships is what the source says, and every card gets what it can run."""

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from pixie_runtime.errors import EngineError
from pixie_runtime.skinning import kernel_images
from pixie_runtime.skinning.kernel_images import (
    ARCHITECTURES,
    PTX_ARCHITECTURE,
    SOURCE,
    KernelImage,
    image_for,
)
from pixie_runtime.skinning.plan import KERNELS
from tools.compile_skinning import (
    IMAGES,
    REPORT,
    CompileError,
    compile_image,
    is_current,
    resources,
)

PTX = KernelImage("ptx", PTX_ARCHITECTURE)

needs_nvcc = pytest.mark.skipif(
    shutil.which("nvcc") is None, reason="nvcc is not installed"
)


@pytest.mark.parametrize(
    ("capability", "kind", "architecture"),
    [
        ((7, 5), "cubin", "75"),
        ((8, 0), "ptx", "75"),  # machine code for 8.6 is too new for it
        ((8, 6), "cubin", "86"),
        ((8, 7), "cubin", "86"),
        ((8, 9), "cubin", "89"),
        ((9, 0), "cubin", "90"),
        ((10, 0), "ptx", "75"),
        ((12, 0), "cubin", "120"),
        ((12, 1), "cubin", "120"),
    ],
)
def test_a_card_gets_machine_code_or_ptx(
    capability: tuple[int, int], kind: str, architecture: str
) -> None:
    image = image_for(*capability, "a card")

    assert (image.kind, image.architecture) == (kind, architecture)
    assert image.path.exists()


def test_a_card_that_is_too_old_is_told_so() -> None:
    with pytest.raises(EngineError, match=r"Tesla P100 .* 6\.0, .* 7\.5"):
        image_for(6, 0, "Tesla P100")


def test_a_missing_image_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(kernel_images, "COMPILED", tmp_path)

    with pytest.raises(EngineError, match=r"python -m tools\.compile_skinning"):
        PTX.read()


def test_what_ships_was_made_of_this_source() -> None:
    assert is_current(), "run: python -m tools.compile_skinning"


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.path.name)
def test_every_image_has_every_kernel_and_no_path_of_the_maker(
    image: KernelImage,
) -> None:
    content = image.read()

    assert all(kernel.encode() in content for kernel in KERNELS)
    assert not re.search(rb"/(home|root|tmp|usr|work)/", content)


def test_no_kernel_spills() -> None:
    rows = [line.split() for line in REPORT.read_text("utf-8").splitlines()]
    table = [row for row in rows if row and row[0].startswith("sm_")]

    assert len(table) == len(KERNELS) * len(ARCHITECTURES)
    assert all(spills == "0" for *_, spills in table)
    assert all(int(registers) <= 64 for _, _, registers, _, _ in table)


@needs_nvcc
def test_the_compiler_still_makes_what_the_report_says(tmp_path: Path) -> None:
    ptxas = compile_image(KernelImage("cubin", "89"), tmp_path / "out.cubin", "nvcc")

    found = resources(ptxas)

    assert [row.kernel for row in found] == sorted(KERNELS)
    assert all(row.spill_bytes == 0 for row in found)
    assert all(
        row.barriers == (row.kernel in ("pose", "mesh_1", "mesh_4")) for row in found
    )


@needs_nvcc
def test_a_source_that_does_not_compile_is_refused_in_the_compilers_words(
    tmp_path: Path,
) -> None:
    with pytest.raises(CompileError, match="sm_1"):
        compile_image(KernelImage("cubin", "1"), tmp_path / "out.cubin", "nvcc")


@pytest.mark.parametrize("image", [KernelImage("cubin", "120"), PTX])
def test_nvrtc_takes_the_same_source(image: KernelImage, tmp_path: Path) -> None:
    try:
        ptxas = compile_image(image, tmp_path / "out", "nvrtc")
    except CompileError as error:
        if "not installed" not in str(error):
            raise
        pytest.skip(str(error))

    assert all(kernel.encode() in (tmp_path / "out").read_bytes() for kernel in KERNELS)
    assert all(row.spill_bytes == 0 for row in resources(ptxas))


def test_the_report_names_the_source() -> None:
    assert hashlib.sha256(SOURCE.read_bytes()).hexdigest() in REPORT.read_text("utf-8")
