"""The official checkpoint is read whole or not at all."""

import csv
from pathlib import Path
from typing import Any

import pytest
import torch

from pixie_runtime.errors import BundleError
from pixie_train.config import ImageConfig
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.official import load_official, sections
from tests.parity_case import parity_folder


def random_network() -> ImagePixie:
    with torch.device("meta"):
        return ImagePixie(ImageConfig())


@pytest.fixture(scope="module")
def content() -> dict[str, dict[str, torch.Tensor]]:
    """Return a whole checkpoint whose tensors take no space."""
    return {
        name: {
            key: torch.zeros((), dtype=tensor.dtype).expand(tensor.shape)
            for key, tensor in module.state_dict().items()
        }
        for name, module in sections(random_network()).items()
    }


def saved(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(BundleError) as caught:
        load_official(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_networks_tensors_are_those_of_the_official_checkpoint() -> None:
    table = parity_folder() / "state_dict_keys.tsv"
    with table.open() as file:
        expected = {
            (row["module"], row["key"]): row["shape"]
            for row in csv.DictReader(file, delimiter="\t")
        }
    ours = {
        (name, key): ",".join(map(str, tensor.shape))
        for name, module in sections(random_network()).items()
        for key, tensor in module.state_dict().items()
    }
    assert ours == expected


def test_a_whole_checkpoint_is_read_and_its_strangers_are_named(
    tmp_path: Path, content: dict[str, dict[str, torch.Tensor]]
) -> None:
    path = saved(tmp_path / "pixie_model.tar", content | {"opt": {}, "global_step": 7})
    network, others = load_official(path)
    assert others == ("global_step", "opt")
    assert not network.training
    assert all(not tensor.is_meta for tensor in network.state_dict().values())


def test_a_checkpoint_in_the_format_before_torch_1_6_is_read_too(
    tmp_path: Path, content: dict[str, dict[str, torch.Tensor]]
) -> None:
    path = tmp_path / "pixie_model.tar"
    torch.save(content, path, _use_new_zipfile_serialization=False)
    assert load_official(path)[1] == ()


def test_a_tensor_that_is_missing_is_named(
    tmp_path: Path, content: dict[str, dict[str, torch.Tensor]]
) -> None:
    partial = dict(content["Moderator_head_share"])
    del partial["temperature"]
    path = saved(tmp_path / "p.tar", content | {"Moderator_head_share": partial})
    assert "Moderator_head_share.temperature is missing" in refusal(path)


def test_a_tensor_of_another_shape_is_named_even_if_it_would_broadcast(
    tmp_path: Path, content: dict[str, dict[str, torch.Tensor]]
) -> None:
    other = content["Regressor_body"] | {"layers.2.bias": torch.zeros(1)}
    path = saved(tmp_path / "p.tar", content | {"Regressor_body": other})
    assert "Regressor_body.layers.2.bias is (1,) instead of (117,)" in refusal(path)


def test_a_tensor_too_many_is_named(
    tmp_path: Path, content: dict[str, dict[str, torch.Tensor]]
) -> None:
    other = content["Regressor_hand"] | {"layers.4.bias": torch.zeros(3)}
    path = saved(tmp_path / "p.tar", content | {"Regressor_hand": other})
    assert "Regressor_hand.layers.4.bias is unknown" in refusal(path)


def test_numbers_that_are_none_are_found(
    tmp_path: Path, content: dict[str, dict[str, torch.Tensor]]
) -> None:
    broken = content["Regressor_hand"] | {"layers.2.bias": torch.full((3,), torch.nan)}
    path = saved(tmp_path / "p.tar", content | {"Regressor_hand": broken})
    assert "Regressor_hand.layers.2.bias has values that are not finite" in refusal(
        path
    )


def test_another_network_s_checkpoint_is_told_by_what_it_lacks(tmp_path: Path) -> None:
    path = saved(tmp_path / "deca_model.tar", {"E_flame": {}, "E_detail": {}})
    message = refusal(path)
    assert "lacks Encoder_body, Encoder_head" in message
    assert "holds E_detail, E_flame" in message


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file_is_refused(
    tmp_path: Path, content: dict[str, dict[str, torch.Tensor]], kept: float
) -> None:
    path = saved(tmp_path / "pixie_model.tar", content)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    assert "download it again" in refusal(path)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    path = saved(tmp_path / "evil.tar", {"Encoder_body": Trap(tmp_path / "ran")})
    assert "more than tensors" in refusal(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("other", [[1, 2], torch.zeros(3), "text"])
def test_what_is_no_dictionary_is_refused(tmp_path: Path, other: Any) -> None:
    assert "13 networks" in refusal(saved(tmp_path / "p.tar", other))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "there is no checkpoint" in refusal(tmp_path / "pixie_model.tar")


class Trap:
    """Something that makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)
