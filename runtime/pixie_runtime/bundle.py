"""The folder that an export writes and the runtime opens: networks and a manifest.

`manifest.json` says everything that is needed to run the networks beside it. Nothing
in a bundle is believed before its sha256 is checked, and no path leaves the folder.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath
from reprlib import repr as shortened
from typing import Literal, Self

from pixie_runtime.errors import BundleError
from pixie_runtime.json_fields import Fields

FORMAT = "pixie-bundle-1"
MANIFEST_NAME = "manifest.json"

Kind = Literal["landmark", "image"]
KINDS: tuple[Kind, ...] = ("landmark", "image")

_MAX_MANIFEST_BYTES = 1_000_000
_MOST_COEFFICIENTS = 10_000
_LARGEST_SIDE = 4096
_LARGEST_SCALE = 100


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of a network."""

    name: str
    shape: tuple[int | str, ...]
    """A str names a free axis, such as "batch"."""
    dtype: str
    """numpy's name: "float32"."""
    meaning: str
    """Content, unit and frame, for whoever reads the manifest."""

    @classmethod
    def of(cls, said: Fields) -> Self:
        """Read what a manifest says; raises ValueError."""
        return cls(
            name=said.text("name"),
            shape=said.axes("shape"),
            dtype=said.text("dtype"),
            meaning=said.text("meaning"),
        )


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """One network file and what goes in and out."""

    file: str
    """Name of the file inside the bundle."""
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    @classmethod
    def of(cls, said: Fields) -> Self:
        """Read what a manifest says; raises ValueError."""
        inputs, outputs = (
            tuple(TensorSpec.of(tensor) for tensor in said.each(side))
            for side in ("inputs", "outputs")
        )
        return cls(file=said.text("file"), inputs=inputs, outputs=outputs)


@dataclass(frozen=True, slots=True)
class BodyModelSpec:
    """The body model whose parameters the networks speak."""

    name: str
    sha256: str
    """Of the model file."""
    n_betas: int
    """Shape coefficients that come out; the model may have more."""
    n_expression: int
    """Expression coefficients that come out."""
    file: str = ""
    """The model file's copy inside the bundle; empty: the body that the runtime has."""

    @classmethod
    def of(cls, said: Fields) -> Self:
        """Read what a manifest says; raises ValueError."""
        said.known([known.name for known in fields(cls)])
        return cls(
            name=said.text("name"),
            sha256=said.text("sha256"),
            n_betas=said.whole("n_betas", 0, _MOST_COEFFICIENTS),
            n_expression=said.whole("n_expression", 0, _MOST_COEFFICIENTS),
            file=said.text("file") if said.has("file") else "",
        )


