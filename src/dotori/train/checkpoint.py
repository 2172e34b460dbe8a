"""Checkpoints: a nested state as arrays and JSON in one model file, without pickle."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dotori.errors import FormatError
from dotori.io import read_model, write_model

KIND = "checkpoint"
_ARRAY, _TUPLE, _PAIRS, _FLOAT = "$array", "$tuple", "$pairs", "$float"


def save(path: Any, state: Any, about: dict[str, Any] | None = None) -> None:
    """Write `state` atomically: the old file stays until the new one is whole.

    Parameters
    ----------
    path : path-like
    state : nested dicts, lists and tuples of arrays, tensors, numbers and strings
    about : dict of JSON values, optional
        Kept beside the state, for whoever reads the file.
    """
    arrays: dict[str, Any] = {}
    document = {"state": pack(state, arrays), "about": about or {}}
    write_model(path, arrays, document, kind=KIND)


def load(path: Any) -> tuple[Any, dict[str, Any]]:
    """The state and what was kept beside it.

    Raises
    ------
    FormatError
        If the file is damaged or no checkpoint.
    """
    arrays, document = read_model(path, kind=KIND)
    try:
        return unpack(document["state"], arrays), document["about"]
    except (KeyError, TypeError) as error:
        raise FormatError(f"{path}: the checkpoint lacks {error}") from error


def pack(value: Any, arrays: dict[str, Any], place: str = "") -> Any:
    """`value` as JSON, its arrays put into `arrays` under the names of their places.

    Examples
    --------
    >>> arrays = {}
    >>> pack({"w": np.zeros(2), "betas": (0.9, 0.99)}, arrays)
    {'w': {'$array': 'w'}, 'betas': {'$tuple': [0.9, 0.99]}}
    >>> list(arrays)
    ['w']
    """

    def inside(key: Any, item: Any) -> Any:
        return pack(item, arrays, f"{place}.{key}" if place else str(key))

    array = getattr(value, "array", value)
    if isinstance(array, np.ndarray):
        arrays[place] = array
        return {_ARRAY: place}
    if isinstance(value, np.generic):
        return pack(value.item(), arrays, place)
    if isinstance(value, float) and not math.isfinite(value):
        return {_FLOAT: str(value)}  # JSON has no infinity
    if isinstance(value, dict):
        if all(isinstance(k, str) and not k.startswith("$") for k in value):
            return {k: inside(k, v) for k, v in value.items()}
        return {_PAIRS: [[inside("k", k), inside(k, v)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        items = [inside(i, v) for i, v in enumerate(value)]
        return {_TUPLE: items} if isinstance(value, tuple) else items
    return value


def unpack(value: Any, arrays: dict[str, Any]) -> Any:
    """What `pack` was given."""
    if isinstance(value, list):
        return [unpack(v, arrays) for v in value]
    if not isinstance(value, dict):
        return value
    if _ARRAY in value:
        return arrays[value[_ARRAY]]
    if _FLOAT in value:
        return float(value[_FLOAT])
    if _TUPLE in value:
        return tuple(unpack(v, arrays) for v in value[_TUPLE])
    if _PAIRS in value:
        return {unpack(k, arrays): unpack(v, arrays) for k, v in value[_PAIRS]}
    return {k: unpack(v, arrays) for k, v in value.items()}
