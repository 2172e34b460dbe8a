"""Padding against PyTorch, and NumPy's modes against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.nn import functional as F


@given(
    st.lists(st.integers(-2, 3), min_size=2, max_size=4).filter(
        lambda p: len(p) % 2 == 0
    )
)
def test_numbers_around(pad):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    from torch_oracle import agree

    x = np.random.default_rng(0).standard_normal((2, 4, 5))
    for value in (0.0, 1.5):
        agree(
            lambda t, v=value: F.pad(t, pad, value=v),
            lambda t, v=value: torch.nn.functional.pad(t, pad, value=v),
            x,
        )


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize(
    ("shape", "pad"),
    [((2, 5), (4, 2)), ((1, 2, 3), (1, 2)), ((1, 2, 4, 3), (1, 2, 3, 0)), ((1, 3, 3, 4), (2, 1, 1, 2, 0, 1)), ((1, 2, 4), (-1, 2))],
)  # fmt: skip
def test_elements_around(mode, shape, pad):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    from torch_oracle import agree

    x = np.random.default_rng(0).standard_normal(shape)
    agree(
        lambda t: F.pad(t, pad, mode),
        lambda t: torch.nn.functional.pad(t, pad, mode),
        x,
    )


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize("width", [2, (1, 7), ((1, 0), (2, 9))])
def test_numpys_modes(mode, width):
    a = np.arange(6.0).reshape(2, 3)
    x = dotori.tensor(a, requires_grad=True)
    y = np.pad(x, width, mode)
    assert y.requires_grad
    np.testing.assert_array_equal(y.array, np.pad(a, width, mode))
    if mode == "constant":
        y = np.pad(x, width, constant_values=7)
        np.testing.assert_array_equal(y.array, np.pad(a, width, constant_values=7))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: F.pad(x, (1,)), ShapeError, "two lengths"),
        (lambda x: F.pad(x, (1,) * 6), ShapeError, r"\(2, 3\)"),
        (lambda x: F.pad(x, (-2, -2)), ShapeError, "would have the shape"),
        (lambda x: F.pad(x, (3, 0), "reflect"), ShapeError, "too much for axis 1"),
        (lambda x: F.pad(x, (4, 0), "circular"), ShapeError, "too much for axis 1"),
        (lambda x: F.pad(x, (1, 1, 1, 1), "reflect"), ShapeError, "behind one or two"),
        (lambda x: F.pad(x, (1, 1), "edge"), ArgumentError, "'edge'"),
        (lambda x: F.pad(x, (1, 1), "reflect", 2.0), ArgumentError, "no value"),
        (lambda x: F.pad(x.long(), (1, 1), value=np.inf), DTypeError, "inf"),
        (lambda x: np.pad(x, 1, "linear_ramp"), ArgumentError, "linear_ramp"),
        (lambda x: np.pad(x, -1), ArgumentError, "not negative"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(dotori.zeros(2, 3))
