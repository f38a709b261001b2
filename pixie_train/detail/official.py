"""DECA's trained detail networks out of a user's own deca_model.tar.

Of that file only this is known here: two of its sections are state dicts called
`E_detail` and `D_detail`, of the networks that spec: pixie-network, section 9, has.
The names of their tensors are not known. Their order is: a state dict lists tensors as
the network uses them, so they are matched by order and shape, and a file that does not
match tensor for tensor is refused. Nobody who could check it against the real file has
done so yet.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pixie_runtime.errors import ModelFileError
from pixie_train.detail.config import DetailConfig
from pixie_train.detail.network import DetailNetwork

SECTIONS = ("E_detail", "D_detail")


def load_official_detail(path: Path) -> DetailNetwork:
    """Return DECA's detail network, in evaluation mode.

    Its maps are in FLAME's texture space (`FlameMap`), in metres.

    Raises:
        ModelFileError: the file cannot be read, holds more than tensors and plain
            values, or its sections are not these networks.
    """
    content = _read(path)
    network = DetailNetwork(DetailConfig(normalise=False, common=False))
    for name, modules in (
        ("E_detail", (network.encode.picture.encoder, network.encode.code)),
        ("D_detail", (network.decode,)),
    ):
        section = content.get(name)
        if not isinstance(section, Mapping):
            raise ModelFileError(
                f"{path} has no section {name}; expected DECA's deca_model.tar with "
                f"{' and '.join(SECTIONS)}"
            )
        _fill(modules, [v for v in section.values() if _counts(v)], path, name)
    return network.eval()


def _fill(
    modules: tuple[nn.Module, ...], found: list[Tensor], path: Path, section: str
) -> None:
    """Give modules the tensors of a section in their order."""
    slots = [
        tensor
        for module in modules
        for tensor in module.state_dict(keep_vars=True).values()
        if _counts(tensor)
    ]
    if len(found) != len(slots):
        raise ModelFileError(
            f"{section} of {path} has {len(found)} tensors, and the network described "
            f"in the papers {len(slots)}; it is of another version, which is not known"
        )
    with torch.no_grad():
        for number, (slot, tensor) in enumerate(zip(slots, found, strict=True)):
            if tensor.shape != slot.shape or not bool(tensor.isfinite().all()):
                raise ModelFileError(
                    f"tensor {number} in {section} of {path} is {tuple(tensor.shape)}; "
                    f"expected finite numbers of shape {tuple(slot.shape)}, so it is "
                    "of another version, which cannot be read"
                )
            slot.copy_(tensor)


def _counts(tensor: Any) -> bool:
    """Return whether a value is a tensor of weights, not a counter."""
    return (
        isinstance(tensor, Tensor) and tensor.dim() > 0 and tensor.is_floating_point()
    )


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ModelFileError(f"there is no {path}; check the path") from None
    except Exception as error:
        raise ModelFileError(
            f"{path} cannot be read ({type(error).__name__}): it is cut short, of "
            "another kind, or holds more than tensors; expected DECA's deca_model.tar"
        ) from error
    if not isinstance(content, Mapping):
        raise ModelFileError(
            f"{path} holds a {type(content).__name__}; expected DECA's deca_model.tar"
        )
    return content
