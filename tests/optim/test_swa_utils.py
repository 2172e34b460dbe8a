"""Averaged models beside PyTorch's: weights, buffers, statistics and rates."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import dotori
from dotori import nn, optim
from dotori.errors import ArgumentError
from dotori.optim import swa_utils


class Counting(nn.Module):
    """A layer with statistics of what it has seen, as normalisations have them."""

    def __init__(self, n=2, momentum=0.1):
        super().__init__()
        self.weight = nn.Parameter(np.ones(n))
        self.momentum = momentum
        self.register_buffer("running_mean", dotori.tensor(np.zeros(n)))
        self.register_buffer("num_batches_tracked", dotori.tensor(0))

    def reset_running_stats(self):
        self.running_mean.array[...] = 0
        self.num_batches_tracked.array[...] = 0

    def forward(self, x):
        if self.training:
            self.num_batches_tracked.array += 1
            count = self.num_batches_tracked.item()
            new = 1 / count if self.momentum is None else self.momentum
            mean = self.running_mean.array
            mean += new * (x.array.mean(axis=0) - mean)
        return (x - self.running_mean) * self.weight


AVERAGES = [
    {},
    {"use_buffers": True},
    {"avg_fn": ("get_ema_avg_fn", 0.8)},
    {"avg_fn": ("get_swa_avg_fn",)},
    {"multi_avg_fn": ("get_ema_multi_avg_fn", 0.8)},
    {"multi_avg_fn": ("get_swa_multi_avg_fn",), "use_buffers": True},
]


@pytest.mark.parametrize("options", AVERAGES, ids=str)
def test_averages_are_pytorchs(options):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    found = []
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # the type of its 1 / (n + 1)
    for library in (dotori, torch):
        utils, rng = library.optim.swa_utils, np.random.default_rng(0)
        model = library.nn.Sequential(library.nn.Linear(3, 2), library.nn.Linear(2, 1))
        made = {
            k: getattr(utils, v[0])(*v[1:]) if k != "use_buffers" else v
            for k, v in options.items()
        }
        average = utils.AveragedModel(model.double(), **made)
        for _ in range(5):
            for p in model.parameters():
                value = rng.standard_normal(tuple(p.shape))
                p.data = library.tensor(value)
            average.update_parameters(model)
        assert average.n_averaged.item() == 5
        found.append({k: v.numpy() for k, v in average.state_dict().items()})
    torch.set_default_dtype(before)
    assert found[0].keys() == found[1].keys()
    for key, value in found[0].items():
        assert value.dtype == found[1][key].dtype
        assert_allclose(value, found[1][key], rtol=1e-12)


def test_buffers_are_copied_or_averaged():
    for use_buffers, expected in ((False, 4.0), (True, 3.0)):
        model = Counting()
        average = swa_utils.AveragedModel(model, use_buffers=use_buffers)
        for value in (2.0, 3.0, 4.0):
            model.running_mean.array[...] = value
            model.num_batches_tracked.array += 2
            average.update_parameters(model)
        assert average.module.running_mean.tolist() == [expected, expected]
        tracked = average.module.num_batches_tracked
        assert tracked.dtype == np.int64
        assert tracked.item() == (4 if use_buffers else 6)


def test_the_average_stays_away_from_the_training():
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    average = swa_utils.AveragedModel(model)
    kept = []
    for _ in range(3):
        optimizer.zero_grad()
        model(dotori.ones(4, 2)).sum().backward()
        optimizer.step()
        kept.append(model.weight.array.copy())
        average.update_parameters(model)
    mean = average.module.weight
    assert_allclose(mean.array, np.mean(kept, axis=0), rtol=1e-5)
    assert not np.shares_memory(mean.array, model.weight.array)
    assert_allclose(average(dotori.ones(1, 2)).detach().numpy().shape, (1, 1))
    again = swa_utils.AveragedModel(nn.Linear(2, 1))
    again.load_state_dict(average.state_dict())
    assert again.n_averaged.item() == 3


def test_statistics_are_means_over_the_data():
    rng = np.random.default_rng(0)
    batches = [dotori.tensor(rng.standard_normal((8, 2))) for _ in range(5)]
    other = nn.InstanceNorm1d(2, track_running_stats=True)
    model = nn.Sequential(nn.BatchNorm1d(2).double(), nn.ReLU()).eval()
    model[0].running_mean.array[...] = 99.0
    other.running_mean.array[...] = 99.0
    swa_utils.update_bn([dotori.ones(1, 2, 3)], other)
    assert other.running_mean.tolist() == [99, 99]  # as in PyTorch
    swa_utils.update_bn([[x, None] for x in batches], model, device="cpu")
    mean = np.mean([x.array.mean(axis=0) for x in batches], axis=0)
    assert_allclose(model[0].running_mean.array, mean, rtol=1e-12)
    assert model[0].momentum == 0.1 and not model.training
    with pytest.raises(ZeroDivisionError):
        swa_utils.update_bn((1 / 0 for _ in "a"), model)
    assert model[0].momentum == 0.1 and not model.training


def test_mistakes_are_named():
    for make in (swa_utils.get_ema_avg_fn, swa_utils.get_ema_multi_avg_fn):
        with pytest.raises(ArgumentError, match=r"\[0, 1\], got 1.5"):
            make(1.5)
    both = {"avg_fn": abs, "multi_avg_fn": abs}
    with pytest.raises(ArgumentError, match="not both"):
        swa_utils.AveragedModel(nn.Linear(1, 1), **both)
