from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from pixie_export.tensorrt_building import build_plan
from pixie_export.tensorrt_bundle import Job, Target, build_engines
from pixie_runtime.assembly import choose_makers
from pixie_runtime.engines import Engine, EngineMaker, choosing, tensorrt_engine
from pixie_runtime.engines.tensorrt_cache import shipped_are_built
from pixie_runtime.engines.tensorrt_device import Gpu
from pixie_runtime.engines.tensorrt_engine import TensorrtMaker
from pixie_runtime.engines.tensorrt_library import Library
from pixie_runtime.errors import BundleError, EngineError
from pixie_runtime.options import Options
from tests.runtime.engines.tensorrt_fakes import (
    ADA,
    AMPERE,
    FakeDevice,
    FakeTensorrt,
    linear,
)


class Machine:
    """A GPU, TensorRT and a folder of engines, all fake but the folder."""

    def __init__(
        self, cache: Path, gpu: Gpu = ADA, version: str = "11.4.0.106"
    ) -> None:
        self.cache = cache
        self.device = FakeDevice(gpu)
        self.trt = FakeTensorrt(self.device, version)
        self.library = Library("tensorrt", self.trt)

    def build(self, model: bytes | Path, name: str = "network") -> Path:
        target = Target((self.device.gpu.target,), self.device.gpu)
        jobs = [Job(name, model)]
        (built,) = build_engines(self.library, jobs, target, self.cache)
        return built.path

    def maker(self) -> TensorrtMaker:
        return TensorrtMaker(cache=self.cache, library=self.library, device=self.device)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "engines")


def rows(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 2)).astype(np.float32)


def expected(model: bytes, x: np.ndarray) -> np.ndarray:
    found: np.ndarray = onnxruntime.InferenceSession(model).run(None, {"x": x})[0]
    return found


def test_any_number_of_rows_gives_what_onnx_runtime_gives(machine: Machine) -> None:
    model = linear()
    machine.build(model)
    maker: EngineMaker = machine.maker()
    engine: Engine
    with maker.open(model) as engine:
        for n in (1, 4, 2, 1, 4, 2, 9, 4, 2):
            x = rows(n, seed=n)
            np.testing.assert_array_equal(
                engine.infer({"x": x})["y"], expected(model, x)
            )


def test_engine_tells_shapes_names_and_what_it_runs_on(machine: Machine) -> None:
    model = linear()
    machine.build(model)
    with machine.maker().open(model) as engine:
        assert dict(engine.input_shapes) == {"x": ("batch", 2)}
        assert engine.output_names == ("y",)
        assert engine.description == (
            "TensorRT 11.4.0.106 on NVIDIA GeForce RTX 4090 (SM89)"
        )


def test_first_run_is_piecemeal_and_later_ones_are_one_launch(machine: Machine) -> None:
    model = linear()
    machine.build(model)
    with machine.maker().open(model) as engine:
        for _ in range(3):
            engine.infer({"x": rows(1)})
    assert machine.device.calls == [
        *("in", "network", "out", "wait"),
        *("launch", "wait"),
        *("launch", "wait"),
    ]


def test_work_that_cannot_be_recorded_runs_piecemeal(machine: Machine) -> None:
    model = linear()
    machine.build(model)
    machine.device.can_record = False
    with machine.maker().open(model) as engine:
        for seed in range(3):
            x = rows(1, seed)
            np.testing.assert_array_equal(
                engine.infer({"x": x})["y"], expected(model, x)
            )
    assert machine.device.calls == ["in", "network", "out", "wait"] * 3


def test_returned_arrays_belong_to_the_caller(machine: Machine) -> None:
    model = linear()
    machine.build(model)
    with machine.maker().open(model) as engine:
        first = engine.infer({"x": rows(1, 5)})["y"]
        before = first.copy()
        engine.infer({"x": rows(1, 6)})
        np.testing.assert_array_equal(first, before)


def test_closing_gives_all_memory_back(machine: Machine) -> None:
    model = linear()
    machine.build(model)
    engine = machine.maker().open(model)
    engine.infer({"x": rows(1)})
    engine.infer({"x": rows(3)})
    assert machine.device.pieces == 6
    engine.close()
    assert machine.device.pieces == 0
    with pytest.raises(RuntimeError, match="closed"):
        engine.infer({"x": rows(1)})


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"x": rows(1), "z": rows(1)},
        {"x": rows(0)},
        {"x": rows(1)[:, :1]},
        {"x": rows(1).astype(np.float64)},
    ],
    ids=["missing", "unknown", "no rows", "wrong shape", "wrong type"],
)
def test_inputs_that_do_not_fit_are_refused(
    machine: Machine, inputs: dict[str, np.ndarray]
) -> None:
    model = linear()
    machine.build(model)
    with machine.maker().open(model) as engine, pytest.raises(ValueError, match="x"):
        engine.infer(inputs)


