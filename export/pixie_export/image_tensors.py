"""Tensors that several graphs of an image bundle take or give, described once."""

import torch
from torch import Tensor

from pixie_runtime.bundle import TensorSpec
from pixie_train.config import CoreConfig


def tensor(name: str, shape: tuple[int, ...], meaning: str) -> TensorSpec:
    """Describe a float32 tensor of any number of people."""
    return TensorSpec(name, ("batch", *shape), "float32", meaning)


def picture(name: str, side: int, what: str) -> TensorSpec:
    """Describe a crop of `side` pixels."""
    return tensor(name, (3, side, side), f"{what}, RGB in [0, 1]")


def feature(name: str, core: CoreConfig, what: str) -> TensorSpec:
    """Describe a feature."""
    return tensor(name, (core.feature_dim,), what)


def params(core: CoreConfig, crop: str) -> tuple[TensorSpec, ...]:
    """Describe SMPL-X parameters with the camera of a "body" or other crop."""
    return (
        tensor(
            "rotations",
            (55, 3, 3),
            "SMPL-X joints; root in axes of a camera that looks at the crop's centre "
            "(x right, y down, z forward), the others relative to the parent",
        ),
        tensor("betas", (core.n_betas,), "shape, standard deviations"),
        tensor("expression", (core.n_expression,), "expression, standard deviations"),
        camera(crop),
    )


def camera(crop: str) -> TensorSpec:
    """Describe the weak-perspective camera of a crop."""
    meaning = f"s, tx, ty: (x, y) -> s (x + tx, y + ty) in [-1, 1] over the {crop} crop"
    return tensor("camera", (3,), meaning)


def appearance(core: CoreConfig) -> tuple[TensorSpec, ...]:
    """Describe texture and light, if the network regresses them."""
    if not core.n_texture:
        return ()
    return (
        tensor("texture", (core.n_texture,), "albedo coefficients"),
        tensor("light", (27,), "spherical harmonics by RGB, 9 x 3"),
    )


def values(raw: dict[str, Tensor]) -> Tensor:
    """Return a regressor's vector as it came: names in their order are its parts."""
    return torch.cat(list(raw.values()), dim=-1)


def raw(core: CoreConfig, name: str) -> tuple[TensorSpec, ...]:
    """Describe all regressors' vectors."""
    head = core.n_betas + core.n_expression + 9
    return (
        tensor(f"{name}_body", (117,), "R_b's vector"),
        *raw_parts(head, name),
    )


def raw_parts(head: int, name: str) -> tuple[TensorSpec, ...]:
    """Describe the shared regressors' vectors."""
    return (
        tensor(f"{name}_head", (head,), "shared head regressor's vector"),
        tensor(f"{name}_hands", (2, 96), "shared hand regressor's vectors"),
    )


def unfinished() -> tuple[TensorSpec, ...]:
    """Describe rotations before decoding is done with them."""
    return (
        tensor("head_unchecked", (3, 3), "head against neck before the head check"),
        tensor("absolute", (3, 3, 3), "head, left and right wrist in camera axes"),
    )


def fused_outputs(core: CoreConfig) -> tuple[TensorSpec, ...]:
    """Describe what a whole person's graph gives."""
    weights = tensor(
        "moderator_weights", (3,), "weight of the expert: head, left hand, right hand"
    )
    return (*params(core, "body"), weights, *appearance(core))


def conditions() -> tuple[TensorSpec, ...]:
    """Describe what else than pictures a whole person's graph takes."""
    return (
        tensor("present", (3,), "1 or 0: head, left hand, right hand can be seen"),
        tensor(
            "rules",
            (4,),
            "paste part features (0, 1); hand weight taken as 1 above; "
            "expression and fingers from the parts alone (0, 1); "
            "head check (0 off, 1 soft, 2 as released)",
        ),
    )
