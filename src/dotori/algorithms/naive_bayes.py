"""Naive Bayes: Bayes' rule with features that are taken as independent in each class.

    P(c | x) = P(c) prod_j P(x_j | c) / P(x)

- **Gaussian**: P(x_j | c) = exp(-(x_j - m_cj)^2 / (2 v_cj)) / sqrt(2 pi v_cj).
- **Multinomial**: x_j counts how often a word occurs, P(x | c) is proportional to
  prod_j t_cj^x_j, with t_cj = (N_cj + a) / (N_c + a d): Laplace's smoothing.

Products of many small numbers vanish, so all is computed with logarithms, and P(x), the
sum over the classes, by log-sum-exp.

Reference: C. D. Manning, P. Raghavan, H. Schuetze, *Introduction to Information
Retrieval*, chapter 13, 2008.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.moments import block_rows
from dotori.kernels import in_parallel
from dotori.kernels._threads import one_blas_thread

Array = NDArray[Any]


def bayes(prior: Array, likelihood: Array) -> Array:
    """P(c | x) from P(c), of shape (classes,), and P(x | c), of shape (n, classes).

    Examples
    --------
    >>> bayes(np.array([0.01, 0.99]), np.array([[0.9, 0.05]])).round(3).tolist()
    [[0.154, 0.846]]
    """
    joint = prior * likelihood
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def gaussian_density(x: Array, mean: Array, variance: Array) -> Array:
    """P(x | c) of each row and class, by the definition; shape (n, classes).

    Examples
    --------
    >>> x, m, v = np.zeros((1, 2)), np.zeros((1, 2)), np.ones((1, 2))
    >>> bool(np.isclose(gaussian_density(x, m, v)[0, 0], 1 / (2 * np.pi)))
    True
    """
    away = np.square(x[:, None, :] - mean) / variance
    density = np.exp(-away / 2) / np.sqrt(2 * np.pi * variance)
    return np.asarray(density.prod(axis=2))


def gaussian_joint(x: Array, mean: Array, variance: Array, log_prior: Array) -> Array:
    """log P(c) + log P(x | c) for normally distributed features.

    Parameters
    ----------
    x : array of shape (n, d)
    mean, variance : arrays of shape (classes, d)
    log_prior : array of shape (classes,)

    Returns
    -------
    array of shape (n, classes)

    Examples
    --------
    >>> x, m, v = np.array([[0.2]]), np.array([[0.0], [1.0]]), np.ones((2, 1))
    >>> joint = gaussian_joint(x, m, v, np.log([0.5, 0.5]))
    >>> bool(np.allclose(np.exp(joint), 0.5 * gaussian_density(x, m, v)))
    True
    """
    kind = np.result_type(x, mean)
    kind = kind if kind.kind == "f" else np.dtype(np.float64)
    joint = np.empty((len(x), len(mean)), kind)
    constant = log_prior - 0.5 * np.log(2 * np.pi * variance).sum(axis=1)
    weights, rows = -0.5 / variance, block_rows(x.shape)

    def run(start: int, stop: int) -> None:
        for i in range(start, stop):
            place = slice(i * rows, (i + 1) * rows)
            for c in range(len(mean)):
                away = x[place] - mean[c]
                np.multiply(away, away, out=away)
                joint[place, c] = away @ weights[c] + constant[c]

    with one_blas_thread:
        in_parallel(-(-len(x) // rows), run, least=2)
    return joint


def smoothed_log_frequencies(counts: Array, alpha: float | Array) -> Array:
    """log t_cj: the share of feature j in class c, with `alpha` more of each.

    Parameters
    ----------
    counts : array of shape (classes, d)
    alpha : float or array of shape (d,)

    Examples
    --------
    >>> np.exp(smoothed_log_frequencies(np.array([[3.0, 0.0]]), 1.0)).tolist()
    [[0.8, 0.2]]
    """
    smoothed = counts + alpha
    total = np.log(smoothed.sum(axis=1, keepdims=True))
    return np.asarray(np.log(smoothed) - total)


def log_posterior(joint: Array) -> Array:
    """log P(c | x) from log P(c, x), both of shape (n, classes), by log-sum-exp.

    Examples
    --------
    >>> np.exp(log_posterior(np.array([[-1000.0, -1000.0]]))).tolist()
    [[0.5, 0.5]]
    """
    largest = joint.max(axis=1, keepdims=True)
    largest[~np.isfinite(largest)] = 0.0
    below = joint - largest
    return np.asarray(below - np.log(np.exp(below).sum(axis=1, keepdims=True)))
