"""The options of a training job: one name for the command line, TOML and Python."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dotori.errors import ArgumentError
from dotori.tabular.families import FAMILIES, MODELS, check_options

ACTIVATIONS = (
    "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus",
    "hardswish", "tanh", "sigmoid",
)  # fmt: skip
LOSSES = ("auto", "mse", "l1", "huber", "cross_entropy", "bce")
OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop")
SCHEDULES = ("none", "cosine", "step", "exponential", "plateau", "onecycle")
TASKS = ("auto", "regression", "binary", "multiclass")
SCALES = ("standard", "minmax", "none")


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to train on a table. Every field is an option of ``dotori train``.

    Attributes
    ----------
    model : str
        ``"mlp"``: a network; ``"linear"``, ``"logistic"``, ``"tree"``, ``"forest"``;
        ``"kmeans"``, which needs no target; ``"auto"`` tries those that fit the task.
        An option that belongs to other models only must be left out.
    task : str
        ``"auto"`` finds regression, binary or multiclass from the target.
    hidden : tuple of int
        Sizes of the hidden layers; none for a linear model.
    activation, dropout
        Between the layers.
    loss : str
        ``"auto"``: mean squared error, or cross-entropy for classes.
    optimizer, lr, weight_decay, momentum
        ``momentum`` is for SGD and RMSprop.
    schedule : str
        How the learning rate changes over the epochs.
    batch_size, epochs, patience
        Training stops after `patience` epochs without a lower validation loss and
        keeps the best epoch; 0 trains all epochs.
    l1, l2, clip
        Penalties on the weights, and the largest norm of the gradient (0: no limit).
    class_weight : str
        ``"balanced"`` weighs each class by the inverse of its share.
    sample_weight : str or None
        The column that holds a weight for each row.
    scale : str
        How numbers are scaled.
    test, valid : float
        The shares of rows held out to test and to validate.
    drop : tuple of str
        Columns to leave out.
    seed : int
        Of the split, the initial weights, the order of batches and dropout; of
        forests, clusters and folds.
    alpha : float, optional
        The penalty: of ridge regression; 1 / C of logistic regression; of each leaf
        when a tree is pruned, in units of the target's variance or of Gini's impurity.
        Without it 1, and for a tree 0.
    depth : int, optional
        The most questions on the way to a leaf; 0 for any number. Without it 6 for a
        tree, and any number for a forest.
    trees : int, optional
        Of a forest; 200 without it. A leaf has at least 5 rows (of classes 1), and 1 in
        10,000 of all.
    clusters : int, optional
        Without it, the number from 2 to 10 with the highest silhouette.
    folds : int, optional
        Of the cross validation by which ``"auto"`` chooses; 5 without it.
    time_budget : float, optional
        The seconds that ``"auto"`` may try models for; 60 without it.
    """

    model: str = "mlp"
    task: str = "auto"
    hidden: tuple[int, ...] = (64, 32)
    activation: str = "relu"
    dropout: float = 0.1
    loss: str = "auto"
    optimizer: str = "adam"
    lr: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.0
    schedule: str = "none"
    batch_size: int = 32
    epochs: int = 300
    patience: int = 30
    l1: float = 0.0
    l2: float = 0.0
    clip: float = 0.0
    class_weight: str = "none"
    sample_weight: str | None = None
    scale: str = "standard"
    test: float = 0.2
    valid: float = 0.15
    drop: tuple[str, ...] = ()
    seed: int = 0
    alpha: float | None = None
    depth: int | None = None
    trees: int | None = None
    clusters: int | None = None
    folds: int | None = None
    time_budget: float | None = None

    def __post_init__(self) -> None:
        for name, of in (("hidden", "whole numbers"), ("drop", "names of columns")):
            given = getattr(self, name)
            if not isinstance(given, (list, tuple)):
                raise ArgumentError(f"{name} must be a list of {of}; got {given!r}")
            object.__setattr__(self, name, tuple(given))
        for name, allowed in _CHOICES.items():
            _check_choice(name, getattr(self, name), allowed)
        for name, (low, high) in _RANGES.items():
            _check_range(name, getattr(self, name), low, high)
        for size in self.hidden:
            _check_whole("hidden", size, 1)
        for name, least in _WHOLE.items():
            _check_whole(name, getattr(self, name), least)
        for name, least in _WHOLE_OR_NONE.items():
            if getattr(self, name) is not None:
                _check_whole(name, getattr(self, name), least)
        for name in ("alpha", "time_budget"):
            if getattr(self, name) is not None:
                _check_range(name, getattr(self, name), 0.0, _INFINITY)
        check_options(self.model, self._changed())
        valid = self.valid if "valid" in FAMILIES[self.model].options else 0.0
        if self.test + valid >= 1:
            raise ArgumentError(
                f"test and valid are the shares of rows held out; {self.test:g} + "
                f"{valid:g} leaves nothing to train on"
            )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Options:
        """Options from names and values, as a TOML file has them.

        Raises
        ------
        ArgumentError
            For a name that is no option (with the nearest one that is), an option of
            another model, or a value of the wrong type.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        chosen = {}
        for given, value in values.items():
            name = str(given).replace("-", "_")
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise ArgumentError(f"there is no option {given!r}{hint}")
            chosen[name] = value
        options = cls(**chosen)
        check_options(options.model, chosen)
        return options

    def to_mapping(self) -> dict[str, Any]:
        """JSON values that `from_mapping` takes back: those of the chosen model.

        A network's are what they were before there were other models.
        """
        names = FAMILIES[self.model].options
        values = {k: v for k, v in dataclasses.asdict(self).items() if k in names}
        if self.model == "mlp":
            del values["model"]
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    def replace(self, **changes: Any) -> Options:
        """The same options but for `changes`."""
        options = dataclasses.replace(self, **changes)
        check_options(options.model, changes)
        return options

    def of(self, model: str, **changes: Any) -> Options:
        """Options for another model: those that every model has, and `changes`.

        Examples
        --------
        >>> Options(model="auto", folds=3, seed=7).of("tree", depth=2).seed
        7
        """
        both = FAMILIES[self.model].options & FAMILIES[model].options - {"model"}
        kept = {name: getattr(self, name) for name in both}
        return type(self)(**{**kept, "model": model, **changes})

    def _changed(self) -> list[str]:
        """The names of the options that are not at their defaults."""
        return [
            field.name
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != field.default
        ]


_CHOICES = {
    "model": MODELS,
    "task": TASKS,
    "activation": ACTIVATIONS,
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "class_weight": ("none", "balanced"),
    "scale": SCALES,
}
_INFINITY = float("inf")
_RANGES = {
    "dropout": (0.0, 1.0),
    "lr": (0.0, _INFINITY),
    "weight_decay": (0.0, _INFINITY),
    "momentum": (0.0, 1.0),
    "l1": (0.0, _INFINITY),
    "l2": (0.0, _INFINITY),
    "clip": (0.0, _INFINITY),
    "test": (0.0, 1.0),
    "valid": (0.0, 1.0),
}
_WHOLE = {"batch_size": 1, "epochs": 1, "patience": 0, "seed": 0}
_WHOLE_OR_NONE = {"depth": 0, "trees": 1, "clusters": 1, "folds": 2}


def _check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        near = difflib.get_close_matches(str(value), allowed, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ArgumentError(
            f"{name} must be one of {', '.join(allowed)}; got {value!r}{hint}"
        )


def _check_range(name: str, value: object, low: float, high: float) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not low <= value < high:  # type: ignore[operator]
        bound = f"at least {low:g}" + (f" and below {high:g}" if high < 9e9 else "")
        raise ArgumentError(f"{name} must be a number of {bound}; got {value!r}")


def _check_whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ArgumentError(
            f"{name} must be a whole number of at least {least}; got {value!r}"
        )
