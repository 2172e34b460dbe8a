"""Adaptive and fractional pooling, and unpooling, against PyTorch."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori import nn
from dotori.errors import ArgumentError, AxisError, DTypeError, ShapeError
from dotori.nn import functional as F


@st.composite
def sizes(draw):
    """A shape, and what it is to be pooled to."""
    axes = draw(st.integers(1, 3))
    shape = [draw(st.integers(1, 7)) for _ in range(axes)]
    out = [draw(st.integers(1, 9)) for _ in range(axes)]
    if axes > 1:
        out = [draw(st.sampled_from([m, None])) for m in out]
    return axes, (*draw(st.sampled_from([(2, 3), (3,)])), *shape), tuple(out)


def oracle():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    from torch_oracle import agree

    return torch, agree


def numbers(shape, seed=0):
    """All different, so that the largest is one only."""
    rng = np.random.default_rng(seed)
    return rng.permutation(math.prod(shape)).reshape(shape) / 7.0 - 1.0


@given(sizes())
def test_means(case):
    axes, shape, out = case
    torch, agree = oracle()
    name = f"adaptive_avg_pool{axes}d"
    ours, theirs = getattr(F, name), getattr(torch.nn.functional, name)
    agree(lambda t: ours(t, out), lambda t: theirs(t, out), numbers(shape))


@given(sizes(), st.booleans())
def test_the_largest(case, with_equals):
    axes, shape, out = case
    torch, agree = oracle()
    name = f"adaptive_max_pool{axes}d"
    ours, theirs = getattr(F, name), getattr(torch.nn.functional, name)
    x = numbers(shape)
    if with_equals:
        x = np.random.default_rng(1).choice([0.0, 1.0, np.nan, -np.inf], shape)
    found = ours(dotori.tensor(x), out, return_indices=True)
    wanted = theirs(torch.tensor(x), out, return_indices=True)
    np.testing.assert_array_equal(found[0].array, wanted[0])
    np.testing.assert_array_equal(found[1].array, wanted[1])
    assert found[1].dtype == np.int64
    agree(lambda t: ours(t, out), lambda t: theirs(t, out), x)
    agree(lambda t: ours(t, out, True)[0], lambda t: theirs(t, out), x)


@pytest.mark.parametrize("out", [1, (1, 4)])
def test_the_largest_of_large_windows(out):
    torch, agree = oracle()
    x = numbers((2, 3, 9, 12))
    agree(
        lambda t: F.adaptive_max_pool2d(t, out),
        lambda t: torch.nn.functional.adaptive_max_pool2d(t, out),
        x,
    )


@pytest.mark.parametrize("kind", ["avg", "max"])
def test_an_empty_batch_and_an_empty_output(kind):
    pool = getattr(F, f"adaptive_{kind}_pool2d")
    x = dotori.zeros(0, 3, 5, 4, requires_grad=True)
    y = pool(x, (2, 3))
    assert y.shape == (0, 3, 2, 3)
    y.sum().backward()
    assert x.grad.shape == x.shape
    assert pool(dotori.ones(1, 3, 5, 4), (0, 3)).shape == (1, 3, 0, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: F.adaptive_avg_pool2d(x, (1, 2, 3)), ArgumentError, "one int, or 2"),
        (lambda x: F.adaptive_avg_pool2d(x, ()), ArgumentError, "one int, or 2"),
        (lambda x: F.adaptive_max_pool2d(x, -1), ArgumentError, "at least 0"),
        (lambda x: F.adaptive_avg_pool3d(x[0], 1), ShapeError, r"got \(3, 4, 5\)"),
        (lambda x: F.adaptive_avg_pool2d(x.long(), 1), DTypeError, "int64"),
        (lambda x: F.adaptive_avg_pool2d(x[:, :0], 1), ShapeError, "may be empty"),
        (lambda x: F.fractional_max_pool2d(x, 2), ArgumentError, "got none"),
        (lambda x: F.fractional_max_pool2d(x, 2, 4), ShapeError, "at least 5"),
        (lambda x: F.fractional_max_pool2d(x, 2, 0), ShapeError, "0 windows"),
        (
            lambda x: F.fractional_max_pool2d(x, 2, None, (0.5,) * 3),
            ArgumentError,
            "one number, or 2",
        ),
        (
            lambda x: F.fractional_max_pool2d(x, 2, 2, _random_samples=x[0]),
            ShapeError,
            r"\(2, 3, 2\)",
        ),
        (lambda x: nn.FractionalMaxPool2d(2), ArgumentError, "one of output_size"),
        (lambda x: nn.FractionalMaxPool2d(2, 3, 0.5), ArgumentError, "one of output"),
        (
            lambda x: nn.FractionalMaxPool2d(2, output_ratio=1.5),
            ArgumentError,
            "between 0 and 1",
        ),
        (lambda x: F.max_unpool2d(x, x.long()[0], 2), ShapeError, "shape of x"),
        (lambda x: F.max_unpool2d(x, x, 2), DTypeError, "int64"),
        (lambda x: F.max_unpool2d(x, x.long() + 80, 2), AxisError, "of the 80 places"),
        (lambda x: F.max_unpool2d(x, x.long() - 1, 2), AxisError, "from -1 to -1"),
        (
            lambda x: F.max_unpool2d(x, x.long(), 2, output_size=(6, 10)),
            ArgumentError,
            "within one step",
        ),
        (
            lambda x: F.max_unpool2d(x, x.long(), 2, output_size=(8,)),
            ArgumentError,
            "2 or 4 numbers",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(dotori.zeros(2, 3, 4, 5))


@given(
    st.sampled_from([2, 3]),
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(0, 3)),
        min_size=3,
        max_size=3,
    ),
    st.sampled_from([np.float64, np.float32]),
    st.sampled_from([(2, 3), (3,)]),
)
def test_fractional_windows(axes, rows, dtype, lead):
    torch, agree = oracle()
    size, out, more = zip(*rows[:axes], strict=True)
    # PyTorch's volumes must have one element more than is needed
    spatial = [k + m - (axes == 2) + n for k, m, n in zip(size, out, more, strict=True)]
    rng = np.random.default_rng(len(spatial))
    x = rng.integers(0, 4, (*lead, *spatial)).astype(dtype)
    samples = rng.random((*(1, *lead)[-2:], axes)).astype(dtype)
    name = f"fractional_max_pool{axes}d"
    ours, theirs = getattr(F, name), getattr(torch.nn.functional, name)
    y, index = ours(
        dotori.tensor(x), size, out, None, True, _random_samples=dotori.tensor(samples)
    )
    z, wanted = theirs(
        torch.tensor(x), size, out, None, True, _random_samples=torch.tensor(samples)
    )
    assert y.dtype == dtype
    np.testing.assert_array_equal(y.array, z)
    np.testing.assert_array_equal(index.array, wanted)
    if dtype == np.float64:
        agree(
            lambda t: ours(t, size, out, _random_samples=samples),
            lambda t: theirs(t, size, out, _random_samples=torch.tensor(samples)),
            x,
        )


@pytest.mark.parametrize("axes", [2, 3])
def test_each_axis_has_its_own_random_number(axes):
    torch, _ = oracle()
    shape, out = (12, 11, 10)[:axes], (4, 5, 4)[:axes]  # no step is whole
    x = numbers((2, 3, *shape))
    samples = np.random.default_rng(1).random((2, 3, axes))
    name = f"fractional_max_pool{axes}d"
    _, index = getattr(F, name)(x, 2, out, None, True, _random_samples=samples)
    _, wanted = getattr(torch.nn.functional, name)(
        torch.tensor(x), 2, out, None, True, _random_samples=torch.tensor(samples)
    )
    np.testing.assert_array_equal(index.array, wanted)


def test_fractional_windows_are_drawn_from_the_default_generator():
    x = dotori.rand(2, 3, 20, 20)
    _ = dotori.manual_seed(0)
    first = F.fractional_max_pool2d(x, 2, output_ratio=0.6)
    second = F.fractional_max_pool2d(x, 2, output_ratio=0.6)
    _ = dotori.manual_seed(0)
    again = F.fractional_max_pool2d(x, 2, output_ratio=0.6)
    assert first.shape == (2, 3, 12, 12)
    np.testing.assert_array_equal(first.array, again.array)
    assert (first.array != second.array).any()


@given(
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2)), min_size=3, max_size=3),
    st.sampled_from([(2, 3), (3,)]),
)
def test_what_was_pooled_comes_back_to_its_place(axes, rows, lead):
    torch, agree = oracle()
    size = tuple(k for k, _ in rows[:axes])
    shape = [2 * k + min(rest, k - 1) for k, rest in rows[:axes]]
    x = numbers((*lead, *shape))
    values, index = getattr(F, f"max_pool{axes}d")(
        dotori.tensor(x), size, return_indices=True
    )
    name = f"max_unpool{axes}d"
    ours, theirs = getattr(F, name), getattr(torch.nn.functional, name)
    y = ours(values, index, size, output_size=x.shape[-axes:])
    largest = y.array != 0
    np.testing.assert_array_equal(y.array[largest], x[largest])
    agree(
        lambda t: ours(t, index, size, output_size=shape),
        lambda t: theirs(t, torch.tensor(index.array), size, output_size=shape),
        values.array,
    )


def test_the_batch_and_channels_may_stand_in_output_size():
    x = dotori.rand(2, 3, 5, 7)
    values, index = F.max_pool2d(x, 2, return_indices=True)
    assert F.max_unpool2d(values, index, 2, output_size=x.shape).shape == x.shape
    assert nn.MaxUnpool2d(2)(values, index, x.shape).shape == x.shape
    even = F.max_pool2d(x[..., :4, :6], 2, return_indices=True)
    assert nn.MaxUnpool2d(2)(*even).shape == (2, 3, 4, 6)


def test_indices_may_be_changed_before_the_gradient_is_taken():
    x = dotori.tensor(numbers((1, 2, 4, 6)), requires_grad=True)
    for pool in (
        lambda: F.max_pool2d(x, 2, return_indices=True),
        lambda: F.adaptive_max_pool2d(x, 3, return_indices=True),
        lambda: F.fractional_max_pool2d(x, 2, 3, return_indices=True),
    ):
        y, index = pool()
        (before,) = dotori.autograd.grad(y.sum(), x, retain_graph=True)
        index.zero_()
        (after,) = dotori.autograd.grad(y.sum(), x)
        np.testing.assert_array_equal(before.array, after.array)
    y, index = F.max_pool2d(x, 2, return_indices=True)
    z = F.max_unpool2d(y, index, 2)
    (before,) = dotori.autograd.grad((z * z).sum(), x, retain_graph=True)
    index.zero_()
    (after,) = dotori.autograd.grad((z * z).sum(), x)
    np.testing.assert_array_equal(before.array, after.array)
