"""Which engine is chosen, and what is said where one cannot run."""

import json
import os
import platform
import re
import signal
import subprocess
import sys
from pathlib import Path

import onnxruntime
import pytest

from pixie_runtime.engines import Engine, choosing, openvino_engine, openvino_library
from pixie_runtime.engines.byte_arithmetic import multiplies_bytes
from pixie_runtime.engines.choosing import Chosen, EngineKind, Precision, choose
from pixie_runtime.engines.compiled_cache import ready_cache
from pixie_runtime.engines.cuda_driver import gpu_fault
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeMaker
from pixie_runtime.engines.onnxruntime_gpu import OnnxRuntimeGpuMaker
from pixie_runtime.engines.openvino_probe import require_survival
from pixie_runtime.errors import EngineError, MissingExtraError, UsageError
from tests.runtime.engines.networks import doubling

EXTRAS: list[EngineKind] = ["tensorrt", "tensorrt-rtx"]
GPU_KINDS: list[EngineKind] = [*EXTRAS, "onnxruntime-cuda", "onnxruntime-tensorrt"]


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "gpu_fault", lambda: "there is no NVIDIA driver")


@pytest.fixture
def no_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise MissingExtraError("--engine openvino", "openvino")

    for module in (openvino_library, openvino_engine):
        monkeypatch.setattr(module, "version", missing)


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("kind", GPU_KINDS)
def test_gpu_engine_without_a_gpu_says_what_is_missing(
    kind: EngineKind, tmp_path: Path
) -> None:
    with pytest.raises(
        EngineError, match=f"{kind} needs an NVIDIA GPU, but there is no NVIDIA driver"
    ) as caught:
        choose(kind, cache=tmp_path)
    assert caught.value.exit_code == 8


def on_a_gpu(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    """Let there be a GPU, and an ONNX Runtime that claims this beside the CPU."""
    claimed = [provider, "CPUExecutionProvider"]
    monkeypatch.setattr(choosing, "gpu_fault", lambda: None)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: claimed)


