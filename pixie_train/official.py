"""The official PIXIE checkpoint, read strictly (spec: pixie-network, section 11).

The official loader skips what it does not find; here a file that is not whole is
refused, since a network with random parts still gives plausible people.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pixie_runtime.errors import BundleError
from pixie_train.config import ImageConfig
from pixie_train.networks.image_pixie import ImagePixie

_SHOWN = 4
"""Tensors named in an error; the rest is counted."""


def sections(network: ImagePixie) -> dict[str, nn.Module]:
    """Return the network's modules by the checkpoint's names for them."""
    core = network.core
    return {
        "Encoder_body": network.encode_body,
        "Encoder_head": network.encode_head,
        "Encoder_hand": network.encode_hand,
        "Regressor_head_share": core.regress_head,
        "Regressor_hand_share": core.regress_hand,
        "Regressor_body": core.regress_body,
        "Regressor_head": core.regress_head_own,
        "Regressor_hand": core.regress_hand_own,
        "Extractor_head_share": core.extract_head,
        "Extractor_left_hand_share": core.extract_left_hand,
        "Extractor_right_hand_share": core.extract_right_hand,
        "Moderator_head_share": core.moderate_head,
        "Moderator_hand_share": core.moderate_hand,
    }


def load_official(path: Path) -> tuple[ImagePixie, tuple[str, ...]]:
    """Read `pixie_model.tar`.

    Returns:
        The network in evaluation mode on the CPU, and the names of what else the file
        holds, which is left alone.

    Raises:
        BundleError: no such file, not a checkpoint, or not a whole one.
    """
    content = _read(path)
    with torch.device("meta"):
        network = ImagePixie(ImageConfig())
    named = sections(network)
    absent = [name for name in named if not isinstance(content.get(name), Mapping)]
    if absent:
        raise BundleError(
            f"{path} is not an official PIXIE checkpoint: it lacks {_listed(absent)} "
            f"of the 13 networks expected, and holds {_listed(sorted(content))}; "
            "give the unchanged pixie_model.tar"
        )
    problems: list[str] = []
    for name, module in named.items():
        problems += _fill(name, module, content[name])
    if problems:
        raise BundleError(
            f"{path} is not a whole PIXIE checkpoint: {_listed(problems)}; "
            "download pixie_model.tar again"
        )
    return network.eval(), tuple(sorted(content.keys() - named.keys()))


def _read(path: Path) -> dict[str, Any]:
    try:
        content = _load(path)
    except FileNotFoundError:
        raise BundleError(f"there is no checkpoint {path}; check the path") from None
    except Exception as error:
        raise BundleError(
            f"{path} cannot be read as a checkpoint ({type(error).__name__}): it is "
            "cut short, of another kind, or holds more than tensors; expected PIXIE's "
            "pixie_model.tar, so download it again"
        ) from error
    if not isinstance(content, dict):
        raise BundleError(
            f"{path} holds a {type(content).__name__}; expected the 13 networks of "
            "PIXIE's pixie_model.tar"
        )
    return {str(name): value for name, value in content.items()}


def _load(path: Path) -> Any:
    with path.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    # Only the format of torch 1.6 and later can stay on disk until it is needed.
    return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)


def _fill(name: str, module: nn.Module, found: Mapping[str, Any]) -> list[str]:
    """Give a module its tensors; return what is wrong with them."""
    expected = module.state_dict()
    problems = [f"{name}.{key} is missing" for key in expected if key not in found]
    problems += [f"{name}.{key} is unknown" for key in found if key not in expected]
    for key, own in expected.items():
        tensor = found.get(key)
        if tensor is None:
            continue
        if not isinstance(tensor, Tensor) or tensor.shape != own.shape:
            shape = tuple(getattr(tensor, "shape", ())) or type(tensor).__name__
            problems.append(f"{name}.{key} is {shape} instead of {tuple(own.shape)}")
        elif tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            problems.append(f"{name}.{key} has values that are not finite")
    if not problems:
        module.load_state_dict(
            {key: found[key].to(own.dtype) for key, own in expected.items()},
            assign=True,
        )
    return problems


def _listed(items: list[str]) -> str:
    shown = ", ".join(items[:_SHOWN]) or "nothing"
    more = len(items) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
