"""Inverses, systems, LU, LDL and least squares: against PyTorch, and what must hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose

import dotori
from dotori import linalg
from dotori.errors import ArgumentError, GradientError, LinAlgError, ShapeError

RNG = np.random.default_rng(0)
SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])


def draw(*shape):
    return RNG.standard_normal(shape)


def good(n, *lead):
    return draw(*lead, n, n) + 3 * np.eye(n)


def lu_parts(lib, a):
    packed, pivots = lib.linalg.lu_factor(a)
    p, low, up = lib.lu_unpack(packed, pivots)
    return p @ (low**2) @ (up**2)


CASES = {
    "inv": (lambda lib, a: lib.linalg.inv(a), good(3, 2)),
    "solve": (lambda lib, a, b: lib.linalg.solve(a, b), good(3), draw(3, 2)),
    "solve, vector": (lambda lib, a, b: lib.linalg.solve(a, b), good(3), draw(3)),
    "solve, stack of vectors": (
        lambda lib, a, b: lib.linalg.solve(a, b), good(3, 2), draw(2, 3),
    ),
    "solve, broadcast": (
        lambda lib, a, b: lib.linalg.solve(a, b), good(3, 2), draw(3, 4),
    ),
    "solve, from the right": (
        lambda lib, a, b: lib.linalg.solve(a, b, left=False), good(3), draw(2, 2, 3),
    ),
    "triangular, lower": (
        lambda lib, a, b: lib.linalg.solve_triangular(a, b, upper=False),
        good(3, 2), draw(3, 2),
    ),
    "triangular, right, unit": (
        lambda lib, a, b: lib.linalg.solve_triangular(
            a, b, upper=True, left=False, unitriangular=True
        ),
        good(3), draw(2, 2, 3),
    ),
    "det": (lambda lib, a: lib.linalg.det(a), good(3, 2)),
    "slogdet": (lambda lib, a: lib.linalg.slogdet(a)[1], good(3, 2)),
    "logdet": (lambda lib, a: lib.logdet(a), good(3) @ good(3).T),
    "pinv, tall": (lambda lib, a: lib.linalg.pinv(a), draw(2, 4, 3)),
    "pinv, wide": (lambda lib, a: lib.linalg.pinv(a), draw(3, 4)),
    "pinv, low rank": (
        lambda lib, a, b: lib.linalg.pinv(a @ b, rtol=1e-9), draw(4, 2), draw(2, 3),
    ),
    "lstsq, tall": (lambda lib, a, b: lib.linalg.lstsq(a, b)[0], draw(4, 3), draw(4, 2)),
    "lstsq, wide": (lambda lib, a, b: lib.linalg.lstsq(a, b)[0], draw(3, 4), draw(3, 2)),
    "lu, square": (lu_parts, draw(2, 4, 4)),
    "lu, tall": (lu_parts, draw(5, 3)),
    "lu, wide": (lu_parts, draw(3, 5)),
    "lu_solve": (
        lambda lib, a, b: lib.linalg.lu_solve(*lib.linalg.lu_factor(a), b),
        good(3, 2), draw(3, 2),
    ),
    "lu_solve, right, adjoint": (
        lambda lib, a, b: lib.linalg.lu_solve(
            *lib.linalg.lu_factor(a), b, left=False, adjoint=True
        ),
        good(3), draw(2, 3),
    ),
    "tensorinv": (
        lambda lib, a: lib.linalg.tensorinv(a.reshape(2, 3, 6)), good(6),
    ),
    "tensorsolve": (
        lambda lib, a, b: lib.linalg.tensorsolve(a.reshape(2, 3, 6), b),
        good(6), draw(2, 3),
    ),
    "inv_ex": (lambda lib, a: lib.linalg.inv_ex(a)[0], good(3)),
    "solve_ex": (lambda lib, a, b: lib.linalg.solve_ex(a, b)[0], good(3), draw(3)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_pytorch(name):
    pytest.importorskip("torch", reason="PyTorch is the oracle")
    import torch

    from torch_oracle import agree

    function, *arrays = CASES[name]
    agree(lambda *xs: function(dotori, *xs), lambda *ts: function(torch, *ts), *arrays)


@given(st.integers(1, 100), st.integers(0, 2**31), st.booleans(), st.booleans())
def test_substitution_solves_systems_of_any_size(n, seed, upper, unit):
    rng = np.random.default_rng(seed)
    a = rng.uniform(-1, 1, (n, n)) / n + 2 * np.eye(n)
    b = rng.standard_normal((n, 2))
    x = linalg.solve_triangular(a, b, upper=upper, unitriangular=unit).numpy()
    read = np.triu(a) if upper else np.tril(a)
    if unit:
        np.fill_diagonal(read, 1)
    assert_allclose(read @ x, b, atol=1e-10)


def test_substitution_reads_one_triangle_only():
    a = np.array([[2.0, np.nan], [1.0, 4.0]])
    x = linalg.solve_triangular(a, [[2.0], [5.0]], upper=False)
    assert x.tolist() == [[1.0], [1.0]]
    x = linalg.solve_triangular([[0.0, 0.0], [1.0, 1.0]], [[1.0], [1.0]], upper=False)
    assert not np.isfinite(x.numpy()).any()


@given(st.integers(0, 70), st.integers(1, 70), st.integers(0, 2**31))
def test_lu_rebuilds_its_matrix(m, n, seed):
    a = np.random.default_rng(seed).standard_normal((m, n))
    p, low, up = (t.numpy() for t in linalg.lu(a))
    assert_allclose(p @ low @ up, a, atol=1e-10)
    assert (np.abs(low) <= 1).all()
    assert_allclose(np.triu(low, 1), 0)
    assert_allclose(np.tril(up, -1), 0)


@given(st.integers(1, 40), st.integers(0, 2**31))
def test_lu_is_lapacks(n, seed):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    a = np.random.default_rng(seed).standard_normal((2, n, n))
    ours, theirs = linalg.lu_factor(a), torch.linalg.lu_factor(torch.tensor(a))
    np.testing.assert_array_equal(ours.pivots.numpy(), theirs.pivots.numpy())
    assert_allclose(ours.LU.numpy(), theirs.LU.numpy(), rtol=1e-6, atol=1e-9)


def test_lu_without_pivoting_and_of_singular_matrices():
    a = good(3)
    p, low, up = linalg.lu(a, pivot=False)
    assert p.shape == (0,)
    assert_allclose((low @ up).numpy(), a)
    assert linalg.lu_factor_ex(SINGULAR).info.item() == 2
    with pytest.raises(LinAlgError, match="a pivot is 0"):
        linalg.lu_factor_ex(SINGULAR, check_errors=True)
    assert dotori.lu(a, get_infos=True)[2].item() == 0


symmetric = hnp.arrays(
    np.float64,
    st.integers(1, 8).map(lambda n: (n, n)),
    elements=st.integers(-3, 3).map(float),
).map(lambda a: a + a.T)


@given(symmetric, st.integers(0, 2**31))
def test_ldl_is_lapacks(a, seed):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    # Ties between pivots are broken by rounding: there are none in random numbers.
    noise = np.random.default_rng(seed).standard_normal(a.shape) * 0.1
    a = a + noise + noise.T
    ours, theirs = linalg.ldl_factor(a), torch.linalg.ldl_factor(torch.tensor(a))
    np.testing.assert_array_equal(ours.pivots.numpy(), theirs.pivots.numpy())
    assert_allclose(ours.LD.numpy(), np.tril(theirs.LD.numpy()), rtol=1e-6, atol=1e-8)


@given(symmetric, st.integers(0, 2**31))
def test_ldl_solves_systems(a, seed):
    rng = np.random.default_rng(seed)
    a = a + np.diag(rng.uniform(10, 20, len(a)) * rng.choice([-1, 1], len(a)))
    b = rng.standard_normal((len(a), 2))
    if np.linalg.cond(a) > 1e6:
        return
    x = linalg.ldl_solve(*linalg.ldl_factor(a), b).numpy()
    assert_allclose(a @ x, b, atol=1e-6)


def test_ldl_of_zeros_and_of_complex_matrices():
    assert linalg.ldl_factor_ex(np.zeros((2, 2))).info.item() == 1
    z = draw(4, 4) + 1j * draw(4, 4)
    b = draw(4, 1) + 0j
    for a, hermitian in ((z + z.T, False), (z + z.conj().T, True)):
        factors = linalg.ldl_factor(a, hermitian=hermitian)
        x = linalg.ldl_solve(*factors, b, hermitian=hermitian).numpy()
        assert_allclose(a @ x, b, atol=1e-9)
    with pytest.raises(GradientError, match="no gradient"):
        linalg.ldl_factor(dotori.tensor(SINGULAR, requires_grad=True))


@pytest.mark.parametrize("driver", ["gels", "gelsy", "gelsd", "gelss"])
@pytest.mark.parametrize("shape", [(5, 3), (3, 3), (3, 5), (2, 5, 3)])
def test_all_fields_of_lstsq_are_pytorchs(shape, driver):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    a, b = draw(*shape), draw(*shape[:-1], 2)
    ours = linalg.lstsq(a, b, driver=driver)
    theirs = torch.linalg.lstsq(torch.tensor(a), torch.tensor(b), driver=driver)
    assert ours._fields == ("solution", "residuals", "rank", "singular_values")
    for name in ours._fields:
        mine, other = getattr(ours, name).numpy(), getattr(theirs, name).numpy()
        assert mine.dtype == other.dtype, name
        assert_allclose(mine, other, rtol=1e-7, atol=1e-10, err_msg=name)


def test_lstsq_of_low_rank_gives_the_shortest_solution():
    a, b = draw(6, 2) @ draw(2, 4), draw(6, 3)
    found = linalg.lstsq(a, b, driver="gelsd")
    x, _, rank, s = np.linalg.lstsq(a, b, rcond=None)
    assert_allclose(found.solution.numpy(), x, atol=1e-10)
    assert found.rank.item() == rank == 2
    assert_allclose(found.singular_values.numpy(), s, atol=1e-12)
    for one, two in zip(np.linalg.lstsq(dotori.tensor(a), b[:, 0]), (x[:, 0], [], 2, s),
                        strict=True):  # fmt: skip
        assert_allclose(one, two, atol=1e-10)


def test_gradient_of_det_at_singular_matrices_is_the_cofactors():
    for a in (
        SINGULAR,
        SINGULAR[::-1],
        np.zeros((2, 2)),
        np.diag([-1.0, 2.0, 0.0]),
        np.zeros((1, 1)),
    ):
        x = dotori.tensor(a, requires_grad=True)
        linalg.det(x).backward()
        n = len(a)
        cofactors = [
            [
                (-1) ** (i + j) * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1))
                for j in range(n)
            ]
            for i in range(n)
        ]
        assert_allclose(x.grad.numpy(), cofactors, atol=1e-12)


def test_logdet_of_a_negative_determinant_is_nan():
    assert np.isnan(dotori.logdet([[1.0, 0.0], [0.0, -1.0]]).item())
    assert dotori.logdet(np.zeros((2, 2))).item() == -np.inf


def test_stacks_with_singular_matrices():
    a = dotori.tensor(np.stack([SINGULAR, np.eye(2)]), requires_grad=True)
    inverse, info = linalg.inv_ex(a)
    assert info.tolist() == [2, 0]
    assert info.dtype == np.int32
    assert np.isnan(inverse.array[0]).all()
    assert inverse.tolist()[1] == np.eye(2).tolist()
    result, info = linalg.solve_ex(a, np.ones((2, 2)))
    assert info.tolist() == [2, 0]
    assert result.tolist()[1] == [1.0, 1.0]
    with pytest.raises(LinAlgError, match=r"info=\[2, 0\]"):
        linalg.solve_ex(a, np.ones((2, 2)), check_errors=True)


def test_numpys_meaning_of_solve():
    a, b = good(3, 3), draw(3, 3)
    assert_allclose(np.linalg.solve(dotori.tensor(a), b).numpy(), np.linalg.solve(a, b))


def test_empty_matrices():
    assert linalg.inv(np.zeros((0, 3, 3))).shape == (0, 3, 3)
    assert linalg.inv_ex(np.zeros((2, 0, 0))).inverse.shape == (2, 0, 0)
    assert linalg.solve(np.zeros((0, 0)), np.zeros((0, 4))).shape == (0, 4)
    assert linalg.det(np.zeros((0, 0))).item() == 1.0
    assert linalg.lu(np.zeros((0, 3))).U.shape == (0, 3)
    assert linalg.pinv(np.zeros((0, 3))).shape == (3, 0)


@pytest.mark.parametrize(
    ("mistake", "kind", "message"),
    [
        (lambda: linalg.inv(SINGULAR * 0), LinAlgError, "singular matrix"),
        (lambda: linalg.solve(SINGULAR * 0, np.ones(2)), LinAlgError, "singular"),
        (lambda: linalg.solve(np.eye(2), np.ones((3, 1))), ShapeError, "2 rows"),
        (
            lambda: linalg.solve(np.ones((2, 1, 1)), np.ones((3, 1, 1))),
            ShapeError,
            "do not broadcast",
        ),
        (
            lambda: linalg.solve(np.eye(2), np.ones(2), left=False),
            ArgumentError,
            "must hold matrices",
        ),
        (
            lambda: linalg.solve_triangular(np.eye(2), np.ones((3, 1)), upper=True),
            ShapeError,
            "2 rows",
        ),
        (lambda: linalg.lstsq(np.eye(2), np.ones((3, 1))), ShapeError, "2 rows"),
        (
            lambda: linalg.lstsq(np.eye(2), np.eye(2), driver="best"),
            ArgumentError,
            "driver",
        ),
        (lambda: linalg.lu_solve(np.eye(2), [1.0, 2.0], np.eye(2)), TypeError, "int"),
        (lambda: linalg.lu_solve(np.eye(2), [1, 7], np.eye(2)), ValueError, "1 to 2"),
        (lambda: linalg.lu_solve(np.eye(2), [1], np.eye(2)), ShapeError, "pivots"),
        (lambda: linalg.tensorinv(np.ones((2, 3))), ShapeError, "as many elements"),
        (lambda: linalg.tensorinv(np.ones((2, 3)), 0), ArgumentError, "positive"),
        (
            lambda: linalg.tensorsolve(np.ones((2, 3)), np.ones(2)),
            ShapeError,
            "as many elements",
        ),
        (lambda: linalg.det(np.ones((2, 3))), ShapeError, "square matrices"),
        (lambda: linalg.multi_dot([np.eye(2)]), ArgumentError, "2 or more"),
    ],
)
def test_mistakes_are_named(mistake, kind, message):
    with pytest.raises(kind, match=message):
        mistake()


@pytest.mark.parametrize("function", ["inv", "det", "pinv"])
def test_float32_is_as_exact_as_pytorchs(function):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    a = good(20).astype(np.float32)
    exact = getattr(np.linalg, function)(a.astype(float))
    ours = getattr(linalg, function)(a).numpy()
    theirs = getattr(torch.linalg, function)(torch.tensor(a)).numpy()
    assert ours.dtype == np.float32
    scale = np.abs(exact).max()
    error, allowed = (np.abs(y - exact).max() / scale for y in (ours, theirs))
    assert error <= 10 * max(allowed, np.finfo(np.float32).eps)
