from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pixie_runtime.bundle import (
    Bundle,
    CropSpec,
    Manifest,
    NetworkSpec,
    embedded_bundle,
)
from pixie_runtime.errors import BundleError
from pixie_runtime.image_networks import ImageNetworks
from tests.runtime.image_bundle import (
    WatchedEngine,
    watched_engines,
    write_image_bundle,
)

ALL = ("body", "coarse", "head", "hand", "fuse")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return write_image_bundle(tmp_path_factory.mktemp("tiny"))


class Reshaped(WatchedEngine):
    """An engine that says of an input that it is of another shape, or not there."""

    def __init__(
        self, engine: WatchedEngine, **shapes: tuple[int | str, ...] | None
    ) -> None:
        super().__init__(engine)
        self._shapes = shapes

    @property
    def input_shapes(self) -> Mapping[str, tuple[int | str, ...]]:
        shapes = {**super().input_shapes, **self._shapes}
        return {name: shape for name, shape in shapes.items() if shape is not None}


def changed(bundle: Bundle, **changes: Any) -> Bundle:
    return replace(bundle, manifest=replace(bundle.manifest, **changes))


def renamed(manifest: Manifest, network: str, **changes: Any) -> dict[str, NetworkSpec]:
    return {
        **manifest.networks,
        network: replace(manifest.networks[network], **changes),
    }


@pytest.mark.parametrize(
    ("network", "shapes", "message"),
    [
        ("head", {"image": ("batch", 3, 256, 256)}, "'head' takes image .*256.*224"),
        ("hand", {"image": (1, 3, 224, 224)}, r"'hand' takes image \(1, 3.*\(batch, 3"),
        ("fuse", {"present": None}, "'fuse' takes F_b .*its manifest says.*present"),
        ("fuse", {"F_b": ("batch", 512)}, r"F_b \(batch, 512\).*F_b \(batch, 12\)"),
        ("coarse", {"F_b": ("batch", 12, 1)}, r"F_b \(batch, 12, 1\)"),
        ("body", {"more": ("batch", 1)}, "more"),
    ],
)
def test_an_engine_that_is_not_what_the_manifest_says_is_refused(
    bundle: Bundle,
    network: str,
    shapes: dict[str, tuple[int | str, ...] | None],
    message: str,
) -> None:
    engines = watched_engines(bundle)
    engines[network] = Reshaped(engines[network], **shapes)
    with pytest.raises(BundleError, match=message):
        ImageNetworks(bundle, ALL, engines)
    assert all(engine.closed for engine in engines.values())


@pytest.mark.parametrize("free", ["N", -1, None])
def test_engines_may_mark_the_free_axis_as_they_like(bundle: Bundle, free: Any) -> None:
    engines = watched_engines(bundle)
    engines["body"] = Reshaped(engines["body"], image=(free, 3, 224, 224))
    ImageNetworks(bundle, ALL, engines).close()
    assert all(engine.closed for engine in engines.values())


def test_a_bundle_with_other_inputs_or_too_few_outputs_is_refused(
    bundle: Bundle,
) -> None:
    manifest = bundle.manifest
    fuse = manifest.networks["fuse"]
    fewer = renamed(manifest, "fuse", inputs=fuse.inputs[:-1])
    with pytest.raises(BundleError, match=r"'fuse' takes .* expected .*'rules'"):
        ImageNetworks(changed(bundle, networks=fewer), ALL)
    no_camera = tuple(tensor for tensor in fuse.outputs if tensor.name != "camera")
    blind = renamed(manifest, "fuse", outputs=no_camera)
    with pytest.raises(BundleError, match=r"'fuse' gives no \['camera'\]"):
        ImageNetworks(changed(bundle, networks=blind), ALL)


def test_crops_of_another_size_than_the_networks_are_refused(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="crops are 256 pixels wide"):
        ImageNetworks(changed(bundle, crops=CropSpec(size=256)), ALL)
    with pytest.raises(BundleError, match="does not say how its pictures are cut"):
        ImageNetworks(changed(bundle, crops=None), ALL)


def test_a_bundle_of_another_kind_is_refused() -> None:
    with pytest.raises(BundleError, match=r"looks at landmarks; expected .* 'image'"):
        ImageNetworks(embedded_bundle(), ALL)


def test_a_missing_network_is_named(tmp_path: Path) -> None:
    partial = write_image_bundle(tmp_path, networks=("body", "head"))
    with pytest.raises(BundleError, match="no network 'coarse'; it has body, head"):
        ImageNetworks(partial, ALL)


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    bundle = write_image_bundle(tmp_path)
    (tmp_path / "hand.onnx").write_bytes(b"not a network")
    with pytest.raises(BundleError, match=r"hand\.onnx is not a model"):
        ImageNetworks(bundle, ALL)


def test_networks_that_were_not_asked_for_are_not_opened(tmp_path: Path) -> None:
    bundle = write_image_bundle(tmp_path)
    (tmp_path / "whole.onnx").unlink()
    networks = ImageNetworks(bundle, ALL)
    networks.close()
    networks.close()
