from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from pixie_runtime.errors import ModelFileError
from pixie_train.albedo import ALBEDO_FILE, Albedo, read_albedo
from tests import parity_case

PIXELS = 512 * 512 * 3


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ALBEDO_FILE


def stored(columns: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    mean = rng.random((512, 512, 3)).astype(np.float32)
    return mean, rng.normal(0, 0.02, (PIXELS, columns)).astype(np.float16)


def test_pictures_are_those_of_the_official_release(official_assets: Path) -> None:
    albedo = Albedo(read_albedo(official_assets / ALBEDO_FILE))
    with np.load(parity_case.reference_file(0)) as recorded:
        for setting in ("body", "soft"):
            texture = torch.from_numpy(recorded[f"{setting}.param.tex"])
            expected = recorded[f"{setting}.albedo"]
            np.testing.assert_allclose(albedo(texture), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("order", "kind", "compressed"),
    [("C", ">f4", False), ("C", "<f2", True), ("F", "<f2", False), ("F", ">f4", True)],
)
def test_every_second_pixel_is_kept_with_its_channels_turned(
    file: Path, order: Literal["C", "F"], kind: str, compressed: bool
) -> None:
    mean, components = stored()
    write = np.savez_compressed if compressed else np.savez
    write(file, MU=mean.ravel(), PC=np.asarray(components.astype(kind), order=order))
    texture = torch.tensor([[0.5, -2.0]])

    picture = Albedo(read_albedo(file, n_texture=2))(texture)[0]

    full = mean + (components[:, :2] @ np.array([0.5, -2.0])).reshape(512, 512, 3)
    for row, column in ((0, 0), (3, 200), (255, 255)):
        pixel = full[2 * row, 2 * column, ::-1]
        np.testing.assert_allclose(picture[:, row, column], pixel, atol=1e-5)


@pytest.mark.parametrize("order", ["C", "F"])
def test_flames_own_texture_space_counts_in_255ths(
    file: Path, order: Literal["C", "F"]
) -> None:
    mean, components = stored(2)
    tex_dir = np.asarray(components.reshape(512, 512, 3, 2) * 255, order=order)
    other = np.zeros(3)
    np.savez(file, mean=np.asarray(mean * 255, order=order), tex_dir=tex_dir, x=other)
    found = read_albedo(file, n_texture=2)
    np.savez(file, MU=mean, PC=components)
    expected = read_albedo(file, n_texture=2)
    np.testing.assert_allclose(found.mean, expected.mean, atol=1e-6)
    np.testing.assert_allclose(found.components, expected.components, atol=1e-4)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"MU": np.zeros((512, 512, 3))},
            r"holds MU, no MU with PC or mean with tex_d",
        ),
        ({"MU": np.zeros(10), "PC": np.zeros((PIXELS, 1))}, r'"MU" of shape \(10,\)'),
        (
            {"MU": np.zeros(PIXELS), "PC": np.zeros((PIXELS, 1), np.float16)},
            r'"PC" of shape \(786432, 1\) .* times 2 or more',
        ),
        (
            {"MU": np.zeros(PIXELS), "PC": np.zeros((PIXELS, 2), np.int8)},
            r"type int8, where .* real numbers",
        ),
        (
            {"MU": np.full(PIXELS, np.nan), "PC": np.zeros((PIXELS, 2), np.float16)},
            "not finite",
        ),
        (
            {"MU": np.array([{}], dtype=object), "PC": np.zeros(1)},
            r"type object, where",
        ),
    ],
)
def test_files_that_hold_something_else_are_refused(
    file: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    np.savez(file, allow_pickle=True, **arrays)
    with pytest.raises(ModelFileError, match=message):
        read_albedo(file, n_texture=2)


def test_damaged_and_absent_files_are_refused(file: Path) -> None:
    with pytest.raises(ModelFileError, match=r"cannot open the albedo .*No such file"):
        read_albedo(file)
    file.write_bytes(b"not a picture")
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_albedo(file)
    mean, components = stored()
    np.savez(file, MU=mean, PC=components)
    whole = file.read_bytes()
    for length in (len(whole) // 2, len(whole) - 50):
        file.write_bytes(whole[:length])
        with pytest.raises(ModelFileError, match="cannot be read"):
            read_albedo(file, n_texture=2)
    start = whole.index(b"\x93NUMPY")
    file.write_bytes(whole[: start + 300] + b"\xff" * 64 + whole[start + 364 :])
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_albedo(file, n_texture=2)