@pytest.mark.parametrize("library", ["cuda", "tensorrt"])
def test_onnx_runtime_for_cpus_is_told_from_the_one_for_gpus(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_gpu(monkeypatch, "AzureExecutionProvider")
    kind: EngineKind = f"onnxruntime-{library}"  # type: ignore[assignment]
    with pytest.raises(EngineError, match=r'pip install "onnxruntime-gpu\[cuda'):
        choose(kind, cache=tmp_path)


def test_a_session_that_fell_back_to_the_cpu_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_gpu(monkeypatch, "CUDAExecutionProvider")
    maker = choose("onnxruntime-cuda", cache=tmp_path)
    assert maker.description.endswith("on the GPU with CUDA")
    fell_back = pytest.raises(EngineError, match="fell back to CPUExecutionProvider")
    # This ONNX Runtime knows better than it claims, and warns of it.
    with pytest.warns(UserWarning, match="CUDAExecutionProvider"), fell_back:
        maker.open(doubling())


def test_tensorrt_in_onnx_runtime_gets_a_folder_that_is_there_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_gpu(monkeypatch, "TensorrtExecutionProvider")
    maker = choose("onnxruntime-tensorrt", cache=tmp_path / "new" / "cache")
    assert isinstance(maker, OnnxRuntimeGpuMaker)
    assert maker.cache is not None
    assert maker.cache.is_dir()
    (tmp_path / "file").write_text("in the way")
    without = choose("onnxruntime-tensorrt", cache=tmp_path / "file" / "cache")
    assert isinstance(without, OnnxRuntimeGpuMaker)
    assert without.cache is None


@pytest.mark.parametrize("kind", EXTRAS)
def test_gpu_engine_that_is_not_installed_names_its_extra(
    kind: EngineKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "gpu_fault", lambda: None)
    monkeypatch.setattr(choosing, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=rf'pip install "pixie-live\[{kind}\]"'):
        choose(kind, cache=tmp_path)


@pytest.mark.usefixtures("no_openvino")
def test_openvino_that_is_not_installed_names_its_extra(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match=r"pixie-live\[openvino\]"):
        choose("openvino", cache=tmp_path)


@pytest.mark.usefixtures("no_gpu", "no_openvino")
def test_auto_falls_back_to_onnx_runtime_and_says_why(tmp_path: Path) -> None:
    maker = choose("auto", cache=tmp_path)
    assert maker.description.startswith("ONNX Runtime")
    assert maker.description.endswith("(chosen: no GPU, openvino not installed)")
    with maker.open(doubling()) as engine:
        assert "chosen" not in engine.description


@pytest.mark.usefixtures("no_gpu")
def test_auto_prefers_openvino_to_onnx_runtime(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    maker = choose("auto", cache=tmp_path)
    assert maker.description.startswith("OpenVINO")
    assert maker.description.endswith("on the CPU (chosen: no GPU)")


@pytest.mark.usefixtures("no_gpu")
def test_auto_leaves_landmarks_to_onnx_runtime(tmp_path: Path) -> None:
    maker = choose("auto", cache=tmp_path, purpose="landmarks")
    assert maker.description.startswith("ONNX Runtime")
    assert "no faster for landmarks" in maker.description


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("fit", [True, False])
@pytest.mark.parametrize("kind", ["auto", "openvino"])
def test_landmarks_that_only_say_where_to_look_are_in_bfloat16_where_that_is_fast(
    kind: EngineKind, fit: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    arithmetics = ("FP32", "BF16") if fit else ("FP32",)
    for module in (openvino_library, openvino_engine):
        monkeypatch.setattr(module, "capabilities", lambda: arithmetics)

    def description(precision: Precision) -> str:
        return choose(
            kind, precision=precision, cache=tmp_path, purpose="places"
        ).description

    assert ("on the CPU, bfloat16" in description("auto")) is fit
    assert "bfloat16" not in description("float32")
    if kind == "auto" and not fit:
        assert description("auto").startswith("ONNX Runtime")


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("fit", [True, False])
def test_hands_are_in_int8_only_if_the_processor_is_made_for_it_and_nobody_minds(
    fit: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "multiplies_bytes", lambda: fit)
    free = choose("auto", precision="auto", cache=tmp_path, purpose="landmarks")
    assert free.int8 is fit
    assert ("hands' landmarks in int8" in free.description) is fit
    exact = choose("auto", precision="float32", cache=tmp_path, purpose="landmarks")
    assert not exact.int8


def test_processors_are_told_by_their_flags() -> None:
    cpuinfo = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not cpuinfo.exists():
        pytest.skip("x86 under Linux says in /proc/cpuinfo what it can")
    assert multiplies_bytes() == ("avx2" in cpuinfo.read_text("utf-8").split())


@pytest.mark.usefixtures("no_gpu")
def test_auto_passes_over_an_openvino_that_crashes_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")

    def crashed(version: str, folder: Path) -> None:
        require_survival(version, folder, command=killing_itself(signal.SIGFPE))

    monkeypatch.setattr(
        "pixie_runtime.engines.openvino_probe.require_survival", crashed
    )
    description = choose("auto", cache=tmp_path).description
    assert description.startswith("ONNX Runtime")
    assert "openvino passed over" in description
    assert "SIGFPE" in description


class Refusing:
    """A maker that has no engine for any network."""

    description = "a GPU"
    concurrent = False
    int8 = False

    def open(self, model: Path | bytes, *, threads: int | None = None) -> Engine:
        raise EngineError("no engine was built: run pixie-export tensorrt")


def test_auto_leaves_networks_without_a_built_engine_to_the_cpu_and_says_so() -> None:
    maker = Chosen(Refusing(), "chosen: there is a GPU", OnnxRuntimeMaker())
    assert maker.description == "a GPU (chosen: there is a GPU)"
    for _ in range(2):
        with maker.open(doubling()) as engine:
            assert engine.description.startswith("ONNX Runtime")
    assert re.search(
        "2 networks on ONNX Runtime .* instead: no engine was built", maker.description
    )
    with pytest.raises(EngineError, match="no engine was built"):
        Chosen(Refusing(), "chosen").open(doubling())


@pytest.mark.parametrize("kind", ["onnxruntime", "tensorrt", "tensorrt-rtx"])
def test_bfloat16_is_refused_where_the_network_decides(
    kind: EngineKind, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=f"bfloat16 with --engine {kind}"):
        choose(kind, precision="bfloat16", cache=tmp_path)


@pytest.mark.parametrize(
    ("kind", "folder", "sentence"),
    [
        ("onnxruntime", ".", "only tensorrt and tensorrt-rtx run engines"),
        ("tensorrt", "nowhere", "nowhere: there is no such folder; expected the one"),
        ("auto", "nowhere", "nowhere: there is no such folder; expected the one"),
    ],
)
def test_a_folder_of_engines_that_is_no_use_is_refused(
    kind: EngineKind, folder: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=sentence):
        choose(kind, cache=tmp_path, engines=tmp_path / folder)


@pytest.mark.usefixtures("no_openvino")
def test_bfloat16_without_openvino_names_the_extra(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match=r"pixie-live\[openvino\]"):
        choose("auto", precision="bfloat16", cache=tmp_path)


def test_bfloat16_on_a_processor_without_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    monkeypatch.setattr(openvino_engine, "capabilities", lambda: ("FP32", "INT8"))
    with pytest.raises(EngineError, match="no bfloat16 arithmetic"):
        choose("openvino", precision="bfloat16", cache=tmp_path)


def test_the_driver_is_asked_for_a_gpu() -> None:
    fault = gpu_fault()
    done = subprocess.run(["which", "nvidia-smi"], capture_output=True, check=False)
    if done.returncode:
        assert fault is not None


def killing_itself(number: int) -> tuple[str, ...]:
    return (sys.executable, "-c", f"import os; os.kill(os.getpid(), {number})")


def test_a_crash_of_the_trial_is_remembered(tmp_path: Path) -> None:
    for command in (killing_itself(signal.SIGFPE), (sys.executable, "-c", "pass")):
        with pytest.raises(EngineError, match="a trial of it was killed by SIGFPE"):
            require_survival("1.0", tmp_path, command=command)
    (memory,) = tmp_path.iterdir()
    memory.unlink()
    require_survival("1.0", tmp_path, command=(sys.executable, "-c", "pass"))
    require_survival("1.0", tmp_path, command=killing_itself(signal.SIGFPE))


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("raise SystemExit('no memory')", "ended with no memory"),
        ("import os; os.kill(os.getpid(), 15)", "killed by SIGTERM"),
    ],
)
def test_a_failure_that_may_pass_is_tried_again(
    program: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(EngineError, match=said):
        require_survival("1.0", tmp_path, command=(sys.executable, "-c", program))
    require_survival("1.0", tmp_path, command=(sys.executable, "-c", "pass"))


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"fault": 3}', "\x00"])
def test_a_damaged_memory_of_the_trial_is_made_anew(
    content: str, tmp_path: Path
) -> None:
    succeeds = (sys.executable, "-c", "pass")
    require_survival("1.0", tmp_path, command=succeeds)
    (memory,) = tmp_path.iterdir()
    memory.write_text(content)
    require_survival("1.0", tmp_path, command=succeeds)
    assert json.loads(memory.read_text()) == {"fault": ""}


def test_a_cache_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    require_survival("1.0", file / "folder", command=(sys.executable, "-c", "pass"))
    assert ready_cache(file / "folder") is None


def test_the_cache_gives_up_what_was_used_longest_ago(tmp_path: Path) -> None:
    for age, name in enumerate(("new", "middle", "old")):
        (tmp_path / f"{name}.blob").write_bytes(bytes(100))
        os.utime(tmp_path / f"{name}.blob", (1e9 - age, 1e9 - age))
    (tmp_path / "probe.json").write_text("{}")
    assert ready_cache(tmp_path, limit_bytes=250) == tmp_path
    assert {p.name for p in tmp_path.iterdir()} == {
        "new.blob",
        "middle.blob",
        "probe.json",
    }
