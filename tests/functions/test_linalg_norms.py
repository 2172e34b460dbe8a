"""Norms, ranks and condition numbers: against PyTorch and NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose

import dotori
from dotori import linalg
from dotori.errors import ArgumentError, AxisError, DTypeError, ShapeError

RNG = np.random.default_rng(0)
INF = np.inf


def draw(*shape):
    return RNG.standard_normal(shape)


def check(function, *arrays, **options):
    """`function(lib, ...)` in both libraries."""
    pytest.importorskip("torch", reason="PyTorch is the oracle")
    import torch

    from torch_oracle import agree

    agree(
        lambda *xs: function(dotori, *xs),
        lambda *ts: function(torch, *ts),
        *arrays,
        **options,
    )


@pytest.mark.parametrize("ord", [0, 0.5, 1, 1.5, 2, 3, -1, -2.5, INF, -INF])
@pytest.mark.parametrize(("dim", "keep"), [(None, False), (1, True), ((0, -1), False)])
def test_vector_norms(ord, dim, keep):
    check(lambda lib, x: lib.linalg.vector_norm(x, ord, dim, keep), draw(2, 3, 4))


@pytest.mark.parametrize("ord", [0, 0.5, 1, 1.5, 2, 3, INF])
def test_vector_norms_where_elements_are_zero(ord):
    x = np.array([[0.0, 0.0], [3.0, 0.0]])
    check(lambda lib, t: lib.linalg.vector_norm(t, ord, 1), x, second=False)


@pytest.mark.parametrize("ord", ["fro", "nuc", 1, -1, 2, -2, INF, -INF])
@pytest.mark.parametrize(
    ("dim", "keep"), [((-2, -1), False), ((0, 2), True), ((2, 0), False)]
)
def test_matrix_norms(ord, dim, keep):
    check(lambda lib, x: lib.linalg.matrix_norm(x, ord, dim, keep), draw(2, 3, 4))


@pytest.mark.parametrize("ord", [None, "fro", "nuc", 1, -1, 2, -2, INF, -INF])
def test_norm_of_a_matrix(ord):
    a = draw(3, 3)
    check(lambda lib, x: lib.linalg.norm(x, ord), a)
    assert np.linalg.norm(dotori.tensor(a), ord).item() == pytest.approx(
        np.linalg.norm(a, ord)
    )


def test_norm_chooses():
    a = draw(2, 3, 4)
    check(lambda lib, x: lib.linalg.norm(x), a)
    check(lambda lib, x: lib.linalg.norm(x, dim=1), a)
    check(lambda lib, x: lib.linalg.norm(x, 1, dim=1, keepdim=True), a)
    check(lambda lib, x: lib.linalg.norm(x, 1, dim=(0, 2)), a)
    check(lambda lib, x: lib.linalg.norm(x, INF), a[0, 0])
    found = np.linalg.norm(dotori.tensor(a), axis=-1, keepdims=True)
    assert_allclose(found.numpy(), np.linalg.norm(a, axis=-1, keepdims=True))


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(max_dims=3, max_side=3),
        elements=st.floats(-1e3, 1e3),
    ),
    st.sampled_from([0, 1, 2, 3, INF, -INF]),
)
def test_vector_norm_is_numpys(x, ord):
    found = linalg.vector_norm(x, ord).item()
    assert found == pytest.approx(np.linalg.norm(x.ravel(), ord), rel=1e-9, abs=1e-200)


@pytest.mark.parametrize("p", [None, 1, -1, 2, -2, INF, -INF, "fro", "nuc"])
def test_condition_numbers(p):
    a = draw(2, 3, 3) + 3 * np.eye(3)
    leaf = dotori.tensor(a, requires_grad=True)
    assert dotori.gradcheck(lambda x: linalg.cond(x, p), (leaf,))
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    theirs = torch.linalg.cond(torch.tensor(a), p).numpy()
    assert_allclose(linalg.cond(a, p).numpy(), theirs, rtol=1e-9)
    assert linalg.cond(np.zeros((2, 2)), "fro").item() == INF
    found = np.linalg.cond(dotori.tensor(a[0]), p)
    assert found.item() == pytest.approx(np.linalg.cond(a[0], p))


@pytest.mark.parametrize("hermitian", [False, True])
def test_ranks(hermitian):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    a = np.stack([np.diag([1.0, -1e-3, 0.0]), np.ones((3, 3)), np.eye(3)])
    for options in ({}, {"atol": 1e-2}, {"rtol": 1e-2}, {"atol": 1e-9, "rtol": 0.5}):
        ours = linalg.matrix_rank(a, hermitian=hermitian, **options)
        theirs = torch.linalg.matrix_rank(
            torch.tensor(a), hermitian=hermitian, **options
        )
        assert ours.tolist() == theirs.tolist()
        assert ours.dtype == np.int64
    assert linalg.matrix_rank(a[0], 0.5).item() == 1
    atol = dotori.tensor([1e-2, 10.0, 0.0], dtype=np.float64)
    assert linalg.matrix_rank(a, atol=atol).tolist() == [1, 0, 3]
    assert np.linalg.matrix_rank(dotori.tensor(a[1])).item() == 1


def test_tolerances_of_pinv():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    a = np.stack([np.diag([1.0, 1e-3]), np.diag([10.0, 1.0])])
    for options in ({}, {"atol": 0.1}, {"rtol": 0.01}, {"atol": 2.0, "rtol": 0.01}):
        ours = linalg.pinv(a, **options).numpy()
        theirs = torch.linalg.pinv(torch.tensor(a), **options).numpy()
        assert_allclose(ours, theirs, atol=1e-12)
    rtol = dotori.tensor([1e-2, 0.5], dtype=np.float64)
    kept = linalg.pinv(a, rtol=rtol).numpy()
    assert_allclose(kept, [np.diag([1, 0]), np.diag([0.1, 0])], atol=1e-12)
    s = draw(3, 3)
    s = s + s.T
    assert_allclose(linalg.pinv(s, hermitian=True).numpy(), np.linalg.inv(s))
    check(lambda lib, x: lib.linalg.pinv(x, hermitian=True), s)


def test_large_numbers_and_types():
    assert linalg.vector_norm(np.float32([3e4, 4e4])).dtype == np.float32
    wide = linalg.vector_norm(np.float32([3, 4]), dtype=np.float64)
    assert wide.dtype == np.float64
    assert linalg.vector_norm([3 + 4j]).dtype == np.float32


def test_nan_is_the_norm_of_what_holds_nan():
    x = [1.0, np.nan]
    for ord in (0.5, 1, 2, 3, INF, -INF):
        assert np.isnan(linalg.vector_norm(x, ord).item())


@pytest.mark.parametrize(
    ("mistake", "kind", "message"),
    [
        (lambda: linalg.matrix_norm(np.eye(2), 7), ArgumentError, "'fro', 'nuc', 1"),
        (lambda: linalg.matrix_norm(np.ones(3)), ShapeError, "matrices and two axes"),
        (
            lambda: linalg.matrix_norm(np.eye(2), dim=(0, 0)),
            AxisError,
            "twice|different",
        ),
        (lambda: linalg.matrix_norm(np.ones((0, 2)), -2), ShapeError, "not exist"),
        (lambda: linalg.vector_norm([1, 2]), DTypeError, "floats were wanted"),
        (lambda: linalg.vector_norm([1.0], "fro"), ArgumentError, "a number"),
        (lambda: linalg.vector_norm(np.ones(0), INF), ShapeError, "no elements"),
        (lambda: linalg.vector_norm([1.0], dim=3), AxisError, "axis 3"),
        (lambda: linalg.norm(np.ones((2, 2, 2)), 2), ShapeError, "vector or a matrix"),
        (
            lambda: linalg.norm(np.ones((2, 2, 2)), 2, (0, 1, 2)),
            AxisError,
            "one axis or two",
        ),
        (lambda: linalg.norm(np.ones(2), dtype=np.float16), DTypeError, "not hold"),
        (lambda: linalg.pinv(np.eye(2), rtol=1j), ArgumentError, "real numbers"),
    ],
)
def test_mistakes_are_named(mistake, kind, message):
    with pytest.raises(kind, match=message):
        mistake()
