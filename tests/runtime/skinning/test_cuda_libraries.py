"""Both launchers make the same meshes, and say in a sentence why they cannot.

The libraries are stand-ins that run the kernels on the processor; on a card neither has
run yet.
"""

import sys
from collections.abc import Callable
from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from pixie_bench import device_skinning_subject, skinning_subject
from pixie_bench.device_skinning_subject import DeviceSkinningSubject
from pixie_bench.skinning_subject import SkinningSubject
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.errors import EngineError, MissingExtraError
from pixie_runtime.skinning.cuda_core_device import CudaCoreDevice
from pixie_runtime.skinning.device_skinner import Launcher, open_cuda_skinner
from pixie_runtime.skinning.pycuda_device import PyCudaDevice
from tests.runtime.skinning import cuda_libraries
from tests.runtime.skinning.bodies import cut
from tests.runtime.skinning.cpu_device import COMPILER, compiled
from tests.runtime.skinning.test_device_skinner import check, person

LIBRARIES: tuple[Launcher, ...] = get_args(Launcher)

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="g++ is not installed")


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("cpu"))


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return cut(embedded_body_model(), 300)


@pytest.fixture
def install(kernels: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def install(through: Launcher, **card: Any) -> None:
        make = {"pycuda": cuda_libraries.pycuda, "cuda-core": cuda_libraries.cuda_core}
        for name, module in make[through](kernels, **card).items():
            monkeypatch.setitem(sys.modules, name, module)

    return install


@needs_compiler
@pytest.mark.parametrize("through", LIBRARIES)
@pytest.mark.parametrize("capability", [(8, 9), (10, 0)], ids=["cubin", "ptx"])
def test_a_frame_through_the_library_is_the_reference(
    install: Callable[..., None],
    model: BodyModel,
    through: Launcher,
    capability: tuple[int, int],
) -> None:
    install(through, capability=capability)

    with open_cuda_skinner(model, through, people=3, normals=True) as skinner:
        assert skinner.description.startswith("GeForce Test (sm_")
        for count in (1, 3):
            people = [person(model, seed) for seed in range(count)]
            meshes = skinner.skin(people)
            check(model, people, meshes)
            assert meshes.vertices.__cuda_array_interface__["stream"] == 7
            assert meshes.normals is not None
            assert np.isfinite(meshes.normals.to_numpy()).all()


@needs_compiler
@pytest.mark.parametrize("through", LIBRARIES)
def test_a_mesh_is_measured_until_the_card_is_done(
    install: Callable[..., None],
    model: BodyModel,
    monkeypatch: pytest.MonkeyPatch,
    through: Launcher,
) -> None:
    install(through)
    monkeypatch.setattr(device_skinning_subject, "load_body_model", lambda path: model)
    done = list[str]()
    device = {"cuda-core": CudaCoreDevice, "pycuda": PyCudaDevice}[through]
    for name in ("launch", "synchronise"):
        monkeypatch.setattr(device, name, noted(done, getattr(device, name)))
    sizes = {"n_betas": 5, "n_expression": 5}
    subject = DeviceSkinningSubject(body="", through=through, **sizes)
    subject.run()
    assert done[0] == "launch"
    assert done[-1] == "synchronise"

    monkeypatch.setattr(skinning_subject, "load_body_model", lambda path: model)
    exact = SkinningSubject(body="", kind="numpy", **sizes)
    exact.run()
    np.testing.assert_allclose(subject.vertices(), exact.vertices(), atol=1e-5)


def noted(done: list[str], method: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method, which notes that it was called."""

    def call(*given: Any) -> Any:
        done.append(method.__name__)
        return method(*given)

    return call


@needs_compiler
@pytest.mark.parametrize("through", LIBRARIES)
def test_a_full_card_is_a_sentence(
    install: Callable[..., None], model: BodyModel, through: Launcher
) -> None:
    install(through, memory=1 << 16)

    with pytest.raises(
        EngineError, match=r"GeForce Test .* refuses \d+ bytes .* fewer people"
    ):
        open_cuda_skinner(model, through)


@needs_compiler
@pytest.mark.parametrize("through", LIBRARIES)
def test_a_card_that_is_not_there_is_a_sentence(
    install: Callable[..., None], model: BodyModel, through: Launcher
) -> None:
    install(through, cards=1)

    with pytest.raises(EngineError, match=r"cannot open CUDA card 3: .* nvidia-smi"):
        open_cuda_skinner(model, through, card=3)


@needs_compiler
@pytest.mark.parametrize("through", LIBRARIES)
def test_an_old_card_is_a_sentence(
    install: Callable[..., None], model: BodyModel, through: Launcher
) -> None:
    install(through, capability=(6, 1))

    with pytest.raises(EngineError, match=r"compute capability 6\.1, .* 7\.5"):
        open_cuda_skinner(model, through)


@pytest.mark.parametrize(
    ("through", "package", "extra"),
    [("pycuda", "pycuda", "pycuda"), ("cuda-core", "cuda", "cuda")],
)
def test_a_missing_library_names_its_extra(
    model: BodyModel,
    monkeypatch: pytest.MonkeyPatch,
    through: Launcher,
    package: str,
    extra: str,
) -> None:
    # An importer that finds nothing: the package may be installed here or not.
    class Absent:
        def find_spec(self, name: str, path: object, target: object = None) -> None:
            if name.partition(".")[0] == package:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    for name in [n for n in sys.modules if n.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])

    with pytest.raises(MissingExtraError, match=rf"pixie-live\[{extra}\]"):
        open_cuda_skinner(model, through)


def test_pycuda_without_a_driver_is_a_sentence(
    model: BodyModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # What PyCUDA does on a machine without a card: its extension module needs libcuda.
    (tmp_path / "pycuda").mkdir()
    (tmp_path / "pycuda" / "__init__.py").write_text("")
    (tmp_path / "pycuda" / "driver.py").write_text(
        "raise ImportError('libcuda.so.1: cannot open shared object file')"
    )
    for name in [n for n in sys.modules if n.partition(".")[0] == "pycuda"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(EngineError, match=r"no NVIDIA driver \(libcuda\.so\.1"):
        open_cuda_skinner(model, "pycuda")


@needs_compiler
def test_cuda_core_itself_has_what_is_used_of_it(kernels: Path) -> None:
    real = pytest.importorskip("cuda.core", reason="the extra cuda is not installed")
    stand_in = cuda_libraries.cuda_core(kernels)["cuda.core"]
    for name in ("Device", "Stream", "Buffer", "ObjectCode"):
        ours, theirs = getattr(stand_in, name), getattr(real, name)
        for member in (m for m in vars(ours) if not m.startswith("_")):
            if callable(getattr(ours, member)):
                same_call(getattr(ours, member), getattr(theirs, member))
            else:
                assert hasattr(theirs, member), f"{name}.{member}"
    same_call(stand_in.Device.__new__, real.Device.__new__)
    same_call(stand_in.launch, real.launch)

    config = {"grid": (3, 2, 1), "block": (256, 1, 1), "shmem_size": 128}
    assert config.keys() == {f.name for f in fields(cuda_libraries.LaunchConfig)}
    made = real.LaunchConfig(**config)
    assert {name: getattr(made, name) for name in config} == config


@needs_compiler
def test_cuda_bindings_itself_copies_as_it_is_told_to(kernels: Path) -> None:
    name = "cuda.bindings.driver"
    real = pytest.importorskip(name, reason="the extra cuda is not installed")
    stand_in = cuda_libraries.cuda_core(kernels)[name]
    for function in ("cuMemcpyHtoDAsync", "cuMemcpyDtoHAsync"):
        same_call(getattr(stand_in, function), getattr(real, function))
    assert real.CUresult.CUDA_SUCCESS.name == "CUDA_SUCCESS"


def same_call(ours: Callable[..., Any], theirs: Callable[..., Any]) -> None:
    """Whether what can be called as ours can be called as theirs."""
    used, there = signature(ours).parameters, signature(theirs).parameters
    for name, parameter in used.items():
        assert name in there, f"{theirs} has no {name}"
        assert there[name].kind == parameter.kind, f"{name} of {theirs}"
    positional = [n for n, p in used.items() if p.kind != p.KEYWORD_ONLY]
    assert positional == list(there)[: len(positional)], theirs
    for name, parameter in there.items():
        needed = parameter.default is parameter.empty
        assert name in used or not needed, f"{theirs} needs {name}"


def test_cuda_core_itself_without_a_driver_is_a_sentence(model: BodyModel) -> None:
    core = pytest.importorskip("cuda.core", reason="the extra cuda is not installed")
    pytest.importorskip("cuda.bindings.driver", reason="likewise")
    try:
        core.Device(0).set_current()
    except Exception:
        with pytest.raises(EngineError, match="cannot open CUDA card 0"):
            open_cuda_skinner(model, "cuda-core")
    else:
        pytest.skip("there is a card")
