import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from torch import Tensor, nn

from pixie_export.graph import Graph
from pixie_export.graph_files import write_graphs
from pixie_export.image_bundle import write_image_bundle
from pixie_runtime.body import embedded_body_model, load_body_model
from pixie_runtime.bundle import Bundle, CropSpec
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.errors import BundleError
from tests.export.tiny_graphs import (
    BODY_FILE,
    N_BETAS,
    N_EXPRESSION,
    SIDE,
    D,
    samples,
    tiny_graphs,
    write_tiny_bundle,
)


def test_a_bundle_says_everything_to_run_it(tiny_bundle: Path) -> None:
    bundle = Bundle.open(tiny_bundle)
    manifest = bundle.manifest
    assert manifest.kind == "image"
    assert manifest.crops == CropSpec(size=SIDE)
    assert set(manifest.networks) == {graph.name for graph in tiny_graphs()}
    assert set(manifest.sha256) == {
        path.name for path in tiny_bundle.iterdir() if path.name != "manifest.json"
    }
    body = manifest.body_model
    assert (body.n_betas, body.n_expression) == (N_BETAS, N_EXPRESSION)
    for name, network in manifest.networks.items():
        with OnnxRuntimeEngine(bundle.path_of(name)) as engine:
            assert dict(engine.input_shapes) == {
                t.name: t.shape for t in network.inputs
            }
            assert engine.output_names == tuple(t.name for t in network.outputs)


def test_the_body_model_is_in_the_bundle_as_it_was(tiny_bundle: Path) -> None:
    bundle = Bundle.open(tiny_bundle)
    assert bundle.body_model_path is not None
    assert bundle.body_model_path.read_bytes() == BODY_FILE.read_bytes()
    assert load_body_model(bundle.body_model_path).sha256 == (
        bundle.manifest.body_model.sha256
    )


def test_networks_share_their_weights(tiny_bundle: Path) -> None:
    models = {
        name: onnx.load(tiny_bundle / f"{name}.onnx", load_external_data=False)
        for name in ("body", "head", "hand", "fuse", "whole")
    }
    places = {
        name: {
            entry.value
            for tensor in model.graph.initializer
            for entry in tensor.external_data
            if entry.key == "offset"
        }
        for name, model in models.items()
    }
    whole = places.pop("whole")
    assert whole == set().union(*places.values())


def test_the_same_network_makes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        write_graphs(tiny_graphs()[:2], tmp_path / name)
    for file in ("body.onnx", "head.onnx", "weights.bin"):
        first, second = (tmp_path / name / file for name in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


class Restless(nn.Module):
    """Computes something else each time."""

    def __init__(self) -> None:
        super().__init__()
        self.runs = 0

    def forward(self, x: Tensor) -> tuple[Tensor]:
        self.runs += 1
        return (x.flatten(1)[:, :D] * self.runs,)


NEEDED = {"body", "head", "hand", "fuse", "skinning"}
"""The fewest networks that a bundle can be verified with."""


def test_what_does_not_agree_with_torch_is_never_seen(tmp_path: Path) -> None:
    body, *others = (graph for graph in tiny_graphs() if graph.name in NEEDED)
    restless = Graph("body", Restless(), body.inputs, body.outputs)
    with pytest.raises(BundleError, match=r"body: F_b differs from torch by .* of its"):
        write_tiny_bundle(tmp_path / "b", [restless, *others])
    assert list(tmp_path.iterdir()) == []


def test_an_older_bundle_is_replaced_whole(tiny_bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "b"
    out.mkdir()
    (out / "manifest.json").write_text("{}")
    (out / "of_the_older_one").touch()
    graphs = [graph for graph in tiny_graphs() if graph.name in NEEDED]
    write_tiny_bundle(out, graphs)
    assert not (out / "of_the_older_one").exists()
    assert set(Bundle.open(out).manifest.networks) == NEEDED
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_place_that_is_not_free_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    file = folder / "thesis.txt"
    file.touch()
    for out, message in (
        (folder, "other things in it"),
        (file, "is a file"),
        (file / "bundle", "cannot write the bundle .*; give a folder"),
    ):
        with pytest.raises(BundleError, match=message):
            write_tiny_bundle(out, [])
    assert sorted(tmp_path.rglob("*")) == [folder, file]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    def full(what: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(BundleError, match="No space left on device; give a folder"):
        write_image_bundle(
            tiny_graphs(),
            name="tiny",
            body_model_path=BODY_FILE,
            model=embedded_body_model(),
            crops=CropSpec(size=SIDE),
            samples=samples(),
            provenance={},
            licence="none",
            out=tmp_path / "b",
            announce=full,
        )
    assert list(tmp_path.iterdir()) == []


def test_a_body_model_that_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    other = replace(embedded_body_model(), sha256="0" * 64)
    with pytest.raises(BundleError, match="changed while it was exported"):
        write_tiny_bundle(tmp_path / "b", model=other)


def test_the_manifest_is_short_and_names_no_path(tiny_bundle: Path) -> None:
    text = (tiny_bundle / "manifest.json").read_text()
    assert str(tiny_bundle.parent) not in text
    assert json.loads(text)["provenance"] == {"made_by": "a test"}
    assert len(text) < 100_000


def test_any_number_of_people_fit_in_a_run(tiny_bundle: Path) -> None:
    bundle = Bundle.open(tiny_bundle)
    given = samples(3).given()
    with OnnxRuntimeEngine(bundle.path_of("whole")) as engine:
        together = engine.infer(given)["betas"]
        for index in range(3):
            alone = engine.infer({n: a[index : index + 1] for n, a in given.items()})
            np.testing.assert_allclose(
                alone["betas"][0], together[index], rtol=1e-4, atol=1e-5
            )


def test_a_bundle_that_was_altered_is_refused(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    out = tmp_path / "b"
    shutil.copytree(tiny_bundle, out)
    with (out / "weights.bin").open("r+b") as file:
        file.write(b"\x01")
    with pytest.raises(BundleError, match=r"weights\.bin is not the file that was exp"):
        Bundle.open(out)
    (out / "weights.bin").unlink()
    with pytest.raises(BundleError, match=r"weights\.bin is missing"):
        Bundle.open(out)