@dataclass(frozen=True, slots=True)
class CropSpec:
    """How the pictures that image networks look at are cut (pixie-network, section 8).

    All are squares in RGB, float32 in [0, 1], channels first, sampled bilinearly
    without anti-aliasing, zeros outside the picture.
    """

    size: int = 224
    """Side of every crop in pixels."""
    hd_size: int = 1024
    """Side of the finer picture of the body's square that part crops are cut from."""
    body_scale: float = 1.1
    """Side of the body's square over the longer side of the person's box."""
    head_scale: float = 2.0
    """Side of the head's square over the longer side of its 68 landmarks' box."""
    hand_scale: float = 2.4
    """Side of a hand's square over the longer side of its 21 points' box."""

    @classmethod
    def of(cls, said: Fields) -> Self:
        """Read what a manifest says, the rest as by default; raises ValueError."""
        known = asdict(cls())
        said = said.known(known).over(known)
        return cls(
            size=said.whole("size", 1, _LARGEST_SIDE),
            hd_size=said.whole("hd_size", 1, _LARGEST_SIDE),
            body_scale=said.positive("body_scale", _LARGEST_SCALE),
            head_scale=said.positive("head_scale", _LARGEST_SCALE),
            hand_scale=said.positive("hand_scale", _LARGEST_SCALE),
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """A bundle's contract."""

    name: str
    kind: Kind
    """What the networks look at."""
    body_model: BodyModelSpec
    networks: dict[str, NetworkSpec]
    sha256: dict[str, str]
    """Of every file of the bundle but the manifest, by name."""
    precision: str
    """How weights are stored and computed with."""
    licence: str
    crops: CropSpec | None = None
    """Of kind "image": how its pictures are cut."""
    provenance: dict[str, str] = field(default_factory=dict)
    """What the bundle was made from, and with what result."""
    format: str = FORMAT

    def to_json(self) -> str:
        """Return the text of `manifest.json`."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the text of a `manifest.json`.

        Raises:
            BundleError: it is not one, or of another format version.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BundleError(f"{MANIFEST_NAME} is not JSON: {error}") from error
        found = values.get("format") if isinstance(values, dict) else None
        if found != FORMAT:
            raise BundleError(
                f"{MANIFEST_NAME} is of format {shortened(found)}, this version reads "
                f"{FORMAT!r}; export it again with this version of pixie-live"
            )
        try:
            return cls._of(Fields(values))
        except ValueError as error:
            raise BundleError(
                f"{MANIFEST_NAME} is incomplete or malformed ({error}); "
                "export the bundle again"
            ) from error

    @classmethod
    def _of(cls, said: Fields) -> Self:
        networks = said.fields("networks")
        return cls(
            name=said.text("name"),
            kind=said.choice("kind", KINDS),
            body_model=BodyModelSpec.of(said.fields("body_model")),
            networks={name: NetworkSpec.of(networks.fields(name)) for name in networks},
            sha256=said.fields("sha256").texts(),
            precision=said.text("precision"),
            licence=said.text("licence"),
            crops=CropSpec.of(said.fields("crops")) if said.has("crops") else None,
            provenance=said.fields("provenance").texts(),
        )


@dataclass(frozen=True, eq=False)
class Bundle:
    """An opened bundle whose files have been checked."""

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open a bundle and check every file against the manifest.

        Raises:
            BundleError: no bundle, a missing or altered file, or a name that leads
                out of the folder.
        """
        path = folder / MANIFEST_NAME
        try:
            if not path.is_file():
                raise BundleError(
                    f"{folder} is not a bundle: it has no {MANIFEST_NAME}; expected a "
                    "folder written by pixie-export"
                )
            if path.stat().st_size > _MAX_MANIFEST_BYTES:
                raise BundleError(
                    f"{path} is too large for a manifest; export it again"
                )
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise BundleError(f"cannot read {path}: {reason}") from error
        try:
            manifest = Manifest.from_json(text)
        except BundleError as error:
            raise BundleError(f"bundle {folder}: {error}") from error
        bundle = cls(folder, manifest)
        bundle._check_files()
        return bundle

    def path_of(self, network: str) -> Path:
        """Return the file of the network called `network`.

        Raises:
            BundleError: the bundle has no such network.
        """
        spec = self.manifest.networks.get(network)
        if spec is None:
            raise BundleError(
                f"bundle {self.manifest.name} has no network {network!r}; it has "
                f"{', '.join(sorted(self.manifest.networks)) or 'none'}"
            )
        return self.folder / spec.file

    @property
    def body_model_path(self) -> Path | None:
        """The body model that came with the bundle, if one did."""
        name = self.manifest.body_model.file
        return self.folder / name if name else None

    def _check_files(self) -> None:
        hashes = self.manifest.sha256
        body = self.manifest.body_model.file
        if body and body not in hashes:
            raise BundleError(
                f"{self.folder}: {MANIFEST_NAME} gives no sha256 for {body}; "
                "export the bundle again"
            )
        for spec in self.manifest.networks.values():
            if spec.file not in hashes:
                raise BundleError(
                    f"{self.folder}: {MANIFEST_NAME} gives no sha256 for {spec.file}; "
                    "export the bundle again"
                )
        for name, expected in hashes.items():
            parts = PurePosixPath(name).parts
            if len(parts) != 1 or name in {"", ".", ".."} or "\\" in name:
                raise BundleError(
                    f"{self.folder}: the manifest names {name!r}, which is not a plain "
                    "file name; do not use this bundle"
                )
            path = self.folder / name
            try:
                if path.is_symlink() or not path.is_file():
                    raise BundleError(
                        f"{self.folder}: {name} is missing; export it again"
                    )
                with path.open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise BundleError(
                    f"{self.folder}: cannot read {shortened(name)}: {error.strerror}; "
                    "export the bundle again"
                ) from error
            if found != expected:
                raise BundleError(
                    f"{path} is not the file that was exported: sha256 "
                    f"{found[:12]}..., expected {str(expected)[:12]}...; "
                    "export or download it again"
                )


@cache
def embedded_bundle() -> Bundle:
    """Return the `pixie-landmark` bundle that comes with the package.

    Raises:
        BundleError: the installation lacks it.
    """
    return Bundle.open(Path(str(files("pixie_runtime") / "assets" / "pixie-landmark")))
