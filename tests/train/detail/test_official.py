from pathlib import Path

import pytest
import torch
from torch import Tensor

from pixie_runtime.errors import ModelFileError
from pixie_train.detail.config import DetailConfig
from pixie_train.detail.network import DetailNetwork
from pixie_train.detail.official import load_official_detail


@pytest.fixture(scope="module")
def sections() -> dict[str, dict[str, Tensor]]:
    """Return a checkpoint whose tensors have names of somebody else's."""
    torch.manual_seed(0)
    network = DetailNetwork(DetailConfig(common=False))
    encoder = [
        *network.encode.picture.encoder.state_dict().values(),
        *network.encode.code.state_dict().values(),
    ]
    decoder = network.decode.state_dict().values()
    return {
        "E_flame": {"other": torch.zeros(3)},
        "E_detail": {f"e{n}": value for n, value in enumerate(encoder)},
        "D_detail": {f"d{n}": value for n, value in enumerate(decoder)},
    }


def test_tensors_are_taken_by_their_order(
    sections: dict[str, dict[str, Tensor]], tmp_path: Path
) -> None:
    path = tmp_path / "deca_model.tar"
    torch.save(sections, path)
    network = load_official_detail(path)
    state = network.decode.state_dict()
    for value, expected in zip(
        state.values(), sections["D_detail"].values(), strict=True
    ):
        torch.testing.assert_close(value, expected)
    first = network.encode.picture.encoder.state_dict()["conv1.weight"]
    torch.testing.assert_close(first, sections["E_detail"]["e0"])


def test_other_networks_are_refused(
    sections: dict[str, dict[str, Tensor]], tmp_path: Path
) -> None:
    path = tmp_path / "deca_model.tar"
    small = {"E_detail": dict(list(sections["E_detail"].items())[:7])}
    torch.save(small, path)
    with pytest.raises(ModelFileError, match=r"E_detail of .* has 6 tensors"):
        load_official_detail(path)
    torch.save({"E_flame": {}}, path)
    with pytest.raises(ModelFileError, match="has no section E_detail"):
        load_official_detail(path)
    torch.save(torch.zeros(1), path)
    with pytest.raises(ModelFileError, match="holds a Tensor"):
        load_official_detail(path)
    path.write_bytes(b"cut short")
    with pytest.raises(ModelFileError, match="cannot be read"):
        load_official_detail(path)
