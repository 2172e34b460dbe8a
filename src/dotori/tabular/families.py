"""The models that a table can be given to, and the options that each of them has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dotori.errors import ArgumentError

_NETWORK = (
    "hidden", "activation", "dropout", "loss", "optimizer", "lr", "schedule",
    "momentum", "weight_decay", "batch_size", "epochs", "patience", "l1", "l2", "clip",
)  # fmt: skip
_ANY = ("model", "sample_weight", "scale", "test", "drop", "seed")
_ANSWERS = ("task", "class_weight")
_AMOUNTS, _CLASSES = ("regression",), ("binary", "multiclass")


@dataclass(frozen=True)
class Family:
    """A kind of model.

    Attributes
    ----------
    name : str
        As ``--model`` has it.
    about : str
        What a sentence calls it.
    tasks : tuple of str
        What it can be trained for.
    own : tuple of str
        The options that it has and not every model.
    """

    name: str
    about: str
    tasks: tuple[str, ...]
    own: tuple[str, ...]

    @property
    def options(self) -> frozenset[str]:
        """All options that may be given with this model."""
        return frozenset(_ANY + self.own)


FAMILIES = {
    family.name: family
    for family in (
        Family(
            "mlp",
            "the network",
            _AMOUNTS + _CLASSES,
            (*_ANSWERS, *_NETWORK, "valid"),
        ),
        Family("linear", "the linear model", _AMOUNTS, (*_ANSWERS, "alpha")),
        Family("logistic", "the logistic model", _CLASSES, (*_ANSWERS, "alpha")),
        Family("tree", "the tree", _AMOUNTS + _CLASSES, (*_ANSWERS, "depth", "alpha")),
        Family(
            "forest", "the forest", _AMOUNTS + _CLASSES, (*_ANSWERS, "depth", "trees")
        ),
        Family("kmeans", "k-means", ("clustering",), ("clusters",)),
        Family(
            "auto",
            "the choice of a model",
            _AMOUNTS + _CLASSES,
            (*_ANSWERS, "folds", "time_budget", "valid"),
        ),
    )
}
MODELS = tuple(FAMILIES)


def check_options(model: str, given: Iterable[str]) -> None:
    """Refuse options that belong to other models than the one that is chosen.

    Examples
    --------
    >>> check_options("tree", ["depth", "seed"])
    >>> check_options("tree", ["hidden"])
    Traceback (most recent call last):
        ...
    dotori.errors.ArgumentError: hidden is an option of mlp, not of tree; leave it out
    """
    family = FAMILIES[model]
    for name in given:
        if name in family.options:
            continue
        owners = [f.name for f in FAMILIES.values() if name in f.options]
        raise ArgumentError(
            f"{name} is an option of {_listed(owners)}, not of {model}; leave it out"
        )


def check_task(model: str, task: str) -> None:
    """Refuse a model that cannot do what the target asks for, naming one that can.

    Examples
    --------
    >>> check_task("linear", "binary")
    Traceback (most recent call last):
        ...
    dotori.errors.ArgumentError: linear predicts amounts, but the target is a class \
(binary); use logistic
    """
    if task in FAMILIES[model].tasks:
        return
    if model == "linear":
        raise ArgumentError(
            f"linear predicts amounts, but the target is a class ({task}); use logistic"
        )
    raise ArgumentError(
        f"{model} predicts classes, but the target is an amount; use linear, or ask "
        "for classes with task='multiclass'"
    )


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
