"""The same function in dotori and in PyTorch: values, gradients, second gradients."""

import numpy as np
import pytest

import dotori
from dotori import Tensor

torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this comparison")


def agree(ours, theirs, *arrays, second=True, rtol=1e-7, atol=1e-11):
    """Assert that both functions of float64 `arrays` agree to second order."""
    rng = np.random.default_rng(len(arrays))
    # copies that lie in memory as the arrays do; dotori.tensor makes them C-contiguous
    xs = [
        dotori.as_tensor(a.copy("K")).requires_grad_() for a in map(np.asarray, arrays)
    ]
    ts = [torch.tensor(a, requires_grad=True) for a in arrays]
    y, z = ours(*xs), theirs(*ts)
    same(y, z, rtol, atol, "value")
    if not z.requires_grad:
        assert not y.requires_grad
        return
    weights = numbers_like(rng, z)
    # rules may go other ways on arrays than on tensors, which create_graph gives them
    plain = dotori.autograd.grad(y, xs, weights, retain_graph=True, allow_unused=True)
    gs = dotori.autograd.grad(y, xs, weights, create_graph=True, allow_unused=True)
    hs = torch.autograd.grad(
        z, ts, torch.tensor(weights), create_graph=True, allow_unused=True
    )
    for i, (p, g, h) in enumerate(zip(plain, gs, hs, strict=True)):
        same(or_zeros(p, xs[i]), or_zeros(h, ts[i]), rtol, atol, f"plain gradient {i}")
        same(or_zeros(g, xs[i]), or_zeros(h, ts[i]), rtol, atol, f"gradient {i}")
    if second:
        _second_order_agrees(rng, xs, gs, ts, hs, rtol, atol)


def _second_order_agrees(rng, xs, gs, ts, hs, rtol, atol):
    """The gradient of (gradients times a random direction)."""
    directions = [numbers_like(rng, t) for t in ts]
    total = dotori.tensor(0.0, dtype=np.float64)
    torch_total = torch.zeros((), dtype=torch.float64)
    for g, h, u in zip(gs, hs, directions, strict=True):
        if g is not None and g.requires_grad:
            product = (g * dotori.tensor(u)).sum()
            total = total + product.real
        if h is not None and h.requires_grad:
            torch_total = torch_total + (h * torch.tensor(u)).sum().real
    seconds = [None] * len(xs)
    torch_seconds = [None] * len(ts)
    if total.requires_grad:
        seconds = dotori.autograd.grad(total, xs, allow_unused=True)
    if torch_total.requires_grad:
        torch_seconds = torch.autograd.grad(torch_total, ts, allow_unused=True)
    for i, (g, h) in enumerate(zip(seconds, torch_seconds, strict=True)):
        same(or_zeros(g, xs[i]), or_zeros(h, ts[i]), rtol, atol, f"second gradient {i}")


def numbers_like(rng, t):
    """Random numbers, complex ones where `t` is."""
    made = rng.standard_normal(tuple(t.shape))
    return made + 1j * rng.standard_normal(tuple(t.shape)) if t.is_complex() else made


def or_zeros(gradient, like):
    if gradient is not None:
        return gradient
    if isinstance(like, Tensor):
        return dotori.tensor(np.zeros_like(like.array))
    return torch.zeros_like(like)


def same(ours, theirs, rtol=1e-7, atol=1e-11, what="value"):
    """Shape, then type, then numbers."""
    assert isinstance(ours, Tensor)
    theirs = theirs.detach().numpy(force=True)
    assert ours.shape == theirs.shape, what
    assert ours.dtype == theirs.dtype, what
    np.testing.assert_allclose(ours.array, theirs, rtol=rtol, atol=atol, err_msg=what)
