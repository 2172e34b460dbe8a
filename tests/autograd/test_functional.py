"""Jacobians, Hessians and their products, beside PyTorch's."""

import numpy as np
import pytest

import dotori
from dotori.autograd import functional
from dotori.errors import ArgumentError, DTypeError, GradientError, ShapeError

X = np.array([[0.5, -1.25, 2.0], [1.5, 0.75, -0.5]])
Y = np.array([0.25, -0.5, 1.75])

# The same text is run with `T` = dotori and `T` = PyTorch.
FUNCTIONS = {
    "matrix to vector": lambda T, x: (x * x.exp()).sum(dim=1),
    "to a number": lambda T, x: (x**3).sum() * x[0, 1],
    "of one number's shape": lambda T, x: (x**3).sum().reshape(1, 1),
    "linear": lambda T, x: x.T,
}
PAIRS = {
    "two to one": lambda T, x, y: x.sin() * y,
    "two to two": lambda T, x, y: (x @ y, (y * x[0]).sum()),
    "one unused": lambda T, x, y: (x.exp(), y * 2),
}
NUMBERS = {
    "mixed": lambda T, x, y: ((x @ y) ** 3).sum(),
    "one unused": lambda T, x, y: (x**4).sum(),
    "linear in one": lambda T, x, y: (x**2).sum() + y.sum(),
}


def flat(result):
    """All arrays of nested tuples, with the nesting before each."""
    if isinstance(result, tuple):
        found = [("tuple", len(result))]
        for part in result:
            found += flat(part)
        return found
    return [np.asarray(result.detach().numpy())]


def assert_same(ours, theirs):
    ours, theirs = flat(ours), flat(theirs)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(b, tuple):
            assert a == b
        else:
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def both(run):
    """`run` with PyTorch and with dotori; what it returns must agree."""
    torch = pytest.importorskip("torch", reason="PyTorch has the same functions")
    assert_same(
        run(dotori, dotori.autograd.functional), run(torch, torch.autograd.functional)
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_jacobian_of_one_input(name):
    f = FUNCTIONS[name]
    both(lambda T, A: A.jacobian(lambda x: f(T, x), T.tensor(X)))


@pytest.mark.parametrize("name", PAIRS)
def test_jacobian_of_two_inputs(name):
    f, y = PAIRS[name], X if name == "one unused" else Y
    both(lambda T, A: A.jacobian(lambda x, y: f(T, x, y), (T.tensor(X), T.tensor(y))))


@pytest.mark.parametrize("name", NUMBERS)
def test_hessian(name):
    f = NUMBERS[name]
    both(lambda T, A: A.hessian(lambda x, y: f(T, x, y), (T.tensor(X), T.tensor(Y))))
    both(lambda T, A: A.hessian(lambda y: f(T, T.tensor(X), y), T.tensor(Y)))


@pytest.mark.parametrize("name", PAIRS)
def test_products_with_the_jacobian(name):
    f, y = PAIRS[name], X if name == "one unused" else Y

    def run(T, A):
        xs = T.tensor(X), T.tensor(y)
        result = f(T, *xs)
        shapes = [r.shape for r in (result if isinstance(result, tuple) else (result,))]
        v = tuple(T.tensor(np.arange(1.0, 1 + np.prod(s)).reshape(s)) for s in shapes)
        back = A.vjp(
            lambda *xs: f(T, *xs), xs, v if isinstance(result, tuple) else v[0]
        )
        along = A.jvp(lambda *xs: f(T, *xs), xs, tuple(x.cos() for x in xs))
        return *back, *along

    both(run)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("product", ["vhp", "hvp"])
def test_products_with_the_hessian(name, product):
    f = NUMBERS[name]

    def run(T, A):
        xs = T.tensor(X), T.tensor(Y)
        return getattr(A, product)(
            lambda *xs: f(T, *xs), xs, tuple(x.cos() for x in xs)
        )

    both(run)


@pytest.mark.parametrize("product", ["vjp", "jvp", "vhp", "hvp"])
def test_a_single_number_needs_no_weight(product):
    def run(T, A):
        return getattr(A, product)(lambda x: x**3, T.tensor(np.float64(1.5)))

    both(run)


@pytest.mark.parametrize("name", ["jacobian", "hessian", "vjp", "jvp", "vhp", "hvp"])
def test_a_recorded_result_has_gradients_itself(name):
    def run(T, A):
        x = T.tensor(Y, requires_grad=True)
        v = (T.tensor(Y) + 1,) if name in ("jvp", "vhp", "hvp") else ()

        def f(x):
            return (x**4).sum() * x[0]

        result = getattr(A, name)(f, x, *v, create_graph=True)
        product = result[1] if isinstance(result, tuple) else result
        (product**2).sum().backward()
        return product, x.grad

    both(run)


def test_without_a_graph_nothing_is_kept():
    x = dotori.tensor(Y, requires_grad=True)
    y, product = functional.vjp(lambda x: (x * x).sum(), x)
    assert not y.requires_grad and not product.requires_grad and x.grad is None
    assert not functional.jacobian(lambda x: x * x, x).requires_grad
    assert not functional.hessian(lambda x: (x**3).sum(), x).requires_grad


def test_a_graph_may_be_kept_for_inputs_that_require_no_gradient():
    jacobian = functional.jacobian(lambda x: x**3, dotori.tensor(Y), create_graph=True)
    np.testing.assert_allclose(jacobian.detach().numpy(), np.diag(3 * Y**2))


def test_the_same_tensor_twice_is_two_inputs():
    x = dotori.tensor(Y, requires_grad=True)
    for graph in (False, True):
        a, b = functional.vjp(
            lambda x, y: (2 * x + 3 * y).sum(), (x, x), create_graph=graph
        )[1]
        assert a.tolist() == [2.0] * 3 and b.tolist() == [3.0] * 3


def test_it_works_under_no_grad_and_in_float32():
    with dotori.no_grad():
        found = functional.jacobian(dotori.exp, dotori.tensor([0.0, 1.0]))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.numpy(), np.diag(np.exp([0, 1])), rtol=1e-6)


