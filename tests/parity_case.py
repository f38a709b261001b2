"""The recorded cases of the official network, and the files they were computed with.

They lie beside the repository in a folder that is not part of it; tests that need them
are skipped where it is absent. The body model files are rebuilt from their seed, bit
for bit, once per machine.
"""

import csv
import os
import runpy
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

SEEDS = (0, 1)

_FOLDER = Path(__file__).parents[2] / "shared" / "parity"
_CACHE = Path.home() / ".cache" / "pixie-live-tests"


def parity_folder() -> Path:
    """Return the folder of cases, or skip the test."""
    if not (_FOLDER / "synth.py").is_file():
        pytest.skip(f"no recorded cases of the official network in {_FOLDER}")
    return _FOLDER


def reference_file(seed: int) -> Path:
    """Return what the official network computed in the case of `seed`."""
    return parity_folder() / "cases" / f"seed{seed}" / "reference.npz"


def assets_folder() -> Path:
    """Return stand-ins of all files that the official body model reads.

    Made in four seconds; 440 MB, hence not anew for every run of the tests.
    """
    folder = _CACHE / "assets"
    if not folder.is_dir():
        make = runpy.run_path(str(parity_folder() / "synth.py"))["smplx_assets"]
        _CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=_CACHE))
        make(str(unfinished))
        try:
            os.replace(unfinished, folder)
        except OSError:  # another run was faster
            shutil.rmtree(unfinished)
    return folder


def checkpoint_file(seed: int) -> Path:
    """Return the random checkpoint in the official layout that a case was made with.

    773 MB, made in half a minute, once per machine.
    """
    path = _CACHE / f"pixie_model_random_{seed}.tar"
    if not path.is_file():
        case = parity_folder() / "cases" / f"seed{seed}"
        make = runpy.run_path(str(parity_folder() / "synth.py"))["weights"]
        with np.load(case / "bn_stats.npz") as statistics:
            weights = make(_tensor_table(), seed, dict(statistics))
        content = {
            module: {key: torch.from_numpy(np.asarray(v)) for key, v in tensors.items()}
            for module, tensors in weights.items()
        }
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=_CACHE, delete=False) as file:
            torch.save(content, file)
        os.replace(file.name, path)
    return path


def _tensor_table() -> dict[tuple[str, str], tuple[tuple[int, ...], str]]:
    with (parity_folder() / "state_dict_keys.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {
        (row["module"], row["key"]): (
            tuple(int(n) for n in row["shape"].split(",") if n),
            row["dtype"],
        )
        for row in rows
    }
