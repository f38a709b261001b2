"""The chain on the device against the bundle's network `whole` on ONNX Runtime."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pixie_bench import device_chain_subject
from pixie_export.tensorrt_bundle import Target, build_engines, bundle_jobs
from pixie_runtime.bundle import Bundle
from pixie_runtime.engines import Engine
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.engines.tensorrt_chain import DeviceChain
from pixie_runtime.engines.tensorrt_engine import TensorrtMaker
from pixie_runtime.engines.tensorrt_library import Library
from pixie_runtime.errors import EngineError, UsageError
from tests.runtime.engines.tensorrt_fakes import ADA, FakeDevice, FakeTensorrt


class Machine:
    """A fake GPU with engines for a bundle."""

    def __init__(self, folder: Path, engines: Path) -> None:
        self.bundle = Bundle.open(folder)
        self.device = FakeDevice()
        library = Library("tensorrt", FakeTensorrt(self.device))
        self.maker = TensorrtMaker(cache=engines, library=library, device=self.device)
        target = Target((ADA.target,), ADA)
        list(build_engines(library, bundle_jobs(self.bundle), target, engines))


@pytest.fixture(scope="module")
def built(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(small_bundle, tmp_path_factory.mktemp("chain"))


@pytest.fixture
def machine(built: Machine) -> Machine:
    built.device.calls.clear()
    return built


def person(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    image = (1, 3, 224, 224)
    crops = ("image_body", "image_head", "image_left_hand", "image_right_hand")
    shapes = {**dict.fromkeys(crops, image), "present": (1, 3), "rules": (1, 4)}
    return {
        name: random.random(shape).astype(np.float32) for name, shape in shapes.items()
    }


def test_a_chain_computes_what_the_whole_network_computes(machine: Machine) -> None:
    chain: Engine
    with (
        DeviceChain(machine.maker, machine.bundle) as chain,
        OnnxRuntimeEngine(machine.bundle.path_of("whole")) as whole,
    ):
        assert set(chain.input_shapes) == set(whole.input_shapes)
        assert set(chain.output_names) == set(whole.output_names)
        for seed in range(4):
            inputs = person(seed)
            found, expected = chain.infer(inputs), whole.infer(inputs)
            for name, value in expected.items():
                np.testing.assert_allclose(found[name], value, atol=1e-5)


def test_a_frame_is_one_launch_from_the_second_on(machine: Machine) -> None:
    with DeviceChain(machine.maker, machine.bundle) as chain:
        for seed in range(3):
            chain.infer(person(seed))
    assert machine.device.calls == [
        *("in", *["network"] * 4, "out", "wait"),
        *("launch", "wait"),
        *("launch", "wait"),
    ]


def test_vertices_follow_on_the_device(machine: Machine) -> None:
    transl = np.array([[0.1, 0.2, 3.0]], np.float32)
    with (
        DeviceChain(machine.maker, machine.bundle, skinning=True) as chain,
        OnnxRuntimeEngine(machine.bundle.path_of("skinning")) as skinning,
    ):
        found = chain.infer(person(0) | {"transl": transl})
        posed = {name: found[name] for name in ("betas", "expression", "rotations")}
        expected = skinning.infer(posed | {"transl": transl})
        on_device = chain.on_device()
        assert set(on_device) == {"vertices", "joints"}
        for name, array in on_device.items():
            np.testing.assert_allclose(read(array), expected[name], atol=1e-5)


def test_a_chain_is_measured_until_the_device_is_done(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_chain_subject, "choose", lambda engine: machine.maker)
    subject = device_chain_subject.DeviceChainSubject(
        bundle=str(machine.bundle.folder), engine="tensorrt", skinning=True
    )
    assert "chained on the device with the mesh" in subject.description
    subject.run()
    assert machine.device.calls == ["in", *["network"] * 5, "out", "wait"]
    subject.run()
    assert machine.device.calls[-2:] == ["launch", "wait"]
    found = subject.outputs()["rotations"]
    np.testing.assert_allclose(np.linalg.det(found), 1, atol=1e-4)


def test_networks_of_a_processor_are_not_chained(machine: Machine) -> None:
    with pytest.raises(UsageError, match=r"chained with tensorrt or .*, not with auto"):
        device_chain_subject.DeviceChainSubject(
            bundle=str(machine.bundle.folder), engine="auto"
        )


def read(array: Any) -> np.ndarray:
    """Read fake device memory as another library would: by the array interface."""
    interface = array.__cuda_array_interface__
    assert interface["version"] == 3
    assert interface.pop("stream") == 77
    return np.array(SimpleNamespace(__array_interface__=interface))


def test_a_closed_chain_has_given_its_memory_back(machine: Machine) -> None:
    before = machine.device.pieces
    chain = DeviceChain(machine.maker, machine.bundle)
    assert machine.device.pieces == before + 3
    chain.close()
    assert machine.device.pieces == before
    with pytest.raises(RuntimeError, match="closed"):
        chain.infer(person(0))


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x | {"transl": np.zeros((1, 3), np.float32)},
        lambda x: x | {"rules": np.zeros((2, 4), np.float32)},
        lambda x: x | {"rules": np.zeros((1, 4))},
    ],
    ids=["unknown", "two people", "wrong type"],
)
def test_inputs_that_do_not_fit_are_refused(machine: Machine, change: Any) -> None:
    with (
        DeviceChain(machine.maker, machine.bundle) as chain,
        pytest.raises(ValueError, match=r"given|expected"),
    ):
        chain.infer(change(person(0)))


def test_features_that_are_not_aligned_are_refused_in_one_sentence(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    machine = Machine(tiny_bundle, tmp_path)
    with pytest.raises(EngineError, match="do not fit one another"):
        DeviceChain(machine.maker, machine.bundle)
    assert machine.device.pieces == 0
