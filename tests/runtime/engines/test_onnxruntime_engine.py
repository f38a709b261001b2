"""What is ONNX Runtime's own: devices that fail, memory that runs out."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from pixie_runtime.engines import onnxruntime_gpu
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine, OnnxRuntimeMaker
from pixie_runtime.engines.onnxruntime_gpu import OnnxRuntimeGpuMaker, tensorrt_options
from pixie_runtime.errors import BundleError, EngineError
from tests.runtime.engines.networks import doubling, repeated, sum_with_three_rows

_OPEN_WITH_LITTLE_MEMORY = """
import re, resource, sys
from pathlib import Path
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeMaker
from pixie_runtime.errors import EngineError
used = re.search(r"VmSize:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
limit = int(used[1]) * 1024 + 10_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    OnnxRuntimeMaker(threads=1).open(Path(sys.argv[1]))
except EngineError as error:
    print(error)
"""


def test_engine_tells_what_the_session_really_runs_on() -> None:
    maker = OnnxRuntimeMaker()
    said = f"ONNX Runtime {onnxruntime.__version__} on the CPU"
    with maker.open(doubling()) as engine:
        assert engine.providers == ("CPUExecutionProvider",)
        assert engine.description == maker.description == said


def test_model_of_a_later_opset_is_refused() -> None:
    model = onnx.load_from_string(doubling())
    model.opset_import[0].version = 999
    with pytest.raises(BundleError, match="is not a model that ONNX Runtime"):
        OnnxRuntimeMaker().open(model.SerializeToString())


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_device_that_cannot_be_set_up_is_an_error_with_its_reason_not_another_device(
    capfd: pytest.CaptureFixture[str],
) -> None:
    odd = ("OddExecutionProvider", {"device_id": "0"})
    with pytest.raises(
        EngineError, match=r"cannot load .* Unknown Provider Type: Odd.*; use another"
    ):
        OnnxRuntimeEngine(doubling(), providers=[odd])
    assert capfd.readouterr().out == ""


def test_memory_that_runs_out_in_a_run_is_named_and_the_engine_goes_on() -> None:
    x = np.ones((1, 2), np.float32)
    with OnnxRuntimeMaker().open(repeated()) as engine:
        with pytest.raises(EngineError, match=r"out of memory: ONNX Runtime .* cannot"):
            engine.infer({"x": x, "shape": np.array([1 << 58, 2])})
        found = engine.infer({"x": x, "shape": np.array([3, 2])})["y"]
        assert found.shape == (3, 2)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_that_runs_out_while_opening_is_named(tmp_path: Path) -> None:
    weights = np.zeros((2048, 2048), np.float32)
    model = onnx.load_from_string(doubling())
    model.graph.initializer.append(onnx.numpy_helper.from_array(weights, "unused"))
    file = tmp_path / "large.onnx"
    file.write_bytes(model.SerializeToString())
    done = subprocess.run(
        [sys.executable, "-c", _OPEN_WITH_LITTLE_MEMORY, str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("out of memory: ONNX Runtime")
    assert f"cannot load {file} (" in done.stdout


def test_a_network_that_fails_though_its_input_fits_is_the_engines_fault() -> None:
    with OnnxRuntimeMaker().open(sum_with_three_rows()) as engine:
        assert engine.infer({"x": np.ones((1, 2), np.float32)})["y"].shape == (3, 2)
        with pytest.raises(EngineError, match=r"cannot run .* 2 by 3; use another"):
            engine.infer({"x": np.ones((2, 2), np.float32)})


def test_tensorrt_is_asked_in_its_own_words_to_keep_what_it_builds(
    tmp_path: Path,
) -> None:
    options = tensorrt_options(tmp_path)
    switches = {name: said for name, said in options.items() if "_enable" in name}
    assert switches == {
        "trt_engine_cache_enable": "True",
        "trt_timing_cache_enable": "True",
    }
    assert options["trt_engine_cache_path"] == options["trt_timing_cache_path"]
    assert options["trt_engine_cache_path"] == str(tmp_path)
    assert tensorrt_options(None) == {}


def test_what_pip_installed_of_cuda_is_loaded_first_and_missing_libraries_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def preload() -> None:
        sys.stdout.write("Failed to load libcublasLt.so.12: no such file\n")
        sys.stdout.write("Please follow the instructions\n")

    claimed = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: claimed)
    monkeypatch.setattr(onnxruntime, "preload_dlls", preload, raising=False)
    onnxruntime_gpu._preloaded.cache_clear()
    refused = pytest.raises(
        EngineError,
        match=r"did not load \(Failed to load libcublasLt.so.12: .*\); pip install "
        r'"onnxruntime-gpu\[cuda,cudnn\]" brings CUDA and cuDNN, or use --engine auto',
    )
    try:
        with pytest.warns(UserWarning, match="CUDAExecutionProvider"), refused:
            OnnxRuntimeGpuMaker("cuda").open(doubling())
    finally:
        onnxruntime_gpu._preloaded.cache_clear()
    assert capsys.readouterr().out == ""
