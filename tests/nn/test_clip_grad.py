"""Clipping beside PyTorch's: norms of every kind, coefficients, and NaN."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import dotori
from dotori import nn
from dotori.errors import NonFiniteError

KINDS = [0.5, 1.0, 2.0, 3.0, math.inf, -math.inf, 0.0, "inf", 2]
SHAPES = st.lists(st.sampled_from([(), (3,), (2, 4), (1, 1, 5)]), max_size=4)


def sides(torch, shapes, seed=0, scale=1.0):
    """The same parameters with the same gradients, the last one without any."""
    rng = np.random.default_rng(seed)
    found = [[], []]
    for i, shape in enumerate(shapes):
        g = rng.standard_normal(shape) * scale
        for params, library in zip(found, (dotori, torch), strict=True):
            p = library.tensor(np.zeros(shape), requires_grad=True)
            if i < len(shapes) - 1 or i == 0:
                p.grad = library.tensor(g)
            params.append(p)
    return found


def same_gradients(ours, theirs):
    for x, y in zip(ours, theirs, strict=True):
        assert (x.grad is None) == (y.grad is None)
        if x.grad is not None:
            assert_allclose(x.grad.array, y.grad.numpy(), rtol=1e-9)


@given(
    shapes=SHAPES,
    kind=st.sampled_from(KINDS),
    limit=st.sampled_from([1e-3, 0.5, 1, 1e3]),
    foreach=st.sampled_from([None, False, True]),
)
def test_norms_are_pytorchs(shapes, kind, limit, foreach):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    ours, theirs = sides(torch, shapes)
    mine = nn.utils.clip_grad_norm_(ours, limit, kind, foreach=foreach)
    other = torch.nn.utils.clip_grad_norm_(theirs, limit, kind, foreach=foreach)
    assert mine.item() == pytest.approx(other.item(), rel=1e-9)
    assert mine.shape == () and str(other.dtype).endswith(mine.dtype.name)
    same_gradients(ours, theirs)


def test_one_tensor_a_generator_and_parts():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    ours, theirs = sides(torch, [(3,), (2, 2), ()])
    nn.utils.clip_grad_norm_(ours[0], 0.5)
    torch.nn.utils.clip_grad_norm_(theirs[0], 0.5)
    same_gradients(ours, theirs)
    nn.utils.clip_grad_norm_((p for p in ours), 0.3)
    torch.nn.utils.clip_grad_norm_((p for p in theirs), 0.3)
    same_gradients(ours, theirs)
    total = nn.utils.get_total_norm([p.grad for p in ours if p.grad is not None])
    assert total.item() == pytest.approx(0.3, rel=1e-4)
    nn.utils.clip_grads_with_norm_(ours, 0.5, dotori.tensor(2.0))
    torch.nn.utils.clip_grads_with_norm_(theirs, 0.5, torch.tensor(2.0).double())
    same_gradients(ours, theirs)
    for limit in (0.03, 1e-9):
        nn.utils.clip_grad_value_(iter(ours), limit)
        torch.nn.utils.clip_grad_value_(iter(theirs), limit)
        same_gradients(ours, theirs)
    assert nn.utils.get_total_norm([]).item() == 0.0


def test_a_norm_that_is_not_finite():
    for value in (math.nan, math.inf):
        p = dotori.zeros(2, requires_grad=True)
        p.grad = dotori.tensor([value, 1.0])
        with pytest.raises(NonFiniteError, match=f"is {value}"):
            nn.utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
        assert p.grad.array[1] == 1.0
        assert not math.isfinite(nn.utils.clip_grad_norm_(p, 1.0).item())
        assert math.isnan(p.grad.array[0])


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_squares_beyond_float32_do_not_hurt(scale):
    p = dotori.zeros(4, requires_grad=True)
    p.grad = dotori.tensor(np.full(4, scale, np.float32))
    total = nn.utils.clip_grad_norm_(p, scale)
    assert total.dtype == np.float32
    assert total.item() == pytest.approx(2 * scale, rel=1e-5)


def test_a_gradient_that_has_one_itself_is_changed_with_notice():
    w = dotori.tensor([3.0, 4.0], requires_grad=True)
    ((w**3).sum()).backward(create_graph=True)
    penalty = (w.grad**2).sum()
    nn.utils.clip_grad_norm_(w, 1.0)
    with pytest.raises(
        dotori.errors.GradientError, match="clip_grad_norm_ has changed"
    ):
        penalty.backward()
