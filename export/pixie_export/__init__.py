"""From trained networks to bundles: ONNX graphs, precision, parity (extra `export`)."""

from importlib.util import find_spec

from pixie_runtime.errors import MissingExtraError

if find_spec("torch") is None or find_spec("onnx") is None:
    raise MissingExtraError("pixie_export", "export")
