"""Training of PIXIE and its landmark variant in PyTorch (extra `train`)."""

from importlib.util import find_spec

from pixie_runtime.errors import MissingExtraError

if find_spec("torch") is None:
    raise MissingExtraError("pixie_train", "train")
