"""Modules that learn the number of their inputs at the first call."""

import copy

import numpy as np
import pytest

import dotori
from dotori import nn, optim
from dotori.nn.lazy import LazyModuleMixin

# name, arguments of the lazy form, the input, and the number that it finds
CASES = [
    ("Linear", (4,), (5, 3), 3),
    ("Linear", (4, False), (2, 5, 3), 3),
    ("Conv1d", (4, 3), (2, 3, 9), 3),
    ("Conv1d", (4, 3), (3, 9), 3),
    ("Conv2d", (4, 3, 2, 1), (2, 3, 9, 8), 3),
    ("Conv3d", (4, 2), (2, 3, 4, 4, 5), 3),
    ("ConvTranspose1d", (4, 3), (2, 3, 9), 3),
    ("ConvTranspose2d", (4, 3, 2), (2, 3, 5, 4), 3),
    ("ConvTranspose3d", (4, 2), (2, 3, 3, 4, 2), 3),
    ("BatchNorm1d", (), (5, 3), 3),
    ("BatchNorm1d", (0.1, None), (5, 3, 2), 3),
    ("BatchNorm2d", (), (2, 3, 4, 4), 3),
    ("BatchNorm3d", (), (2, 3, 2, 4, 4), 3),
    ("InstanceNorm1d", (1e-5, 0.1, True, False), (3, 4), 3),
    ("InstanceNorm2d", (1e-5, 0.1, True, True), (2, 3, 4, 4), 3),
    ("InstanceNorm3d", (1e-5, 0.1, False, False), (3, 2, 4, 4), 3),
]


@pytest.mark.parametrize(("name", "args", "shape", "n"), CASES, ids=str)
def test_the_first_call_makes_the_plain_layer(name, args, shape, n):
    plain_class = getattr(nn, name)
    x = dotori.tensor(np.random.default_rng(0).standard_normal(shape), dtype=np.float32)
    dotori.manual_seed(3)
    plain = plain_class(n, *args)
    lazy = getattr(nn, f"Lazy{name}")(*args)
    assert repr(lazy).startswith(
        f"Lazy{name}(0, " if name != "Linear" else "LazyLinear("
    )
    parameters = list(lazy.parameters())
    assert list(lazy.state_dict()) == list(plain.state_dict())
    dotori.manual_seed(3)
    y = lazy(x)
    assert type(lazy) is plain_class
    assert repr(lazy) == repr(plain)
    np.testing.assert_array_equal(y.detach().array, plain(x).detach().array)
    assert all(a is b for a, b in zip(lazy.parameters(), parameters, strict=True))
    assert all(type(p) is nn.Parameter for p in parameters)
    for key, value in plain.state_dict().items():
        np.testing.assert_array_equal(lazy.state_dict()[key].array, value.array)
    if parameters:
        y.sum().backward()
    assert all(p.grad is not None for p in parameters)
    np.testing.assert_array_equal(lazy(x).shape, y.shape)


@pytest.mark.parametrize(("name", "args", "shape", "n"), CASES, ids=str)
def test_names_and_signatures_are_pytorchs(name, args, shape, n):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    import inspect

    ours = inspect.signature(getattr(nn, f"Lazy{name}")).parameters
    theirs = inspect.signature(getattr(torch.nn, f"Lazy{name}")).parameters
    assert list(ours) == list(theirs)
    assert [p.default for p in ours.values()] == [p.default for p in theirs.values()]
    lazy = getattr(torch.nn, f"Lazy{name}")(*args)
    assert repr(getattr(nn, f"Lazy{name}")(*args)) == repr(lazy)


def test_a_state_can_be_loaded_before_the_first_call():
    full = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    lazy = nn.Sequential(nn.LazyLinear(4), nn.LazyBatchNorm1d())
    lazy.load_state_dict(full.state_dict())
    assert type(lazy[0]) is nn.LazyLinear
    assert lazy[0].weight.shape == (4, 3)
    x = dotori.tensor(
        np.random.default_rng(1).standard_normal((5, 3)), dtype=np.float32
    )
    np.testing.assert_array_equal(lazy(x).detach().array, full(x).detach().array)
    assert type(lazy[0]) is nn.Linear
    assert (lazy[0].in_features, lazy[1].num_features) == (3, 4)


