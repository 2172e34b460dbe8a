"""The parameters of the MLP estimators, checked when they are used."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from dotori.errors import ArgumentError
from dotori.learn._arguments import boolean, choice, number

#: Parameters that say what the layers are, with their defaults.
LAYERS: dict[str, Any] = {
    "hidden_layer_sizes": (100,),
    "activation": "relu",
    "dropout": 0.0,
    "batch_norm": False,
}


def check_options(estimator: Any) -> None:
    """All parameters but those that are checked where they are taken apart.

    Raises
    ------
    ArgumentError
        Naming the parameter, what it may be, and what it is.
    """
    choice(estimator, "solver", ("lbfgs", "sgd", "adam"))
    choice(estimator, "learning_rate", ("constant", "invscaling", "adaptive"))
    for name in ("alpha", "power_t", "tol"):
        number(estimator, name, low=0)
    for name in ("max_iter", "max_fun"):
        number(estimator, name, low=1, integer=True)
    for name in ("learning_rate_init", "epsilon"):
        number(estimator, name, low=0, open_low=True)
    for name in ("beta_1", "beta_2", "validation_fraction"):
        number(estimator, name, low=0, high=1, open_high=True)
    number(estimator, "momentum", low=0, high=1)
    number(estimator, "clip_norm", low=0, open_low=True, none=True)
    if estimator.batch_size != "auto":
        number(estimator, "batch_size", low=1, integer=True)
    if estimator.n_iter_no_change != np.inf:
        number(estimator, "n_iter_no_change", low=1, integer=True)
    for name in (
        "shuffle",
        "warm_start",
        "nesterovs_momentum",
        "early_stopping",
        "batch_norm",
    ):
        boolean(estimator, name)
    if not isinstance(estimator.verbose, (bool, np.bool_, numbers.Integral)):
        raise _error(estimator, "verbose must be True, False or a whole number")
    _check_layers(estimator)
    _check_together(estimator)


def _check_layers(estimator: Any) -> None:
    sizes = np.ravel(np.asarray(estimator.hidden_layer_sizes, dtype=object))
    if not all(isinstance(s, numbers.Integral) and int(s) > 0 for s in sizes):
        raise _error(
            estimator,
            "hidden_layer_sizes must be > 0, whole numbers of units, got "
            f"{estimator.hidden_layer_sizes!r}",
        )
    rates = np.ravel(np.asarray(estimator.dropout, dtype=object))
    if not all(isinstance(r, numbers.Real) and 0 <= float(r) < 1 for r in rates):
        raise _error(
            estimator,
            "dropout must be a number >= 0 and < 1, or one for each hidden layer, got "
            f"{estimator.dropout!r}",
        )
    if estimator.module is None:
        return
    for name, default in LAYERS.items():
        value = getattr(estimator, name)
        if type(value) is not type(default) or value != default:
            raise _error(
                estimator,
                f"{name}={value!r} says what the layers are, and so does module; "
                f"leave {name} at its default",
            )


def _check_together(estimator: Any) -> None:
    """What makes no sense with the solver that goes over all rows at once."""
    if estimator.solver != "lbfgs":
        return
    if estimator.optimizer is not None:
        raise _error(
            estimator,
            "optimizer takes the place of solver='sgd' or 'adam', not 'lbfgs'",
        )
    if np.any(np.asarray(estimator.dropout, dtype=float)) or estimator.batch_norm:
        raise _error(
            estimator,
            "dropout and batch_norm change the loss from batch to batch, which "
            "solver='lbfgs' cannot take; use 'adam' or 'sgd'",
        )
    for name in ("schedule", "clip_norm", "callbacks"):
        if getattr(estimator, name) is not None:
            raise _error(
                estimator, f"{name} is for solver='adam' and 'sgd', not for 'lbfgs'"
            )


def _error(estimator: Any, text: str) -> ArgumentError:
    return ArgumentError(f"{type(estimator).__name__}: {text}")
