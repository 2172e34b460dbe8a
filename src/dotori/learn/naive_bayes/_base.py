"""What the classifiers by Bayes' rule share: classes, and predicting by log P(c, x)."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted

from dotori.algorithms.naive_bayes import log_posterior
from dotori.errors import ArgumentError
from dotori.learn._base import Estimator


class BayesClassifier(ClassifierMixin, Estimator):
    """A classifier that knows ``_joint(X)``, log P(c, x) of shape (n, classes)."""

    classes_: Any

    def _joint(self, X: Any) -> Any:
        raise NotImplementedError

    def _read(self, X: Any) -> Any:
        raise NotImplementedError

    def predict_joint_log_proba(self, X: Any) -> Any:
        """log P(c) + log P(x | c) of each row and class; shape (n, classes)."""
        check_is_fitted(self)
        return self._joint(self._read(X))

    def predict(self, X: Any) -> Any:
        """The most probable class of each row; shape (n,)."""
        joint = self.predict_joint_log_proba(X)
        return self.classes_[joint.argmax(axis=1)]

    def predict_log_proba(self, X: Any) -> Any:
        """log P(c | x) of each row and class; shape (n, classes)."""
        return log_posterior(self.predict_joint_log_proba(X))

    def predict_proba(self, X: Any) -> Any:
        """P(c | x) of each row and class; shape (n, classes)."""
        return np.exp(self.predict_log_proba(X))

    def _know(self, y: Any, classes: Any, first: bool) -> Any:
        """Remember the classes; the place of each label among them."""
        check_classification_targets(y)
        if first:
            if classes is None:
                raise ArgumentError(
                    f"{type(self).__name__}.partial_fit: classes must be passed on the "
                    "first call to partial_fit, as later parts may have others"
                )
            self.classes_ = unique_labels(classes)
        elif classes is not None and not np.array_equal(
            self.classes_, unique_labels(classes)
        ):
            raise ArgumentError(
                f"{type(self).__name__}.partial_fit: `classes={classes!r}` is not the "
                f"same as on last call to partial_fit, was: {self.classes_!r}"
            )
        places = np.searchsorted(self.classes_, y)
        places = np.minimum(places, len(self.classes_) - 1)
        unknown = self.classes_[places] != y
        if unknown.any():
            raise ArgumentError(
                f"{type(self).__name__}: the label(s) {np.unique(y[unknown])} in "
                f"y do not exist in the initial classes {self.classes_}"
            )
        return places
