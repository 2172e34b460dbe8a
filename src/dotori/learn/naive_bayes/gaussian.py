"""GaussianNB: a normal distribution for each feature and class."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import _check_sample_weight, validate_data

from dotori.algorithms.moments import Moments, column_moments
from dotori.algorithms.naive_bayes import gaussian_joint
from dotori.errors import ArgumentError
from dotori.learn._arguments import number
from dotori.learn._callbacks import with_callbacks
from dotori.learn.naive_bayes._base import BayesClassifier


class GaussianNB(BayesClassifier):
    """Naive Bayes with a normal distribution for each feature in each class.

    Parameters
    ----------
    priors : array of shape (classes,), optional
        P(c); the shares of the classes otherwise.
    var_smoothing : float
        This part of the largest variance of all features is added to each variance, so
        that a feature that is constant in a class does not decide alone.

    Attributes
    ----------
    classes_, class_count_, class_prior_ : arrays of shape (classes,)
    theta_, var_ : arrays of shape (classes, d)
        Means, and variances with what was added.
    epsilon_ : float
        What was added.

    References
    ----------
    T. F. Chan, G. H. Golub, R. J. LeVeque, *Updating formulae and a pairwise algorithm
    for computing sample variances*, STAN-CS-79-773, 1979 (parts joined).

    Examples
    --------
    >>> model = GaussianNB().fit([[0.0], [1.0], [4.0], [6.0]], ["a", "a", "b", "b"])
    >>> model.predict([[0.2], [4.5]]).tolist()
    ['a', 'b']
    """

    theta_: Any
    var_: Any
    epsilon_: Any
    class_count_: Any
    class_prior_: Any

    def __init__(self, *, priors: Any = None, var_smoothing: float = 1e-9) -> None:
        self.priors = priors
        self.var_smoothing = var_smoothing

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> GaussianNB:
        """Means and variances in each class of X, of shape (n, d)."""
        self.__dict__.pop("classes_", None)
        return self._learn(X, y, None, sample_weight, refit=True)

    @with_callbacks
    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> GaussianNB:
        """More rows; `classes`, all there will ever be, with the first ones."""
        return self._learn(X, y, classes, sample_weight)

    def _learn(
        self, X: Any, y: Any, classes: Any, sample_weight: Any, refit: bool = False
    ) -> GaussianNB:
        smoothing = number(self, "var_smoothing", low=0.0)
        first = not hasattr(self, "classes_")
        X, y = validate_data(self, X, y, reset=first)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X)
        places = self._know(y, y if refit else classes, first)
        kind = X.dtype if X.dtype.kind == "f" else np.dtype(np.float64)
        if first:
            self._start(kind)
        about = {"sample_weight": sample_weight}
        with self._tasks("fit", X, y, most=0, metadata=about):
            variances = self.var_ if first else self.var_ - self.epsilon_
            self.epsilon_ = smoothing * column_moments(X).variance.max()
            for c in np.unique(places):
                rows = places == c
                w = None if weights is None else weights[rows]
                self._join(c, variances, column_moments(X[rows], w))
            self.var_ = (variances + self.epsilon_).astype(self.theta_.dtype)
            self.epsilon_ = self.theta_.dtype.type(self.epsilon_)
            if self.priors is None:
                self.class_prior_ = self.class_count_ / self.class_count_.sum()
        return self

    def _start(self, kind: Any) -> None:
        """Nothing has been seen yet."""
        shape = (len(self.classes_), self.n_features_in_)
        self.theta_, self.var_ = np.zeros(shape, kind), np.zeros(shape, kind)
        self.class_count_ = np.zeros(shape[0], kind)
        self.class_prior_ = np.zeros(shape[0], kind)
        if self.priors is None:
            return
        priors = np.asarray(self.priors, kind)
        if priors.shape != shape[:1]:
            raise ArgumentError(
                "GaussianNB: Number of priors must match number of classes, "
                f"{shape[0]}, got an array of shape {priors.shape}"
            )
        if not np.isclose(priors.sum(), 1.0):
            raise ArgumentError(
                f"GaussianNB: The sum of the priors should be 1, got {priors.sum()}"
            )
        if (priors < 0).any():
            raise ArgumentError(
                f"GaussianNB: Priors must be non-negative, got {priors}"
            )
        self.class_prior_ = priors

    def _join(self, c: int, variances: Any, new: Moments) -> None:
        """The moments of class `c` with those of its new rows."""
        if not new.count[0] > 0:
            return
        mean, variance = self.theta_[c].astype(float), variances[c].astype(float)
        count = np.full(self.n_features_in_, float(self.class_count_[c]))
        both = Moments(count, mean, variance * count).join(new)
        self.theta_[c], variances[c] = both.mean, both.variance
        self.class_count_[c] = both.count[0]

    def _read(self, X: Any) -> Any:
        return validate_data(self, X, reset=False)

    def _joint(self, X: Any) -> Any:
        with np.errstate(divide="ignore"):
            prior = np.log(self.class_prior_)
        return gaussian_joint(X, self.theta_, self.var_, prior)
