"""Reductions at the edges: empty, without axes, several axes, types, refusals."""

import math

import numpy as np
import pytest

import dotori
from dotori.errors import AxisError, DTypeError, ShapeError
from torch_oracle import agree, same, torch


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int32])
@pytest.mark.parametrize("name", ["sum", "prod", "any", "all", "amax"])
def test_types_of_integers(name, dtype):
    a = np.array([[1, 0, 1], [1, 1, 1]], dtype)
    same(getattr(dotori.tensor(a), name)(), getattr(torch.tensor(a), name)())
    same(getattr(dotori.tensor(a), name)(1), getattr(torch.tensor(a), name)(1))


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "cumsum", "cumprod"])
def test_a_dtype_is_that_of_sum_and_result(name):
    a = np.array([100, 100, 100], np.int8)
    for ours, theirs in ((np.float64, torch.float64), (np.int32, torch.int32)):
        if name == "mean" and ours is np.int32:
            continue
        same(
            getattr(dotori.tensor(a), name)(dim=0, dtype=ours),
            getattr(torch.tensor(a), name)(dim=0, dtype=theirs),
        )


@pytest.mark.parametrize("name", ["mean", "var", "std"])
def test_integers_have_no_mean_in_their_type(name):
    with pytest.raises(DTypeError, match="floats were wanted, got int64"):
        getattr(dotori.tensor([1, 2]), name)()


@pytest.mark.filterwarnings("ignore:.*degrees of freedom")
@pytest.mark.parametrize(
    "name", ["sum", "mean", "prod", "var", "logsumexp", "any", "all"]
)
def test_of_no_elements(name):
    x, t = dotori.zeros((2, 0, 3)), torch.zeros((2, 0, 3))
    same(getattr(dotori, name)(x, 1), getattr(torch, name)(t, 1))


@pytest.mark.parametrize("name", ["amax", "amin", "max", "argmax", "aminmax"])
def test_of_no_elements_there_is_no_largest(name):
    with pytest.raises(ShapeError, match="of no elements"):
        getattr(dotori, name)(dotori.zeros((0, 2)))
    keyword = {"dim": 1}  # an axis with elements, though there are none
    found = getattr(dotori, name)(dotori.zeros((0, 2)), **keyword)
    first = found[0] if isinstance(found, tuple) else found
    assert first.shape == (0,)


def test_no_axes_are_all_but_for_questions():
    x, t = dotori.tensor(np.ones((2, 3))), torch.ones((2, 3), dtype=torch.float64)
    for name in ("sum", "mean", "amax"):
        same(getattr(x, name)(dim=()), getattr(t, name)(dim=()))
    same(x.any(dim=()), t.any(dim=()))
    same(x.all(dim=(0, 1), keepdim=True), t.all(dim=(0, 1), keepdim=True))


def test_an_axis_named_twice_is_refused():
    for dims in ((0, 0), (0, -2)):
        with pytest.raises(AxisError, match="named twice"):
            dotori.zeros((2, 3)).sum(dims)


@pytest.mark.parametrize(
    "call", ["max(0)", "argmax(0)", "prod(0)", "cumsum(0)", "sum(-1)"]
)
def test_without_axes(call):
    x = eval(f"dotori.tensor(3.0).{call}", {"dotori": dotori})
    t = eval(f"torch.tensor(3.0).{call}", {"torch": torch})
    pairs = zip(x, t, strict=True) if isinstance(x, tuple) else [(x, t)]
    for ours, theirs in pairs:
        same(ours, theirs)


@pytest.mark.parametrize("name", ["max", "min", "amax", "amin"])
def test_ties_share_the_gradient_of_all(name):
    agree(getattr(dotori, name), getattr(torch, name), np.array([2.0, 1.0, 2.0, 1.0]))


@pytest.mark.parametrize("name", ["max", "min"])
def test_along_an_axis_it_goes_to_the_index(name):
    a = np.array([[2.0, 1.0, 2.0], [1.0, 1.0, 3.0]])
    agree(lambda x: getattr(x, name)(1).values, lambda x: getattr(x, name)(1).values, a)


