"""Searches for neighbours against the definition, on data made to mislead them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori.algorithms.neighbors import distances as d
from dotori.algorithms.neighbors import kd_tree
from dotori.algorithms.neighbors import search as neighbors
from dotori.algorithms.neighbors.kd_tree import KDTree
from dotori.algorithms.neighbors.search import (
    k_nearest,
    nearest,
    votes,
    weights_of,
    within,
)
from dotori.errors import ArgumentError
from dotori.kernels import _threads


@st.composite
def clouds(draw):
    """Points and queries: ties, duplicates, far clusters, outliers, huge offsets."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, m, width = (
        draw(st.integers(1, 90)),
        draw(st.integers(1, 30)),
        draw(st.integers(1, 7)),
    )
    kind = draw(
        st.sampled_from("normal grid same outliers opposite clusters offset".split())
    )
    x = rng.normal(size=(n + m, width))
    if kind == "grid":
        x = np.round(x)
    elif kind == "same":
        x[:] = x[0]
    elif kind == "outliers":
        x[rng.integers(n + m, size=3)] *= 1e9
    elif kind == "opposite":  # they leave the others near the centre, and tiny
        x[0] = 10.0 ** rng.integers(18, 31)
        x[-1] = -x[0]
    elif kind == "clusters":
        x = x * 1e-3 + 1e5 * rng.integers(0, 3, (n + m, 1))
    elif kind == "offset":
        x += 1e7
    x = x.astype(draw(st.sampled_from([np.float32, np.float64])))
    return x[:n], x[n:], draw(st.integers(1, n))


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    monkeypatch.setattr(d, "POINTS", 16)
    monkeypatch.setattr(neighbors, "QUERIES", 8)
    monkeypatch.setattr(neighbors, "_CROWD", 1)


def exactly(found, wanted, points):
    """The same distances; the same points, where none is as near as another."""
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-13)
    gaps = np.diff(wanted[0], axis=1) > 1e-12 * wanted[0][:, 1:]
    apart = np.ones(wanted[1].shape, bool)
    apart[:, 1:] &= gaps
    apart[:, :-1] &= gaps
    apart[:, -1] &= wanted[1].shape[1] == len(points)
    np.testing.assert_array_equal(found[1][apart], wanted[1][apart])


@given(clouds(), st.sampled_from([np.float32, np.float64]))
def test_euclidean_by_products_is_the_definition(drawn, kind):
    points, queries, k = drawn
    wanted = nearest(points.astype(float), queries.astype(float), k)
    exactly(k_nearest(d.Euclidean(points, kind), queries, k), wanted, points)


@given(clouds())
def test_of_equally_near_points_the_first_come_first(drawn):
    points, queries, k = drawn
    points, queries = np.round(points % 3), np.round(queries % 3)
    wanted = nearest(points.astype(float), queries.astype(float), k)
    for finder in (d.Euclidean(points), d.Minkowski(points, 2)):
        found = k_nearest(finder, queries, k)
        np.testing.assert_array_equal(found[1], wanted[1])
        np.testing.assert_array_equal(found[0], wanted[0])


@pytest.mark.parametrize("p", [0.5, 1, 2, 3, np.inf])
@given(drawn=clouds(), weighted=st.booleans())
def test_minkowski_is_the_definition(p, drawn, weighted):
    points, queries, k = drawn
    w = np.arange(1.0, points.shape[1] + 1) if weighted and p != np.inf else None
    away = np.abs(queries[:, None].astype(float) - points)
    if p == np.inf:
        table = away.max(axis=2)
    else:
        table = ((1 if w is None else w) * away**p).sum(axis=2) ** (1 / p)
    found = k_nearest(d.Minkowski(points, p, w), queries, k)
    wanted = np.sort(table, axis=1)[:, :k]
    np.testing.assert_allclose(found[0], wanted, rtol=1e-10, atol=1e-300)
    chosen = np.take_along_axis(table, found[1], axis=1)
    np.testing.assert_allclose(chosen, wanted, rtol=1e-10, atol=1e-300)


@given(clouds(), st.booleans())
def test_cosine_is_the_definition(drawn, zeros):
    points, queries, k = drawn
    if zeros:
        points[0], queries[-1] = 0, 0
    directions = []
    for rows in (queries, points):
        wide = rows.astype(np.longdouble)
        length = np.sqrt((wide**2).sum(axis=1, keepdims=True))
        directions.append(wide / np.where(length > 0, length, 1))
    table = (1 - directions[0] @ directions[1].T).astype(float)
    found = k_nearest(d.Cosine(points), queries, k)
    wanted = np.sort(table, axis=1)[:, :k]
    np.testing.assert_allclose(found[0], wanted, rtol=1e-9, atol=1e-15)


