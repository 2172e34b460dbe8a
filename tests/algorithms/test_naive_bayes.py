"""Naive Bayes by logarithms and blocks, against Bayes' rule as it is written."""

import numpy as np
import pytest

from dotori.algorithms import moments
from dotori.algorithms.naive_bayes import (
    bayes,
    gaussian_density,
    gaussian_joint,
    log_posterior,
    smoothed_log_frequencies,
)


@pytest.mark.parametrize("n", [1, 3, 500])
def test_the_posterior_is_bayes_rule(n, monkeypatch):
    monkeypatch.setattr(moments, "BLOCK", 100)
    rng = np.random.default_rng(n)
    x, mean = rng.normal(size=(n, 3)), rng.normal(size=(4, 3))
    variance, prior = rng.uniform(0.1, 3, size=(4, 3)), np.array([0.1, 0.2, 0.3, 0.4])
    joint = gaussian_joint(x, mean, variance, np.log(prior))
    by_rule = bayes(prior, gaussian_density(x, mean, variance))
    np.testing.assert_allclose(np.exp(log_posterior(joint)), by_rule, rtol=1e-12)


def test_a_density_integrates_to_one():
    x = np.linspace(-30, 30, 20001)[:, None]
    density = gaussian_density(x, np.array([[1.0]]), np.array([[2.5]]))[:, 0]
    assert density.sum() * (x[1, 0] - x[0, 0]) == pytest.approx(1, rel=1e-12)


def test_far_away_probabilities_neither_vanish_nor_overflow():
    x, mean = np.array([[1e5]]), np.array([[0.0], [1.0]])
    joint = gaussian_joint(x, mean, np.ones((2, 1)), np.log([0.5, 0.5]))
    found = log_posterior(joint)
    # log-odds of the classes: (x^2 - (x - 1)^2) / 2
    np.testing.assert_allclose(found, [[-(1e5 - 0.5), 0.0]], rtol=1e-12, atol=1e-300)


def test_classes_without_probability_stay_without():
    joint = np.array([[-np.inf, -3.0], [-np.inf, -np.inf]])
    with np.errstate(all="ignore"):
        found = log_posterior(joint)
    np.testing.assert_array_equal(found[0], [-np.inf, 0.0])


def test_frequencies_are_smoothed():
    counts = np.array([[3.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    found = np.exp(smoothed_log_frequencies(counts, np.array([1.0, 2.0, 3.0])))
    np.testing.assert_allclose(found, [[0.4, 0.3, 0.3], [1 / 6, 2 / 6, 3 / 6]])
