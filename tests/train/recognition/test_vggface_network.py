from pathlib import Path

import pytest
import torch
from torch import Tensor

from pixie_runtime.errors import ModelFileError
from pixie_train.networks.resnet import resnet50
from pixie_train.recognition.vggface_network import VggFaceNetwork, read_vggface


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {**resnet50().state_dict(), "fc.bias": torch.zeros(8631)}


def test_a_state_dict_is_read_with_or_without_wrapping(
    weights: dict[str, Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "resnet50.pth"
    torch.save(
        {"state_dict": {f"module.{n}": value for n, value in weights.items()}}, path
    )
    encoder = read_vggface(path, "torchvision").encoder
    for name, value in encoder.state_dict().items():
        torch.testing.assert_close(value, weights[name])
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


def test_the_two_layouts_halve_pictures_equally_often() -> None:
    with torch.device("meta"):
        picture = torch.empty(1, 3, 224, 224)
        for layout in ("caffe", "torchvision"):
            encoder = VggFaceNetwork(layout).encoder
            maps = encoder.maxpool(encoder.conv1(picture))
            assert maps.shape[-1] == 56
            assert encoder.layer3(encoder.layer2(encoder.layer1(maps))).shape[-1] == 14


def test_incomplete_and_foreign_files_are_refused(
    weights: dict[str, Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "resnet50.pth"
    short = {n: v for n, v in weights.items() if n.startswith("conv1")}
    torch.save({**short, "conv1.weight": torch.zeros(3), "other": torch.zeros(1)}, path)
    with pytest.raises(ModelFileError, match=r"bn1\.bias is missing.* and \d+ more"):
        read_vggface(path)
    torch.save(torch.zeros(1), path)
    with pytest.raises(ModelFileError, match="holds a Tensor"):
        read_vggface(path)
    torch.save({"conv1.weight": Path("x")}, path)
    with pytest.raises(ModelFileError, match="holds more than tensors"):
        read_vggface(path)
    with pytest.raises(ModelFileError, match="there is no face recognition network"):
        read_vggface(tmp_path / "absent.pth")
