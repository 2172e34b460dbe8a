"""Cells: one step of the layers, PyTorch's numbers, errors."""

import numpy as np
import pytest

import dotori
from dotori import nn
from dotori.errors import ArgumentError, DTypeError, ShapeError


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [None, 5])
@pytest.mark.parametrize("with_state", [True, False])
def test_lstm_cell_is_pytorchs(bias, batch, with_state, rng):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    theirs = torch.nn.LSTMCell(4, 3, bias=bias).double()
    ours = nn.LSTMCell(4, 3, bias=bias).double()
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    lead = (batch,) if batch else ()
    arrays = [rng.standard_normal((*lead, n)) for n in (4, 3, 3)]
    xs = [dotori.tensor(a, requires_grad=True) for a in arrays]
    ts = [torch.tensor(a, requires_grad=True) for a in arrays]
    y = ours(xs[0], xs[1:] if with_state else None)
    z = theirs(ts[0], tuple(ts[1:]) if with_state else None)
    for a, b in zip(y, z, strict=True):
        assert a.shape == tuple(b.shape)
        np.testing.assert_allclose(a.array, b.detach().numpy(), rtol=1e-12)
    weights = [rng.standard_normal(a.shape) for a in y]
    sum((a * w).sum() for a, w in zip(y, weights, strict=True)).backward()
    sum((b * torch.tensor(w)).sum() for b, w in zip(z, weights, strict=True)).backward()
    pairs = [*zip(xs, ts, strict=True)] if with_state else [(xs[0], ts[0])]
    pairs += zip(ours.parameters(), theirs.parameters(), strict=True)
    for a, b in pairs:
        np.testing.assert_allclose(a.grad.array, b.grad.numpy(), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_loop_over_a_cell_is_the_layer(kind, rng):
    layer = getattr(nn, kind)(4, 3).double()
    cell = getattr(nn, kind + "Cell")(4, 3).double()
    state = {k.removesuffix("_l0"): v for k, v in layer.state_dict().items()}
    cell.load_state_dict(state)
    x = dotori.tensor(rng.standard_normal((6, 2, 4)))
    y, _ = layer(x)
    state = None
    for t in range(6):
        state = cell(x[t], state)
        h = state[0] if kind == "LSTM" else state
        np.testing.assert_allclose(h.array, y.array[t], rtol=1e-12)


@pytest.mark.parametrize("name", ["RNNCell", "LSTMCell", "GRUCell"])
def test_repr_and_keys_are_pytorchs(name):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    for keywords in ({}, {"bias": False}):
        ours = getattr(nn, name)(4, 3, **keywords)
        theirs = getattr(torch.nn, name)(4, 3, **keywords)
        assert repr(ours) == repr(theirs)
        assert list(ours.state_dict()) == list(theirs.state_dict())
    assert "nonlinearity=relu" in repr(nn.RNNCell(4, 3, nonlinearity="relu"))


def test_initial_values_fill_the_interval():
    dotori.manual_seed(0)
    for p in nn.GRUCell(8, 25).parameters():
        assert -0.2 <= p.min().item() < -0.18
        assert 0.18 < p.max().item() < 0.2


def test_mistakes_are_named():
    cell = nn.GRUCell(10, 20)
    with pytest.raises(ShapeError, match=r"\(batch, 10\).*got \(3, 11\)"):
        cell(dotori.ones(3, 11))
    with pytest.raises(ShapeError, match=r"shape \(3, 20\) is wanted, got \(3, 21\)"):
        cell(dotori.ones(3, 10), dotori.ones(3, 21))
    with pytest.raises(ShapeError, match=r"got \(5, 20\)"):
        cell(dotori.ones(3, 10), dotori.ones(5, 20))
    with pytest.raises(ShapeError, match=r"got \(3, 1, 1, 20\)"):
        cell(dotori.ones(3, 10), dotori.ones(3, 1, 1, 20))
    with pytest.raises(ShapeError, match=r"got \(1, 1, 10\)"):
        cell(dotori.ones(1, 1, 10))
    with pytest.raises(ArgumentError, match="pair"):
        nn.LSTMCell(2, 3)(dotori.ones(1, 2), dotori.ones(1, 3))
    with pytest.raises(ArgumentError, match="nonlinearity"):
        nn.RNNCell(2, 3, nonlinearity="sine")
    with pytest.raises(ArgumentError, match="hidden_size must be at least 1"):
        nn.LSTMCell(2, 0)
    with pytest.raises(DTypeError, match="input_size must be an int"):
        nn.LSTMCell(2.5, 3)
