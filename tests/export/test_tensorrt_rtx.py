"""Every graph that is exported becomes an engine for three generations of GPUs.

In float32; in fewer bits a network of each kind does. TensorRT-RTX builds without a
GPU; that what it built computes the right numbers can only be seen on one. The encoders
are small here; the full-size network's command and times are in docs/tensorrt.md.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import onnx
import pytest
from onnx import TensorProto, helper

from pixie_export.cli import main
from pixie_export.half_choice import groups
from pixie_export.half_graph import Half, in_half
from pixie_export.onnx_networks import load_network
from pixie_export.quantised_graph import Range, observed, quantisable, quantised
from pixie_export.tensorrt_building import build_plan, known_targets
from pixie_export.tensorrt_bundle import (
    BuiltEngine,
    build_engines,
    bundle_jobs,
    rtx_target,
    shipped_jobs,
)
from pixie_runtime.bundle import Bundle
from pixie_runtime.engines.tensorrt_cache import Wanted, beside, find_plan
from pixie_runtime.engines.tensorrt_device import Gpu
from pixie_runtime.engines.tensorrt_file import read_record
from pixie_runtime.engines.tensorrt_library import Library, load_library
from pixie_runtime.errors import EngineError, UsageError
from pixie_runtime.landmarks.models import NAMES

pytest.importorskip("tensorrt_rtx")

THREE = ("sm86", "sm89", "sm120")
NETWORKS = {
    *("body", "head", "hand", "coarse", "fuse", "whole"),
    *("head_alone", "hand_alone", "skinning"),
}
GPUS = [
    Gpu("NVIDIA GeForce RTX 3060", (8, 6), "13.0"),
    Gpu("NVIDIA GeForce RTX 4090", (8, 9), "13.0"),
    Gpu("NVIDIA GeForce RTX 5090", (12, 0), "13.0"),
]


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library("tensorrt-rtx")


@pytest.fixture(scope="module")
def bundle(small_bundle: Path) -> Bundle:
    """The real graphs of an image bundle, on small encoders."""
    return Bundle.open(small_bundle)


@pytest.fixture(scope="module")
def engines(library: Library, bundle: Bundle) -> list[BuiltEngine]:
    folder, target = beside(bundle.folder), rtx_target(library, THREE)
    return list(build_engines(library, bundle_jobs(bundle), target, folder))


def test_every_graph_of_an_image_bundle_builds(engines: list[BuiltEngine]) -> None:
    assert {engine.name for engine in engines} >= NETWORKS
    for engine in engines:
        record = read_record(engine.path)
        assert record is not None
        assert record.targets == THREE
        assert engine.n_bytes > 10_000


def test_everything_that_ships_builds(library: Library, tmp_path: Path) -> None:
    jobs = shipped_jobs()
    built = list(build_engines(library, jobs, rtx_target(library, THREE), tmp_path))
    assert {engine.name for engine in built} == {*NAMES, "pixie-landmark"}
    wanted = Wanted(library.kind, library.version, library.title, GPUS[0])
    for job in jobs:
        assert find_plan(job.model, wanted, tmp_path)


@pytest.mark.parametrize("name", ["body", "hand", "head_alone"])
@pytest.mark.parametrize("to", get_args(Half))
def test_encoders_and_layers_of_16_bits_build(
    to: Half, name: str, library: Library, bundle: Bundle
) -> None:
    model = load_network(bundle, name)
    worth = [group.nodes for group in groups(model, to) if group.worth]
    typed = in_half(model, frozenset[str]().union(*worth), to)
    assert build_plan(library, name, typed.SerializeToString(), targets=THREE)


@pytest.mark.parametrize("name", ["body", "hand"])
def test_encoders_of_integers_build(
    name: str, library: Library, bundle: Bundle
) -> None:
    model = load_network(bundle, name)
    # Nobody looks at the numbers: any ranges will do.
    ranges = {tensor: Range(-4.0, 4.0) for tensor in observed(model)}
    typed = quantised(model, ranges, quantisable(model), "tensorrt")
    assert build_plan(library, name, typed.SerializeToString(), targets=THREE)


@pytest.mark.parametrize("gpu", GPUS, ids=lambda gpu: str(gpu.target))
def test_one_engine_serves_all_its_targets(
    gpu: Gpu, library: Library, bundle: Bundle, engines: list[BuiltEngine]
) -> None:
    wanted = Wanted(library.kind, library.version, library.title, gpu)
    assert find_plan(bundle.path_of("body"), wanted, Path("nowhere"))


def test_another_kind_of_gpu_is_told_what_to_build(
    library: Library, bundle: Bundle, engines: list[BuiltEngine]
) -> None:
    turing = Gpu("NVIDIA GeForce RTX 2060", (7, 5), "13.0")
    wanted = Wanted(library.kind, library.version, library.title, turing)
    with pytest.raises(EngineError, match="was built for SM86, SM89, SM120, ") as error:
        find_plan(bundle.path_of("body"), wanted, Path("nowhere"))
    command = f"pixie-export tensorrt-rtx {bundle.folder} --for sm75"
    assert str(error.value).endswith(command)


def test_targets_are_what_the_library_knows(library: Library) -> None:
    assert set(THREE) <= set(known_targets(library))
    assert rtx_target(library, ["SM89 ", "sm89"]).capabilities == ("sm89",)
    with pytest.raises(UsageError, match=r"builds for sm75, .* not for sm90; "):
        rtx_target(library, ["sm89", "sm90"])


def network(*nodes: onnx.NodeProto, shape: tuple[str | int, ...]) -> bytes:
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        list(nodes),
        "odd",
        [info("x", TensorProto.FLOAT, shape)],
        [info("y", TensorProto.FLOAT, shape)],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("odd", 1)]
    return bytes(helper.make_model(graph, opset_imports=opsets).SerializeToString())


def test_an_operator_that_it_lacks_is_named(library: Library) -> None:
    node = helper.make_node("Frobnicate", ["x"], ["y"], name="here", domain="odd")
    with pytest.raises(EngineError, match=r"that odd needs: Frobnicate \(here\)") as e:
        build_plan(library, "odd", network(node, shape=("n", 4)), targets=THREE)
    assert "\n" not in str(e.value)


def test_int8_that_is_not_symmetric_is_told_how_to_be_made(library: Library) -> None:
    constants = [
        helper.make_node("Constant", [], [name], value=value)
        for name, value in {
            "scale": helper.make_tensor("s", TensorProto.FLOAT, [], [0.1]),
            "zero": helper.make_tensor("z", TensorProto.INT8, [], [3]),
        }.items()
    ]
    rounded = helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"])
    back = helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"])
    model = network(*constants, rounded, back, shape=("n", 4))
    with pytest.raises(EngineError, match="precision --to int8 --for tensorrt"):
        build_plan(library, "odd", model, targets=THREE)


def test_a_free_axis_besides_the_first_is_refused(library: Library) -> None:
    node = helper.make_node("Relu", ["x"], ["y"])
    with pytest.raises(EngineError, match="has a free axis besides the first"):
        build_plan(library, "odd", network(node, shape=("n", "m")), targets=THREE)


def test_the_command_builds_beside_the_bundle_and_says_where(
    bundle: Bundle, engines: list[BuiltEngine], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["tensorrt-rtx", str(bundle.folder), "--for", ",".join(THREE)])
    out = capsys.readouterr().out
    assert out.startswith("TensorRT-RTX ")
    assert "SM86, SM89, SM120\n" in out
    assert out.count("was there") == len(engines)
    assert f"engines: {beside(bundle.folder)} (" in out


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["tensorrt-rtx"], 2, "nothing to build; give a bundle, or --shipped"),
        (["tensorrt-rtx", "--shipped", "--for", "sm90"], 2, "not for sm90"),
        (["tensorrt-rtx", "nowhere"], 5, "is not a bundle"),
        (["tensorrt", "--shipped"], 7, 'pip install "pixie-live[tensorrt]"'),
    ],
)
def test_bad_requests_are_one_sentence(
    arguments: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if arguments[0] == "tensorrt" and find_spec("tensorrt"):
        pytest.skip("TensorRT is installed")
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == code
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert sentence in error
