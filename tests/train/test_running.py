"""Running metrics: the figure of all batches is that of the whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori.errors import ArgumentError, NonFiniteError
from dotori.train import metrics, running

PAIRS = [
    (running.MSE, metrics.mse),
    (running.RMSE, metrics.rmse),
    (running.MAE, metrics.mae),
    (running.R2, metrics.r2),
    (running.Accuracy, metrics.accuracy),
    (running.LogLoss, metrics.log_loss),
    (lambda: running.ConfusionMatrix(3), metrics.confusion_matrix),
]


def _data(whole, rng, n):
    if whole in (metrics.accuracy, metrics.confusion_matrix):
        return tuple(np.append(rng.integers(0, 3, (2, n)), [[0, 1, 2]] * 2, axis=1))
    if whole is metrics.log_loss:
        return rng.integers(0, 3, n), rng.dirichlet(np.ones(3), n)
    shape = (n, 2) if n % 2 else (n,)
    true = rng.normal(10, 1, shape)
    return true, true + rng.normal(0, 1, shape)


@pytest.mark.parametrize(("make", "whole"), PAIRS, ids=lambda f: f.__name__)
@given(seed=st.integers(0, 2**32), n=st.integers(5, 40), weighted=st.booleans())
def test_batches_together_are_the_whole(make, whole, seed, n, weighted):
    rng = np.random.default_rng(seed)
    true, pred = _data(whole, rng, n)
    weight = rng.integers(0, 4, len(true)) / 2 if weighted else None
    if weight is not None:
        weight[-1] = 1.0
    metric = make()
    metric.update(pred[:1], true[:1])
    metric.reset()
    cuts = np.sort(rng.integers(1, len(true), 3))
    for rows in np.split(np.arange(len(true)), cuts):
        if len(rows):
            part = None if weight is None else weight[rows]
            metric.update(pred[rows], true[rows], part)
    expected = whole(true, pred, sample_weight=weight)
    np.testing.assert_allclose(metric.compute(), expected, rtol=1e-9, atol=1e-9)


def test_a_large_mean_costs_no_digits():
    """Deviations of about 1 around 1e9, of which sums of squares would keep none."""
    rng = np.random.default_rng(0)
    noise, error = rng.normal(size=(2, 1000))
    true = 1e9 + noise
    metric = running.R2()
    for part in np.array_split(np.arange(1000), 10):
        metric.update(true[part] + error[part], true[part])
    expected = 1 - np.square(error).sum() / np.square(noise - noise.mean()).sum()
    assert metric.compute() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("make", "whole"), PAIRS[:-1], ids=lambda f: f.__name__)
def test_no_figure_before_the_first_sample(make, whole):
    metric = make()
    with pytest.raises(ArgumentError, match="no figure before the first update"):
        metric.compute()


def test_a_single_sample_has_no_r2():
    metric = running.R2()
    metric.update([1.0], [1.0])
    assert math.isnan(metric.compute())


def test_wrong_batches_are_refused_and_change_nothing():
    metric = running.MSE()
    metric.update([1.0], [3.0])
    with pytest.raises(NonFiniteError, match=r"y_pred\[0\]"):
        metric.update([np.nan], [3.0])
    assert metric.compute() == 4.0
    matrix = running.ConfusionMatrix(2)
    with pytest.raises(ArgumentError, match=r"class numbers 0, ..., 1 .* got \[2\]"):
        matrix.update([2], [0])
    assert matrix.compute().sum() == 0
    with pytest.raises(ArgumentError, match="num_classes must be at least 1"):
        running.ConfusionMatrix(0)
