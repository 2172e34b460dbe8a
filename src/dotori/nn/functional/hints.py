"""Advice for mistakes that run without an error: given once, as a warning."""

from __future__ import annotations

import warnings
from typing import Any


class HintWarning(UserWarning):
    """What was asked for has been done, but it is probably not what was meant."""


_given: set[str] = set()


def hint_once(topic: str, message: str) -> None:
    """Warn with `message` the first time that `topic` comes up in this process."""
    if topic not in _given:
        _given.add(topic)
        warnings.warn(message, HintWarning, stacklevel=4)


def forget_hints() -> None:
    """Let every hint be given once more.

    Examples
    --------
    >>> forget_hints()
    """
    _given.clear()


def made_by(x: Any, *operations: str) -> bool:
    """Whether the tensor `x` is the output of an operation of one of these names."""
    node = getattr(x, "node", None)
    return node is not None and node.op is not None and node.name in operations
