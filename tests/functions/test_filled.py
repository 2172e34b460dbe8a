"""Filled and counted tensors against PyTorch: values, shapes and types."""

import numpy as np
import pytest

import dotori
from dotori.errors import ArgumentError

CALLS = [
    ("full", ((2, 3), 7)),
    ("full", ((2,), 0.5)),
    ("full", ((2,), True)),
    ("arange", (5,)),
    ("arange", (2, 9, 3)),
    ("arange", (5, 0, -2)),
    ("arange", (0.0, 1.0, 0.25)),
    ("arange", (0,)),
    ("linspace", (-1, 2, 7)),
    ("linspace", (0, 1, 1)),
    ("linspace", (0, 1, 0)),
    ("logspace", (-1, 2, 4)),
    ("logspace", (0, 3, 4, 2.0)),
    ("eye", (3,)),
    ("eye", (2, 4)),
]


@pytest.mark.parametrize(("name", "args"), CALLS)
def test_as_in_torch(name, args):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    ours, theirs = getattr(dotori, name)(*args), getattr(torch, name)(*args).numpy()
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours.array, theirs, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "value"), [("zeros_like", 0), ("ones_like", 1), ("full_like", 5)]
)
def test_like_takes_shape_and_type(name, value):
    x = dotori.tensor(np.ones((2, 3), np.float64), requires_grad=True)
    extra = (value,) if name == "full_like" else ()
    for function in (getattr(dotori, name), getattr(np, name)):
        y = function(x, *extra)
        assert isinstance(y, dotori.Tensor)
        assert (y.shape, y.dtype, y.requires_grad) == ((2, 3), np.float64, False)
        assert (y.array == value).all()
    assert getattr(dotori, name)(x, *extra, dtype=np.int64).dtype == np.int64


def test_empty_has_the_shape_and_type_asked_for():
    assert dotori.empty(2, 3).shape == (2, 3)
    assert dotori.empty_like(np.zeros(4, np.int8)).dtype == np.int8


@pytest.mark.parametrize("args", [(0, 5, 0), (0, 5, -1), (5, 0, 1)])
def test_a_step_that_never_arrives_is_refused(args):
    with pytest.raises(ArgumentError, match="never leads"):
        dotori.arange(*args)


def test_a_negative_count_is_refused():
    with pytest.raises(ArgumentError, match="non-negative"):
        dotori.linspace(0, 1, -1)
    with pytest.raises(ArgumentError, match="non-negative"):
        dotori.eye(-1)


def test_a_leaf_can_be_asked_for():
    x = dotori.full((2,), 3.0, requires_grad=True)
    (x * x).sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]