def test_empty_outputs_and_inputs():
    # PyTorch stumbles over an output without elements
    found = functional.jacobian(lambda x: x * 2, dotori.zeros(0, 2))
    assert found.shape == (0, 2, 0, 2) and found.dtype == np.float32
    found = functional.jacobian(lambda x: x.sum(), dotori.zeros(0, 2))
    assert found.shape == (0, 2)


@pytest.mark.parametrize("name", ["jacobian", "hessian", "vjp", "jvp", "vhp", "hvp"])
def test_strict_refuses_what_does_not_depend_on_an_input(name):
    x, y = dotori.tensor(np.array(1.5)), dotori.tensor(np.array(2.0))
    v = {} if name in ("jacobian", "hessian", "vjp") else {"v": (x, y)}
    call = getattr(functional, name)
    with pytest.raises(GradientError, match="input 1"):
        call(lambda x, y: x**3, (x, y), strict=True, **v)
    with pytest.raises(GradientError, match="output 0"):
        call(lambda x, y: x.detach(), (x, y), strict=True, **v)
    call(lambda x, y: x**3 * y**2, (x, y), strict=True, **v)


def test_mistakes_are_named():
    x = dotori.tensor(Y)
    with pytest.raises(ArgumentError, match=r"v may be left out.*\(3,\)"):
        functional.vjp(lambda x: x * 2, x)
    with pytest.raises(ShapeError, match=r"\(2,\).*\(3,\)"):
        functional.jvp(lambda x: x * 2, x, dotori.ones(2))
    with pytest.raises(ShapeError, match="single number"):
        functional.hessian(lambda x: x * 2, x)
    with pytest.raises(ShapeError, match="2 outputs"):
        functional.vhp(lambda x: (x, x), x, x)
    with pytest.raises(DTypeError, match="int64"):
        functional.jacobian(lambda x: x * 2, dotori.tensor([1, 2]))
    with pytest.raises(DTypeError, match="list"):
        functional.jacobian(lambda x: x * 2, [1.0])
    with pytest.raises(DTypeError, match="output 1 is a float"):
        functional.jacobian(lambda x: (x, 1.0), x)
    with pytest.raises(ArgumentError, match="sideways"):
        functional.jacobian(lambda x: x, x, strategy="sideways")