def test_a_network_without_engine_is_refused_with_the_command(
    machine: Machine, tmp_path: Path
) -> None:
    file = tmp_path / "pixie" / "body.onnx"
    file.parent.mkdir()
    file.write_bytes(linear())
    with pytest.raises(EngineError, match="none was built from this file") as error:
        machine.maker().open(file)
    assert str(error.value).endswith(
        f"build it with: pixie-export tensorrt {file.parent}"
    )
    with pytest.raises(EngineError, match="pixie-export tensorrt --shipped"):
        machine.maker().open(linear())


def test_an_engine_is_found_beside_its_bundle(tmp_path: Path) -> None:
    file = tmp_path / "pixie" / "body.onnx"
    file.parent.mkdir()
    file.write_bytes(linear())
    builder = Machine(tmp_path / "pixie.engines")
    builder.build(file)
    elsewhere = TensorrtMaker(
        cache=tmp_path / "other", library=builder.library, device=builder.device
    )
    with elsewhere.open(file) as engine:
        assert engine.output_names == ("y",)


@pytest.mark.parametrize(
    ("gpu", "version", "why"),
    [
        (AMPERE, "11.4.0.106", "was built for SM89, this GPU is .*RTX 3060"),
        (
            replace(ADA, name="NVIDIA L4"),
            "11.4.0.106",
            r"was built on .*4090, this GPU is NVIDIA L4 \(SM89\)",
        ),
        (replace(ADA, driver="13.1"), "11.4.0.106", "a driver for CUDA 13.0, this"),
        (ADA, "10.16.1.11", "with version 11.4.0.106, this is TensorRT 10.16.1.11"),
    ],
    ids=["other kind", "other GPU", "other driver", "other version"],
)
def test_an_engine_of_another_machine_is_refused_with_the_command(
    tmp_path: Path, gpu: Gpu, version: str, why: str
) -> None:
    model = linear()
    Machine(tmp_path).build(model)
    with pytest.raises(EngineError, match=why) as error:
        Machine(tmp_path, gpu, version).maker().open(model)
    assert "build it with: pixie-export tensorrt" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_changed_network_needs_another_engine(machine: Machine) -> None:
    machine.build(linear(seed=0))
    with pytest.raises(EngineError, match="none was built from this file"):
        machine.maker().open(linear(seed=1))


@pytest.mark.parametrize("where", [-1, 200])
def test_a_damaged_engine_is_refused_and_built_again(
    machine: Machine, where: int
) -> None:
    model = linear()
    path = machine.build(model)
    content = bytearray(path.read_bytes())
    content[where] ^= 1
    path.write_bytes(content)
    with pytest.raises(EngineError, match="pixie-export tensorrt"):
        machine.maker().open(model)
    machine.build(model)
    machine.maker().open(model).close()


def test_a_truncated_engine_is_refused(machine: Machine) -> None:
    model = linear()
    path = machine.build(model)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(EngineError, match=r"\.engine is damaged: sha256"):
        machine.maker().open(model)


def test_foreign_files_in_the_cache_are_passed_over(machine: Machine) -> None:
    model = linear()
    path = machine.build(model)
    path.with_name("a" + path.name).write_bytes(b"\x00" * 100)
    machine.maker().open(model).close()


