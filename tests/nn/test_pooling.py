"""Pooling against PyTorch over its arguments, and where numbers are equal or missing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori import kernels, nn
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.nn import functional as F
from dotori.ops import pooling as ops_pooling
from dotori.ops.layout import lies_channels_last

SIZES = st.integers(1, 3)


@st.composite
def windows(draw, dilated=True):
    """A shape, and arguments of a pooling that fits into it."""
    axes = draw(st.integers(1, 3))
    shape, names = [], {"kernel_size": [], "stride": [], "padding": [], "dilation": []}
    for _ in range(axes):
        k, s = draw(SIZES), draw(SIZES)
        d = draw(st.integers(1, 2)) if dilated else 1
        p = draw(st.integers(0, k // 2))
        reach = d * (k - 1) + 1
        # PyTorch's means in three dimensions want a kernel no larger than the volume
        n = max(reach - 2 * p, d if dilated else k) + draw(st.integers(0, 4))
        shape.append(n)
        for name, value in zip(names, (k, s, p, d), strict=True):
            names[name].append(value)
    if not dilated:
        del names["dilation"]
    if draw(st.booleans()):
        names["stride"] = None
    arguments = {k: v if v is None else tuple(v) for k, v in names.items()}
    arguments["ceil_mode"] = draw(st.booleans())
    lead = draw(st.sampled_from([(2, 3), (3,), (1, 1)]))
    return axes, (*lead, *shape), arguments


def torch_and_agree():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    from torch_oracle import agree

    return torch, agree


def numbers(shape, seed=0):
    """All different, so that the largest is one only."""
    rng = np.random.default_rng(seed)
    return rng.permutation(math.prod(shape)).reshape(shape) / 7.0 - 1.0


def moved(x, axes, last):
    """The channels at the end for `last`, so that both libraries move them back."""
    return np.moveaxis(x, -axes - 1, -1).copy() if last else x


def both(name, axes, last, arguments):
    """The function in both libraries, behind a permutation that moves channels."""
    torch, _ = torch_and_agree()

    def wrapped(function):
        def run(t):
            if last:
                n = t.ndim
                order = (*range(n - axes - 1), n - 1, *range(n - axes - 1, n - 1))
                t = t.permute(*order)
            return function(t, **arguments)

        return run

    return wrapped(getattr(F, name)), wrapped(getattr(torch.nn.functional, name))


@given(windows(), st.booleans())
def test_the_largest_of_each_window(window, last):
    axes, shape, arguments = window
    _, agree = torch_and_agree()
    x = moved(numbers(shape), axes, last)
    agree(*both(f"max_pool{axes}d", axes, last, arguments), x)


@given(windows(), st.booleans(), st.booleans())
def test_where_the_largest_is(window, last, with_equals):
    axes, shape, arguments = window
    torch, agree = torch_and_agree()
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2, shape) * 1.0 if with_equals else numbers(shape)
    x = moved(x, axes, last)
    ours, theirs = both(
        f"max_pool{axes}d", axes, last, {**arguments, "return_indices": True}
    )
    found = ours(dotori.tensor(x))[1]
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found.array, theirs(torch.tensor(x))[1])
    agree(lambda t: ours(t)[0], lambda t: theirs(t)[0], x)
    agree(*both(f"max_pool{axes}d", axes, last, arguments), x)


@pytest.mark.parametrize("mode", ["numpy", "numba"])
@pytest.mark.parametrize("last", [False, True])
def test_equals_nan_and_infinities(mode, last):
    """The first of equals; the last NaN; -inf where there is nothing else."""
    torch, _ = torch_and_agree()
    if mode == "numba":
        pytest.importorskip("numba", reason="compiles the kernels")
    rng = np.random.default_rng(2)
    x = rng.choice([0.0, 1.0, np.nan, -np.inf, np.inf], (2, 4, 6, 7))
    x[0, 0] = -np.inf
    arguments = {"kernel_size": 3, "stride": 2, "padding": 1}
    a = dotori.tensor(x, requires_grad=True)
    b = torch.tensor(x, requires_grad=True)
    t = a.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) if last else a
    kernels.use(mode)
    try:
        y = F.max_pool2d(t, **arguments)
        index = F.max_pool2d_with_indices(t, **arguments)[1]
        dy = rng.standard_normal(y.shape)
        y.backward(dotori.tensor(dy))
    finally:
        kernels.use("auto")
    z, wanted = torch.nn.functional.max_pool2d(b, **arguments, return_indices=True)
    z.backward(torch.tensor(dy))
    np.testing.assert_array_equal(y.detach().numpy(), z.detach())
    np.testing.assert_array_equal(index.array, wanted)
    np.testing.assert_allclose(a.grad.array, b.grad, rtol=1e-12)
    plain = F.max_pool2d(t.detach(), **arguments)  # nobody asks for a gradient
    np.testing.assert_array_equal(plain.array, z.detach())


def test_infinite_gradients_stay_where_they_belong():
    x = dotori.tensor([[[1.0, 2.0], [4.0, 3.0]]], requires_grad=True)
    F.max_pool2d(x, 2).backward(dotori.tensor([[[math.inf]]]))
    assert x.grad.tolist() == [[[0.0, 0.0], [math.inf, 0.0]]]


def test_windows_of_more_than_256_elements():
    _, agree = torch_and_agree()
    x = numbers((1, 2, 20, 33))
    arguments = {"kernel_size": (18, 19), "stride": 3}
    agree(*both("max_pool2d", 2, False, arguments), x)


@pytest.mark.parametrize("pool", [F.max_pool2d, F.avg_pool2d])
def test_windows_that_no_table_is_made_for(pool, monkeypatch):
    pytest.importorskip("numba", reason="compiles the kernels")
    x = dotori.tensor(numbers((2, 8, 9, 5)), requires_grad=True)
    found = []
    kernels.use("numba")
    try:
        for limit in (1 << 20, 0):
            monkeypatch.setattr(ops_pooling, "LARGEST_TABLE", limit)
            y = pool(x.permute(0, 3, 1, 2), 3, 2, 1)
            found.append([y.detach(), *dotori.autograd.grad((y * y).sum(), x)])
    finally:
        kernels.use("auto")
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a.array, b.array)


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.int16, np.int8, np.uint8])
def test_integers(dtype):
    torch, _ = torch_and_agree()
    x = np.random.default_rng(3).integers(0, 100, (2, 3, 6, 7)).astype(dtype)
    y = F.max_pool2d(dotori.tensor(x, dtype=dtype), 3, 2, 1)
    z = torch.nn.functional.max_pool2d(torch.tensor(x), 3, 2, 1)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y.array, z.numpy())


def test_means_of_integers_are_cut():
    torch, _ = torch_and_agree()
    x = np.random.default_rng(3).integers(-9, 9, (2, 3, 6, 7))
    y = F.avg_pool2d(dotori.tensor(x), 3, 2, 1)
    z = torch.nn.functional.avg_pool2d(torch.tensor(x), 3, 2, 1)
    assert y.dtype == np.int64
    np.testing.assert_array_equal(y.array, z.numpy())


@given(windows(dilated=False), st.booleans(), st.booleans(), st.booleans())
def test_the_mean_of_each_window(window, last, counted, divided):
    axes, shape, arguments = window
    _, agree = torch_and_agree()
    arguments = {**arguments, "count_include_pad": counted}
    if divided and axes > 1:
        arguments["divisor_override"] = 3
    x = moved(np.random.default_rng(4).standard_normal(shape), axes, last)
    agree(*both(f"avg_pool{axes}d", axes, last, arguments), x)


@given(windows(dilated=False), st.booleans(), st.sampled_from([1, 2, 3, 1.5, math.inf]))
def test_power_means(window, last, norm_type):
    axes, shape, arguments = window
    _, agree = torch_and_agree()
    arguments = {**arguments, "norm_type": norm_type}
    del arguments["padding"]
    if axes == 1:  # PyTorch takes no tuple here
        arguments["kernel_size"] = arguments["kernel_size"][0]
    x = moved(np.random.default_rng(5).uniform(0.5, 2.0, shape), axes, last)
    agree(*both(f"lp_pool{axes}d", axes, last, arguments), x)


def test_the_smallest_absolute_value():
    _, agree = torch_and_agree()
    arguments = {"norm_type": -math.inf, "kernel_size": 2}
    agree(*both("lp_pool1d", 1, False, arguments), numbers((2, 3, 7)))


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d", "adaptive_avg_pool2d"])
def test_halves_are_pooled_as_in_torch(name):
    torch, _ = torch_and_agree()
    x = np.random.default_rng(6).standard_normal((2, 3, 30, 30)).astype(np.float16)
    y = getattr(F, name)(dotori.tensor(x), 15)
    z = getattr(torch.nn.functional, name)(torch.tensor(x), 15)
    assert y.dtype == np.float16
    np.testing.assert_array_equal(y.array, z.numpy())


@pytest.mark.parametrize(
    "pool",
    [
        lambda t: F.max_pool2d(t, 2),
        lambda t: F.max_pool2d(t, 3, 2, 1),
        lambda t: F.avg_pool2d(t, 2),
        lambda t: F.avg_pool2d(t, 3, 2, 1, count_include_pad=False),
        lambda t: F.lp_pool2d(t, 2, 2),
        lambda t: F.adaptive_avg_pool2d(t, (4, 3)),
        lambda t: F.adaptive_avg_pool2d(t, 3),
        lambda t: F.adaptive_max_pool2d(t, 4),
        lambda t: F.adaptive_max_pool2d(t, (3, 5)),
        lambda t: F.max_pool2d(t, 3, 2, return_indices=True)[0],
    ],
)
def test_outputs_and_gradients_lie_as_inputs_do(pool):
    rng = np.random.default_rng(7)
    last = dotori.tensor(rng.standard_normal((2, 8, 8, 5)), requires_grad=True)
    y = pool(last.permute(0, 3, 1, 2))
    assert lies_channels_last(y.array) and not y.array.flags.c_contiguous
    y.backward(dotori.ones_like(y))
    assert last.grad.array.flags.c_contiguous
    first = dotori.tensor(rng.standard_normal((2, 5, 8, 8)), requires_grad=True)
    y = pool(first)
    assert y.array.flags.c_contiguous
    y.backward(dotori.ones_like(y))
    assert first.grad.array.flags.c_contiguous


@pytest.mark.parametrize("shape", [(0, 3, 6), (0, 3, 6, 5), (0, 3, 4, 6, 5)])
@pytest.mark.parametrize("name", ["max_pool", "avg_pool", "lp_pool"])
def test_an_empty_batch(name, shape):
    axes = len(shape) - 2
    x = dotori.zeros(shape, requires_grad=True)
    args = (2, 2) if name == "lp_pool" else (2,)
    y = getattr(F, f"{name}{axes}d")(x, *args)
    assert y.shape == (0, 3, *(n // 2 for n in shape[2:]))
    y.sum().backward()
    assert x.grad.shape == shape


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: F.max_pool2d(x, 0), ArgumentError, "kernel_size is at least 1"),
        (lambda x: F.max_pool2d(x, 2, 0), ArgumentError, "stride is at least 1"),
        (lambda x: F.max_pool2d(x, 2, 1, -1), ArgumentError, "padding is at least 0"),
        (lambda x: F.max_pool2d(x, 3, 1, 2, 2), ArgumentError, "at most half"),
        (
            lambda x: F.max_pool2d(x[..., :1], (1, 2), 1, (0, 1), 2),
            ArgumentError,
            "inside",
        ),
        (lambda x: F.avg_pool2d(x, 3, 1, 2), ArgumentError, "at most half"),
        (lambda x: F.max_pool2d(x, (2, 2, 2)), ArgumentError, "2 for the axes"),
        (lambda x: F.max_pool2d(x, 2.5), DTypeError, "whole numbers, got 2.5"),
        (lambda x: F.max_pool2d(x, (2, 1.5)), DTypeError, "whole numbers"),
        (lambda x: F.max_pool2d(x, 9), ShapeError, r"fits into x of shape \(2, 3, 4"),
        (lambda x: F.max_pool2d(x[0, 0], 1), ShapeError, r"got \(4, 5\)"),
        (lambda x: F.max_pool1d(x, 1), ShapeError, "batch, channels, length"),
        (lambda x: F.max_pool2d(x[:, :0], 1), ShapeError, "which alone may be empty"),
        (lambda x: F.max_pool2d(x > 0, 2), DTypeError, "bool"),
        (lambda x: F.avg_pool2d(x > 0, 2), DTypeError, "bool"),
        (lambda x: F.lp_pool2d(x.long(), 2, 2), DTypeError, "int64"),
        (lambda x: F.avg_pool2d(x, 2, divisor_override=0), ArgumentError, "divisor"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(dotori.zeros(2, 3, 4, 5))


def test_layers_say_what_they_were_given():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    for layer in (
        "MaxPool2d(3, 2, 1)", "MaxPool1d(3)", "AvgPool1d(3)", "AvgPool2d((2, 3), 1)",
        "LPPool2d(2, 3)", "AdaptiveAvgPool2d((None, 3))", "AdaptiveMaxPool1d(4)",
        "FractionalMaxPool2d(2, output_ratio=0.5)", "MaxUnpool2d(2)", "Unfold(2)",
        "MaxUnpool1d(2, stride=3)", "Fold(3, 2)", "ConstantPad1d(2, 3.0)", "ZeroPad2d(1)",
        "ReflectionPad3d(1)", "CircularPad1d((1, 2))", "PixelShuffle(2)",
        "PixelUnshuffle(2)", "ChannelShuffle(2)",
    ):  # fmt: skip
        spaces = {"ours": nn, "theirs": torch.nn}
        ours = eval(f"ours.{layer}", spaces)
        assert repr(ours) == repr(eval(f"theirs.{layer}", spaces))
