"""Every module of `dotori.nn` is PyTorch's module of that name.

Built with the same arguments in both libraries, given the same state dict by key, it
has the same keys, outputs, gradients and type of output. A module without samples
fails by existing.
"""

import inspect
import sys
from pathlib import Path

import numpy as np
import pytest

import dotori
from dotori import nn

sys.path.insert(0, str(Path(__file__).parent))
from layer_samples import ELSEWHERE, SAMPLES

torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this contract")

CASES = [
    pytest.param(name, *sample, id=f"{name}-{i}")
    for name, samples in SAMPLES.items()
    for i, sample in enumerate(samples)
]


def public_modules():
    named = {name: getattr(nn, name) for name in dir(nn) if not name.startswith("_")}
    return {
        name
        for name, found in named.items()
        if inspect.isclass(found) and issubclass(found, nn.Module)
    }


def test_every_module_has_samples():
    assert public_modules() - set(SAMPLES) - set(ELSEWHERE) == set()


def test_no_samples_without_a_module():
    assert set(SAMPLES) - public_modules() == set()


def built(name, args, keywords):
    """The module in both libraries, in float64, ours with theirs' state."""
    theirs = getattr(torch.nn, name)(
        *map(to_torch, args), **{k: to_torch(v) for k, v in keywords.items()}
    ).double()
    ours = getattr(nn, name)(*args, **keywords).double()
    state = {k: v.numpy() for k, v in theirs.state_dict().items()}
    assert list(ours.state_dict()) == list(state), "the keys of the state dict"
    ours.load_state_dict({k: dotori.tensor(v) for k, v in state.items()})
    return ours, theirs


def to_torch(value):
    return torch.tensor(value) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize(("name", "args", "keywords", "inputs"), CASES)
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_as_in_torch(name, args, keywords, inputs, training):
    if name == "RReLU" and training:
        pytest.skip("its slopes are drawn at random while training")
    ours, theirs = built(name, args, keywords)
    ours.train(training)
    theirs.train(training)
    xs, ts = leaves(name, inputs)
    y, z = ours(*xs), theirs(*ts)
    same(y, z, "output")
    weights = np.random.default_rng(0).standard_normal(y.shape)
    y.backward(dotori.tensor(weights))
    z.backward(torch.tensor(weights))
    for i, (a, b) in enumerate(zip(xs, ts, strict=True)):
        if b.requires_grad:
            same(a.grad, b.grad, f"gradient of input {i}")
    theirs_named = dict(theirs.named_parameters())
    for key, p in ours.named_parameters():
        same(p.grad, theirs_named[key].grad, f"gradient of {key}")


def leaves(name, inputs):
    """Float inputs as leaves; a target that PyTorch does not differentiate is not."""
    xs, ts = [], []
    for i, a in enumerate(inputs):
        wanted = a.dtype.kind == "f" and not (name in NO_TARGET_GRADIENT and i == 1)
        # a copy with the strides of the sample: some lie with their channels last
        xs.append(dotori.as_tensor(a.copy("K")).requires_grad_(wanted))
        ts.append(torch.tensor(a, requires_grad=wanted))
    return xs, ts


# PyTorch has no gradient for the target of these
NO_TARGET_GRADIENT = {"MultiLabelSoftMarginLoss", "SoftMarginLoss", "PoissonNLLLoss"}


def same(ours, theirs, what):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape, what
    assert ours.dtype == theirs.dtype, what
    np.testing.assert_allclose(ours.array, theirs, rtol=1e-7, atol=1e-12, err_msg=what)


@pytest.mark.parametrize(("name", "args", "keywords", "inputs"), CASES)
def test_float32_in_float32_out(name, args, keywords, inputs):
    module = getattr(nn, name)(*args, **keywords).float()
    xs = [
        dotori.tensor(a.astype(np.float32) if a.dtype.kind == "f" else a)
        for a in inputs
    ]
    assert module(*xs).dtype == np.float32


@pytest.mark.parametrize(("name", "args", "keywords", "inputs"), CASES)
def test_repr_names_the_arguments(name, args, keywords, inputs):
    assert repr(getattr(nn, name)(*args, **keywords)).startswith(f"{name}(")
