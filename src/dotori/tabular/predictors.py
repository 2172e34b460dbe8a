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
from dotori.tabular.network import build_network
from dotori.tabular.options import Options
from dotori.tabular.target import Target

if TYPE_CHECKING:
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
    """x @ weight + intercept, and for classes a softmax of that.

    Parameters
    ----------
    weight : float64 array of shape (d, m)
        One column for amounts and for two classes (the log-odds of the second one),
        else one for each class.
    intercept : float64 array of shape (m,)
    classes : int64 array of shape (k,)
        The class numbers that it knows; empty for amounts.
    """

    weight: Float
    intercept: Float
    classes: Index

    @property
    def name(self) -> str:
        """Linear or logistic."""
        return "logistic" if len(self.classes) else "linear"

    def output(self, x: Array, target: Target) -> Float:
        """Amounts, or probabilities."""
        # A float64 product a block at a time: float32 rows are not copied as a whole.
        scores = _by_blocks(lambda part: part.astype(np.float64) @ self.weight, x)
        scores = scores + self.intercept
        if not len(self.classes):
            return scores[:, 0]
        if scores.shape[1] == 1:
            scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
        return _spread(softmax(scores), self.classes, len(target.classes))

    def to_state(self) -> State:
        """The coefficients."""
        return _state(
            weight=self.weight, intercept=self.intercept, classes=self.classes
        )

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], width: int) -> LinearPredictor:
        """From what a file holds."""
        weight = _array(fields["weight"], np.float64, (width, None))
        columns = weight.shape[1]
        intercept = _array(fields["intercept"], np.float64, (columns,))
        classes = _array(fields["classes"], np.int64, (None,))
        if columns != (1 if len(classes) in (0, 2) else len(classes)):
            raise FormatError(f"weights of shape {weight.shape} do not fit")
        return cls(weight, intercept, classes)


@dataclass(frozen=True)
class TreePredictor:
    """A tree, or the mean of the trees of a forest.

    Parameters
    ----------
    trees : list of Tree
    classes : int64 array of shape (k,)
        The class numbers that they know; empty for amounts.
    forest : bool
    """

    trees: list[Tree]
    classes: Index
    forest: bool

    @property
    def name(self) -> str:
        """Tree or forest."""
        return "forest" if self.forest else "tree"

    def output(self, x: Array, target: Target) -> Float:
        """Amounts, or probabilities."""
        values = _by_blocks(self._mean, x)
        if not len(self.classes):
            return values[:, 0]
        return _spread(values, self.classes, len(target.classes))

    def _mean(self, x: Array) -> Float:
        total = np.zeros((len(x), self.trees[0].max_n_classes))
        for tree in self.trees:
            total += tree.predict(x)
        total /= len(self.trees)
        return total

    def to_state(self) -> State:
        """All nodes."""
        return _state(trees=self.trees, classes=self.classes, forest=self.forest)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], width: int) -> TreePredictor:
        """From what a file holds."""
        from dotori.algorithms.tree.tree import Tree

        trees, classes = fields["trees"], _array(fields["classes"], np.int64, (None,))
        if not isinstance(trees, list) or not trees:
            raise FormatError("there are no trees")
        for tree in trees:
            if not isinstance(tree, Tree) or tree.n_features != width:
                raise FormatError(f"a tree of {width} columns was wanted")
            if tree.value.shape[1:] != (1, max(1, len(classes))):
                raise FormatError(f"a tree's values have the shape {tree.value.shape}")
            if not np.isfinite(tree.value).all():
                raise FormatError("a tree's values are not finite")
        return cls(trees, classes, bool(fields["forest"]))


@dataclass(frozen=True)
class ClusterPredictor:
    """The centres of clusters: a row belongs to the nearest one.

    Parameters
    ----------
    centers : float64 array of shape (k, d)
    """

    centers: Float
    name: ClassVar[str] = "kmeans"

    def output(self, x: Array, target: Target) -> Float:
        """The distance of each row to each centre."""
        return _by_blocks(self._distances, x)

    def _distances(self, x: Array) -> Float:
        squares = [
            np.square(x.astype(np.float64) - center).sum(axis=1)
            for center in self.centers
        ]
        distances: Float = np.sqrt(np.stack(squares, axis=1))
        return distances

    def to_state(self) -> State:
        """The centres."""
        return _state(centers=self.centers)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], width: int) -> ClusterPredictor:
        """From what a file holds."""
        centers = _array(fields["centers"], np.float64, (None, width))
        if not len(centers):
            raise FormatError("there are no centres")
        return cls(centers)


_READERS: dict[str, Callable[[Mapping[str, Any], int], Predictor]] = {
    "linear": LinearPredictor.from_fields,
    "logistic": LinearPredictor.from_fields,
    "tree": TreePredictor.from_fields,
    "forest": TreePredictor.from_fields,
    "kmeans": ClusterPredictor.from_fields,
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
    if options.model == "mlp":
        network = build_network(width, target.num_outputs, options)
        n = len("network.")
        weights = {k[n:]: a for k, a in arrays.items() if k.startswith("network.")}
        network.load_state_dict(weights)
        return NetworkPredictor(network.eval())
    if options.model not in _READERS:
        raise FormatError(f"no file holds a model of the kind {options.model!r}")
    if options.model in ("tree", "forest"):
        import_module("dotori.algorithms.tree.tree")  # lets its classes be read
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


def _array(value: Any, dtype: type, shape: tuple[int | None, ...]) -> Array:
    """The value, if it is a finite array of this type and shape."""
    if not isinstance(value, np.ndarray) or value.dtype != dtype:
        raise FormatError(f"an array of {np.dtype(dtype)} was wanted")
    pairs = zip(value.shape, shape, strict=False)
    if value.ndim != len(shape) or any(b not in (None, a) for a, b in pairs):
        raise FormatError(f"an array of shape {shape} was wanted, got {value.shape}")
    if not np.isfinite(value).all():
        raise FormatError("an array of a fitted model holds infinities or NaN")
    return value
