import torch

from pixie_train.ablation.visible import read_out


def test_what_is_in_what_was_seen_is_read_and_what_is_not_is_the_mean() -> None:
    random = torch.Generator().manual_seed(3)
    seen, others = (torch.randn(20_000, 4, generator=random) for _ in range(2))
    there = seen @ torch.tensor([[2.0], [0], [-1], [0]]) + 5
    hidden = torch.randn(20_000, 1, generator=random) + 7
    told = read_out(10 * seen - 3, torch.cat([there, hidden], 1), 10 * others - 3)
    truth = others @ torch.tensor([[2.0], [0], [-1], [0]]) + 5
    # A ridge holds a read-out back by as much as it is of the number of people.
    assert (told[:, :1] - truth).abs().mean() < 0.4
    assert told[:, 1].std() < 0.05
    assert abs(float(told[:, 1].mean()) - 7) < 0.05
