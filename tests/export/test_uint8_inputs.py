from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from pixie_export.uint8_inputs import cast_first
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.landmarks.models import NAMES

FOLDER = Path(str(files("pixie_runtime") / "assets" / "landmarks"))
MODELS = sorted(f"{name}.onnx" for name in NAMES)


@pytest.mark.parametrize("name", MODELS)
def test_a_landmark_model_computes_the_same_with_its_cast_first(name: str) -> None:
    model = onnx.load(FOLDER / name)
    before = model.SerializeToString()
    changed = cast_first(model)
    assert model.SerializeToString() == before
    onnx.checker.check_model(changed)
    assert [node.op_type for node in changed.graph.node[:2]] == ["Cast", "Transpose"]
    side = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (1, side, side, 3), np.uint8)
    with (
        OnnxRuntimeEngine(before) as first,
        OnnxRuntimeEngine(changed.SerializeToString()) as second,
    ):
        expected, found = first.infer({"image": image}), second.infer({"image": image})
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value)


def network(*nodes: onnx.NodeProto, dtype: int = TensorProto.UINT8) -> onnx.ModelProto:
    graph = helper.make_graph(
        list(nodes),
        "bytes",
        [helper.make_tensor_value_info("x", dtype, [2, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


TURN = helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0])
CAST = helper.make_node("Cast", ["t"], ["y"], to=TensorProto.FLOAT)


@pytest.mark.parametrize(
    "model",
    [
        network(TURN, CAST, dtype=TensorProto.FLOAT),
        network(helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)),
        network(TURN, CAST, helper.make_node("Identity", ["t"], ["z"])),
    ],
    ids=["no bytes", "cast already", "turned bytes used twice"],
)
def test_other_networks_stay_as_they_are(model: onnx.ModelProto) -> None:
    assert cast_first(model) == model
