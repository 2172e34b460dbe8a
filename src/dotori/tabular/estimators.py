"""Fitting a model that is no network: an estimator learns, its arrays are kept."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.errors import DataError, need
from dotori.tabular.describe import ALPHA, TREES, depth_of, describe, leaf_of
from dotori.tabular.options import Options
from dotori.tabular.predictors import (
    ClusterPredictor,
    LinearPredictor,
    Predictor,
    TreePredictor,
)
from dotori.tabular.target import Target
from dotori.tabular.watch import Watcher

Array = NDArray[Any]

#: The estimators of `dotori.learn`, by family and by whether amounts are predicted.
ESTIMATORS = {
    ("linear", True): "Ridge",
    ("logistic", False): "LogisticRegression",
    ("tree", True): "DecisionTreeRegressor",
    ("tree", False): "DecisionTreeClassifier",
    ("forest", True): "RandomForestRegressor",
    ("forest", False): "RandomForestClassifier",
    ("kmeans", False): "KMeans",
}

_STARTS = 10
_STEPS = 1000


@dataclass
class Fitted:
    """A predictor, the estimator that it was taken from, and what is to be said."""

    predictor: Predictor
    estimator: Any
    notes: list[str]
    seconds: float


def need_estimators(model: str) -> None:
    """Say which command installs what fitting needs, if it is not there."""
    need("sklearn", "learn", f"fitting --model {model}")


def fit_estimator(
    x: Array,
    y: Array,
    weight: Array | None,
    target: Target,
    options: Options,
    watcher: Watcher | None = None,
    stop: Callable[[float], bool] | None = None,
) -> Fitted:
    """Fit the model that the options name.

    Parameters
    ----------
    x : float32 array of shape (n, d)
    y : array of shape (n,)
        Amounts or class numbers; not looked at where clusters are wanted.
    weight : array of shape (n,), optional
    target : Target
    options : Options
        Of another model than a network.
    watcher : Watcher, optional
        Hears of the fit, and of each tree of a forest.
    stop : callable, optional
        Asked after each tree or iteration (with scikit-learn 1.9 or newer), and told
        which part of all trees that is. Once it says True, the fit ends as soon as it
        can, and what comes back is not finished.

    Raises
    ------
    DataError
        If the estimator refuses the data; its own words follow.
    MissingDependencyError
        If scikit-learn is not installed.
    """
    need_estimators(options.model)
    maker, keep, dtype = _MAKERS[options.model]
    estimator = _estimator(options.model, target)(**maker(y, target, options))
    given = () if target.is_clusters else (y,)
    watcher, started, done = watcher or Watcher(), time.perf_counter(), False
    watcher.on_fit(describe(options), _listen(estimator, watcher, stop))
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            estimator.fit(x.astype(dtype, copy=False), *given, sample_weight=weight)
        done = True
    except ValueError as error:
        words = " ".join(str(error).split())
        raise DataError(f"--model {options.model}: {words}") from error
    finally:
        watcher.on_fit_end(done)
    notes = [_sentence(w.message) for w in caught if _concerns(w)]
    seconds = time.perf_counter() - started
    return Fitted(keep(estimator), estimator, list(dict.fromkeys(notes)), seconds)


def _listen(
    estimator: Any, watcher: Watcher, stop: Callable[[float], bool] | None
) -> int | None:
    """Let the watcher hear of a forest's trees; how many there will be, if it can."""
    trees = getattr(estimator, "n_estimators", None)
    if not hasattr(estimator, "set_callbacks") or (trees is None and stop is None):
        return None
    estimator.set_callbacks(_Steps(watcher, stop, trees))
    return None if trees is None else int(trees)


