"""k-means by its definition: Lloyd's steps, bounds, starts, small batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori import kernels
from dotori.algorithms import _stored
from dotori.algorithms.kmeans import bounds as kmeans_bounds
from dotori.algorithms.kmeans import search as kmeans_search
from dotori.algorithms.kmeans import start as kmeans_start
from dotori.algorithms.kmeans.bounds import bounded_lloyd, grouped, pays
from dotori.algorithms.kmeans.lloyd import (
    History,
    KMeansModel,
    distances,
    lloyd,
    lloyd_step,
    means,
    nearest,
    own_distances,
    reseed_empty,
    same_partition,
)
from dotori.algorithms.kmeans.minibatch import (
    Progress,
    Urn,
    minibatch_step,
    restart_rare,
)
from dotori.algorithms.kmeans.search import Points
from dotori.algorithms.kmeans.start import drawn, kmeans_plusplus, random_rows
from dotori.errors import ShapeError
from dotori.kernels import _threads
from dotori.random import Generator


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Several blocks and parts also of small tables."""
    monkeypatch.setattr(kmeans_search, "CACHE", 1 << 11)
    monkeypatch.setattr(kmeans_bounds, "CACHE", 1 << 11)
    monkeypatch.setattr(kmeans_start, "_BLOCK", 1 << 9)


def squared(x, centers):
    """|x - c|^2 of all pairs, without expanding, in long double."""
    apart = x[:, None, :].astype(np.longdouble) - centers[None]
    return (apart**2).sum(axis=2)


def objective(x, labels, centers, weights=None):
    found = squared(x, centers)[np.arange(len(x)), labels]
    return float(np.sum(found if weights is None else weights * found))