def test_small_angles_keep_their_digits():
    points = np.array([[1.0, 1e-9], [1.0, 2e-9]])
    found = k_nearest(d.Cosine(points), np.array([[1.0, 0.0]]), 2)
    np.testing.assert_allclose(found[0], [[0.5e-18, 2e-18]], rtol=1e-6)


@given(clouds(), st.floats(0.01, 3))
def test_within_a_radius(drawn, radius):
    points, queries, _ = drawn
    table = np.sqrt(np.square(queries[:, None].astype(float) - points).sum(axis=2))
    radius = radius * np.median(table)
    distances, indices = within(d.Euclidean(points), queries, radius)
    for row, near, index in zip(table, distances, indices, strict=True):
        edge = np.abs(row - radius) <= 1e-12 * radius  # rounding decides these
        wanted = np.flatnonzero((row <= radius) & ~edge)
        np.testing.assert_array_equal(index[~edge[index]], wanted)
        np.testing.assert_allclose(near, row[index], rtol=1e-12)


def test_the_number_of_threads_changes_no_bit():
    x = np.random.default_rng(0).normal(size=(200, 3))
    before, found = _threads.number(), []
    for n in (1, 3):
        _threads.set_number(n)
        found.append(k_nearest(d.Euclidean(x), x, 4))
    _threads.set_number(before)
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_there_must_be_enough_points():
    finder = d.Euclidean(np.zeros((3, 1)))
    for k in (0, 4):
        with pytest.raises(ArgumentError, match=f"from 1 to 3 points.*got {k}"):
            k_nearest(finder, np.zeros((1, 1)), k)


def test_votes_are_counted():
    rng = np.random.default_rng(0)
    labels, weights = rng.integers(0, 4, (9, 5)), rng.uniform(size=(9, 5))
    shares = votes(labels, weights, 4)
    for i in range(9):
        for c in range(4):
            wanted = weights[i][labels[i] == c].sum() / weights[i].sum()
            assert shares[i, c] == pytest.approx(wanted)
    assert weights_of(weights, "uniform") is None
    np.testing.assert_array_equal(weights_of(weights, np.square), weights**2)


@pytest.mark.parametrize("p", [1, 2, np.inf])
@given(drawn=clouds())
def test_a_tree_finds_what_looking_at_all_points_finds(p, drawn):
    """Bit for bit, so that it does not matter which of both is taken."""
    points, queries, k = drawn
    found = KDTree(points, p).k_nearest(queries, k)
    finder = d.Euclidean(points) if p == 2 else d.Minkowski(points, p)
    wanted = k_nearest(finder, queries, k)
    np.testing.assert_array_equal(found[0], wanted[0])
    np.testing.assert_array_equal(found[1], wanted[1])


def test_large_trees_are_cut_alike(monkeypatch):
    """Node by node, and all nodes of a level at once."""
    rng = np.random.default_rng(0)
    points, queries = rng.normal(size=(5000, 3)), rng.normal(size=(300, 3))
    wanted = k_nearest(d.Euclidean(points), queries, 7)
    for together in (0, 100, 10_000):
        monkeypatch.setattr(kd_tree, "_TOGETHER", together)
        tree = KDTree(points)
        assert np.diff(tree.starts).max() <= kd_tree.LEAF
        assert (np.sort(tree.index) == np.arange(5000)).all()
        found = tree.k_nearest(queries, 7)
        np.testing.assert_array_equal(found[1], wanted[1])
        np.testing.assert_array_equal(found[0], wanted[0])


def test_trees_check_what_they_are_given():
    with pytest.raises(ArgumentError, match="p must be 1, 2 or infinity, got 3"):
        KDTree(np.zeros((3, 1)), 3)
    with pytest.raises(ArgumentError, match="from 1 to 3 points was wanted, got 4"):
        KDTree(np.zeros((3, 1))).k_nearest(np.zeros((1, 1)), 4)


@pytest.mark.parametrize("size", [1e-18, 1e-20, 1e-22, 1e-23, 1e-30])
def test_bounds_hold_where_squares_vanish(size):
    rng = np.random.default_rng(0)
    points, queries = size * rng.normal(size=(60, 3)), size * rng.normal(size=(40, 3))
    points[0], points[1] = 1, -1
    finder = d.Euclidean(points, np.float32)
    wanted = d.Minkowski(points, 2).tile(queries, 0, 60)
    for start, tile in finder.tiles(finder.prepare(queries), 1):
        exact = wanted[:, start : start + tile.shape[1]]
        assert (tile <= finder.threshold(exact)).all()
