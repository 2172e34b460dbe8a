"""Trees grown fast beside the textbook's, scikit-learn's, and their own twins."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dotori import kernels
from dotori.algorithms.tree import growth as fast
from dotori.algorithms.tree import textbook
from dotori.algorithms.tree.growth import Growth, grow
from dotori.algorithms.tree.tree import Tree
from dotori.kernels import _threads

CRITERIA = ["gini", "entropy", "squared_error", "absolute_error", "poisson"]


def table(seed, criterion, n=120, d=4, missing=False, weighted=False):
    """Continuous columns and targets that follow them: no gains tie on the way down."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d)).astype(np.float32)
    signal = x[:, 0] + np.sin(2 * x[:, 1]) + 0.3 * rng.standard_normal(n)
    y, sizes = signal, None
    if criterion in ("gini", "entropy"):
        y, sizes = np.digitize(signal, [-0.7, 0.7]), [3]
    elif criterion == "poisson":
        y = np.exp(signal)
    if missing:
        x[rng.random(x.shape) < 0.1] = np.nan
    weight = rng.integers(0, 4, n).astype(np.float64) if weighted else None
    return x, y[:, None], weight, sizes


def assert_same(mine, other):
    for field in fields(Tree):
        a, b = getattr(mine, field.name), getattr(other, field.name)
        np.testing.assert_array_equal(a, b, err_msg=field.name)


LIMITS = [
    {},
    {"max_depth": 3},
    {"min_samples_leaf": 6},
    {"min_samples_split": 20},
    {"min_weight_leaf": 7.5},
    {"min_impurity_decrease": 0.01},
]


@pytest.mark.parametrize("limits", LIMITS, ids=str)
@pytest.mark.parametrize("criterion", CRITERIA)
def test_the_textbook_grows_the_same_upper_nodes(criterion, limits):
    for seed, missing in ((0, False), (1, True)):
        x, y, weight, sizes = table(seed, criterion, 40, 3, missing, seed == 1)
        rules = Growth(criterion, **{"max_depth": 2, "max_features": 3, **limits})
        mine = grow(x, y, weight, rules, sizes)
        plain = textbook.grow(
            x, y, weight, rules, np.array(sizes or [1]), categorical=None
        )
        assert compared_nodes(mine, plain) > min(2, mine.node_count - 1)


SKLEARN_NAMES = {"min_weight_leaf": "min_weight_fraction_leaf"}


def scikit_learn_tree(x, y, weight, criterion, limits):
    tree = pytest.importorskip("sklearn.tree", reason="is the oracle")
    by_class = criterion in ("gini", "entropy")
    kind = tree.DecisionTreeClassifier if by_class else tree.DecisionTreeRegressor
    total = len(x) if weight is None else weight.sum()
    options = {SKLEARN_NAMES.get(k, k): v for k, v in limits.items()}
    if "min_weight_fraction_leaf" in options:
        options["min_weight_fraction_leaf"] /= total
    model = kind(criterion=criterion, random_state=0, **options)
    return model.fit(x, y, weight).tree_


@pytest.mark.parametrize("limits", [*LIMITS, {"max_leaf_nodes": 9}], ids=str)
@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_scikit_learn_grows_the_same_tree(criterion, limits, missing, weighted):
    if criterion == "poisson" and missing:
        pytest.skip("scikit-learn takes no missing values with Poisson's deviance")
    x, y, weight, sizes = table(3, criterion, 100, 4, missing, weighted)
    mine = grow(x, y, weight, Growth(criterion, **limits), sizes)
    theirs = scikit_learn_tree(x, y, weight, criterion, limits)
    assert compared_nodes(mine, theirs) > min(4, mine.node_count - 1)


def compared_nodes(mine, theirs):
    """How many nodes are the same; where the questions differ, their gains must tie."""
    stack, count = [(0, 0)], 0
    while stack:
        a, b = stack.pop()
        count += 1
        assert mine.n_node_samples[a] == theirs.n_node_samples[b]
        np.testing.assert_allclose(mine.impurity[a], theirs.impurity[b], atol=1e-9)
        np.testing.assert_allclose(mine.value[a], theirs.value[b], atol=1e-9)
        if asked(mine, a) == asked(theirs, b):
            if mine.feature[a] >= 0:
                stack.append((mine.children_left[a], theirs.children_left[b]))
                stack.append((mine.children_right[a], theirs.children_right[b]))
            continue
        np.testing.assert_allclose(left_over(mine, a), left_over(theirs, b), atol=1e-9)
    return count