@st.composite
def problems(draw, most=300):
    """A table in one of many kinds, a start, and perhaps weights."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, d = draw(st.integers(2, most)), draw(st.sampled_from([1, 2, 5, 17, 24]))
    k = draw(st.integers(1, min(n, 40)))
    x = rng.normal(size=(n, d))
    kind = draw(st.sampled_from(["plain", "scales", "far", "clusters", "tiny", "huge"]))
    if kind == "scales":
        x *= 10.0 ** rng.integers(-3, 4, d)
    elif kind == "far":
        x += 1e4
    elif kind == "clusters":
        x += 30 * rng.normal(size=(4, d))[rng.integers(0, 4, n)]
    elif kind in ("tiny", "huge"):
        x *= 1e-20 if kind == "tiny" else 1e30
    if draw(st.booleans()):
        x[:, rng.integers(d)] = x[0, 0]  # a constant column
    x = x.astype(draw(st.sampled_from([np.float64, np.float32])))
    if kind in ("tiny", "huge"):
        x = x.astype(np.float64)
    start = x[rng.permutation(n)[:k]].copy()
    weights = draw(st.sampled_from([None, "whole", "any"]))
    if weights == "whole":
        weights = rng.integers(1, 4, n).astype(x.dtype)
    elif weights == "any":
        weights = (0.1 + rng.random(n)).astype(x.dtype)
    return x, start, weights


def test_a_step_is_its_definition():
    rng = np.random.default_rng(0)
    x, centers, w = rng.normal(size=(80, 3)), rng.normal(size=(5, 3)), rng.random(80)
    labels, moved = lloyd_step(x, centers, w)
    np.testing.assert_array_equal(labels, squared(x, centers).argmin(axis=1))
    for j in range(5):
        mine = labels == j
        np.testing.assert_allclose(
            moved[j], np.average(x[mine], axis=0, weights=w[mine])
        )


def test_ties_go_to_the_lowest_centre():
    x = np.array([[0.0], [2.0], [-2.0]])
    assert nearest(x, np.array([[2.0], [-2.0], [-2.0]]))[0].tolist() == [0, 0, 1]


@given(problems(most=120))
def test_every_step_lowers_the_objective(problem):
    x, start, weights = problem
    x = x - x.mean(axis=0)
    found = lloyd(x, start - x.mean(axis=0), weights)
    inertia = np.array(found.history.inertia)
    scale = np.sum((1 if weights is None else weights) * (x.astype(float) ** 2).sum(1))
    assert (np.diff(inertia) <= 1e-5 * scale + 1e-300).all()
    assert found.n_iter == len(inertia) - 1


@given(problems())
def test_bounds_change_nothing_but_the_time(problem):
    """The same labels and iterations as plain Lloyd; the objective as defined."""
    x, start, weights = problem
    points = Points(x)
    start = start - points.mean
    tol = 1e-4 * points.variance
    plain = lloyd(x - points.mean, start, weights, 60, tol)
    quick = bounded_lloyd(points, start, weights, 60, tol)
    exact = x.dtype == np.float64
    if exact:
        np.testing.assert_array_equal(quick.labels, plain.labels)
        assert quick.n_iter == plain.n_iter
        close = {"rtol": 1e-9, "atol": 1e-12 * np.abs(x).max()}
        np.testing.assert_allclose(quick.centers, plain.centers, **close)
    else:  # sums are kept in float64 here, so centres differ in the last digit
        assert quick.inertia <= 1.1 * plain.inertia + 1e-5 * float((x**2).sum())
    rows = (x - points.mean).astype(np.longdouble)
    wanted = objective(rows, quick.labels, quick.centers, weights)
    scale = float((rows**2).sum())
    np.testing.assert_allclose(quick.inertia, wanted, rtol=1e-6, atol=1e-13 * scale)
    if exact and wanted > 1e-6 * scale:
        inertia = quick.history.inertia, plain.history.inertia
        np.testing.assert_allclose(*inertia, rtol=1e-3)


@pytest.mark.parametrize("mode", ["numpy", "numba"])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_result_does_not_depend_on_threads_or_compiling(mode, threads, monkeypatch):
    if mode == "numba":
        pytest.importorskip("numba", reason="compiles the kernels")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(1500, 6)) + 3 * rng.integers(0, 3, (1500, 1))
    weights = rng.random(1500)
    points = Points(x)
    wanted = bounded_lloyd(points, x[:23] - points.mean, weights, 30)
    before = _threads.number()
    kernels.use(mode)
    try:
        _threads.set_number(threads)
        again = Points(x)
        found = bounded_lloyd(again, x[:23] - again.mean, weights, 30)
    finally:
        _threads.set_number(before)
        kernels.use("auto")
    np.testing.assert_array_equal(found.labels, wanted.labels)
    np.testing.assert_array_equal(found.centers, wanted.centers)
    assert found.inertia == wanted.inertia


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_equal_centres_tie_in_the_search_as_in_the_definition(dtype):
    """Products of equal centres differ in the last digit; which is less, BLAS says."""
    for seed in range(8):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(380, 23)).astype(dtype)
        start = x[rng.integers(0, 22, 45)]
        points = Points(x)
        quick = bounded_lloyd(points, start - points.mean, max_iter=1, tol=np.inf)
        first = nearest(x - points.mean, start - points.mean)[0]
        search = kmeans_bounds._Search(points, None, start - points.mean)
        search.assign(start - points.mean)
        np.testing.assert_array_equal(search.labels, first)
        assert quick.n_iter == 1


def test_an_empty_cluster_gets_the_farthest_point():
    x = np.array([[0.0], [1.0], [2.0], [30.0]])
    start = np.array([[1.0], [500.0]])
    labels, centers = lloyd_step(x, start)
    assert labels.tolist() == [0, 0, 0, 0] and centers.ravel().tolist() == [1.0, 30.0]
    points = Points(x)
    for found in (
        lloyd(x, start),
        bounded_lloyd(points, start - points.mean),
    ):
        assert found.labels.tolist() == [0, 0, 0, 1] and found.inertia == 2.0


def test_fewer_points_than_clusters_leave_no_nan():
    x = np.repeat([[1.0, 2.0], [3.0, 4.0]], 5, axis=0)
    for run in (lloyd, bounded_lloyd):
        points = x if run is lloyd else Points(x)
        found = run(points, np.array([[1.0, 2.0]] * 3 + [[3.0, 4.0]]))
        assert np.isfinite(found.centers).all() and len(set(found.labels)) == 2


def test_what_is_empty_goes_where_the_heaviest_is():
    sums, mass = np.array([[0.0], [8.0], [0.0]]), np.array([0.0, 4.0, 0.0])
    assert means(sums, mass).ravel().tolist() == [8.0, 2.0, 2.0]
    labels = np.array([1, 1, 1, 1])
    reseed_empty(sums, mass, labels, None, lambda: np.zeros(4), lambda i: None)
    assert mass.tolist() == [0.0, 4.0, 0.0]  # all points are on their centre


@given(problems(most=60))
def test_distances_near_zero_are_exact(problem):
    x, start, _ = problem
    found = distances(x, start)
    wanted = np.sqrt(squared(x, start)).astype(float)
    rtol = 1e-3 if x.dtype == np.float32 else 1e-9
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=0)


def test_sparse_rows_give_what_dense_ones_give():
    sparse = pytest.importorskip("scipy.sparse", reason="makes sparse tables")
    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 12)) * (rng.random((300, 12)) < 0.3)
    w = rng.random(300)
    s = sparse.csr_array(x)
    dense, found = lloyd(x, x[:7].copy(), w), lloyd(s, x[:7].copy(), w)
    np.testing.assert_array_equal(found.labels, dense.labels)
    np.testing.assert_allclose(found.centers, dense.centers)
    np.testing.assert_allclose(found.inertia, dense.inertia)
    np.testing.assert_allclose(distances(s, x[:3]), distances(x, x[:3]), atol=1e-12)
    np.testing.assert_allclose(
        own_distances(s, dense.centers, dense.labels),
        own_distances(x, dense.centers, dense.labels),
        atol=1e-12,
    )


def test_a_listener_ends_a_run():
    x = np.random.default_rng(4).normal(size=(500, 2))
    points = Points(x)
    for found in (
        lloyd(x, x[:9], listener=lambda i, c, j: i == 2),
        bounded_lloyd(points, x[:9], listener=lambda i, c, j: i == 2),
    ):
        assert found.n_iter == 2 and len(found.history.inertia) == 3


def test_a_history_of_many_centres_is_thinned():
    history = History()
    for i in range(1000):
        history.add(np.full((100, 50), float(i)), 1000.0 - i)
    history.finish(np.zeros((100, 50)), 0.0)
    found = history.as_dict()
    assert len(found["inertia"]) == 1001 and 26 <= len(found["centers"]) <= 56
    assert found["iteration"][-1] == 1000
    for i, centers in zip(found["iteration"][:-1], found["centers"], strict=False):
        assert centers[0, 0] == i


def test_few_centres_have_a_bound_each_and_many_share():
    rng = np.random.default_rng(5)
    order, starts = grouped(rng.normal(size=(100, 3)))
    assert sorted(order) == list(range(100))
    assert starts[0] == 0 and starts[-1] == 100 and 2 <= len(starts) <= 11
    assert (np.diff(starts) > 0).all()
    assert len(grouped(rng.normal(size=(10, 50)))[1]) == 11
    assert not pays((1000, 2), 1) and pays((10**6, 10), 5)


def test_partitions_are_compared_up_to_names():
    a = np.array([0, 1, 1, 2])
    assert same_partition(a, np.array([2, 0, 0, 1]), 3)
    assert not same_partition(a, np.array([2, 0, 1, 1]), 3)


def test_a_model_is_stored_and_predicts():
    model = KMeansModel(np.array([[0.0], [5.0]]))
    arrays = {}
    document = _stored.to_document(model, arrays)
    again = _stored.from_document(document, arrays)
    assert again.predict(np.array([[4.0], [1.0]])).tolist() == [1, 0]
    with pytest.raises(ShapeError, match=r"shape \(k, d\), got \(3,\)"):
        KMeansModel(np.zeros(3))


def test_plus_plus_draws_by_squared_distance():
    """Of points at 0, 1 and 3, the second centre after 0 is 3 in 9 of 10 draws."""
    x, found = np.array([[0.0], [1.0], [3.0]]), []
    for seed in range(1500):
        first, second = kmeans_plusplus(x, 2, Generator(seed), trials=1)
        if first == 0:
            found.append(second == 2)
    assert abs(np.mean(found) - 0.9) < 0.05 and 380 < len(found) < 620


def test_plus_plus_is_within_its_bound_and_greedy_is_better():
    rng = np.random.default_rng(6)
    x = (
        rng.normal(size=(600, 2))
        + 50 * rng.normal(size=(12, 2))[rng.integers(0, 12, 600)]
    )
    found = {}
    for trials in (1, None):
        runs = [kmeans_plusplus(x, 12, Generator(s), trials=trials) for s in range(20)]
        found[trials] = np.mean([squared(x, x[c]).min(axis=1).sum() for c in runs])
        assert all(len(set(c)) == 12 for c in runs)
    best = min(
        lloyd(x, x[kmeans_plusplus(x, 12, Generator(s))]).inertia for s in range(9)
    )
    assert found[None] < found[1] <= 8 * (2 + np.log(12)) * best


def test_starts_follow_the_weights():
    x, w = np.arange(10.0)[:, None], np.zeros(10)
    w[[2, 7]] = 1
    for seed in range(5):
        assert set(kmeans_plusplus(x, 2, Generator(seed), w)) == {2, 7}
        assert set(random_rows(10, 2, Generator(seed), w)) == {2, 7}


def test_a_start_is_the_same_in_any_order_of_the_rows():
    rng = np.random.default_rng(7)
    x, w = rng.normal(size=(50, 3)), rng.integers(0, 4, 50).astype(float)
    wanted = x[kmeans_plusplus(x, 6, Generator(0), w)]
    order = rng.permutation(50)
    found = x[order][kmeans_plusplus(x[order], 6, Generator(0), w[order])]
    np.testing.assert_array_equal(found, wanted)
    often = np.repeat(x, w.astype(int), axis=0)
    np.testing.assert_array_equal(
        often[kmeans_plusplus(often, 6, Generator(0))], wanted
    )


def test_points_without_distance_can_still_be_drawn():
    assert set(kmeans_plusplus(np.ones((4, 2)), 3, Generator(0))) <= {0, 1, 2, 3}
    assert drawn(np.array([0.999999]), np.array([1.0, 0.0]), None).tolist() == [0]
    assert drawn(np.array([0.5]), np.zeros(4), None).tolist() == [2]


def test_small_batches_keep_running_means():
    """After batches that keep their labels, each centre is the mean of all it saw."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=(200, 2)) + 100 * (np.arange(200) % 2)[:, None]
    w = rng.random(200)
    centers, mass = np.array([[0.0, 0.0], [100.0, 100.0]]), np.zeros(2)
    for i in range(0, 200, 40):
        part = slice(i, i + 40)
        wanted = objective(x[part], np.arange(40) % 2, centers, w[part])
        centers, mass, inertia = minibatch_step(x[part], centers, mass, w[part])
        np.testing.assert_allclose(inertia, wanted)
    for j in range(2):
        np.testing.assert_allclose(
            centers[j], np.average(x[j::2], axis=0, weights=w[j::2])
        )
    np.testing.assert_allclose(mass, [w[::2].sum(), w[1::2].sum()])


