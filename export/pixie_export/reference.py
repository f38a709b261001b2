"""What the network computed in torch, kept inside the bundle for later comparison.

`reference.npz` holds crops of people as uint8 and every stage's results as float32, so
that whoever has the bundle can ask any engine on any machine for the same numbers.
"""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pixie_export.chain import CROPS, Values, run_chain
from pixie_export.graph import Graph
from pixie_export.graph_files import Announce, silent
from pixie_runtime.errors import BundleError
from pixie_runtime.fusion_rules import FusionRules
from pixie_runtime.types import Float32, UInt8

REFERENCE_NAME = "reference.npz"

_RULES = (
    FusionRules(),
    FusionRules.release(),
    FusionRules.paper(),
    FusionRules.pasted(),
)
_PRESENT = ((1, 1, 1), (1, 1, 1), (1, 1, 0), (0, 1, 1))


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """N people as image networks see them."""

    crops: Mapping[str, UInt8]
    """By the names of `chain.CROPS`: (N, S, S, 3), RGB; left hands mirrored."""
    present: Float32
    """1 or 0: head, left hand, right hand; (N, 3)."""
    rules: Float32
    """Rows of `FusionRules`, (N, 4)."""

    @classmethod
    def of(cls, crops: Mapping[str, UInt8]) -> "Samples":
        """Return these crops with every kind of rules and absent parts among them."""
        count = len(crops["image_body"])
        kinds = [index % len(_RULES) for index in range(count)]
        return cls(
            crops=crops,
            present=np.array([_PRESENT[kind] for kind in kinds], np.float32),
            rules=np.stack([_RULES[kind].row() for kind in kinds]),
        )

    def given(self) -> dict[str, Float32]:
        """Return the values that the chain of stages starts from."""
        pictures = {
            name: np.ascontiguousarray(
                self.crops[name].transpose(0, 3, 1, 2), np.float32
            )
            / np.float32(255)
            for name in CROPS
        }
        return {**pictures, "present": self.present, "rules": self.rules}


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Samples, and what torch made of them at every stage."""

    samples: Samples
    results: Mapping[str, Float32]
    """By "STAGE.TENSOR"."""

    def values(self) -> dict[str, Float32]:
        """Return everything a stage may be fed with."""
        return {**self.samples.given(), **self.results}

    def save(self, path: Path) -> None:
        """Write `reference.npz`; the same values make the same bytes."""
        results = {name: self.results[name] for name in sorted(self.results)}
        arrays: dict[str, npt.NDArray[Any]] = {
            **{name: self.samples.crops[name] for name in CROPS},
            "present": self.samples.present,
            "rules": self.samples.rules,
            **results,
        }
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> "Reference":
        """Read what `save` wrote.

        Raises:
            BundleError: it is damaged or lacks something.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            samples = Samples(
                crops={name: arrays.pop(name) for name in CROPS},
                present=arrays.pop("present"),
                rules=arrays.pop("rules"),
            )
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise BundleError(
                f"{path} is no record of a network's results ({error}); "
                "export the bundle again"
            ) from error
        return cls(samples, arrays)


def record(
    graphs: Sequence[Graph], samples: Samples, *, announce: Announce = silent
) -> Reference:
    """Run all graphs in torch, each fed by those before it, and keep the results."""
    by_name = {graph.name: graph for graph in graphs}

    def run(stage: str, inputs: Values) -> dict[str, Float32]:
        announce(f"running {stage} in torch")
        graph = by_name[stage]
        tensors = [torch.from_numpy(inputs[spec.name]) for spec in graph.inputs]
        with torch.no_grad():
            outputs = graph.module.eval()(*tensors)
        named = zip(graph.outputs, outputs, strict=False)
        return {spec.name: tensor.numpy() for spec, tensor in named}

    return Reference(samples, run_chain(by_name, samples.given(), run))
