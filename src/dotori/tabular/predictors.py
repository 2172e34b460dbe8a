"""What a trained model keeps: arrays that predict with NumPy alone.

A network has its weights, a linear model its coefficients, trees their nodes, k-means
its centres. What a file holds of them is checked before anything is done with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from dotori import nn
from dotori.algorithms._stored import from_document, to_document
from dotori.autograd import no_grad, wrap
from dotori.errors import FormatError
from dotori.tabular.families import FAMILIES
from dotori.tabular.network import build_network
from dotori.tabular.options import Options
from dotori.tabular.target import Target

if TYPE_CHECKING:
    from dotori.algorithms.kmeans.lloyd import KMeansModel
    from dotori.algorithms.linear.least_squares import LinearModel
    from dotori.algorithms.logistic.model import LogisticModel
    from dotori.algorithms.tree.stacked import Forest
    from dotori.algorithms.tree.tree import Tree

Array = NDArray[Any]
Float = NDArray[np.float64]
Index = NDArray[np.int64]
State = tuple[dict[str, Array], dict[str, Any]]
_NETWORK_ROWS, _ROWS = 4096, 65_536


class Predictor(Protocol):
    """A trained model of preprocessed rows."""

    @property
    def name(self) -> str:
        """Its family's name, as ``--model`` has it."""

    def output(self, x: Array, target: Target) -> Float:
        """What it gives for a matrix of shape (n, d).

        Amounts of shape (n,), probabilities of shape (n, classes), or distances to the
        centres of shape (n, clusters).
        """

    def to_state(self) -> State:
        """Arrays and JSON for the model file."""


@dataclass
class NetworkPredictor:
    """A multilayer perceptron."""

    network: nn.Module
    name: ClassVar[str] = "mlp"

    def output(self, x: Array, target: Target) -> Float:
        """What the network gives, in the target's own terms."""
        self.network.eval()
        with no_grad():
            values = _by_blocks(
                lambda part: self.network(wrap(part)).array, x, _NETWORK_ROWS
            )
        values = values.astype(np.float64)
        if target.is_regression:
            return target.unscale(values[:, 0])
        if target.num_outputs == 1:  # the logit of the second class
            values = np.concatenate([np.zeros_like(values), values], axis=1)
        return softmax(values)

    def to_state(self) -> State:
        """The weights."""
        weights = self.network.state_dict()
        return {f"network.{k}": np.asarray(v.array) for k, v in weights.items()}, {}


@dataclass(frozen=True)
class LinearPredictor:
    """A linear or a logistic model.

    Parameters
    ----------
    fitted : LinearModel or LogisticModel
        With float64 coefficients. A logistic model of two classes has one row: the
        log-odds of the second one.
    classes : int64 array of shape (k,)
        The class numbers that it knows; empty for amounts.
    """

    fitted: LinearModel | LogisticModel
    classes: Index

    @property
    def name(self) -> str:
        """Linear or logistic."""
        return "logistic" if len(self.classes) else "linear"

    @property
    def coef(self) -> Float:
        """The coefficients, shape (m, d): a row for amounts, else as above."""
        return np.atleast_2d(self.fitted.coef)

    @property
    def intercept(self) -> Float:
        """The intercepts, shape (m,)."""
        return np.atleast_1d(self.fitted.intercept)

    def output(self, x: Array, target: Target) -> Float:
        """Amounts, or probabilities."""
        # In float64 a block at a time: float32 rows are not copied as a whole.
        found = _by_blocks(lambda part: self.fitted.predict(part.astype(np.float64)), x)
        if not len(self.classes):
            return found
        return _spread(found, self.classes, len(target.classes))

    def as_network(self, target: Target) -> NetworkPredictor:
        """A network of one layer, in float32, that gives the same."""
        weight, intercept = self.coef, self.intercept
        if len(weight) < target.num_outputs:  # a logit for each of two classes
            weight = np.concatenate([np.zeros_like(weight), weight])
            intercept = np.append(0.0, intercept)
        if target.is_regression:  # what a network gives is standardised
            weight = weight / target.std
            intercept = (intercept - target.mean) / target.std
        layer = nn.Linear(weight.shape[1], len(weight))
        arrays = {"weight": weight, "bias": intercept}
        layer.load_state_dict(
            {name: wrap(value.astype(np.float32)) for name, value in arrays.items()}
        )
        return NetworkPredictor(nn.Sequential(layer))

    def to_state(self) -> State:
        """The coefficients."""
        return _state(fitted=self.fitted, classes=self.classes)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], width: int) -> LinearPredictor:
        """From what a file holds."""
        from dotori.algorithms.linear.least_squares import LinearModel
        from dotori.algorithms.logistic.model import LogisticModel

        fitted, classes = fields["fitted"], _classes(fields)
        kind = LogisticModel if len(classes) else LinearModel
        if not isinstance(fitted, kind):
            raise FormatError(f"a {kind.__name__} was wanted")
        found = cls(fitted, classes)
        rows = len(classes) if len(classes) > 2 else 1
        shape = (rows, width) if len(classes) else (width,)
        _check(fitted.coef, np.float64, shape)
        _check(np.asarray(fitted.intercept), np.float64, shape[:-1])
        return found


