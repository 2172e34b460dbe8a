"""Columns of windows, pixel shuffles and layers of padding, against PyTorch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori import nn
from dotori.errors import ArgumentError, ShapeError
from dotori.nn import functional as F
from dotori.ops.layout import lies_channels_last

SIZE = st.tuples(st.integers(1, 3), st.integers(1, 3))


def oracle():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    from torch_oracle import agree

    return torch.nn.functional, agree


@given(SIZE, SIZE, SIZE, st.tuples(*[st.integers(0, 2)] * 2), st.booleans())
def test_columns_and_back(kernel, dilation, stride, padding, batched):
    theirs, agree = oracle()
    shape = tuple(d * (k - 1) + 2 for k, d in zip(kernel, dilation, strict=True))
    lead = (2, 3) if batched else (3,)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((*lead, *shape))
    how = (kernel, dilation, padding, stride)
    agree(lambda t: F.unfold(t, *how), lambda t: theirs.unfold(t, *how), x)
    columns = rng.standard_normal(F.unfold(dotori.tensor(x), *how).shape)
    agree(
        lambda t: F.fold(t, shape, *how),
        lambda t: theirs.fold(t, shape, *how),
        columns,
    )


def test_columns_of_pictures_that_lie_channels_last():
    x = np.random.default_rng(1).standard_normal((2, 5, 6, 3))
    last = F.unfold(dotori.tensor(x).permute(0, 3, 1, 2), 3, 1, 1, 2)
    first = F.unfold(dotori.tensor(np.moveaxis(x, -1, 1).copy()), 3, 1, 1, 2)
    np.testing.assert_array_equal(last.array, first.array)


def test_convolution_is_a_product_with_columns():
    theirs, _ = oracle()
    import torch

    rng = np.random.default_rng(2)
    x, w = rng.standard_normal((2, 3, 5, 6)), rng.standard_normal((4, 3, 3, 2))
    y = dotori.tensor(w.reshape(4, -1)) @ F.unfold(dotori.tensor(x), (3, 2))
    z = theirs.conv2d(torch.tensor(x), torch.tensor(w)).numpy()
    np.testing.assert_allclose(y.array.reshape(z.shape), z)


def test_an_empty_batch():
    assert F.unfold(dotori.zeros(0, 3, 4, 5), 2).shape == (0, 12, 12)
    assert F.fold(dotori.zeros(0, 12, 12), (4, 5), 2).shape == (0, 3, 4, 5)
    assert F.pixel_shuffle(dotori.zeros(0, 8, 3, 2), 2).shape == (0, 2, 6, 4)


@given(st.integers(1, 3), st.sampled_from([(), (2,), (2, 2)]), st.booleans())
def test_pixels(r, lead, last):
    theirs, agree = oracle()
    rng = np.random.default_rng(3)
    shape = (*lead, 2 * r * r, 2, 3)
    order = (0, 2, 3, 1) if last and len(lead) == 1 else tuple(range(len(shape)))
    back = tuple(np.argsort(order))
    x = rng.standard_normal(shape).transpose(order).copy()
    agree(
        lambda t: F.pixel_shuffle(t.permute(*back), r),
        lambda t: theirs.pixel_shuffle(t.permute(*back), r),
        x,
    )
    t = dotori.tensor(x).permute(*back)
    y = F.pixel_shuffle(t, r)
    np.testing.assert_array_equal(F.pixel_unshuffle(y, r).array, t.array)
    if order != tuple(range(len(shape))):
        assert lies_channels_last(y.array)
        assert lies_channels_last(F.pixel_unshuffle(y, r).array)
    z = rng.standard_normal((*lead, 2, 2 * r, 3 * r))
    agree(lambda t: F.pixel_unshuffle(t, r), lambda t: theirs.pixel_unshuffle(t, r), z)


@pytest.mark.parametrize("places", [(5,), (4, 5), (2, 3, 4)])
def test_channels_of_groups_in_turn(places):
    theirs, agree = oracle()
    x = np.random.default_rng(4).standard_normal((2, 6, *places))
    agree(lambda t: F.channel_shuffle(t, 3), lambda t: theirs.channel_shuffle(t, 3), x)
    last = dotori.tensor(np.moveaxis(x, 1, -1).copy()).movedim(-1, 1)
    y = F.channel_shuffle(last, 3)
    np.testing.assert_array_equal(y.array, F.channel_shuffle(dotori.tensor(x), 3).array)
    if len(places) == 2:
        assert lies_channels_last(y.array)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("ConstantPad2d", ((1, 2, 0, 3), 1.5)),
        ("ZeroPad2d", (2,)),
        ("ReflectionPad2d", ((1, 2, 3, 0),)),
        ("ReplicationPad2d", ((1, 2, 3, 0),)),
        ("CircularPad2d", ((1, 2, 3, 0),)),
        ("ReflectionPad2d", ((1, -2, 3, -1),)),
    ],
)
def test_padding_keeps_the_order_in_memory(name, args):
    rng = np.random.default_rng(5)
    x = rng.standard_normal((2, 5, 6, 3))
    last = dotori.tensor(x, requires_grad=True)
    layer = getattr(nn, name)(*args)
    y = layer(last.permute(0, 3, 1, 2))
    first = dotori.tensor(np.moveaxis(x, -1, 1).copy(), requires_grad=True)
    z = layer(first)
    np.testing.assert_array_equal(y.detach().numpy(), z.detach().numpy())
    if -1 not in args[0] if isinstance(args[0], tuple) else True:
        assert lies_channels_last(y.array) and z.array.flags.c_contiguous
    dy = dotori.tensor(rng.standard_normal(y.shape))
    y.backward(dy)
    z.backward(dy)
    np.testing.assert_allclose(last.grad.array, np.moveaxis(first.grad.array, 1, -1))


def test_the_layer_does_what_the_function_does():
    x = dotori.tensor(np.arange(12.0).reshape(1, 3, 4))
    assert nn.ZeroPad1d(1)(x).tolist() == F.pad(x, (1, 1)).tolist()
    assert nn.CircularPad1d((1, 2))(x).tolist() == F.pad(x, (1, 2), "circular").tolist()
    assert nn.ReflectionPad1d((3, 0))(x)[0, 0].tolist() == [3, 2, 1, 0, 1, 2, 3]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: F.unfold(x, 9), ShapeError, r"fits into a picture of \(4, 5\)"),
        (lambda x: F.unfold(x[0, 0], 2), ShapeError, "batch, channels, height"),
        (lambda x: F.unfold(x, 2, 0), ArgumentError, "dilation is at least 1"),
        (lambda x: F.unfold(x, 2, padding=-1), ArgumentError, "padding is at least 0"),
        (lambda x: F.fold(x[0], (4, 5), 2), ShapeError, "give 12 columns"),
        (lambda x: F.fold(x, (4, 5), 2), ShapeError, "columns' elements"),
        (lambda x: F.fold(x[0], (1, 1), 2), ShapeError, r"a picture of \(1, 1\)"),
        (lambda x: F.pixel_shuffle(x, 2), ShapeError, r"multiple of 2\^2, got 3"),
        (lambda x: F.pixel_shuffle(x, 0), ArgumentError, "upscale_factor is at least"),
        (lambda x: F.pixel_shuffle(x[0, 0], 1), ShapeError, "channels, height, width"),
        (lambda x: F.pixel_unshuffle(x, 2), ShapeError, "multiples of 2"),
        (lambda x: F.channel_shuffle(x, 2), ShapeError, "multiple of 2 groups"),
        (lambda x: F.channel_shuffle(x, 0), ArgumentError, "groups is at least 1"),
        (lambda x: nn.ZeroPad2d((1, 2)), ArgumentError, r"one int or 4, got \(1, 2\)"),
        (lambda x: nn.CircularPad2d(6)(x), ShapeError, "too much"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(dotori.zeros(2, 3, 4, 5))