def test_a_state_that_does_not_fit_changes_nothing():
    lazy = nn.Sequential(nn.LazyLinear(4))
    state = {"0.weight": np.ones((4, 3))}
    with pytest.raises(ValueError, match=r"0\.bias is missing"):
        lazy.load_state_dict(state)
    assert lazy[0].has_uninitialized_params()
    lazy.load_state_dict(nn.Sequential(nn.LazyLinear(4)).state_dict())  # nothing to do
    assert lazy[0].has_uninitialized_params()


def test_a_lazy_state_does_not_fill_a_plain_layer():
    with pytest.raises(ValueError, match="weight is missing"):
        nn.Linear(3, 4).load_state_dict(nn.LazyLinear(4).state_dict())


def test_types_and_copies_before_the_first_call():
    lazy = copy.deepcopy(nn.LazyLinear(4)).double()
    y = lazy(dotori.ones(2, 3))
    assert y.dtype == lazy.weight.dtype == np.float64
    assert nn.LazyLinear(4, dtype=np.float64)(dotori.ones(2, 3)).dtype == np.float64


def test_an_optimiser_made_before_the_first_call():
    model = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(1))
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    x = dotori.tensor(
        np.random.default_rng(1).standard_normal((8, 3)), dtype=np.float32
    )
    losses = []
    for _ in range(20):
        loss = ((model(x) - 1) ** 2).mean()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < 0.5 * losses[0]


def test_uninitialised_tensors_say_what_to_do():
    layer = nn.LazyLinear(2)
    for ask in (lambda p: p.shape, len, lambda p: p.numel(), lambda p: p.tolist()):
        with pytest.raises(ValueError, match="call the module once"):
            ask(layer.weight)
    assert repr(layer.weight) == "<UninitializedParameter>"
    assert repr(nn.LazyBatchNorm1d().running_mean) == "<UninitializedBuffer>"
    assert layer.weight.dtype == np.float32
    assert layer.weight.requires_grad


def test_what_does_not_fit_is_named():
    with pytest.raises(
        ValueError, match=r"LazyConv2d: x has shape \(3, 4\); 3 or 4 axes"
    ):
        nn.LazyConv2d(2, 3)(dotori.ones(3, 4))
    layer = nn.LazyConv1d(4, 3, groups=2)
    with pytest.raises(ValueError, match="multiples of groups"):
        layer(dotori.ones(1, 3, 9))
    assert layer(dotori.ones(1, 2, 9)).shape == (1, 4, 7)  # the next call may fit
    linear = nn.LazyLinear(2)
    linear(dotori.ones(1, 3))
    with pytest.raises(ValueError, match="wants its last axis to be 3"):
        linear(dotori.ones(1, 4))


def test_a_mixin_of_ones_own():
    class Bias(LazyModuleMixin):
        def __init__(self):
            super().__init__()
            self.bias = nn.UninitializedParameter()

        def initialize_parameters(self, x):
            if self.has_uninitialized_params():
                self.bias.materialize(x.shape[1:])

        def forward(self, x):
            return x + self.bias

    module = Bias()
    assert module(dotori.ones(2, 3)).shape == (2, 3)
    assert not module.has_uninitialized_params()
    module.bias.array[...] = 2
    assert module(dotori.ones(1, 3)).tolist() == [[3, 3, 3]]

    class Forgetful(Bias):
        def initialize_parameters(self, x):
            pass

    with pytest.raises(ValueError, match="left a parameter without a shape"):
        Forgetful()(dotori.ones(1, 3))

    class Bare(LazyModuleMixin):
        cls_to_become = nn.Identity

    with pytest.raises(NotImplementedError, match="Bare has no initialize_parameters"):
        Bare()(dotori.ones(1, 3))
