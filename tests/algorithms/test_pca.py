"""Principal components by their definition, and random projection."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori.algorithms import _stored, pca
from dotori.algorithms.pca import (
    Centred,
    PCAModel,
    by_covariance,
    by_svd,
    centred,
    column_means,
    covariance,
    flipped,
    minka_dimension,
)
from dotori.algorithms.randomized_svd import randomized_svd, range_basis
from dotori.errors import ArgumentError, ShapeError
from dotori.kernels import _threads
from dotori.random import Generator


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(pca, "_ROWS", 32)


@st.composite
def tables(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, d = draw(st.integers(2, 200)), draw(st.integers(1, 12))
    x = rng.normal(size=(n, d)) + draw(st.sampled_from([0.0, 2.0, 1e4]))
    x[:, rng.integers(d)] = 3.0
    return x.astype(draw(st.sampled_from([np.float64, np.float32])))


@given(tables())
def test_the_covariance_is_its_definition(x):
    wide = x.astype(np.longdouble)
    apart = wide - wide.mean(axis=0)
    wanted = (apart.T @ apart / (len(x) - 1)).astype(float)
    found, mean = covariance(x)
    assert found.dtype == np.float64 and mean.dtype == x.dtype
    tol = 1e-4 if x.dtype == np.float32 else 1e-9
    np.testing.assert_allclose(found, wanted, atol=tol * max(np.trace(wanted), 1e-3))
    small = (1e-6 if x.dtype == np.float32 else 1e-14) * np.abs(x).max()
    np.testing.assert_allclose(mean, wide.mean(axis=0).astype(float), atol=small)
    table, _, total = centred(x)
    np.testing.assert_allclose(total, np.trace(wanted), rtol=1e-4)
    v = np.eye(x.shape[1], dtype=x.dtype)
    np.testing.assert_allclose(table @ v, apart.astype(float), atol=2 * small)


@given(tables())
def test_both_ways_lead_to_the_same_components(x):
    a, b = by_svd(x), by_covariance(x)
    m, tol = len(a.variances), 1e-3 if x.dtype == np.float32 else 1e-8
    scale = max(a.total, 1e-3)
    np.testing.assert_allclose(b.variances[:m], a.variances, atol=tol * scale)
    np.testing.assert_allclose(b.total, a.total, atol=tol * scale)
    rebuilt = [
        (s.components[:m].T * s.variances[:m]) @ s.components[:m] for s in (a, b)
    ]
    np.testing.assert_allclose(*rebuilt, atol=tol * scale)
    largest = np.abs(a.components).argmax(axis=1)
    assert (a.components[np.arange(m), largest] > 0).all()
    scores = a.scores * np.sqrt(a.variances * (len(x) - 1))
    back = scores @ a.components + a.mean
    np.testing.assert_allclose(back, x, rtol=1e-3, atol=1e-3 * np.sqrt(scale))


def test_sums_do_not_depend_on_threads():
    x = np.random.default_rng(0).normal(size=(500, 7))
    wanted, before = covariance(x)[0], _threads.number()
    try:
        for number in (1, 2, 3):
            _threads.set_number(number)
            np.testing.assert_array_equal(covariance(x)[0], wanted)
    finally:
        _threads.set_number(before)


def test_float32_means_are_summed_in_float64():
    x = np.full((20_000, 1), 0.1, np.float32) + np.float32(1000)
    assert column_means(x)[0] == x[0, 0]


def test_a_centred_table_multiplies_as_if_it_were_one():
    rng = np.random.default_rng(1)
    x, v, u = rng.normal(size=(9, 4)) + 3, rng.normal(size=(4, 2)), rng.normal(size=9)
    mean = x.mean(axis=0)
    a = Centred(x, mean)
    assert a.shape == (9, 4) and a.T.shape == (4, 9) and a.T.T.shape == a.shape
    np.testing.assert_allclose(a @ v, (x - mean) @ v)
    np.testing.assert_allclose(a.T @ u, (x - mean).T @ u, atol=1e-12)


def test_scores_turn_with_their_components():
    components, scores = np.array([[-1.0, 0.5]]), np.array([[2.0], [3.0]])
    flipped(components, scores)
    assert components.tolist() == [[1.0, -0.5]] and scores.ravel().tolist() == [-2, -3]
    flipped(np.empty((0, 3)))


def test_minka_finds_the_directions_of_a_made_table():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(2000, 3)) @ rng.normal(size=(3, 9))
    x += 0.05 * rng.normal(size=x.shape)
    assert minka_dimension(by_svd(x).variances, len(x)) == 3
    with pytest.raises(ArgumentError, match="two variances or more"):
        minka_dimension(np.ones(1), 5)


def test_a_model_is_stored_and_projects():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(50, 4)) * [4, 2, 1, 0.0]
    found = by_svd(x)
    for whiten in (False, True):
        model = PCAModel(found.mean, found.components, found.variances, whiten)
        arrays = {}
        document = _stored.to_document(model, arrays)
        again = _stored.from_document(document, arrays)
        scores = again.transform(x)
        assert np.isfinite(scores).all()
        np.testing.assert_allclose(again.inverse_transform(scores), x, atol=1e-9)
        wanted = [1, 1, 1, 0] if whiten else found.variances
        np.testing.assert_allclose(scores.var(axis=0, ddof=1), wanted, atol=1e-9)
    with pytest.raises(ShapeError, match=r"\(d,\), \(m, d\) and \(m,\), got \(3,\)"):
        PCAModel(np.zeros(3), np.eye(2), np.ones(2))


@pytest.mark.parametrize("shape", [(200, 30), (30, 200)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_random_projection_finds_the_largest_singular_values(shape, dtype):
    rng = np.random.default_rng(4)
    n = min(shape)
    left = np.linalg.qr(rng.normal(size=(shape[0], n)))[0]
    right = np.linalg.qr(rng.normal(size=(shape[1], n)))[0]
    singular = 0.7 ** np.arange(n)
    a = ((left * singular) @ right.T).astype(dtype)
    u, found, vt = randomized_svd(a, 5, Generator(0))
    assert u.dtype == found.dtype == vt.dtype == dtype
    tol = 1e-5 if dtype == np.float32 else 1e-9
    np.testing.assert_allclose(found, singular[:5], atol=tol)
    np.testing.assert_allclose(u.T @ u, np.eye(5), atol=tol)
    np.testing.assert_allclose(
        (u * found) @ vt, (left[:, :5] * singular[:5]) @ right[:, :5].T, atol=100 * tol
    )


def test_powers_make_the_projection_better_and_need_orthonormal_columns():
    """The error of the basis against the best possible one, sigma_{k+1}."""
    rng = np.random.default_rng(5)
    a = rng.normal(size=(300, 80)) * 0.9 ** np.arange(80)
    best = np.linalg.svd(a, compute_uv=False)[10]

    def error(powers, orthonormal=True):
        q = range_basis(a, 10, powers, Generator(1), orthonormal)
        return np.linalg.norm(a - q @ (q.T @ a), 2) / best

    assert error(0) > error(2) > error(6) > error(40) > 1 - 1e-9
    assert error(40) < 1.05 < error(40, orthonormal=False)