def test_nan_is_the_largest_and_the_smallest():
    x = dotori.tensor([1.0, math.nan, 3.0])
    assert math.isnan(x.max().item())
    assert math.isnan(x.amin().item())
    assert x.max(0).indices.item() == x.argmin().item() == 1


def test_complex_numbers_have_no_largest():
    with pytest.raises(DTypeError, match="have no order"):
        dotori.tensor([1j]).max()


@pytest.mark.parametrize(
    "arguments",
    [
        ((), {}), ((0,), {}), ((0, False), {}), ((0, True, True), {}), ((False,), {}),
        (((0, 1),), {"correction": 0}), ((1,), {"correction": 2, "keepdim": True}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["var", "std", "var_mean", "std_mean"])
def test_every_way_to_ask_for_a_variance(name, arguments):
    args, kwargs = arguments
    a = np.random.default_rng(0).standard_normal((3, 4))
    functions = [getattr(module, name) for module in (dotori, torch)]
    ours, theirs = (
        (
            lambda x, f=f: (
                f(x, *args, **kwargs)[0] if "_mean" in name else f(x, *args, **kwargs)
            )
        )
        for f in functions
    )
    agree(ours, theirs, a)


def test_the_deviation_of_a_constant_has_gradient_zero():
    agree(
        lambda x: x.std(1),
        lambda x: x.std(1),
        np.array([[1.0, 1.0], [1.0, 2.0]]),
        second=False,
    )


@pytest.mark.parametrize("zeros", [0, 1, 2])
def test_products_with_zeros(zeros):
    a = np.random.default_rng(1).standard_normal((2, 5))
    a[0, :zeros] = 0.0
    agree(lambda x: x.prod(1), lambda x: x.prod(1), a)
    agree(lambda x: x.prod(), lambda x: x.prod(), a)
    agree(lambda x: x.cumprod(1), lambda x: x.cumprod(1), a)


def test_products_of_many_numbers_take_no_square_of_memory():
    x = dotori.ones(200_000, requires_grad=True)
    x.prod().backward()
    assert x.grad.sum().item() == 200_000


def test_logsumexp_of_infinities():
    a = np.array([[-math.inf, -math.inf], [0.0, -math.inf], [1.0, math.inf]])
    same(dotori.tensor(a).logsumexp(1), torch.tensor(a).logsumexp(1))
    agree(lambda x: x.logsumexp(1), lambda x: x.logsumexp(1), a[1:2])


@pytest.mark.parametrize("p", ["fro", "nuc", 0, 0.5, 1, 2, 3, math.inf, -math.inf])
def test_norms(p):
    a = np.random.default_rng(2).standard_normal((3, 4))
    if p != "nuc":
        agree(lambda x: dotori.norm(x, p, 1), lambda x: torch.norm(x, p, 1), a)
    agree(lambda x: dotori.norm(x, p), lambda x: torch.norm(x, p), a, second=p != "nuc")


NUMPYS = [
    lambda f, x: f.sum(x, 0), lambda f, x: f.sum(x, 1, None, None, True),
    lambda f, x: f.max(x, 0), lambda f, x: f.min(x, axis=1, keepdims=True),
    lambda f, x: f.mean(x, 0, np.float64), lambda f, x: f.var(x, 0), lambda f, x: f.std(x, ddof=1),
    lambda f, x: f.argmax(x), lambda f, x: f.argmin(x, 1), lambda f, x: f.any(x, 0),
    lambda f, x: f.all(x, axis=(0, 1)), lambda f, x: f.prod(x, axis=1), lambda f, x: f.cumsum(x),
    lambda f, x: f.cumsum(x, 1), lambda f, x: f.count_nonzero(x, axis=0),
]  # fmt: skip


@pytest.mark.parametrize("call", NUMPYS)
def test_numpys_functions_give_what_numpy_gives(call):
    a = np.random.default_rng(3).standard_normal((3, 4))
    found, expected = call(np, dotori.tensor(a)), np.asarray(call(np, a))
    assert isinstance(found, dotori.Tensor)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.array, expected, rtol=1e-12)