class _Steps:
    """A callback in scikit-learn's protocol: trees of a forest, or iterations."""

    def __init__(
        self,
        watcher: Watcher,
        stop: Callable[[float], bool] | None,
        steps: int | None,
    ) -> None:
        self.watcher, self.stop, self.steps = watcher, stop, steps
        self.done = 0

    def setup(self, estimator: Any, context: Any) -> None:
        """Before the fit."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """After the fit."""

    def on_fit_task_begin(self, estimator: Any, context: Any, **about: Any) -> None:
        """Before the fit, and before each tree."""

    def on_fit_task_end(self, estimator: Any, context: Any, **about: Any) -> bool:
        """After each tree, and after the fit."""
        if context.parent is None:
            return False
        self.done += 1
        self.watcher.on_step()
        part = self.done / self.steps if self.steps else 0.0
        return self.stop is not None and self.stop(part)


def _estimator(model: str, target: Target) -> Callable[..., Any]:
    learn = import_module("dotori.learn")
    found: Callable[..., Any] = getattr(learn, ESTIMATORS[model, target.is_regression])
    return found


def _concerns(warning: warnings.WarningMessage) -> bool:
    """Whether a warning is about the data or the fit, and not about the program."""
    return not issubclass(
        warning.category, (DeprecationWarning, PendingDeprecationWarning, FutureWarning)
    )


def _sentence(message: Warning | str) -> str:
    """The first sentence of a warning."""
    line = " ".join(str(message).split())
    return line.partition(". ")[0].rstrip(".")


# ------------------------------------------------------------ parameters


def _ridge(y: Array, target: Target, options: Options) -> dict[str, Any]:
    return {"alpha": ALPHA if options.alpha is None else options.alpha}


def _logistic(y: Array, target: Target, options: Options) -> dict[str, Any]:
    alpha = ALPHA if options.alpha is None else options.alpha
    return {"C": 1 / alpha if alpha else np.inf, "max_iter": _STEPS}


def _tree(y: Array, target: Target, options: Options) -> dict[str, Any]:
    unit = float(np.var(y)) if target.is_regression else 1.0
    return {
        "max_depth": depth_of(options),
        "ccp_alpha": (options.alpha or 0.0) * unit,
        "random_state": options.seed,
    }


def _forest(y: Array, target: Target, options: Options) -> dict[str, Any]:
    return {
        "n_estimators": options.trees or TREES,
        "max_depth": depth_of(options),
        "min_samples_leaf": leaf_of(len(y), target.is_regression),
        "random_state": options.seed,
        "n_jobs": -1,
    }


def _kmeans(y: Array, target: Target, options: Options) -> dict[str, Any]:
    return {
        "n_clusters": options.clusters,
        "n_init": _STARTS,
        "random_state": options.seed,
    }


# ------------------------------------------------------------ what is kept


def _classes(estimator: Any) -> NDArray[np.int64]:
    return np.asarray(getattr(estimator, "classes_", ()), np.int64)


def _keep_linear(estimator: Any) -> Predictor:
    from dotori.algorithms.linear.least_squares import LinearModel

    coef = np.asarray(estimator.coef_, np.float64)
    fitted = LinearModel(coef, np.asarray(estimator.intercept_, np.float64))
    return LinearPredictor(fitted, _classes(estimator))


def _keep_logistic(estimator: Any) -> Predictor:
    from dotori.algorithms.logistic.model import LogisticModel

    coef = np.asarray(estimator.coef_, np.float64)
    fitted = LogisticModel(coef, np.asarray(estimator.intercept_, np.float64))
    return LinearPredictor(fitted, _classes(estimator))


def _keep_tree(estimator: Any) -> Predictor:
    return TreePredictor(estimator.tree_, _classes(estimator))


def _keep_forest(estimator: Any) -> Predictor:
    from dotori.algorithms.tree.stacked import Forest

    forest = Forest.of([one.tree_ for one in estimator.estimators_])
    return TreePredictor(forest, _classes(estimator))


def _keep_centers(estimator: Any) -> Predictor:
    from dotori.algorithms.kmeans.lloyd import KMeansModel

    return ClusterPredictor(
        KMeansModel(np.asarray(estimator.cluster_centers_, np.float64))
    )


_MAKERS: dict[str, tuple[Callable[..., dict[str, Any]], Callable[..., Predictor], Any]]
_MAKERS = {
    "linear": (_ridge, _keep_linear, np.float64),
    "logistic": (_logistic, _keep_logistic, np.float64),
    "tree": (_tree, _keep_tree, np.float32),
    "forest": (_forest, _keep_forest, np.float32),
    "kmeans": (_kmeans, _keep_centers, np.float32),
}
