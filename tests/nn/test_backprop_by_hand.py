"""The 3-4-2 network: the gradient by hand, by dotori and by PyTorch is one gradient."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import dotori
from dotori import nn

EXAMPLE = Path(__file__).parents[2] / "examples" / "backprop_by_hand.py"


@pytest.fixture
def example():
    spec = importlib.util.spec_from_file_location("backprop_by_hand", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def data(rng):
    shapes = [(16, 3), (16, 2), (4, 3), (4,), (2, 4), (2,)]
    return [rng.standard_normal(shape) for shape in shapes]


def dotori_model(w1, b1, w2, b2):
    model = nn.Sequential(nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(4, 2))
    model = model.double()
    for p, value in zip(model.parameters(), (w1, b1, w2, b2), strict=True):
        p.array[...] = value
    return model


def test_by_hand_is_by_dotori(example, data):
    x, t, *parameters = data
    model = dotori_model(*parameters)
    nn.MSELoss()(model(dotori.tensor(x)), dotori.tensor(t)).backward()
    by_hand = example.gradients(x, t, *parameters)
    for p, g in zip(model.parameters(), by_hand, strict=True):
        np.testing.assert_allclose(p.grad.array, g, rtol=1e-12)


def test_by_hand_is_by_torch(example, data):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    x, t, *parameters = data
    w1, b1, w2, b2 = leaves = [torch.tensor(p, requires_grad=True) for p in parameters]
    h = torch.sigmoid(torch.tensor(x) @ w1.T + b1)
    torch.nn.functional.mse_loss(h @ w2.T + b2, torch.tensor(t)).backward()
    by_hand = example.gradients(x, t, *parameters)
    for leaf, g in zip(leaves, by_hand, strict=True):
        np.testing.assert_allclose(leaf.grad.numpy(), g, rtol=1e-12)


def test_gradient_descent_by_hand_is_gradient_descent_by_dotori(example, data):
    x, t, *parameters = data
    model = dotori_model(*parameters)
    ours = []
    for _ in range(50):
        model.zero_grad()
        loss = nn.MSELoss()(model(dotori.tensor(x)), dotori.tensor(t))
        loss.backward()
        ours.append(loss.item())
        for p in model.parameters():
            p.array[...] -= 0.5 * p.grad.array
    by_hand = example.train(x, t, parameters, steps=50, learning_rate=0.5)
    np.testing.assert_allclose(ours[1:], by_hand[:-1], rtol=1e-10)
    assert by_hand[-1] < by_hand[0]


def test_the_example_runs(example, capsys):
    dotori.manual_seed(0)
    example.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    gaps = [float(line.split()[-1]) for line in lines[:4]]
    assert max(gaps) < 1e-12
