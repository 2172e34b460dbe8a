"""The metrics against numbers worked out by hand and against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dotori.errors import ArgumentError, NonFiniteError, ShapeError
from dotori.train import metrics

AMOUNTS = ("mse", "rmse", "mae", "r2")
LABELS = ("accuracy", "precision", "recall", "f1")
REFERENCE = {
    "mse": "mean_squared_error",
    "rmse": "root_mean_squared_error",
    "mae": "mean_absolute_error",
    "r2": "r2_score",
    "accuracy": "accuracy_score",
    "precision": "precision_score",
    "recall": "recall_score",
    "f1": "f1_score",
}


@pytest.fixture(scope="module")
def sklearn_metrics():
    return pytest.importorskip("sklearn.metrics", reason="the reference for metrics")


def test_amounts_by_hand():
    true, pred = [1.0, 2.0, 6.0], [2.0, 2.0, 4.0]
    assert metrics.mse(true, pred) == pytest.approx(5 / 3)
    assert metrics.rmse(true, pred) == pytest.approx(math.sqrt(5 / 3))
    assert metrics.mae(true, pred) == 1.0
    assert metrics.r2(true, pred) == pytest.approx(1 - 5 / 14)
    weight = [2.0, 1.0, 1.0]
    assert metrics.mse(true, pred, sample_weight=weight) == pytest.approx(6 / 4)
    assert metrics.mae(true, pred, sample_weight=weight) == pytest.approx(4 / 4)


def test_labels_by_hand():
    true, pred = [0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2]
    assert metrics.accuracy(true, pred) == pytest.approx(4 / 6)
    assert metrics.confusion_matrix(true, pred).tolist() == [
        [2, 1, 0],
        [0, 1, 1],
        [0, 0, 1],
    ]
    each = metrics.precision(true, pred, average=None)
    assert each.tolist() == [1.0, 0.5, 0.5]
    assert metrics.recall(true, pred, average="macro") == pytest.approx(
        (2 / 3 + 1 / 2 + 1) / 3
    )
    assert metrics.f1(true, pred, average="micro") == pytest.approx(4 / 6)


def test_log_loss_by_hand():
    loss = metrics.log_loss([1, 0], [[0.5, 0.5], [0.25, 0.75]])
    assert loss == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert metrics.log_loss([1, 0], [0.5, 0.75]) == pytest.approx(loss)
    assert metrics.log_loss(
        ["no", "yes"], [[0.25, 0.75], [0.5, 0.5]], labels=["yes", "no"]
    ) == pytest.approx((math.log(4 / 3) + math.log(2)) / 2)
    assert metrics.log_loss([0], [[0.0, 1.0]]) == pytest.approx(-math.log(2**-52))


def test_roc_auc_by_hand():
    """Of the 2 x 3 pairs 4 are in order, 1 is tied."""
    true, score = [0, 0, 0, 1, 1], [0.1, 0.4, 0.6, 0.4, 0.9]
    assert metrics.roc_auc(true, score) == pytest.approx(4.5 / 6)
    assert metrics.roc_auc(true, [1] * 5) == 0.5


def test_texts_are_labels_too():
    true, pred = np.array(["a", "b", "b"]), np.array(["a", "a", "b"])
    assert metrics.accuracy(true, pred) == pytest.approx(2 / 3)
    assert metrics.precision(true, pred, pos_label="b") == 1.0
    matrix = metrics.confusion_matrix(true, pred, labels=["b", "a"])
    assert matrix.tolist() == [[1, 1], [0, 1]]


@st.composite
def amounts(draw):
    n = draw(st.integers(1, 30))
    k = draw(st.sampled_from([None, 1, 3]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = (n,) if k is None else (n, k)
    scale = 10.0 ** draw(st.integers(-3, 6))
    true = rng.normal(draw(st.sampled_from([0.0, 1e3])), scale, shape)
    if draw(st.booleans()):
        true[...] = true.flat[0]
    pred = true if draw(st.booleans()) else true + rng.normal(0, scale, shape)
    weight = None if draw(st.booleans()) else rng.integers(1, 5, n) / 4
    return true, pred, weight


@given(amounts(), st.sampled_from(AMOUNTS))
@settings(deadline=None)
def test_amounts_as_scikit_learn(sklearn_metrics, case, name):
    true, pred, weight = case
    ours = getattr(metrics, name)(true, pred, sample_weight=weight)
    assert type(ours) is float
    if name == "r2" and len(true) < 2:
        assert math.isnan(ours)
        return
    theirs = getattr(sklearn_metrics, REFERENCE[name])(true, pred, sample_weight=weight)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@st.composite
def labels(draw):
    n, k = draw(st.integers(1, 40)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    true, pred = rng.integers(0, k, (2, n))
    weight = None if draw(st.booleans()) else rng.integers(1, 5, n) / 4
    if draw(st.booleans()):
        names = np.array(["delta", "alpha", "gamma", "beta"])
        true, pred = names[true], names[pred]
    return true, pred, weight


@pytest.mark.filterwarnings("ignore:A single label was found")
@given(labels(), st.sampled_from(["macro", "micro", "weighted", None]))
@settings(deadline=None)
def test_labels_as_scikit_learn(sklearn_metrics, case, average):
    true, pred, weight = case
    theirs = sklearn_metrics.confusion_matrix(
        true, pred, sample_weight=weight, labels=np.unique([true, pred])
    )
    ours = metrics.confusion_matrix(true, pred, sample_weight=weight)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert ours.dtype == (np.int64 if weight is None else np.float64)
    accuracy = sklearn_metrics.accuracy_score(true, pred, sample_weight=weight)
    assert metrics.accuracy(true, pred, sample_weight=weight) == pytest.approx(accuracy)
    for name in LABELS[1:]:
        for division in (0.0, 1.0):
            options = {
                "average": average,
                "sample_weight": weight,
                "zero_division": division,
            }
            ours = getattr(metrics, name)(true, pred, **options)
            theirs = getattr(sklearn_metrics, REFERENCE[name])(true, pred, **options)
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@given(labels())
@settings(deadline=None)
def test_two_classes_as_scikit_learn(sklearn_metrics, case):
    true, pred, weight = case
    true, pred = (true == true[0]).astype(int), (pred == true[0]).astype(int)
    for name in LABELS[1:]:
        options = {"sample_weight": weight, "zero_division": 0.0}
        ours = getattr(metrics, name)(true, pred, **options)
        theirs = getattr(sklearn_metrics, REFERENCE[name])(true, pred, **options)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@given(st.integers(0, 2**32), st.integers(2, 5), st.integers(2, 40), st.booleans())
@settings(deadline=None)
def test_probabilities_as_scikit_learn(sklearn_metrics, seed, k, n, weighted):
    rng = np.random.default_rng(seed)
    true = rng.permutation(np.concatenate([np.arange(k), rng.integers(0, k, n)]))
    scores = rng.integers(1, 6, (len(true), k)).astype(float)  # few, so many ties
    proba = scores / scores.sum(axis=1, keepdims=True)
    weight = rng.integers(1, 5, len(true)) / 4 if weighted else None
    ours = metrics.log_loss(true, proba, sample_weight=weight)
    theirs = sklearn_metrics.log_loss(
        true, proba, sample_weight=weight, labels=np.arange(k)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    if k == 2:
        ours = metrics.roc_auc(true, proba, sample_weight=weight)
        theirs = sklearn_metrics.roc_auc_score(true, proba[:, 1], sample_weight=weight)
        one = metrics.roc_auc(true, proba[:, 1], sample_weight=weight)
        assert one == ours
    else:
        ours = metrics.roc_auc(true, proba, sample_weight=weight)
        theirs = sklearn_metrics.roc_auc_score(
            true, proba, sample_weight=weight, multi_class="ovr"
        )
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_truths_that_do_not_vary():
    assert metrics.r2([2.0, 2.0], [2.0, 2.0]) == 1.0
    assert metrics.r2([2.0, 2.0], [2.0, 3.0]) == 0.0


@pytest.mark.parametrize("name", [*AMOUNTS, "accuracy", "f1", "confusion_matrix"])
def test_wrong_input_is_refused(name):
    metric = getattr(metrics, name)
    with pytest.raises(ArgumentError, match="at least one sample"):
        metric([], [])
    with pytest.raises(ShapeError, match=r"\(2,\) and \(3,\)"):
        metric([1, 0], [1, 0, 1])
    with pytest.raises(NonFiniteError, match=r"y_pred\[1\] is .*nan"):
        metric([1.0, 0.0], [1.0, np.nan])
    with pytest.raises(NonFiniteError, match=r"y_true\[0\] is .*inf"):
        metric([np.inf, 0.0], [1.0, 0.0])
    with pytest.raises(ShapeError, match=r"weights of shape \(2,\).*\(1,\)"):
        metric([1, 0], [1, 0], sample_weight=[1])
    for weight in ([-1, 2], [0, 0]):
        with pytest.raises(ArgumentError, match="weights >= 0"):
            metric([1, 0], [1, 0], sample_weight=weight)


def test_wrong_probabilities_are_refused():
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        metrics.log_loss([0, 1], [[2.0, -1.0], [0.5, 0.5]])
    with pytest.raises(ArgumentError, match="apply softmax"):
        metrics.log_loss([0, 1], [[0.9, 0.9], [0.5, 0.5]])
    with pytest.raises(ArgumentError, match=r"class numbers 0, ..., 1"):
        metrics.log_loss([0, 2], [[0.5, 0.5], [0.5, 0.5]])
    with pytest.raises(ArgumentError, match=r"class numbers 0, ..., 1"):
        metrics.roc_auc(["a", "b"], [0.5, 0.5])
    with pytest.raises(ArgumentError, match="one class only"):
        metrics.roc_auc([1, 1], [0.5, 0.5])
    with pytest.raises(NonFiniteError, match="y_score"):
        metrics.roc_auc([0, 1], [0.5, np.nan])
    with pytest.raises(ShapeError, match=r"\(3,\) and \(2, 2\)"):
        metrics.log_loss([0, 1, 1], [[0.5, 0.5], [0.5, 0.5]])
    with pytest.raises(ArgumentError, match="one of the labels"):
        metrics.log_loss(["c"], [[0.5, 0.5]], labels=["a", "b"])


def test_wrong_options_are_refused():
    with pytest.raises(ArgumentError, match="needs two classes, got 3"):
        metrics.f1([0, 1, 2], [0, 1, 2])
    with pytest.raises(ArgumentError, match="average must be"):
        metrics.f1([0, 1], [0, 1], average="mean")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="distinct labels"):
        metrics.confusion_matrix([0, 1], [0, 1], labels=[0, 0])
