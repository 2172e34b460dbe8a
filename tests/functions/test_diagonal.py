"""Diagonals against PyTorch and NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori.errors import ArgumentError, AxisError, ShapeError


@given(
    st.lists(st.integers(0, 4), min_size=2, max_size=4),
    st.integers(-5, 5),
    st.integers(0, 50),
)
def test_diagonal_and_diag_embed(shape, offset, seed):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    from torch_oracle import agree

    rng = np.random.default_rng(seed)
    one, two = rng.permutation(len(shape))[:2].tolist()
    x = rng.standard_normal(shape)
    rows, columns = shape[one], shape[two]
    if -rows <= offset <= columns:  # further out PyTorch gives nothing, or raises
        agree(
            lambda t: t.diagonal(offset, one, two),
            lambda t: t.diagonal(offset, one, two),
            x,
        )
    one, two = rng.permutation(3)[:2].tolist()
    agree(
        lambda t: dotori.diag_embed(t, offset, one, two),
        lambda t: torch.diag_embed(t, offset, one, two),
        rng.standard_normal((2, shape[0])),
    )


@given(st.integers(0, 5), st.integers(0, 5), st.integers(-6, 6))
def test_triangles(rows, columns, offset):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    for name in ("tril_indices", "triu_indices"):
        ours = getattr(dotori, name)(rows, columns, offset)
        theirs = getattr(torch, name)(rows, columns, offset)
        assert ours.dtype == np.int64
        np.testing.assert_array_equal(ours.array, theirs.numpy())


def test_block_diag_takes_rows_numbers_and_types():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    parts = [np.ones((2, 1), np.float32), np.arange(3), np.array(5.0), np.zeros((0, 2))]
    ours = dotori.block_diag(*parts)
    theirs = torch.block_diag(*map(torch.tensor, parts))
    np.testing.assert_array_equal(ours.array, theirs.numpy())
    assert ours.dtype == np.float64
    assert dotori.block_diag().shape == tuple(torch.block_diag().shape)


def test_numpys_functions_with_numpys_meaning():
    a = np.arange(24.0).reshape(2, 3, 4)
    x = dotori.tensor(a, requires_grad=True)
    for y, expected in [
        (np.diagonal(x, 1, 2, 0), np.diagonal(a, 1, 2, 0)),
        (np.diag(x[0], k=-1), np.diag(a[0], k=-1)),
        (np.diag(x[0, 0], 1), np.diag(a[0, 0], 1)),
        (np.diagflat(x[0], 1), np.diagflat(a[0], 1)),
    ]:
        assert isinstance(y, dotori.Tensor)
        assert y.requires_grad
        np.testing.assert_array_equal(y.array, expected)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: dotori.diag(np.zeros((2, 2, 2))), ShapeError, r"\(2, 2, 2\)"),
        (lambda: dotori.diagonal(np.zeros(3)), ShapeError, r"\(3,\)"),
        (lambda: dotori.diagonal(np.zeros((2, 2)), 0, 1, -1), AxisError, "two axes"),
        (lambda: dotori.diag_embed(np.zeros(2), 0, 1, 1), AxisError, "two axes"),
        (lambda: dotori.diag_embed(3.0), ShapeError, "one axis"),
        (lambda: dotori.tril_indices(-1, 2), ArgumentError, "-1 and 2"),
        (lambda: dotori.block_diag(np.zeros((1, 1, 1))), ShapeError, "tensor 0"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
