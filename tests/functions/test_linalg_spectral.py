"""Eigenvalues, singular values, QR, Cholesky: against PyTorch, and what must hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import dotori
from dotori import linalg
from dotori.errors import ArgumentError, GradientError, LinAlgError, ShapeError

RNG = np.random.default_rng(0)


def draw(*shape):
    return RNG.standard_normal(shape)


def definite(n, *lead):
    a = draw(*lead, n, n)
    return a @ a.swapaxes(-1, -2) + np.eye(n)


def free_of_signs(lib, u, s, vh):
    """A number of vectors that does not change with their signs."""
    s = s[..., None, :]
    return (u**2 * s).sum() + (vh**4).sum() + ((u * s) @ vh).sum()


def by_svd(lib, a):
    return free_of_signs(lib, *lib.linalg.svd(a, full_matrices=False))


def by_qr(lib, a):
    q, r = lib.linalg.qr(a)
    return (q * q[..., :1, :]).sum(-2), (r**2)


CASES = {
    "cholesky": (lambda lib, a: lib.linalg.cholesky(a), definite(3, 2)),
    "cholesky, upper": (lambda lib, a: lib.linalg.cholesky(a, upper=True), definite(3)),
    "cholesky of what is not symmetric": (
        lambda lib, a: lib.linalg.cholesky(a), definite(3) + np.triu(draw(3, 3), 1),
    ),
    "cholesky_ex": (lambda lib, a: lib.linalg.cholesky_ex(a)[0], definite(3)),
    "cholesky_solve": (
        lambda lib, a, b: lib.cholesky_solve(b, lib.linalg.cholesky(a)),
        definite(3, 2), draw(3, 2),
    ),
    "cholesky_solve, upper": (
        lambda lib, a, b: lib.cholesky_solve(b, lib.cholesky(a, True), True),
        definite(3), draw(3, 2),
    ),
    "cholesky_inverse": (
        lambda lib, a: lib.cholesky_inverse(lib.linalg.cholesky(a)), definite(3),
    ),
    "qr, tall": (lambda lib, a: by_qr(lib, a)[1], draw(2, 4, 3)),
    "qr, square": (lambda lib, a: by_qr(lib, a)[0], draw(3, 3)),
    "qr, wide": (lambda lib, a: sum(p.sum() for p in by_qr(lib, a)), draw(3, 5)),
    "qr, complete and wide": (
        lambda lib, a: lib.linalg.qr(a, "complete")[1] ** 2, draw(2, 4),
    ),
    "eigh": (
        lambda lib, a: (lambda w, v: (v**2 * w[:, None]).sum(-1))(*lib.linalg.eigh(a)),
        definite(3, 2),
    ),
    "eigh, upper triangle": (
        lambda lib, a: (lambda w, v: (v**4 * w).sum(-1))(*lib.linalg.eigh(a, UPLO="U")),
        draw(4, 4),
    ),
    "eigh, lower triangle": (
        lambda lib, a: (lambda w, v: (v**4 * w).sum(-1))(*lib.linalg.eigh(a)),
        draw(4, 4),
    ),
    "eigvalsh": (lambda lib, a: lib.linalg.eigvalsh(a), definite(3, 2)),
    "svd, square": (by_svd, draw(2, 3, 3)),
    "svd, tall": (by_svd, draw(4, 3)),
    "svd, wide": (by_svd, draw(3, 4)),
    "svdvals": (lambda lib, a: lib.linalg.svdvals(a), draw(2, 3, 4)),
    "eig": (
        lambda lib, a: (lambda w, v: (v.abs() ** 3 * w.real).sum())(*lib.linalg.eig(a)),
        draw(4, 4),
    ),
    "eig, rebuilt": (
        lambda lib, a: (lambda w, v: ((v * w) @ lib.linalg.inv(v)).abs().sum())(
            *lib.linalg.eig(a)
        ),
        draw(3, 3),
    ),
    "eigvals": (
        lambda lib, a: lib.linalg.eigvals(a).abs().sum(-1), draw(2, 4, 4),
    ),
    "householder_product": (
        lambda lib, a, tau: lib.linalg.householder_product(a, tau), draw(2, 4, 3),
        draw(2, 2),
    ),
    "ormqr": (
        lambda lib, a, tau, c: lib.ormqr(a, tau, c, left=False, transpose=True),
        draw(4, 3), draw(3), draw(2, 4),
    ),
    "matrix_exp": (lambda lib, a: lib.linalg.matrix_exp(a), draw(2, 3, 3)),
    "matrix_exp, large": (lambda lib, a: lib.linalg.matrix_exp(a), draw(3, 3) * 4),
    "matrix_power": (lambda lib, a: lib.linalg.matrix_power(a, 5), draw(3, 3)),
    "matrix_power, inverse": (
        lambda lib, a: lib.linalg.matrix_power(a, -3), definite(3),
    ),
    "vander": (lambda lib, a: lib.linalg.vander(a, N=4), np.array([0.0, 1.0, -2.0])),
    "top-level svd": (
        lambda lib, a: (lambda u, s, v: free_of_signs(lib, u, s, v.mT))(*lib.svd(a)),
        draw(4, 3),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:.*deprecated")
def test_agrees_with_pytorch(name):
    pytest.importorskip("torch", reason="PyTorch is the oracle")
    import torch

    from torch_oracle import agree

    function, *arrays = CASES[name]
    agree(
        lambda *xs: function(dotori, *xs),
        lambda *ts: function(torch, *ts),
        *arrays,
        rtol=1e-6,
        atol=1e-8,
    )


sizes = st.integers(0, 6)


@given(sizes, sizes, st.integers(0, 2**31))
def test_svd_with_square_factors_rebuilds_its_matrix(m, n, seed):
    a = np.random.default_rng(seed).standard_normal((m, n))
    u, s, vh = (t.numpy() for t in linalg.svd(a))
    assert u.shape == (m, m)
    assert vh.shape == (n, n)
    k = min(m, n)
    assert_allclose((u[:, :k] * s) @ vh[:k], a, atol=1e-12)
    assert_allclose(u.T @ u, np.eye(m), atol=1e-12)
    assert_allclose(vh @ vh.T, np.eye(n), atol=1e-12)


@given(sizes, sizes, st.sampled_from(["reduced", "complete"]), st.integers(0, 2**31))
def test_qr_rebuilds_its_matrix(m, n, mode, seed):
    a = np.random.default_rng(seed).standard_normal((m, n))
    q, r = (t.numpy() for t in linalg.qr(a, mode))
    assert q.shape == (m, m if mode == "complete" else min(m, n))
    assert_allclose(q @ r, a, atol=1e-12)
    assert_allclose(q.T @ q, np.eye(q.shape[1]), atol=1e-12)
    only = linalg.qr(a, "r")
    assert_allclose(only.R.numpy(), r[: min(m, n)], atol=1e-12)
    assert only.Q.shape == (0,)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**31))
def test_reflections_are_the_q_of_qr(m, n, seed):
    a = np.random.default_rng(seed).standard_normal((m, n))
    h, tau = dotori.geqrf(a)
    q, r = (t.numpy() for t in linalg.qr(a, "complete"))
    assert_allclose(np.triu(h.numpy()), r, atol=1e-12)
    assert_allclose(dotori.ormqr(h, tau, np.eye(m)).numpy(), q, atol=1e-12)
    turned = dotori.ormqr(h, tau, a, transpose=True).numpy()
    assert_allclose(turned, r, atol=1e-12)
    if m >= n:
        thin = linalg.householder_product(h, tau).numpy()
        assert_allclose(thin, q[:, :n], atol=1e-12)
        assert_allclose(dotori.orgqr(h, tau).numpy(), thin)


@given(st.integers(1, 6), st.integers(0, 2**31))
def test_eig_rebuilds_its_matrix(n, seed):
    a = np.random.default_rng(seed).standard_normal((n, n))
    w, v = (t.numpy() for t in linalg.eig(a))
    assert w.dtype == v.dtype == np.complex128
    assert_allclose(a @ v, v * w, atol=1e-9)
    assert_allclose(np.linalg.norm(v, axis=0), 1, rtol=1e-12)


@given(st.integers(0, 6), st.integers(-6, 10), st.integers(0, 2**31))
def test_the_exponential_is_that_of_the_eigenvalues(n, power, seed):
    a = np.random.default_rng(seed).uniform(-1, 1, (n, n))
    a = (a - a.T) * 2.0**power  # skew: its exponential is a rotation
    y = linalg.matrix_exp(a).numpy()
    assert_allclose(y @ y.T, np.eye(n), atol=1e-9)
    w, v = np.linalg.eig(a)
    if n:
        expected = (v * np.exp(w) @ np.linalg.inv(v)).real
        assert_allclose(y, expected, atol=1e-6)


def test_stacks_of_exponentials_are_scaled_one_by_one():
    a = np.stack([np.eye(2) * 1e-3, np.eye(2) * 50, np.zeros((2, 2))])
    y = linalg.matrix_exp(a).numpy()
    assert_allclose(y, np.eye(2) * np.exp([1e-3, 50, 0])[:, None, None], rtol=1e-12)
    assert linalg.matrix_exp(np.float32([[1.0]])).dtype == np.float32
    a[1, 0, 0] = np.inf
    bad = linalg.matrix_exp(a).numpy()
    assert np.isnan(bad[1]).all()
    assert_allclose(bad[2], np.eye(2))


@pytest.mark.parametrize("function", ["svdvals", "eigvalsh", "nuc"])
def test_gradients_at_equal_values_are_finite(function):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    grads = []
    for lib in (dotori, torch):
        x = lib.tensor(np.eye(3), requires_grad=True)
        if function == "nuc":
            y = lib.linalg.matrix_norm(x, "nuc")
        else:
            y = getattr(lib.linalg, function)(x).sum()
        y.backward()
        grads.append(x.grad.numpy())
    assert np.isfinite(grads[0]).all()
    assert_allclose(*grads, atol=1e-12)


def test_eigh_and_cholesky_read_one_triangle():
    a = np.array([[2.0, 9.0], [0.0, 1.0]])
    assert_allclose(linalg.eigvalsh(a).numpy(), [1.0, 2.0])
    assert_allclose(linalg.eigvalsh(a, "U").numpy(), np.linalg.eigvalsh(a, "U"))
    assert_allclose(
        np.linalg.eigvalsh(dotori.tensor(a), "U"), np.linalg.eigvalsh(a, "U")
    )
    low = linalg.cholesky([[4.0, np.nan], [2.0, 5.0]])
    assert low.tolist() == [[2.0, 0.0], [1.0, 2.0]]
    up = linalg.cholesky([[4.0, 2.0], [np.nan, 5.0]], upper=True)
    assert up.tolist() == [[2.0, 1.0], [0.0, 2.0]]


def test_cholesky_ex_names_the_first_bad_minor():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    a = np.stack([np.diag([1.0, 2.0, 3.0]), np.diag([1.0, -2.0, 3.0]), -np.eye(3)])
    low, info = linalg.cholesky_ex(a)
    assert info.tolist() == torch.linalg.cholesky_ex(torch.tensor(a)).info.tolist()
    assert info.tolist() == [0, 2, 1]
    assert np.isnan(low.array[1]).all()
    assert_allclose(low.array[0], np.diag(np.sqrt([1.0, 2.0, 3.0])))
    with pytest.raises(LinAlgError, match="not positive definite"):
        linalg.cholesky_ex(a, check_errors=True)


def test_svd_lowrank_finds_what_there_is(rng):
    a = draw(30, 4) @ draw(4, 20)
    dotori.manual_seed(0)
    u, s, v = dotori.svd_lowrank(a, q=4)
    assert_allclose(((u * s) @ v.T).numpy(), a, atol=1e-10)
    u, s, v = dotori.pca_lowrank(a, q=4)
    centered = a - a.mean(0)
    assert_allclose(s.numpy(), np.linalg.svd(centered, compute_uv=False)[:4])
    with pytest.raises(ArgumentError, match="0 to 20"):
        dotori.svd_lowrank(a, q=21)


def test_older_names():
    a = definite(3)
    u, s, _v = dotori.svd(a, compute_uv=False)
    assert not u.numpy().any()
    assert_allclose(s.numpy(), np.linalg.svd(a, compute_uv=False))
    assert dotori.svd(draw(4, 2), some=False).U.shape == (4, 4)
    assert dotori.qr(draw(4, 2), some=False).Q.shape == (4, 4)
    x, kept = dotori.triangular_solve(np.eye(3), a, transpose=True)
    assert_allclose(x.numpy(), np.linalg.inv(np.triu(a).T), atol=1e-12)
    assert kept.tolist() == a.tolist()
    assert_allclose(dotori.pinverse(a).numpy(), np.linalg.inv(a), rtol=1e-7)
    assert_allclose(dotori.inverse(a).numpy(), np.linalg.inv(a))
    assert_allclose(dotori.tensor(a).inverse().numpy(), np.linalg.inv(a))
    assert_allclose(dotori.vander([1.0, 2.0], 3).numpy(), np.vander([1.0, 2.0], 3))
    assert dotori.tensor(a).logdet().item() == pytest.approx(np.linalg.slogdet(a)[1])


def test_numpys_functions_reach_them():
    a = definite(3)
    x = dotori.tensor(a, requires_grad=True)
    for name in ("svd", "qr", "eigh", "eig"):
        for part in getattr(np.linalg, name)(x):
            assert part.requires_grad, name
    assert np.linalg.svd(x, compute_uv=False).requires_grad
    assert np.linalg.svd(draw(4, 2))[0].shape == (4, 4)
    assert isinstance(np.linalg.qr(x.detach(), "r"), dotori.Tensor)
    assert_allclose(
        np.linalg.eigvals(x).detach().numpy(), np.linalg.eigvals(a), atol=1e-12
    )
    assert_allclose(np.linalg.matrix_power(x, 2).detach().numpy(), a @ a)
    assert_allclose(np.linalg.multi_dot([x, x, x]).detach().numpy(), a @ a @ a)


NUMPYS = {
    "cross": lambda x: np.linalg.cross(x, x[[1, 2, 0]], axis=0),
    "diagonal": lambda x: np.linalg.diagonal(x, offset=1),
    "trace": lambda x: np.linalg.trace(x, offset=-1),
    "outer": lambda x: np.linalg.outer(x[0], x[1]),
    "tensordot": lambda x: np.linalg.tensordot(x, x, axes=1),
    "vecdot": lambda x: np.linalg.vecdot(x, x, axis=0),
    "vector_norm": lambda x: np.linalg.vector_norm(x, axis=0, ord=3),
    "matrix_norm": lambda x: np.linalg.matrix_norm(x, ord="nuc", keepdims=True),
    "matmul": lambda x: np.linalg.matmul(x, x),
    "matrix_transpose": lambda x: np.matrix_transpose(x),
    "vecdot of rows": lambda x: np.vecdot(x, x),
    "matvec": lambda x: np.matvec(x, x[0]),
    "vecmat": lambda x: np.vecmat(x[0], x),
    "tensorinv": lambda x: np.linalg.tensorinv(x, ind=1),
    "tensorsolve": lambda x: np.linalg.tensorsolve(x, x[0]),
    "pinv": lambda x: np.linalg.pinv(x, rcond=1e-9),
    "cholesky": lambda x: np.linalg.cholesky(x @ x.T, upper=True),
    "slogdet": lambda x: np.linalg.slogdet(x)[1],
}


@pytest.mark.parametrize("name", NUMPYS)
def test_numpys_arguments_are_taken(name):
    if name in ("matvec", "vecmat") and not hasattr(np, name):
        pytest.skip("NumPy has it since 2.2")
    a = draw(3, 3)
    found = NUMPYS[name](dotori.tensor(a, requires_grad=True))
    assert found.requires_grad
    assert_allclose(found.detach().numpy(), NUMPYS[name](a), rtol=1e-10)


@pytest.mark.parametrize(
    ("mistake", "kind", "message"),
    [
        (lambda: linalg.eigh(np.eye(2), "X"), ArgumentError, "'L' or 'U'"),
        (lambda: linalg.eig(np.full((2, 2), np.nan)), ArgumentError, "NaN"),
        (lambda: linalg.qr(np.eye(2), "raw"), ArgumentError, "mode must be"),
        (
            lambda: linalg.qr(dotori.tensor(np.eye(2), requires_grad=True), "r"),
            GradientError,
            "mode 'r' has no gradient",
        ),
        (lambda: linalg.cholesky(-np.eye(2)), LinAlgError, "not positive definite"),
        (lambda: linalg.matrix_power(np.eye(2), 1.5), ArgumentError, "n must be an"),
        (lambda: linalg.matrix_exp(np.ones(3)), ShapeError, "square matrices"),
        (
            lambda: linalg.householder_product(np.ones((2, 3)), np.ones(3)),
            ShapeError,
            "as many rows",
        ),
        (
            lambda: linalg.householder_product(np.ones((3, 2)), np.ones(3)),
            ShapeError,
            "tau of shape",
        ),
        (lambda: dotori.ormqr(np.eye(2), [1.0], np.eye(3)), ShapeError, "do not fit"),
        (lambda: linalg.vander([1.0, 2.0], 1), ArgumentError, "larger than 1"),
    ],
)
def test_mistakes_are_named(mistake, kind, message):
    with pytest.raises(kind, match=message):
        mistake()


def test_the_complete_q_of_a_tall_matrix_has_no_gradient():
    x = dotori.tensor(draw(3, 2), requires_grad=True)
    with pytest.raises(GradientError, match="mode 'complete' has no gradient"):
        linalg.qr(x, "complete").R.sum().backward()
