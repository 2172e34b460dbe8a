"""Checks of an estimator's parameters, made when it is fitted, as scikit-learn asks."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from dotori.errors import ArgumentError


def number(
    estimator: Any,
    name: str,
    low: float | None = None,
    high: float | None = None,
    *,
    integer: bool = False,
    open_low: bool = False,
    open_high: bool = False,
    none: bool = False,
) -> Any:
    """The parameter `name`, if it is a number within bounds.

    Parameters
    ----------
    estimator : object
        Whose parameter it is; its class stands in the message.
    name : str
    low, high : float, optional
        The bounds; they are allowed themselves unless `open_low`, `open_high`.
    integer : bool
        Only whole numbers.
    none : bool
        None is allowed as well.

    Raises
    ------
    ArgumentError
        Naming the estimator, the parameter, what was wanted and what was given.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> number(SimpleNamespace(alpha=2.0), "alpha", low=0)
    2.0
    >>> number(SimpleNamespace(alpha=-1), "alpha", low=0)
    Traceback (most recent call last):
    ...
    dotori.errors.ArgumentError: SimpleNamespace: alpha must be a number >= 0, got -1
    """
    value = getattr(estimator, name)
    if none and value is None:
        return None
    kind: Any = numbers.Integral if integer else numbers.Real
    fits = isinstance(value, kind) and not isinstance(value, (bool, np.bool_))
    if fits and low is not None:
        fits = value > low if open_low else value >= low
    if fits and high is not None:
        fits = value < high if open_high else value <= high
    if not fits or value != value:
        bounds = [
            f"{sign} {bound:g}"
            for sign, bound in (
                (">" if open_low else ">=", low),
                ("<" if open_high else "<=", high),
            )
            if bound is not None
        ]
        what = "a whole number" if integer else "a number"
        wanted = " ".join([what, " and ".join(bounds)]).strip()
        raise _error(estimator, name, wanted + (" or None" if none else ""), value)
    return value


def choice(estimator: Any, name: str, values: Sequence[Any]) -> Any:
    """The parameter `name`, if it is one of `values`.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> choice(SimpleNamespace(init="random"), "init", ("k-means++", "random"))
    'random'
    """
    value = getattr(estimator, name)
    for allowed in values:
        if value is allowed or (type(value) is type(allowed) and value == allowed):
            return value
    raise _error(estimator, name, "one of " + ", ".join(map(repr, values)), value)


def boolean(estimator: Any, name: str) -> bool:
    """The parameter `name`, if it is True or False.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> boolean(SimpleNamespace(copy=True), "copy")
    True
    """
    value = getattr(estimator, name)
    if not isinstance(value, (bool, np.bool_)):
        raise _error(estimator, name, "True or False", value)
    return bool(value)


def _error(estimator: Any, name: str, wanted: str, value: Any) -> ArgumentError:
    kind = type(estimator).__name__
    return ArgumentError(f"{kind}: {name} must be {wanted}, got {value!r}")
