import pytest
import torch
from torch import nn

from pixie_runtime.errors import UsageError
from pixie_train.detail.config import DetailConfig
from pixie_train.detail.network import DetailDecoder, DetailNetwork, trusted

SMALL = DetailConfig(
    encoder="resnet18", hidden=8, latent=4, n_expression=2, channels=(4, 4, 2)
)


def test_the_decoder_has_the_published_layers() -> None:
    with torch.device("meta"):
        decoder = DetailDecoder(DetailConfig())
    linear = [m for m in decoder.modules() if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in linear] == [(181, 128 * 8 * 8)]
    convolutions = [m for m in decoder.modules() if isinstance(m, nn.Conv2d)]
    sizes = [(m.in_channels, m.out_channels) for m in convolutions]
    assert sizes == [(128, 128), (128, 64), (64, 64), (64, 32), (32, 16), (16, 1)]
    norms = [m.eps for m in decoder.modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms[1:] == [0.8] * 5
    assert DetailConfig().map_size == 256


def test_displacements_stay_within_their_limit_and_depend_on_all_inputs() -> None:
    torch.manual_seed(0)
    network = DetailNetwork(SMALL).eval()
    with torch.no_grad():
        network.decode.height.weight.mul_(1e5)
    inputs = [torch.rand(2, 3, 32, 32), torch.zeros(2, 3), torch.zeros(2, 2)]
    plain = network(*inputs)
    assert plain.shape == (2, 1, 32, 32)
    assert 0.0099 < plain.abs().max() <= 0.01
    for number in range(3):
        other = [x + 1 if n == number else x for n, x in enumerate(inputs)]
        assert not torch.equal(network(*other), plain)


def test_an_untrained_face_is_nearly_smooth() -> None:
    torch.manual_seed(0)
    network = DetailNetwork(SMALL).eval()
    said = network(torch.rand(1, 3, 32, 32), torch.zeros(1, 3), torch.zeros(1, 2))
    assert said.abs().max() < 5e-4


def test_detail_is_for_faces_that_the_moderator_trusts() -> None:
    weights = torch.tensor([[0.3, 0.7], [0.4, 0.6], [0.9, 0.1]])
    detail = trusted(torch.ones(3, 1, 2, 2), weights)
    assert detail.mean((1, 2, 3)).tolist() == [1, 0, 0]
    assert trusted(torch.ones(3, 1, 2, 2), weights, above=0.05).mean() == 1


@pytest.mark.parametrize(
    "wrong", [{"channels": (4,)}, {"latent": 0}, {"limit_m": 0.0}, {"n_jaw": -1}]
)
def test_impossible_sizes_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        DetailConfig(**wrong)  # type: ignore[arg-type]
