"""The names by which users choose what runs the networks.

Not in `engines`, which imports numpy: the command's options must not.
"""

from typing import Literal

EngineKind = Literal[
    "auto",
    "onnxruntime",
    "onnxruntime-cuda",
    "onnxruntime-tensorrt",
    "openvino",
    "tensorrt",
    "tensorrt-rtx",
]
Precision = Literal["auto", "float32", "bfloat16"]
"""Arithmetic, where an engine can choose it; GPUs compute in the networks' types.

`auto` is float32, but for hands' landmarks on ONNX Runtime: on processors that are made
for it they are computed in int8."""
