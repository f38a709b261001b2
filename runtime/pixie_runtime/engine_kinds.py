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

`auto` is float32, but for landmarks on processors that are made for less: those of
hands are computed in int8 by ONNX Runtime, all that only say where an image bundle
looks in bfloat16 by OpenVINO."""
