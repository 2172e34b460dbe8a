"""Linear algebra against PyTorch, and by what its results must satisfy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import dotori
from dotori import linalg
from dotori.errors import ArgumentError, ShapeError


def leaf(a):
    return dotori.tensor(a, requires_grad=True)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**31))
def test_svd_rebuilds_its_matrix(m, n, seed):
    a = np.random.default_rng(seed).standard_normal((m, n))
    u, s, vh = linalg.svd(a, full_matrices=False)
    assert_allclose(((u * s) @ vh).numpy(), a, atol=1e-12)
    assert_allclose((u.T @ u).numpy(), np.eye(min(m, n)), atol=1e-12)
    assert (np.diff(s.numpy()) <= 0).all()


@given(st.integers(1, 5), st.integers(0, 2**31))
def test_eigh_rebuilds_its_matrix(n, seed):
    a = np.random.default_rng(seed).standard_normal((n, n))
    a = a + a.T
    w, v = linalg.eigh(a)
    assert_allclose(((v * w) @ v.T).numpy(), a, atol=1e-12)


def sign_free(library, a, decompose):
    """A number of the vectors that their signs do not change."""
    first, middle, last = decompose(a)
    return (first**2 * middle).sum() + (last**4).sum()


def test_gradients_of_the_factors_are_pytorchs(rng):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    for shape in ((3, 3), (4, 3), (3, 5)):
        a = rng.standard_normal(shape)
        x, z = leaf(a), torch.tensor(a, requires_grad=True)
        sign_free(dotori, x, lambda m: linalg.svd(m, full_matrices=False)).backward()
        sign_free(
            torch, z, lambda m: torch.linalg.svd(m, full_matrices=False)
        ).backward()
        assert_allclose(x.grad.numpy(), z.grad.numpy(), rtol=1e-7)
    a = rng.standard_normal((4, 4))
    a = a + a.T
    x, z = leaf(a), torch.tensor(a, requires_grad=True)
    w, v = linalg.eigh(x)
    (w * v**4).sum().backward()
    tw, tv = torch.linalg.eigh(z)
    (tw * tv**4).sum().backward()
    assert_allclose(x.grad.numpy(), z.grad.numpy(), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 3), (3, 4)])
def test_pinv_and_lstsq_are_pytorchs(rng, shape):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    a = rng.standard_normal(shape)
    x, z = leaf(a), torch.tensor(a, requires_grad=True)
    ours, theirs = linalg.pinv(x), torch.linalg.pinv(z)
    assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-9)
    weights = rng.standard_normal(ours.shape)
    (ours * weights).sum().backward()
    (theirs * torch.tensor(weights)).sum().backward()
    assert_allclose(x.grad.numpy(), z.grad.numpy(), rtol=1e-6, atol=1e-9)


def test_small_ones_by_hand():
    a = [[4.0, 7.0], [2.0, 6.0]]
    assert_allclose(linalg.inv(a).numpy(), [[0.6, -0.7], [-0.2, 0.4]], rtol=1e-6)
    assert linalg.det(a).item() == pytest.approx(10.0, rel=1e-6)
    assert linalg.trace(a).item() == 10.0
    assert linalg.matrix_power(a, 3).tolist() == [[260.0, 630.0], [180.0, 440.0]]
    assert_allclose(
        linalg.matrix_power(a, -1).numpy(), linalg.inv(a).numpy(), rtol=1e-6
    )
    assert linalg.matrix_power(a, 0).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert_allclose(linalg.solve(a, [1.0, 2.0]).numpy(), [-0.8, 0.6], rtol=1e-6)


def test_numpys_names_reach_them(rng):
    x = leaf(rng.standard_normal((3, 3)) + 3 * np.eye(3))
    for name in ("inv", "det", "cholesky", "eigvalsh", "svdvals", "pinv", "norm"):
        spd = x @ x.T
        assert getattr(np.linalg, name)(spd).requires_grad, name
    np.linalg.det(x).backward()
    expected = np.linalg.det(x.array) * np.linalg.inv(x.array).T
    assert_allclose(x.grad.numpy(), expected, rtol=1e-10)


def test_mistakes_are_named():
    with pytest.raises(ShapeError, match=r"inv: square matrices .* \(2, 3\)"):
        linalg.inv(np.zeros((2, 3)))
    with pytest.raises(ShapeError, match=r"must have 2 rows"):
        linalg.solve(np.eye(2), np.zeros((3, 1)))
    with pytest.raises(ArgumentError, match=r"singular matrix; pinv and lstsq work"):
        linalg.inv(np.zeros((2, 2)))
    with pytest.raises(ArgumentError, match=r"not positive definite"):
        linalg.cholesky(-np.eye(2))
    with pytest.raises(ArgumentError, match="'fro', 'nuc', 1, 2, inf or"):
        linalg.matrix_norm(np.eye(2), 7)


def test_float32_stays_float32(rng):
    a = (rng.standard_normal((3, 3)) + 3 * np.eye(3)).astype(np.float32)
    for result in (linalg.inv(a), linalg.det(a), linalg.pinv(a), *linalg.svd(a)):
        assert result.dtype == np.float32
