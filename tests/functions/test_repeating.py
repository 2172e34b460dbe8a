"""Repetition, rolling and turning against PyTorch and NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori.errors import ArgumentError, AxisError, ShapeError

SHAPES = st.lists(st.integers(0, 3), max_size=3)


@given(SHAPES, st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_tile_and_repeat(shape, times):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    from torch_oracle import agree

    x = np.random.default_rng(0).standard_normal(shape)
    agree(lambda t: t.tile(times), lambda t: t.tile(times), x)
    np.testing.assert_array_equal(
        np.tile(dotori.tensor(x), times).array, np.tile(x, times)
    )
    if len(times) >= len(shape):
        agree(lambda t: t.repeat(*times), lambda t: t.repeat(*times), x)
    else:
        with pytest.raises(RuntimeError):
            torch.tensor(x).repeat(*times)
        with pytest.raises(ShapeError, match="number of times"):
            dotori.tensor(x).repeat(*times)


@given(st.integers(1, 4), st.integers(0, 3), st.integers(0, 20))
def test_repeat_interleave(rows, columns, seed):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    from torch_oracle import agree

    rng = np.random.default_rng(seed)
    x, times = rng.standard_normal((rows, columns)), rng.integers(0, 3, rows)
    for count, dim in ((2, None), (2, 1), (times, 0)):
        agree(
            lambda t, n=count, d=dim: t.repeat_interleave(n, d),
            lambda t, n=count, d=dim: t.repeat_interleave(torch.as_tensor(n), d),
            x,
        )
        ours = np.repeat(dotori.tensor(x), count, dim)
        np.testing.assert_array_equal(ours.array, np.repeat(x, count, dim))
    assert (
        dotori.repeat_interleave(times).tolist()
        == np.repeat(np.arange(rows), times).tolist()
    )


@given(SHAPES, st.integers(-5, 5), st.integers(-5, 5))
def test_roll(shape, one, two):
    from torch_oracle import agree

    x = np.random.default_rng(0).standard_normal(shape)
    agree(lambda t: t.roll(one), lambda t: t.roll(one), x)
    if shape:
        agree(
            lambda t: t.roll((one, two), (0, -1)),
            lambda t: t.roll((one, two), (0, -1)),
            x,
        )
        for args in ((one, 0), ((one, two), (0, 0)), (one, None), (one, (0, -1))):
            ours = np.roll(dotori.tensor(x), *args)
            np.testing.assert_array_equal(ours.array, np.roll(x, *args))


@pytest.mark.parametrize("k", range(-5, 6))
def test_rot90(k):
    from torch_oracle import agree

    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    agree(lambda t: t.rot90(k, (0, 2)), lambda t: t.rot90(k, (0, 2)), x)
    y = np.rot90(dotori.tensor(x), k, axes=(2, 1))
    np.testing.assert_array_equal(y.array, np.rot90(x, k, axes=(2, 1)))


def test_numpys_flips():
    a = np.arange(6).reshape(2, 3)
    assert np.fliplr(dotori.tensor(a)).tolist() == np.fliplr(a).tolist()
    assert np.flipud(dotori.tensor(a)).tolist() == np.flipud(a).tolist()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.repeat(2, -1), ShapeError, "negative"),
        (lambda x: x.repeat_interleave([1, 2, 3], 0), ShapeError, "2 parts"),
        (lambda x: x.repeat_interleave([-1, 1], 0), ShapeError, "negative"),
        (
            lambda x: x.repeat_interleave(2, 0, output_size=5),
            ArgumentError,
            "output_size",
        ),
        (lambda x: x.roll((1, 2)), ArgumentError, "an axis each"),
        (lambda x: x.roll((1, 2), 0), ArgumentError, "2 for 1"),
        (lambda x: x.roll(1, 2), AxisError, "axis 2"),
        (lambda x: x.rot90(1, (0,)), AxisError, "two axes"),
        (lambda x: x[0].rot90(), ShapeError, r"\(3,\)"),
        (lambda x: x[0].fliplr(), ShapeError, r"\(3,\)"),
        (lambda x: x[0, 0].flipud(), ShapeError, "single number"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(dotori.zeros(2, 3))
