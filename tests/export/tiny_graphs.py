"""Every network of an image bundle as a few random layers: exported in a moment."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pixie_export.graph import Graph
from pixie_export.image_bundle import ImageBundleReport, write_image_bundle
from pixie_export.reference import Samples
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.bundle import CropSpec, TensorSpec

SIDE, D = 6, 16
N_BETAS, N_EXPRESSION, VERTICES = 4, 3, 7
IMAGE = (3, SIDE, SIDE)
PERSON: dict[str, tuple[int, ...]] = {
    "rotations": (55, 3, 3),
    "betas": (N_BETAS,),
    "expression": (N_EXPRESSION,),
    "camera": (3,),
}
FUSED = {**PERSON, "moderator_weights": (3,), "texture": (5,), "light": (27,)}
CONDITIONS: dict[str, tuple[int, ...]] = {"present": (3,), "rules": (4,)}


def specs(shapes: dict[str, tuple[int, ...]]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(name, ("batch", *shape), "float32", name)
        for name, shape in shapes.items()
    )


class Layers(nn.Module):
    """All inputs, side by side, through one layer; joints turn about their z axes."""

    def __init__(
        self,
        inputs: dict[str, tuple[int, ...]],
        outputs: dict[str, tuple[int, ...]],
    ) -> None:
        super().__init__()
        self.shapes = list(outputs.values())
        self.widths = [
            55 if shape == (55, 3, 3) else int(np.prod(shape)) for shape in self.shapes
        ]
        given = sum(int(np.prod(shape)) for shape in inputs.values())
        self.layer = nn.Linear(given, sum(self.widths))

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        x = self.layer(torch.cat([given.flatten(1) for given in inputs], dim=1))
        return tuple(
            about_z(part) if shape == (55, 3, 3) else part.reshape(-1, *shape)
            for part, shape in zip(x.split(self.widths, 1), self.shapes, strict=True)
        )


def about_z(angles: Tensor) -> Tensor:
    cos, sin = angles.cos(), angles.sin()
    zero, one = angles * 0, angles * 0 + 1
    rows = [cos, -sin, zero, sin, cos, zero, zero, zero, one]
    return torch.stack(rows, dim=-1).reshape(-1, 55, 3, 3)


class Whole(nn.Module):
    def __init__(
        self, body: nn.Module, head: nn.Module, hand: nn.Module, fuse: nn.Module
    ) -> None:
        super().__init__()
        self.body, self.head, self.hand, self.fuse = body, head, hand, fuse

    def forward(
        self,
        body: Tensor,
        head: Tensor,
        left: Tensor,
        right: Tensor,
        present: Tensor,
        rules: Tensor,
    ) -> tuple[Tensor, ...]:
        features = [self.body(body), self.head(head), self.hand(left), self.hand(right)]
        fused: tuple[Tensor, ...] = self.fuse(
            *(feature for (feature,) in features), present, rules
        )
        return fused


def graph(
    name: str, inputs: dict[str, tuple[int, ...]], outputs: dict[str, tuple[int, ...]]
) -> Graph:
    return Graph(name, Layers(inputs, outputs), specs(inputs), specs(outputs))


def tiny_graphs(seed: int = 0) -> tuple[Graph, ...]:
    """Return all graphs of a bundle; `whole` is made of the others' layers."""
    torch.manual_seed(seed)
    features = dict.fromkeys(("F_b", "F_f", "F_left", "F_right"), (D,))
    body = graph("body", {"image": IMAGE}, {"F_b": (D,)})
    head = graph("head", {"image": IMAGE}, {"F_f": (D,)})
    hand = graph("hand", {"image": IMAGE}, {"F_h": (D,)})
    fuse = graph("fuse", {**features, **CONDITIONS}, FUSED)
    crops = ("image_body", "image_head", "image_left_hand", "image_right_hand")
    whole = Graph(
        "whole",
        Whole(body.module, head.module, hand.module, fuse.module),
        specs({**dict.fromkeys(crops, IMAGE), **CONDITIONS}),
        specs(FUSED),
    )
    params = {name: PERSON[name] for name in ("betas", "expression", "rotations")}
    surface: dict[str, tuple[int, ...]] = {
        "vertices": (VERTICES, 3),
        "joints": (55, 3),
        "key_points": (145, 3),
    }
    return (
        body,
        head,
        hand,
        graph(
            "coarse",
            {"F_b": (D,)},
            {**PERSON, "boxes": (3, 3), "key_points": (145, 2)},
        ),
        fuse,
        whole,
        graph("head_alone", {"F_f": (D,)}, {**PERSON, "texture": (5,), "light": (27,)}),
        graph("hand_alone", {"F_h": (D,)}, {"rotations": (55, 3, 3), "camera": (3,)}),
        graph("skinning", {**params, "transl": (3,)}, surface),
    )


def samples(count: int = 4, seed: int = 0) -> Samples:
    random = np.random.default_rng(seed)
    shape = (count, SIDE, SIDE, 3)
    crops = ("image_body", "image_head", "image_left_hand", "image_right_hand")
    return Samples.of(
        {name: random.integers(0, 256, shape, np.uint8) for name in crops}
    )


BODY_FILE = Path(str(files("pixie_runtime") / "assets" / "body" / "pixie_body.npz"))
"""A body model to put into bundles; the tiny networks speak of other sizes."""


def write_tiny_bundle(
    out: Path, graphs: Sequence[Graph] | None = None, model: BodyModel | None = None
) -> ImageBundleReport:
    return write_image_bundle(
        graphs if graphs is not None else tiny_graphs(),
        name="tiny",
        body_model_path=BODY_FILE,
        model=model or embedded_body_model(),
        crops=CropSpec(size=SIDE),
        samples=samples(),
        provenance={"made_by": "a test"},
        licence="none",
        out=out,
    )
