"""MultinomialNB: classes of texts, by how often each word occurs."""

from __future__ import annotations

import warnings
from numbers import Real
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import (
    _check_sample_weight,
    check_non_negative,
    validate_data,
)

from dotori.algorithms.naive_bayes import smoothed_log_frequencies
from dotori.errors import ArgumentError
from dotori.learn._arguments import boolean, number
from dotori.learn._callbacks import with_callbacks
from dotori.learn.naive_bayes._base import BayesClassifier

#: Below this, the logarithm of a frequency that never occurred loses its meaning.
_LEAST_ALPHA = 1e-10


class MultinomialNB(BayesClassifier):
    """Naive Bayes for counts, such as of words, or for weights such as tf-idf.

    Parameters
    ----------
    alpha : float or array of shape (d,)
        What is added to each count: 1 is Laplace's smoothing, 0 is none.
    force_alpha : bool
        False raises an `alpha` below 1e-10 to that.
    fit_prior : bool
        Whether P(c) are the shares of the classes; they are equal otherwise.
    class_prior : array of shape (classes,), optional
        P(c), given.

    Attributes
    ----------
    classes_, class_count_, class_log_prior_ : arrays of shape (classes,)
    feature_count_, feature_log_prob_ : arrays of shape (classes, d)
        Sums of the features, and the logarithms of their smoothed shares.

    References
    ----------
    C. D. Manning, P. Raghavan, H. Schuetze, *Introduction to Information Retrieval*,
    chapter 13, 2008.

    Examples
    --------
    >>> words = [[2, 1, 0], [1, 1, 0], [0, 1, 3]]
    >>> model = MultinomialNB().fit(words, ["sports", "sports", "art"])
    >>> model.predict([[1, 0, 0], [0, 0, 2]]).tolist()
    ['sports', 'art']
    """

    class_count_: Any
    feature_count_: Any

    def __init__(
        self,
        *,
        alpha: Any = 1.0,
        force_alpha: bool = True,
        fit_prior: bool = True,
        class_prior: Any = None,
    ) -> None:
        self.alpha = alpha
        self.force_alpha = force_alpha
        self.fit_prior = fit_prior
        self.class_prior = class_prior

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MultinomialNB:
        """Sums of the features, of shape (n, d), in each class."""
        self.__dict__.pop("classes_", None)
        return self._learn(X, y, None, sample_weight, refit=True)

    @with_callbacks
    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> MultinomialNB:
        """More rows; `classes`, all there will ever be, with the first ones."""
        return self._learn(X, y, classes, sample_weight)

    def _learn(
        self, X: Any, y: Any, classes: Any, sample_weight: Any, refit: bool = False
    ) -> MultinomialNB:
        boolean(self, "force_alpha")
        boolean(self, "fit_prior")
        first = not hasattr(self, "classes_")
        X, y = validate_data(self, X, y, accept_sparse="csr", reset=first)
        check_non_negative(X, "MultinomialNB (input X)")
        alpha = self._alpha()
        places = self._know(y, y if refit else classes, first)
        weights = np.ones(len(places))
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
        known = len(self.classes_)
        if first:
            self.class_count_ = np.zeros(known)
            self.feature_count_ = np.zeros((known, X.shape[1]))
        about = {"sample_weight": sample_weight}
        with self._tasks("fit", X, y, most=0, metadata=about):
            # a row for each class, with the weights of its samples: sums are a product
            entries = (weights, (places, np.arange(len(places))))
            member = sparse.csr_array(entries, shape=(known, len(places)))
            sums = member @ X
            self.feature_count_ += sums.toarray() if sparse.issparse(sums) else sums
            self.class_count_ += np.bincount(places, weights, minlength=known)
            with np.errstate(divide="ignore"):
                self.feature_log_prob_ = smoothed_log_frequencies(
                    self.feature_count_, alpha
                )
            self.class_log_prior_ = self._log_prior()
        return self

    def _alpha(self) -> Any:
        if isinstance(self.alpha, Real):
            alpha = np.asarray(number(self, "alpha", low=0.0), np.float64)
        else:
            alpha = np.asarray(self.alpha, np.float64)
            if alpha.shape != (self.n_features_in_,):
                raise ArgumentError(
                    "MultinomialNB: alpha must be a number, or one for each of "
                    f"{self.n_features_in_} features, got shape {alpha.shape}"
                )
            if (alpha < 0).any():
                raise ArgumentError(
                    f"MultinomialNB: alpha must be >= 0, got {alpha.min()} in it"
                )
        if not self.force_alpha and alpha.min() < _LEAST_ALPHA:
            warnings.warn(
                f"alpha too small will result in numeric errors, setting alpha = "
                f"{_LEAST_ALPHA:.1e}. Use `force_alpha=True` to keep alpha unchanged.",
                stacklevel=3,
            )
            return np.maximum(alpha, _LEAST_ALPHA)
        return alpha

    def _log_prior(self) -> Any:
        known = len(self.classes_)
        if self.class_prior is not None:
            if len(self.class_prior) != known:
                raise ArgumentError(
                    "MultinomialNB: Number of priors must match number of classes, "
                    f"{known}, got {len(self.class_prior)} of them"
                )
            return np.log(self.class_prior)
        if not self.fit_prior:
            return np.full(known, -np.log(known))
        with np.errstate(divide="ignore"):  # a class may not have been seen yet
            return np.log(self.class_count_) - np.log(self.class_count_.sum())

    def _read(self, X: Any) -> Any:
        return validate_data(self, X, accept_sparse="csr", reset=False)

    def _joint(self, X: Any) -> Any:
        return X @ self.feature_log_prob_.T + self.class_log_prior_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        tags.classifier_tags.poor_score = True
        return tags
