import onnx
import onnxruntime
import pytest

from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeMaker
from pixie_runtime.errors import BundleError
from tests.runtime.engines.networks import doubling


def test_engine_tells_what_the_session_really_runs_on() -> None:
    maker = OnnxRuntimeMaker()
    said = f"ONNX Runtime {onnxruntime.__version__} on the CPU, float32"
    with maker.open(doubling()) as engine:
        assert engine.providers == ("CPUExecutionProvider",)
        assert engine.description == maker.description == said


def test_model_of_a_later_opset_is_refused() -> None:
    model = onnx.load_from_string(doubling())
    model.opset_import[0].version = 999
    with pytest.raises(BundleError, match="is not a model that ONNX Runtime"):
        OnnxRuntimeMaker().open(model.SerializeToString())
