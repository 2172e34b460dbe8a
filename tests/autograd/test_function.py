"""Operations of a user's own: `Function` beside PyTorch's, and what it refuses."""

import gc
import weakref

import numpy as np
import pytest

import dotori
from dotori.errors import GradientError


def functions(T):
    """The same classes for dotori and for PyTorch: they differ in the import alone."""

    class Scaled(T.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.factor = factor
            ctx.save_for_backward(x)
            return (x * x) * factor

        @staticmethod
        def backward(ctx, dy):
            (x,) = ctx.saved_tensors
            assert ctx.needs_input_grad == (True, False)
            return dy * 2 * x * ctx.factor, None

    class Exp(T.autograd.Function):
        @staticmethod
        def forward(x):
            return x.exp()

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(output)

        @staticmethod
        def backward(ctx, dy):
            (y,) = ctx.saved_tensors
            return dy * y

    class SumAndProduct(T.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return a + b, a * b

        @staticmethod
        def backward(ctx, ds, dp):
            a, b = ctx.saved_tensors
            return ds + dp * b, ds + dp * a

    return Scaled, Exp, SumAndProduct


def results(T, values):
    scaled, exp, both = functions(T)
    x = T.tensor(values, requires_grad=True)
    b = T.tensor(values + 1, requires_grad=True)
    s, p = both.apply(exp.apply(x), b)
    y = (scaled.apply(s, 3.0) * p).sum() + both.apply(x, b)[1].sum()
    first = T.autograd.grad(y, [x, b], create_graph=True)
    second = T.autograd.grad(first[0].sum() + (first[1] ** 2).sum(), [x, b])
    return [y, *first, *second]


def test_values_and_gradients_are_pytorchs(rng):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    values = rng.standard_normal(4)
    for ours, theirs in zip(
        results(dotori, values), results(torch, values), strict=True
    ):
        np.testing.assert_allclose(ours.detach(), theirs.detach(), rtol=1e-9)


def test_gradcheck_sees_a_wrong_rule():
    class Wrong(dotori.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, dy):
            return dy * 2 * ctx.saved_tensors[0] ** 2

    x = dotori.tensor([1.0, 2.0], dtype=np.float64, requires_grad=True)
    with pytest.raises(Exception, match="gradient"):
        dotori.gradcheck(Wrong.apply, [x])
    assert dotori.gradgradcheck(functions(dotori)[1].apply, [x])


def test_the_number_of_gradients_is_checked():
    class Few(dotori.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, dy):
            return dy

    x = dotori.ones(2, requires_grad=True)
    with pytest.raises(GradientError, match=r"Few\.backward gave 1 gradients for 2"):
        Few.apply(x, x).sum().backward()


def test_a_saved_tensor_that_was_changed_is_refused():
    scaled = functions(dotori)[0]
    x = dotori.ones(2, requires_grad=True)
    z = x * 1
    y = scaled.apply(z, 2.0)
    z.mul_(2)
    with pytest.raises(GradientError, match=r"Scaled needs .* mul_ has changed"):
        y.sum().backward()


def test_outputs_without_a_gradient_and_gradients_that_are_missing():
    class TopAndPlace(dotori.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            half, other = x * 0.5, x.detach() * 2
            ctx.mark_non_differentiable(other)
            return half, other, x * 3

        @staticmethod
        def backward(ctx, dhalf, dother, dthird):
            assert dother is None and dthird is None
            return dhalf * 0.5

    x = dotori.ones(2, requires_grad=True)
    half, other, third = TopAndPlace.apply(x)
    assert half.requires_grad and not other.requires_grad and third.requires_grad
    half.sum().backward()
    assert x.grad.tolist() == [0.5, 0.5]


def test_once_differentiable_says_so():
    class Numpy(dotori.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return dotori.tensor(np.sin(x.detach().numpy()))

        @staticmethod
        @dotori.autograd.once_differentiable
        def backward(ctx, dy):
            (x,) = ctx.saved_tensors
            return dy * dotori.tensor(np.cos(x.detach().numpy()))

    x = dotori.ones(2, requires_grad=True)
    (g,) = dotori.autograd.grad(Numpy.apply(x).sum(), x)
    np.testing.assert_allclose(g, np.cos(np.ones(2)), rtol=1e-6)
    with pytest.raises(GradientError, match="once_differentiable"):
        dotori.autograd.grad(Numpy.apply(x).sum() * x.sum(), x, create_graph=True)


def test_no_cycle_keeps_the_graph_alive():
    exp = functions(dotori)[1]
    x = dotori.ones(2, requires_grad=True)
    y = exp.apply(x)
    gone = weakref.ref(y.node)
    gc.disable()
    try:
        del y
        assert gone() is None
    finally:
        gc.enable()


def test_nothing_is_recorded_under_no_grad():
    with dotori.no_grad():
        y = functions(dotori)[1].apply(dotori.ones(2, requires_grad=True))
    assert not y.requires_grad