def asked(tree, node):
    side = tree.feature[node] >= 0 and bool(tree.missing_go_to_left[node])
    return tree.feature[node], tree.threshold[node], side


def left_over(tree, node):
    """The weighted impurity of a node's children, or of a leaf."""
    at = [node]
    if tree.feature[node] >= 0:
        at = [tree.children_left[node], tree.children_right[node]]
    return (tree.impurity[at] * tree.weighted_n_node_samples[at]).sum()


@pytest.mark.parametrize("direction", [-1, 1])
@pytest.mark.parametrize("criterion", ["squared_error", "gini", "absolute_error"])
def test_monotonic_constraints_are_scikit_learns(criterion, direction):
    tree = pytest.importorskip("sklearn.tree", reason="is the oracle")
    x, y, _, sizes = table(5, criterion, 200, 3)
    constraints = np.array([direction, 0, 0])
    kind = tree.DecisionTreeRegressor
    if sizes:
        y, sizes, kind = (y > 1).astype(np.int64), [2], tree.DecisionTreeClassifier
    rules = Growth(criterion, max_depth=4, monotonic=constraints)
    mine = grow(x, y, None, rules, sizes)
    model = kind(criterion=criterion, max_depth=4, monotonic_cst=constraints)
    theirs = model.fit(x, y[:, 0]).tree_
    assert compared_nodes(mine, theirs) > 4
    moved = x.copy()
    moved[:, 0] += 1
    change = mine.predict(moved)[:, -1] - mine.predict(x)[:, -1]
    assert (direction * change >= 0).all()


