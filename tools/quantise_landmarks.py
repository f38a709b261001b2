"""`python -m tools.quantise_landmarks`: the hands' landmark network in int8.

Writes `hand_landmark_int8.onnx` beside `hand_landmark_full.onnx` and names it in the
manifest. Its weights are not stored a second time: it reads them out of the other file
(ONNX external data), rounds them when it is loaded, and is 0.35 MB.

Which convolutions stay in float32 was found by measuring (docs/landmarks.md): the first
ten, which see the picture and whose channels differ most, and the last two, of whose
result the landmarks are read. Activations' ranges are those of the crops that the
runtime shows the network on the demo clip and on one that lies with the tests.
"""

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from pixie_export.activation_ranges import activation_ranges
from pixie_export.calibration_crops import RecordingEngine
from pixie_export.onnx_networks import prepare
from pixie_export.quantised_graph import Range, observed, quantisable, quantised
from pixie_runtime.engines import AnyArray
from pixie_runtime.landmarks.models import LandmarkModels
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.sources.opening import demo_clip, open_source

_ROOT = Path(__file__).parents[1]
_SHIPPED = _ROOT / "runtime/pixie_runtime/assets/landmarks"
_CLIPS = (demo_clip(), _ROOT / "tests/footage/pose2sim_SinglePerson_cam02.mp4")

NETWORK = "hand_landmark_full"
FILE = "hand_landmark_int8.onnx"
_FIRST, _LAST = 10, 44
"""Of its convolutions, counted from 0: those in int8."""
_EVERY = 6
"""Crop of a clip is used."""
_SMALLEST = 2048
"""Bytes: what is smaller is stored here again."""
_DIGITS = 3
"""Of a range, so that another machine's rounding does not change the file."""


def main(arguments: list[str] | None = None) -> None:
    """Calibrate, write the network and its line in the manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=_SHIPPED, help="of the networks")
    folder = parser.parse_args(arguments).folder
    file = folder / f"{NETWORK}.onnx"
    model = onnx.load(file)
    prepare(model)
    crops = [crop for clip in _CLIPS for crop in _shown(clip, folder)[::_EVERY]]
    shown = ({"image": crop} for crop in crops)
    ranges = {
        name: _rounded(found)
        for name, found in activation_ranges(model, observed(model), shown).items()
    }
    content = in_int8(file, ranges).SerializeToString(deterministic=True)
    (folder / FILE).write_bytes(content)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    entry = {
        "file": FILE,
        "sha256": hashlib.sha256(content).hexdigest(),
        "made_from": file.name,
        "made_by": "tools.quantise_landmarks",
    }
    text = json.dumps({**manifest, "int8": {NETWORK: entry}}, indent=2) + "\n"
    path.write_text(text, encoding="utf-8")
    print(f"{FILE}: {len(content) / 1e6:.2f} MB, {len(crops)} crops")


def in_int8(file: Path, ranges: Mapping[str, Range]) -> onnx.ModelProto:
    """Return the network of a file with its middle in int8.

    Args:
        file: `hand_landmark_full.onnx`, weights as float16 behind Casts.
        ranges: of its activations.
    """
    model = onnx.load(file)
    prepare(model)
    names = [node.name for node in model.graph.node]
    convolutions = [n.name for n in model.graph.node if n.op_type == "Conv"]
    first, last = (names.index(convolutions[i]) for i in (_FIRST, _LAST))
    chosen = [n for n in quantisable(model) if first <= names.index(n) <= last]
    small = quantised(model, ranges, chosen, "cpu")
    _read_weights_from(file, small)
    return small


def _read_weights_from(file: Path, model: onnx.ModelProto) -> None:
    """Have the weights of `model` read out of `file`, in place.

    Float32 ones are cast from its float16 ones, int8 ones are rounded from those.
    """
    content, original = file.read_bytes(), onnx.load(file).graph
    halves = {tensor.name: tensor for tensor in original.initializer}
    stored = {
        node.output[0]: halves[node.input[0]]
        for node in original.node
        if node.op_type == "Cast" and node.input[0] in halves
    }
    kept, made = [], dict[str, onnx.NodeProto]()
    elsewhere = dict[str, TensorProto]()
    for tensor in model.graph.initializer:
        weight = tensor.name.removesuffix(".quantised")
        half = stored.get(weight)
        if half is None or len(half.raw_data) < _SMALLEST:
            kept.append(tensor)
            continue
        elsewhere[half.name] = _part_of(file.name, content, half)
        made[weight] = helper.make_node(
            "Cast", [half.name], [weight], f"cast {weight}", to=TensorProto.FLOAT
        )
        if tensor.name != weight:
            made[tensor.name] = helper.make_node(
                "QuantizeLinear",
                [weight, f"{weight}.scale", f"{weight}.zero"],
                [tensor.name],
                f"round {weight}",
                axis=0,
            )
    nodes = [*made.values(), *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    del model.graph.initializer[:]
    model.graph.initializer.extend([*kept, *elsewhere.values()])


def _part_of(location: str, content: bytes, tensor: TensorProto) -> TensorProto:
    """Return a tensor that is read out of a file with `content`, where it stands."""
    offset = content.index(tensor.raw_data)
    found = TensorProto(
        name=tensor.name,
        dims=tensor.dims,
        data_type=tensor.data_type,
        data_location=TensorProto.EXTERNAL,
    )
    place = {"location": location, "offset": offset, "length": len(tensor.raw_data)}
    for key, value in place.items():
        found.external_data.add(key=key, value=str(value))
    return found


def _rounded(found: Range) -> Range:
    """Return a range in few digits, no narrower than it was, and means likewise."""

    def outwards(value: float) -> float:
        if value == 0:
            return 0.0
        unit = 10.0 ** (np.floor(np.log10(abs(value))) + 1 - _DIGITS)
        return float(np.sign(value) * np.ceil(abs(value) / unit) * unit)

    low, high = outwards(found.low), outwards(found.high)
    assert found.means is not None
    unit = 10.0**-_DIGITS * (high - low)
    return Range(low, high, np.asarray(np.rint(found.means / unit) * unit, np.float32))


def _shown(clip: Path, folder: Path) -> Sequence[AnyArray]:
    """Return what the runtime shows the network on a clip: (1, 224, 224, 3) each."""
    recording = RecordingEngine(folder / f"{NETWORK}.onnx")
    models = LandmarkModels.shipped(folder=folder)
    models.hand_landmark_full.close()
    # Hands beside each other would be recorded in any order.
    models = replace(models, hand_landmark_full=recording, concurrent=False)
    landmarker = PixieLandmarker(models=models)
    source = open_source(video=clip, realtime=False)
    for frame in source:
        landmarker.detect(frame)
    source.close()
    landmarker.close()
    return recording.shown


if __name__ == "__main__":
    main()
