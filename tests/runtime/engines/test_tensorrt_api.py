"""The real bindings of TensorRT 10, 11 and RTX have what this project uses of them."""

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixie_runtime.engines import tensorrt_api
from tests.runtime.engines.tensorrt_bindings import bindings, run, stubs

VERSIONS = ("10.16.1.11", "11.4.0.106")

LOOK = """
import json
import {module} as trt

def members(thing):
    return {{name: str(getattr(thing, name).__doc__) for name in dir(thing)}}

print(json.dumps({{name: members(getattr(trt, name)) for name in dir(trt)}}))
"""
LOAD = """
from pixie_runtime.engines.tensorrt_library import load_library
from pixie_runtime.errors import PixieError
try:
    library = load_library("tensorrt")
    library.logger.log(library.module.ILogger.ERROR, "a complaint")
    library.logger.log(library.module.ILogger.WARNING, "a warning")
    print(library.title, "|", library.reason())
except PixieError as error:
    print(error)
"""
MAKE = """
from pixie_runtime.engines.tensorrt_library import load_library
from pixie_runtime.errors import EngineError
library = load_library("tensorrt")
for name in ("Builder", "Runtime"):
    try:
        library.make(getattr(library.module, name))
    except EngineError as error:
        print(error)
try:
    library.make(library.module.Builder, "one argument too many")
except TypeError:
    print("refused")
"""

Api = dict[str, dict[str, str]]
"""Docstrings by class and member."""


def protocols(rtx: bool) -> Iterator[tuple[str, type]]:
    """Yield what classes the bindings must have, and with which members."""
    for name, found in vars(tensorrt_api).items():
        if not inspect.isclass(found) or found.__module__ != tensorrt_api.__name__:
            continue
        if name.removeprefix("Rtx") != "Tensorrt" and (rtx or name[:3] != "Rtx"):
            yield _RTX_NAMES.get(name, name), found


_RTX_NAMES = {
    "RtxBuilderConfig": "IBuilderConfig",
    "RtxCudaEngine": "ICudaEngine",
    "RtxRuntimeCache": "IRuntimeCache",
    "RtxRuntimeConfig": "IRuntimeConfig",
    "RtxStrategy": "DynamicShapesKernelSpecializationStrategy",
}
"""What the bindings call it."""


def members(protocol: type) -> dict[str, Any]:
    """Return the members that a Protocol itself declares."""
    own = {**inspect.get_annotations(protocol), **vars(protocol)}
    return {name: value for name, value in own.items() if not name.startswith("_")}


def overloads(doc: str) -> list[tuple[int, int]]:
    """Return how few and how many arguments pybind11 says that a member takes."""
    found = []
    for signature in re.findall(r"^(?:\d+\. )?\w+\((.*)\) -> ", doc, re.MULTILINE):
        if signature.startswith("*args"):
            continue
        depth, parts = 0, [""]
        for character in signature:
            depth += (character in "([<{") - (character in ")]>}")
            if character == "," and depth == 0:
                parts.append("")
            else:
                parts[-1] += character
        named = [part for part in parts if part.strip() and not _is_self(part)]
        found.append((sum("=" not in part for part in named), len(named)))
    return found


def _is_self(part: str) -> bool:
    return part.strip().startswith("self:")


def check(api: Api, *, rtx: bool) -> None:
    """Look up every member, and whether methods take so many arguments."""
    looked_up = 0
    for name, protocol in protocols(rtx):
        assert name in api, f"there is no {name}"
        for member, value in members(protocol).items():
            assert member in api[name], f"{name} has no {member}"
            if inspect.isfunction(value) and name != "ILogger":
                count = len(inspect.signature(value).parameters) - 1
                ranges = overloads(api[name][member])
                assert any(low <= count <= high for low, high in ranges), (
                    f"{name}.{member} takes {ranges}, we give {count}"
                )
            looked_up += 1
    modules = [tensorrt_api.Tensorrt, *([tensorrt_api.RtxTensorrt] if rtx else [])]
    for module in modules:
        for member in members(module):
            assert member in api, f"the module has no {member}"
            looked_up += 1
    assert looked_up > 40


@pytest.fixture
def kept(request: pytest.FixtureRequest) -> Path:
    """Where downloads stay between runs."""
    folder: Path = request.config.cache.mkdir("tensorrt-bindings")
    return folder


@pytest.mark.parametrize("version", VERSIONS)
def test_tensorrt_10_and_11_have_all_that_is_used(version: str, kept: Path) -> None:
    path, libraries = bindings(version, kept), stubs(version, kept)
    api = json.loads(run(LOOK.format(module="tensorrt"), path, libraries))
    check(api, rtx=False)


def test_tensorrt_rtx_has_all_that_is_used() -> None:
    pytest.importorskip("tensorrt_rtx")
    check(json.loads(run(LOOK.format(module="tensorrt_rtx"), None)), rtx=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_real_bindings_load_and_log_into_the_library(
    version: str, kept: Path
) -> None:
    path, libraries = bindings(version, kept), stubs(version, kept)
    assert run(LOAD, path, libraries).strip() == f"TensorRT {version} | a complaint"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_library_that_makes_nothing_is_one_sentence(version: str, kept: Path) -> None:
    path, libraries = bindings(version, kept), stubs(version, kept)
    *sentences, mistake = run(MAKE, path, libraries).splitlines()
    begin = f"TensorRT {version} does not start here: it gave no reason; look at"
    assert [sentence.startswith(begin) for sentence in sentences] == [True, True]
    assert mistake == "refused"


def test_bindings_without_their_libraries_are_told_from_none(kept: Path) -> None:
    sentence = run(LOAD, bindings(VERSIONS[1], kept))
    assert "TensorRT is installed but cannot be loaded: libnv" in sentence
    assert 'pip install "pixie-live[tensorrt]"' in sentence
    assert sentence.count("\n") == 1
    assert "packages that are not installed" in run(LOAD, None)


def test_what_11_dropped_would_be_found_missing(kept: Path) -> None:
    path, libraries = bindings(VERSIONS[1], kept), stubs(VERSIONS[1], kept)
    api = json.loads(run(LOOK.format(module="tensorrt"), path, libraries))
    assert "FP16" not in api["BuilderFlag"]
    assert "STRONGLY_TYPED" in api["NetworkDefinitionCreationFlag"]


@pytest.mark.parametrize(
    ("doc", "found"),
    [
        ("f(self: a.B, x: typing.SupportsInt) -> bool\n\n text (x) -> y", [(1, 1)]),
        (
            "f(*args, **kwargs)\nOverloaded function.\n\n"
            "1. f(self: a.B, s: a.S = <a.S.STATIC: 0>) -> c\n\n"
            "2. f(self: a.B, x: Sequence[int, int], y: int) -> c",
            [(0, 1), (2, 2)],
        ),
    ],
)
def test_arguments_are_counted(doc: str, found: list[tuple[int, int]]) -> None:
    assert overloads(doc) == found