def test_centres_that_nobody_chooses_start_again():
    centers, mass = np.zeros((4, 1)), np.array([100.0, 50.0, 0.5, 0.0])
    x = np.array([[7.0], [8.0], [9.0], [6.0]])
    assert restart_rare(x, centers, mass, 0.01, Generator(0)) == 2
    assert mass.tolist() == [100.0, 50.0, 50.0, 50.0]
    assert (centers[2:] >= 6).all() and centers[2] != centers[3]
    mass = np.array([100.0, 0.1, 0.2, 0.3])  # three, but half of the batch is two
    assert restart_rare(x, centers, mass, 0.01, Generator(0)) == 2
    assert mass.tolist() == [100.0, 0.3, 0.3, 0.3]


def test_an_urn_counts_whole_weights_as_repetition():
    x = np.arange(4.0)[:, None]
    urn = Urn(x, np.array([0.0, 1.0, 3.0, 0.0]))
    found = urn.draw(4000, Generator(0))
    assert (
        urn.n == 4 and set(found) == {1, 2} and abs(np.mean(found == 2) - 0.75) < 0.03
    )
    assert Urn(x, np.full(4, 0.1)).n == 4
    often = np.repeat(x, [0, 1, 3, 0], axis=0)
    np.testing.assert_array_equal(
        x[found], often[Urn(often, None).draw(4000, Generator(0))]
    )


def test_progress_ends_by_moves_or_patience():
    progress = Progress(10, 100, tol=0.5, patience=None)
    assert not progress.settled(5.0, moves=0.1)  # the start's
    assert not progress.settled(5.0, moves=0.6)
    assert progress.settled(9.0, moves=0.5)
    share = 20 / 101
    assert progress.mean == pytest.approx(0.5 + share * (0.9 - 0.5))