@dataclass(frozen=True)
class TreePredictor:
    """A tree, or the mean of the trees of a forest.

    Parameters
    ----------
    fitted : Tree or Forest
    classes : int64 array of shape (k,)
        The class numbers that they know; empty for amounts.
    """

    fitted: Tree | Forest
    classes: Index

    @property
    def name(self) -> str:
        """Tree or forest."""
        return "tree" if hasattr(self.fitted, "feature") else "forest"

    @property
    def trees(self) -> list[Tree]:
        """All trees; one, if it is no forest."""
        from dotori.algorithms.tree.tree import Tree

        if isinstance(self.fitted, Tree):
            return [self.fitted]
        return [self.fitted.tree(i) for i in range(len(self.fitted))]

    def output(self, x: Array, target: Target) -> Float:
        """Amounts, or probabilities."""
        values: Float = self.fitted.predict(x)
        values = values[:, 0] if values.ndim == 3 else values  # of a forest
        if not len(self.classes):
            return values[:, 0]
        return _spread(values, self.classes, len(target.classes))

    def to_state(self) -> State:
        """All nodes."""
        return _state(fitted=self.fitted, classes=self.classes)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], width: int) -> TreePredictor:
        """From what a file holds; trees check themselves that they are trees."""
        from dotori.algorithms.tree.stacked import Forest
        from dotori.algorithms.tree.tree import NODE_ARRAYS, Tree

        fitted, classes = fields["fitted"], _classes(fields)
        if not isinstance(fitted, (Tree, Forest)):
            raise FormatError("a tree or a forest was wanted")
        if fitted.n_features != width:
            raise FormatError(f"trees of {fitted.n_features} columns, not of {width}")
        nodes = vars(fitted) if isinstance(fitted, Tree) else fitted.nodes
        _check(nodes["value"], np.float64, (None, 1, max(1, len(classes))))
        for name in NODE_ARRAYS - {"value"}:
            if nodes[name].ndim != (2 if name == "categories" else 1):
                raise FormatError(f"{name} of shape {nodes[name].shape} in a tree")
        return cls(fitted, classes)


@dataclass(frozen=True)
class ClusterPredictor:
    """The centres of clusters: a row belongs to the nearest one."""

    fitted: KMeansModel
    name: ClassVar[str] = "kmeans"

    @property
    def centers(self) -> Float:
        """The centres, shape (k, d), in scaled columns."""
        return self.fitted.centers

    def output(self, x: Array, target: Target) -> Float:
        """The distance of each row to each centre."""
        distances = self.fitted.transform
        return _by_blocks(lambda part: distances(part.astype(np.float64)), x)

    def to_state(self) -> State:
        """The centres."""
        return _state(fitted=self.fitted)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], width: int) -> ClusterPredictor:
        """From what a file holds."""
        from dotori.algorithms.kmeans.lloyd import KMeansModel

        fitted = fields["fitted"]
        if not isinstance(fitted, KMeansModel) or not len(fitted.centers):
            raise FormatError("centres were wanted")
        _check(fitted.centers, np.float64, (None, width))
        return cls(fitted)