def test_missing_onnx_file_is_named(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no model file .*gone\.onnx"):
        machine.maker().open(tmp_path / "gone.onnx")


def test_no_room_for_the_engine_is_said_with_sizes(machine: Machine) -> None:
    model = linear()
    machine.build(model)
    machine.device.memory = 100
    with pytest.raises(EngineError, match=r"out of GPU memory: a landmark model takes"):
        machine.maker().open(model)


def test_no_room_for_a_size_is_said(machine: Machine) -> None:
    model = linear()
    machine.build(model)
    with machine.maker().open(model) as engine:
        machine.device.memory = 0
        with pytest.raises(EngineError, match="out of GPU memory"):
            engine.infer({"x": rows(1)})
    assert machine.device.pieces == 0


@pytest.mark.parametrize(
    ("what", "message", "sentence"),
    [
        (
            "read",
            "Serialization assertion stdVersionRead failed",
            r"cannot read its engine for .* Serialization .*pixie-export tensorrt",
        ),
        ("run", "out of memory", r"out of GPU memory: TensorRT .* cannot run"),
    ],
)
def test_what_tensorrt_complains_of_is_in_the_sentence(
    machine: Machine, what: str, message: str, sentence: str
) -> None:
    model = linear()
    machine.build(model)
    machine.trt.refuses[what] = message
    with (
        pytest.raises(EngineError, match=sentence),
        machine.maker().open(model) as engine,
    ):
        engine.infer({"x": rows(1)})


@pytest.mark.parametrize("what", ["Builder", "OnnxParser"])
def test_a_library_that_does_not_start_building_says_why(
    machine: Machine, what: str
) -> None:
    machine.trt.refuses[what] = "CUDA initialization failure with error: 35"
    with pytest.raises(EngineError, match=r"does not start here: CUDA .*: 35; look"):
        machine.build(linear())


def test_a_library_that_does_not_start_running_says_why(machine: Machine) -> None:
    model = linear()
    machine.build(model)
    machine.trt.refuses["Runtime"] = "CUDA initialization failure with error: 35"
    with pytest.raises(EngineError, match=r"does not start here: CUDA .*: 35; look"):
        machine.maker().open(model)


def test_an_unsupported_operator_is_named(machine: Machine) -> None:
    machine.trt.unknown_operator = "MatMul"
    with pytest.raises(
        EngineError,
        match=r"something that network needs: MatMul \(node_7\): no importer",
    ) as error:
        machine.build(linear())
    assert "\n" not in str(error.value)


def test_a_build_that_fails_says_why(machine: Machine) -> None:
    machine.trt.refuses["build"] = "Requested amount of GPU memory (1 GB) could not be"
    with pytest.raises(EngineError, match="cannot build an engine for network: Requ"):
        machine.build(linear())
    assert not list(machine.cache.glob("*.engine"))


def test_engines_are_strongly_typed_without_tf32_and_take_up_to_four_rows(
    machine: Machine,
) -> None:
    build_plan(machine.library, "hand", linear())
    assert machine.trt.last_config is not None
    assert machine.trt.last_config.cleared == ["tf32"]
    (profile,) = machine.trt.last_config.profiles
    assert profile.shapes == {"x": [(1, 2), (2, 2), (4, 2)]}


def test_what_was_measured_is_used_for_the_next_network(machine: Machine) -> None:
    machine.build(linear(seed=0), "one")
    machine.build(linear(seed=1), "two")
    assert machine.trt.last_config is not None
    assert machine.trt.last_config.timing.content == b"+measured"
    assert not [path for path in machine.cache.iterdir() if path.name[0] == "."]


@pytest.mark.parametrize("content", [b"", b"torn", None])
def test_measurements_that_are_damaged_are_made_anew(
    machine: Machine, content: bytes | None
) -> None:
    machine.build(linear(seed=0), "one")
    (timing,) = machine.cache.glob("timing_*.cache")
    timing.unlink()
    if content is None:
        timing.mkdir()
    else:
        timing.write_bytes(content)
    machine.build(linear(seed=1), "two")
    assert machine.trt.last_config is not None
    assert machine.trt.last_config.timing.content == b""
    assert content is None or timing.read_bytes() == b"+measured"


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EngineError, match=r"cannot write the engine .*; give"):
        Machine(tmp_path / "file" / "engines").build(linear())


def test_a_cache_tells_whether_it_has_engines(machine: Machine) -> None:
    assert not shipped_are_built(machine.cache)
    machine.build(linear())
    assert shipped_are_built(machine.cache)


def test_auto_takes_tensorrt_once_engines_were_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(tmp_path / "tensorrt")
    monkeypatch.setattr(choosing, "gpu_fault", lambda: None)
    monkeypatch.setattr(choosing, "find_spec", lambda name: None)
    installed = {"tensorrt": lambda wanted: machine.maker()}
    monkeypatch.setattr(choosing, "_MAKERS", {**choosing._MAKERS, **installed})
    description = choosing.choose("auto", cache=tmp_path).description
    assert not description.startswith("TensorRT")
    assert "tensorrt has no engines (pixie-export tensorrt --shipped)" in description

    machine.build(linear())
    maker = choosing.choose("auto", cache=tmp_path)
    assert maker.description.endswith("RTX 4090 (SM89) (chosen: there is a GPU)")
    maker.open(linear()).close()


def test_engines_in_a_named_folder_are_found_before_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(tmp_path / "named")
    path = machine.build(linear())
    fake = partial(TensorrtMaker, library=machine.library, device=machine.device)
    monkeypatch.setattr(tensorrt_engine, "TensorrtMaker", fake)
    monkeypatch.setattr(choosing, "gpu_fault", lambda: None)
    monkeypatch.setattr(choosing, "find_spec", lambda name: name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for kind in ("tensorrt", "auto"):
        options = Options(demo=True, engine=kind, engines=machine.cache)
        for on_images in (True, False):
            makers = choose_makers(options, on_images=on_images)
            for maker in (makers.network, makers.landmarks):
                assert maker.description.startswith("TensorRT 11.4")
                maker.open(linear()).close()

    in_cache = tmp_path / "pixie-live" / "tensorrt" / path.name
    in_cache.parent.mkdir(parents=True)
    in_cache.write_bytes(path.read_bytes()[:-1])
    makers.network.open(linear()).close()
    with pytest.raises(EngineError, match="damaged"):
        choosing.choose("tensorrt").open(linear())


def test_an_engine_that_is_there_is_not_built_again(machine: Machine) -> None:
    model = linear()
    machine.build(model)
    machine.trt.refuses["build"] = "it must not be asked"
    machine.build(model)
