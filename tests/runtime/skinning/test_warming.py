"""Compiling is hidden, missing packages and broken caches are survived."""

import importlib.util
import logging
import subprocess
import sys
import threading
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

import pixie_runtime
from pixie_runtime.body import embedded_body_model
from pixie_runtime.errors import MissingExtraError
from pixie_runtime.skinning import ExactSkinner, Skinner, open_skinner
from pixie_runtime.skinning.warming import WarmingSkinner
from tests.runtime.skinning.bodies import cut, posed, worst_m

MODEL = cut(embedded_body_model(), 300)

needs_numba = pytest.mark.skipif(
    importlib.util.find_spec("numba") is None, reason="the extra fast is not installed"
)


def without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "numba" else real(name, package)

    monkeypatch.setattr("pixie_runtime.skinning.find_spec", find_spec)


def test_without_numba_the_exact_mesh_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    without_numba(monkeypatch)
    body = posed(MODEL, 0)

    skinner = open_skinner(MODEL)

    assert skinner.description == "numpy, float32"
    np.testing.assert_array_equal(skinner.vertices(body), body.vertices())


def test_asking_for_numba_without_it_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_numba(monkeypatch)

    with pytest.raises(MissingExtraError, match=r"pixie-live\[fast\]"):
        open_skinner(MODEL, "numba")


def test_meshes_come_at_once_and_the_faster_way_takes_over() -> None:
    compiled = threading.Event()
    body = posed(MODEL, 0)

    class Fast(ExactSkinner):
        description = "fast"

    def make() -> Skinner:
        compiled.wait()
        return Fast(MODEL)

    skinner = WarmingSkinner(ExactSkinner(MODEL), make)
    assert skinner.description == "numpy, float32"
    assert skinner.vertices(body).shape == (300, 3)
    assert not skinner.wait(timeout_s=0)

    compiled.set()

    assert skinner.wait(timeout_s=10)
    assert skinner.description == "fast"
    assert skinner.vertices(body).shape == (300, 3)
    assert skinner.normals(body.vertices()).shape == (300, 3)


def test_a_compiler_that_fails_is_logged_and_the_meshes_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def make() -> Skinner:
        raise OSError("no space left")

    with caplog.at_level(logging.WARNING):
        skinner = WarmingSkinner(ExactSkinner(MODEL), make)
        skinner.wait()

    assert skinner.description == "numpy, float32"
    assert "OSError: no space left" in caplog.text
    assert skinner.vertices(posed(MODEL, 0)).shape == (300, 3)


@needs_numba
def test_auto_ends_up_with_numba_and_keeps_what_it_compiled(tmp_path: Path) -> None:
    skinner = open_skinner(MODEL, cache=tmp_path)
    assert isinstance(skinner, WarmingSkinner)
    body = posed(MODEL, 0)

    skinner.wait()

    assert skinner.description.startswith("numba ")
    assert list(tmp_path.rglob("*.nbc"))
    assert worst_m(skinner.vertices(body), body.vertices()) < 2e-5


@needs_numba
def test_a_folder_that_cannot_be_made_costs_only_time(tmp_path: Path) -> None:
    file = tmp_path / "a file"
    file.write_text("")
    body = posed(MODEL, 0)

    skinner = open_skinner(MODEL, "numba", cache=file / "folder")

    assert worst_m(skinner.vertices(body), body.vertices()) < 2e-5


@needs_numba
def test_a_damaged_cache_costs_only_time(tmp_path: Path) -> None:
    # Another process, so that what this one has compiled is of no help.
    script = (
        "import sys; from pathlib import Path\n"
        "from pixie_runtime.body import embedded_body_model\n"
        "from pixie_runtime.skinning import open_skinner\n"
        "model = embedded_body_model()\n"
        "skinner = open_skinner(model, 'numba', cache=Path(sys.argv[1]))\n"
        "print(skinner.description)"
    )

    def run() -> str:
        folders = [str(Path(path).parent) for path in pixie_runtime.__path__]
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)],
            env={"PYTHONPATH": ":".join(folders)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    first = run()
    for file in tmp_path.rglob("*.nb?"):
        file.write_bytes(b"damaged")

    assert run() == first != ""


def test_opening_the_package_imports_no_numba() -> None:
    probe = (
        "import sys, pixie_runtime.skinning, pixie_runtime.sinks.overlay\n"
        "print('numba' in sys.modules)"
    )
    folders = [str(Path(path).parent) for path in pixie_runtime.__path__]
    done = subprocess.run(
        [sys.executable, "-c", probe],
        env={"PYTHONPATH": ":".join(folders)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"


@needs_numba
def test_skinners_that_warm_up_at_once_do_not_meet_in_numbas_pool(
    tmp_path: Path,
) -> None:
    # numba ends the process when two threads start its pool at the same time.
    skinners = [open_skinner(MODEL, cache=tmp_path) for _ in range(4)]
    body = posed(MODEL, 0)

    for skinner in skinners:
        assert isinstance(skinner, WarmingSkinner)
        skinner.wait()
        assert worst_m(skinner.vertices(body), body.vertices()) < 2e-5