@st.composite
def problems(draw):
    """Small tables of few values: ties, constants, duplicates, one row, all missing."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, d = draw(st.integers(1, 40)), draw(st.integers(1, 4))
    x = np.round(rng.standard_normal((n, d)), draw(st.integers(0, 2)))
    x = (x * draw(st.sampled_from([1.0, 1e-7, 1e30]))).astype(np.float32)
    categorical = np.zeros(d, bool)
    if draw(st.booleans()):
        categorical = rng.random(d) < 0.5
        x[:, categorical] = rng.integers(0, 70, (n, int(categorical.sum())))
    x[rng.random(x.shape) < draw(st.sampled_from([0.0, 0.2, 1.0]))] = np.nan
    outputs = draw(st.integers(1, 2))
    criterion = draw(st.sampled_from(CRITERIA))
    y, sizes = np.round(abs(rng.standard_normal((n, outputs))), 1) + 0.1, None
    if criterion in ("gini", "entropy"):
        classes = draw(st.integers(1, 3))
        y, sizes = rng.integers(0, classes, (n, outputs)), [classes] * outputs
    weight = draw(
        st.sampled_from([None, rng.integers(1, 4, n), rng.uniform(0.1, 2, n)])
    )
    rules = Growth(
        criterion,
        splitter=draw(st.sampled_from(["best", "best", "random"])),
        max_depth=draw(st.sampled_from([1, 3, 100])),
        min_samples_leaf=draw(st.integers(1, 3)),
        min_weight_leaf=draw(st.sampled_from([0.0, 1.5])),
        max_features=draw(st.integers(1, d)),
        max_leaf_nodes=draw(st.sampled_from([None, None, 4])),
        monotonic=rng.integers(-1, 2, d) if draw(st.booleans()) else None,
    )
    if outputs > 1 or (sizes and sizes[0] != 2):
        rules = replace(rules, monotonic=None)
    weight = None if weight is None else weight.astype(np.float64)
    return x, y, weight, rules, sizes, draw(st.integers(0, 9)), categorical


def grown(mode, *arguments):
    kernels.use(mode)
    try:
        return grow(*arguments)
    finally:
        kernels.use("auto")


@given(problems())
def test_the_compiled_loop_grows_its_twins_trees_bit_for_bit(arguments):
    pytest.importorskip("numba", reason="compiles the kernels")
    assert_same(grown("numba", *arguments), grown("numpy", *arguments))


@given(problems())
def test_every_node_is_the_sum_of_its_samples(arguments):
    x, y, weight, rules, sizes, _, _ = arguments
    assume(rules.monotonic is None and rules.criterion != "absolute_error")
    tree = grow(*arguments)
    leaf = tree.apply(x)
    w = np.ones(len(x)) if weight is None else weight
    assert (np.bincount(leaf, minlength=tree.node_count) > 0).sum() == tree.n_leaves
    least = min(rules.min_samples_leaf, len(x))  # a root may have fewer
    for node in np.unique(leaf):
        here = leaf == node
        assert tree.n_node_samples[node] == here.sum() >= least
        wanted = np.average(y[here], axis=0, weights=w[here])[:, None]
        if sizes:
            classes = (y[here][:, :, None] == np.arange(sizes[0])).astype(float)
            wanted = np.average(classes, axis=0, weights=w[here])
        np.testing.assert_allclose(tree.value[node], wanted, atol=1e-12)


def best_by_all_subsets(category, y):
    """The smallest sum of squares that two groups of categories leave."""
    values = np.unique(category)
    least = np.inf
    for mask in range(1, 2 ** (len(values) - 1)):
        chosen = values[[mask >> i & 1 == 1 for i in range(len(values))]]
        left = np.isin(category, chosen)
        sides = (y[left], y[~left])
        least = min(least, sum(((s - s.mean()) ** 2).sum() for s in sides))
    return least


@pytest.mark.parametrize("seed", range(5))
def test_the_best_subset_of_categories_is_found(seed):
    rng = np.random.default_rng(seed)
    category = rng.integers(0, 8, 60)
    y = rng.standard_normal(8)[category] + 0.5 * rng.standard_normal(60)
    x = category[:, None].astype(np.float32)
    rules = Growth("squared_error", max_depth=1)
    tree = grow(x, y[:, None], None, rules, categorical=np.array([True]))
    left = sum(tree.impurity[1:] * tree.n_node_samples[1:])
    np.testing.assert_allclose(left, best_by_all_subsets(category, y))
    assert np.isnan(tree.threshold[0]) and tree.categories[0].any()


def test_a_category_that_was_not_seen_goes_with_the_larger_side():
    x = np.array([[0], [0], [0], [2]], np.float32)
    y = np.array([[0.0], [0], [0], [1]])
    tree = grow(x, y, None, Growth("squared_error"), categorical=np.array([True]))
    assert tree.predict(np.array([[1.0], [2.0], [np.nan]])).tolist() == [[0], [1], [0]]


@pytest.mark.parametrize(
    "rules", [Growth(), Growth(max_features=2)], ids=["all", "two"]
)
def test_threads_and_pieces_change_nothing(rules, monkeypatch):
    x, y, weight, sizes = table(7, "gini", 700, 4, weighted=True)
    whole = grow(x, y, weight, rules, sizes, seed=3)
    monkeypatch.setattr(fast, "_largest_subtree", lambda task: 40)
    monkeypatch.setattr(fast, "_WORTH_A_THREAD", 1)
    before = _threads.number()
    try:
        for threads in (1, 2):
            _threads.set_number(threads)
            assert_same(grow(x, y, weight, rules, sizes, seed=3), whole)
    finally:
        _threads.set_number(before)


def test_rows_without_weight_are_not_there():
    x, y, weight, sizes = table(9, "gini", 80, 3, weighted=True)
    some = weight > 0
    with_all = grow(x, y, weight, Growth(), sizes)
    assert_same(with_all, grow(x[some], y[some], weight[some], Growth(), sizes))


def test_seeds_draw_other_columns_and_are_repeated():
    x, y, _, sizes = table(11, "gini", 100, 4)
    rules = Growth(max_features=1)
    trees = [grow(x, y, None, rules, sizes, seed=seed) for seed in (1, 1, 2)]
    assert_same(trees[0], trees[1])
    assert not np.array_equal(trees[0].feature, trees[2].feature)


def test_what_cannot_be_grown_is_refused():
    x, y = np.ones((3, 1), np.float32), np.ones((3, 1))
    with pytest.raises(ValueError, match="criterion must be one of"):
        grow(x, y, None, Growth("variance"))
    with pytest.raises(ValueError, match="n > 0"):
        grow(x[:0], y[:0], None, Growth("squared_error"))
