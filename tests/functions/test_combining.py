"""Grids, choices and stacks against PyTorch and NumPy."""

import numpy as np
import pytest

import dotori
from dotori.errors import ArgumentError, ShapeError


@pytest.mark.parametrize("indexing", ["ij", "xy"])
@pytest.mark.parametrize("sizes", [(3,), (2, 3), (2, 0), (2, 3, 4), ((), 2)])
def test_meshgrid(indexing, sizes):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal(n) for n in sizes]
    ours = dotori.meshgrid(*parts, indexing=indexing)
    theirs = torch.meshgrid(*map(torch.tensor, parts), indexing=indexing)
    numpys = np.meshgrid(*map(dotori.tensor, parts), indexing=indexing)
    expected = np.meshgrid(*parts, indexing=indexing)
    for a, b, c, d in zip(ours, theirs, numpys, expected, strict=True):
        np.testing.assert_array_equal(a.array, b.numpy())
        assert isinstance(c, dotori.Tensor)
        np.testing.assert_array_equal(c.array, d)
    sparse = np.meshgrid(*map(dotori.tensor, parts), sparse=True)
    for a, b in zip(sparse, np.meshgrid(*parts, sparse=True), strict=True):
        np.testing.assert_array_equal(a.array, b)


def test_grids_and_choices_to_second_order():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    from torch_oracle import agree

    a, b = np.array([1.0, 2.0, 4.0]), np.array([0.5, -1.0])
    agree(
        lambda x, y: dotori.cartesian_prod(x, y) ** 2,
        lambda x, y: torch.cartesian_prod(x, y) ** 2,
        a,
        b,
    )
    agree(
        lambda x: dotori.combinations(x) ** 3, lambda x: torch.combinations(x) ** 3, a
    )
    agree(
        lambda x: dotori.combinations(x, 3, True), lambda x: torch.combinations(x, 3, True), a
    )  # fmt: skip
    agree(
        lambda x, y: dotori.column_stack([x, y.reshape(3, 1)]),
        lambda x, y: torch.column_stack([x, y.reshape(3, 1)]),
        a,
        a * 2,
    )


def test_numpys_stacks():
    a, b = np.arange(3.0), np.arange(3.0) * 2
    x, y = dotori.tensor(a), dotori.tensor(b)
    for function in (np.column_stack, np.dstack, np.hstack, np.vstack, np.stack):
        found = function([x, y])
        assert isinstance(found, dotori.Tensor), function
        np.testing.assert_array_equal(found.array, function([a, b]))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: dotori.meshgrid(np.zeros((2, 2))), ShapeError, r"\(2, 2\)"),
        (
            lambda: dotori.meshgrid(np.zeros(1), np.zeros(1, int)),
            ShapeError,
            "one type",
        ),
        (lambda: dotori.meshgrid([1, 2], indexing="yx"), ArgumentError, "'yx'"),
        (lambda: dotori.meshgrid(), ArgumentError, "at least one"),
        (lambda: dotori.cartesian_prod(np.zeros((1, 1))), ShapeError, r"\(1, 1\)"),
        (lambda: dotori.combinations(np.zeros((1, 1))), ShapeError, r"\(1, 1\)"),
        (lambda: dotori.combinations([1, 2], -1), ArgumentError, "-1"),
        (lambda: dotori.dstack([]), ArgumentError, "at least one"),
        (lambda: dotori.column_stack([]), ArgumentError, "at least one"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
