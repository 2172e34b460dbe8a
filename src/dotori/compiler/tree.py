"""Structures of tuples, lists and dicts: what a step takes, returns and passes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any


def is_structure(value: Any) -> bool:
    """Whether a value is a tuple, list or dict, or of a kind derived from one."""
    return isinstance(value, (tuple, list, dict))


def rebuilt(structure: Any, of: Callable[[Any], Any]) -> Any:
    """A structure of the same kind, with `of` each of its parts.

    Examples
    --------
    >>> rebuilt({"a": 1, "b": 2}, lambda part: -part)
    {'a': -1, 'b': -2}
    """
    kind = type(structure)
    if kind is tuple or kind is list:
        return kind([of(part) for part in structure])
    if isinstance(structure, dict):
        made = {key: of(part) for key, part in structure.items()}
        if kind is dict:
            return made
        other = copy(structure)  # keeps what a derived kind knows, such as a default
        other.update(made)
        return other
    parts = [of(part) for part in structure]
    return kind(*parts) if hasattr(structure, "_fields") else kind(parts)


def mapped(function: Callable[[Any], Any], value: Any) -> Any:
    """The value with `function` of each leaf; what is no structure is a leaf.

    Examples
    --------
    >>> mapped(abs, [-1, (-2, {"a": -3})])
    [1, (2, {'a': 3})]
    """
    if is_structure(value):
        return rebuilt(value, lambda part: mapped(function, part))
    return function(value)


def leaves(value: Any) -> Iterator[Any]:
    """The leaves of a value, in order.

    Examples
    --------
    >>> list(leaves([1, (2, {"a": 3})]))
    [1, 2, 3]
    """
    if is_structure(value):
        for part in value.values() if isinstance(value, dict) else value:
            yield from leaves(part)
    else:
        yield value