_READERS: dict[str, Callable[[Mapping[str, Any], int], Predictor]] = {
    "linear": LinearPredictor.from_fields,
    "logistic": LinearPredictor.from_fields,
    "tree": TreePredictor.from_fields,
    "forest": TreePredictor.from_fields,
    "kmeans": ClusterPredictor.from_fields,
}

_HOMES = {
    "linear": "dotori.algorithms.linear.least_squares",
    "logistic": "dotori.algorithms.logistic.model",
    "tree": "dotori.algorithms.tree.tree",
    "forest": "dotori.algorithms.tree.stacked",
    "kmeans": "dotori.algorithms.kmeans.lloyd",
}


def predictor_from_state(
    arrays: Mapping[str, Array],
    document: Mapping[str, Any],
    width: int,
    target: Target,
    options: Options,
) -> Predictor:
    """The predictor that a model file holds, for matrices of `width` columns.

    Raises
    ------
    FormatError
        If the parts are impossible, or do not fit the target or the width.
    """
    if target.task not in FAMILIES[options.model].tasks:
        raise FormatError(f"{options.model} and a target for {target.task}")
    if options.model == "mlp":
        network = build_network(width, target.num_outputs, options)
        n = len("network.")
        weights = {k[n:]: a for k, a in arrays.items() if k.startswith("network.")}
        network.load_state_dict(weights)
        return NetworkPredictor(network.eval())
    if options.model not in _READERS:
        raise FormatError(f"no file holds a model of the kind {options.model!r}")
    import_module(_HOMES[options.model])  # lets its classes be read
    fields = from_document(document["fitted"], arrays)
    if not isinstance(fields, dict):
        raise FormatError("the fitted model is no dictionary")
    found = _READERS[options.model](fields, width)
    if found.name != options.model:
        raise FormatError(f"{options.model} was wanted, the file holds {found.name}")
    _check_target(found, target)
    return found


def _check_target(found: Predictor, target: Target) -> None:
    """Refuse a model that answers another question than the target asks."""
    if isinstance(found, ClusterPredictor):
        if target != Target.clusters(len(found.centers)):
            raise FormatError(f"{len(found.centers)} clusters do not fit the target")
        return
    classes = getattr(found, "classes", np.empty(0, np.int64))
    if classes.tolist() != list(range(len(target.classes))):
        raise FormatError(
            f"a model of the classes {classes.tolist()[:20]} does not fit a target of "
            f"{len(target.classes)} classes"
        )


def softmax(scores: Array) -> Float:
    """exp(s_j) / sum_k exp(s_k) for each row, shifted so that nothing overflows."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Float = powers / powers.sum(axis=1, keepdims=True)
    return result


def _spread(probabilities: Float, classes: Index, total: int) -> Float:
    """A column for every class, 0 for those that the model did not see."""
    if len(classes) == total:
        return probabilities
    spread = np.zeros((len(probabilities), total))
    spread[:, classes] = probabilities
    return spread


def _by_blocks(
    function: Callable[[Array], Array], x: Array, rows: int = _ROWS
) -> Array:
    """The function of all rows, so many at a time; called once if there are none."""
    starts = range(0, max(len(x), 1), rows)
    return np.concatenate([function(x[i : i + rows]) for i in starts])


def _state(**fields: Any) -> State:
    arrays: dict[str, Array] = {}
    return arrays, {"fitted": to_document(fields, arrays, "model")}


def _classes(fields: Mapping[str, Any]) -> Index:
    classes: Index = fields["classes"]
    _check(classes, np.int64, (None,))
    return classes


def _check(value: Any, dtype: type, shape: tuple[int | None, ...]) -> None:
    """Refuse what is no finite array of this type and shape."""
    if not isinstance(value, np.ndarray) or value.dtype != dtype:
        raise FormatError(f"an array of {np.dtype(dtype)} was wanted")
    pairs = zip(value.shape, shape, strict=False)
    if value.ndim != len(shape) or any(b not in (None, a) for a, b in pairs):
        raise FormatError(f"an array of shape {shape} was wanted, got {value.shape}")
    if not np.isfinite(value).all():
        raise FormatError("an array of a fitted model holds infinities or NaN")
