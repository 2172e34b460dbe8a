"""Small nodes in plain Python: the trees that NumPy grows, bit by bit."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori import kernels
from dotori.algorithms.tree.growth import Growth, grow
from dotori.algorithms.tree.split import problem
from dotori.kernels import tree_small
from dotori.kernels.tree_numpy import grow_nodes_numpy
from dotori.random import Generator


@pytest.fixture(autouse=True)
def _twins():
    kernels.use("numpy")
    yield
    kernels.use("auto")


def without(*args, **options):
    """Grow with no node small enough."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree_small, "MOST_SORTED", -1)
        patch.setattr(tree_small, "MOST_RANDOM", -1)
        return grow(*args, **options)


def assert_same(one, other):
    for field in fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        np.testing.assert_array_equal(a, b, err_msg=field.name)


KINDS = {
    "two classes": ("gini", 2),
    "four classes": ("gini", 4),
    "one class": ("gini", 1),
    "squares": ("squared_error", 0),
}
RULES = [
    {},
    {"max_features": 2},
    {"min_samples_leaf": 4, "min_samples_split": 11},
    {"min_weight_leaf": 3.5, "max_depth": 4},
    {"min_impurity_decrease": 0.02, "max_features": 1},
]


def table(kind, seed, n=150, d=5):
    """Columns of many ties, one without any, and a constant one; targets; weights."""
    random = np.random.default_rng(seed)
    x = np.round(random.normal(size=(n, d)), 1).astype(np.float32)
    x[:, 3] = random.normal(size=n)
    x[:, 4] = 3
    criterion, classes = KINDS[kind]
    signal = x[:, :1] + x[:, 3:4] + random.normal(size=(n, 1))
    y = signal if not classes else np.digitize(signal, np.arange(classes - 1) - 0.5)
    weight = random.choice([0.0, 0.1, 0.7, 1.3, 2.0], n)
    return x, y, weight, criterion, [classes] if classes else None


@pytest.mark.parametrize("rules", RULES, ids=str)
@pytest.mark.parametrize("splitter", ["best", "random"])
@pytest.mark.parametrize("kind", KINDS)
def test_equals_numpy(kind, splitter, rules):
    x, y, weight, criterion, classes = table(kind, seed=len(rules))
    growth = Growth(criterion, splitter, **rules)
    for weights in (None, weight, np.floor(weight)):
        args = (x, y, weights, growth, classes)
        assert_same(grow(*args, seed=3), without(*args, seed=3))


def test_neighbours_that_are_one_value():
    """Steps of float32's precision: some further apart than 1e-7, some not."""
    steps = np.arange(60, dtype=np.float32) * np.float32(2e-8)
    x = np.concatenate([steps, steps + 1, steps * 1e6])[:, None].astype(np.float32)
    y = Generator(1).integers(0, 2, (180, 1))
    for splitter in ("best", "random"):
        args = (x, y, None, Growth("gini", splitter), [2])
        assert_same(grow(*args), without(*args))


def test_missing_values_are_left_to_numpy():
    x, y, _, criterion, classes = table("two classes", seed=5)
    x[::7, 0] = np.nan
    args = (x, y, None, Growth(criterion), classes)
    tree = grow(*args)
    assert_same(tree, without(*args))
    assert tree.missing_go_to_left.any()


def test_samples_come_in_the_order_of_leaves():
    """As the kernel promises: what a caller does with `ids` later may rely on it."""
    x, y, _, _, _ = table("two classes", seed=2)
    found = {}
    for most in (600, -1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tree_small, "MOST_SORTED", most)
            found[most] = _ids(x, y)
    np.testing.assert_array_equal(found[600], found[-1])
    assert not (np.diff(found[600]) > 0).all()


def _ids(x, y):
    task = problem(x, y, None, Growth("gini"), np.array([2]), 0, None)
    n, ids = len(x), task.rows.copy()
    grow_nodes_numpy(
        x,
        task.table,
        task.rules,
        ids,
        np.arange(x.shape[1]),
        np.array([1], np.uint64),
        np.array([-np.inf, np.inf]),
        0,
        np.zeros((2 * n, 4), np.int32),
        np.zeros((2 * n, 4)),
        np.zeros((2 * n, 1, 2)),
        np.zeros((2 * n, 0), np.uint64),
        np.zeros(1, np.int64),
    )
    return ids


@given(st.integers(0, 2**32), st.sampled_from(sorted(KINDS)), st.booleans())
def test_random_tables(seed, kind, best):
    n = 2 + seed % 90
    x, y, weight, criterion, classes = table(kind, seed, n)
    growth = Growth(criterion, "best" if best else "random", max_features=3)
    weight = weight + 0.25
    args = (x, y, weight, growth, classes)
    assert_same(grow(*args, seed=seed), without(*args, seed=seed))
