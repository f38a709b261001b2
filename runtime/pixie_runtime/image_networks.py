"""The networks of an image bundle, opened and checked against what estimators feed."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack

import numpy as np

from pixie_runtime.bundle import Bundle, CropSpec, Manifest, NetworkSpec
from pixie_runtime.engines import AnyArray, Engine, EngineMaker
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeMaker
from pixie_runtime.errors import BundleError
from pixie_runtime.types import Float32

_Shape = tuple[int | str | None, ...]

_PERSON = ("rotations", "betas", "expression", "camera")
_USED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "body": (("image",), ("F_b",)),
    "head": (("image",), ("F_f",)),
    "hand": (("image",), ("F_h",)),
    "coarse": (("F_b",), ("boxes",)),
    "fuse": (
        ("F_b", "F_f", "F_left", "F_right", "present", "rules"),
        (*_PERSON, "moderator_weights"),
    ),
    "head_alone": (("F_f",), _PERSON),
    "hand_alone": (("F_h",), ("rotations", "camera")),
}
"""Each network's inputs, all of them, and those of its outputs that are used."""


class ImageNetworks:
    """Some networks of an image bundle, ready to run; closing frees all of them."""

    def __init__(
        self,
        bundle: Bundle,
        names: Iterable[str],
        engines: Mapping[str, Engine] | None = None,
        *,
        maker: EngineMaker | None = None,
    ) -> None:
        """Open the networks.

        Args:
            bundle: a bundle of kind "image".
            names: which of its networks.
            engines: what runs them, by name. They belong to this object from now on.
            maker: opens those that have no engine yet; default: ONNX Runtime.

        Raises:
            BundleError: the bundle is of another kind, lacks a network, or has one
                that does not take or give what it should.
            EngineError: the maker's library or device cannot run a network.
        """
        manifest = bundle.manifest
        self.crops = _crop_spec(manifest)
        self._engines: dict[str, Engine] = {}
        maker = maker or OnnxRuntimeMaker()
        with ExitStack() as opened:
            for engine in (engines or {}).values():
                opened.callback(engine.close)
            for name in names:
                path = bundle.path_of(name)
                given = (engines or {}).get(name)
                engine = given or maker.open(path)
                if given is None:
                    opened.callback(engine.close)
                self._engines[name] = engine
                _check(manifest, name, engine, self.crops)
                if given is None and name == "hand":
                    _show_both_hands(engine, self.crops)
            self._opened = opened.pop_all()

    def infer(self, name: str, **inputs: AnyArray) -> dict[str, Float32]:
        """Run a network; every input by name, batch axis first."""
        return self._engines[name].infer(inputs)

    def close(self) -> None:
        """Free every network, each whatever happens to the others."""
        self._opened.close()


def _show_both_hands(engine: Engine, crops: CropSpec) -> None:
    """Run the hands' network on two: what prepares each size of a batch does it now."""
    if not _fixed(engine.input_shapes["image"][0]):
        engine.infer({"image": np.zeros((2, 3, crops.size, crops.size), np.float32)})


def _crop_spec(manifest: Manifest) -> CropSpec:
    if manifest.kind != "image":
        raise BundleError(
            f"bundle {manifest.name} looks at {manifest.kind}s; expected a bundle of "
            "kind 'image'"
        )
    if manifest.crops is None:
        raise BundleError(
            f"bundle {manifest.name} does not say how its pictures are cut (crops); "
            "export it again"
        )
    return manifest.crops


def _check(manifest: Manifest, name: str, engine: Engine, crops: CropSpec) -> None:
    """Raise BundleError unless contract, manifest and engine agree on a network."""
    inputs, outputs = _USED[name]
    spec = manifest.networks[name]
    where = f"bundle {manifest.name}: the network {name!r}"
    declared: dict[str, _Shape] = {t.name: t.shape for t in spec.inputs}
    found: dict[str, _Shape] = dict(engine.input_shapes)
    if set(declared) != set(inputs):
        raise BundleError(
            f"{where} takes {sorted(declared)}, expected {sorted(inputs)}; export it "
            "again with this version of pixie-live"
        )
    if set(found) != set(declared) or any(
        not _agree(found[key], declared[key]) for key in declared
    ):
        raise BundleError(
            f"{where} takes {_shown(found)}, its manifest says {_shown(declared)}; "
            "export it again"
        )
    missing = set(outputs) - _outputs(spec, engine)
    if missing:
        raise BundleError(f"{where} gives no {sorted(missing)}; export it again")
    image = declared.get("image")
    if image is not None and image[1:] != (3, crops.size, crops.size):
        raise BundleError(
            f"{where} takes {_shown({'image': image})}, but the bundle's crops are "
            f"{crops.size} pixels wide; export it again"
        )


def _outputs(spec: NetworkSpec, engine: Engine) -> set[str]:
    return {tensor.name for tensor in spec.outputs} & set(engine.output_names)


def _agree(found: _Shape, declared: _Shape) -> bool:
    """Whether two shapes have the same sizes, and are free at the same axes."""
    return len(found) == len(declared) and all(
        a == b if _fixed(a) and _fixed(b) else _fixed(a) == _fixed(b)
        for a, b in zip(found, declared, strict=True)
    )


def _fixed(axis: int | str | None) -> bool:
    """Whether an axis has one size; engines mark free ones by a name, None or -1."""
    return isinstance(axis, int) and axis >= 0


def _shown(shapes: Mapping[str, _Shape]) -> str:
    return ", ".join(
        f"{key} ({', '.join(map(str, shape))})" for key, shape in sorted(shapes.items())
    )
