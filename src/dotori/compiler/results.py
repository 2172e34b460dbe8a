"""What a step returns: from the arrays that a plan gives, one step or many stacked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dotori._tensor import Tensor
from dotori.autograd import wrap
from dotori.compiler.tree import is_structure, rebuilt


@dataclass
class Result:
    """One thing that a step returns: ``"tensor"``, ``"array"``, ``"number"``, with its
    place among the program's outputs; or ``"fixed"``, the thing itself."""

    kind: str
    value: Any


def given(template: Any, outputs: list[Any]) -> Any:
    """What a run returns, from the arrays that the program gave."""
    kind = type(template)
    if kind is Result:
        if template.kind == "tensor":
            return wrap(outputs[template.value])
        if template.kind == "number":
            return outputs[template.value].item()
        return outputs[template.value] if template.kind == "array" else template.value
    return rebuilt(template, lambda part: given(part, outputs))


def given_stacked(template: Any, outputs: list[Any], n: int) -> Any:
    """`given` for `n` steps, whose outputs are stacked along a first axis."""
    if type(template) is Result:
        if template.kind == "tensor":
            return wrap(outputs[template.value])
        if template.kind == "fixed":
            return stacked([template.value] * n)
        return outputs[template.value]
    return rebuilt(template, lambda part: given_stacked(part, outputs, n))


def stacked(results: list[Any]) -> Any:
    """Results of equal structure, with each leaf stacked along a first axis."""
    first = results[0]
    if isinstance(first, Tensor):
        return wrap(np.stack([r.array for r in results]))
    if is_structure(first):
        return _together(results, stacked)
    if isinstance(first, (int, float, np.ndarray)):
        return np.stack(results)
    return list(results)


def joined(pieces: list[Any]) -> Any:
    """Stacked results, one after the other."""
    first = pieces[0]
    if len(pieces) == 1:
        return first
    if isinstance(first, Tensor):
        return wrap(np.concatenate([p.array for p in pieces]))
    if isinstance(first, np.ndarray):
        return np.concatenate(pieces)
    if type(first) is list and not any(map(_is_stack, first)):
        return [x for piece in pieces for x in piece]
    return _together(pieces, joined)


def _is_stack(value: Any) -> bool:
    return isinstance(value, (Tensor, np.ndarray)) or is_structure(value)


def _together(results: list[Any], join: Callable[[list[Any]], Any]) -> Any:
    """`join` of the leaves that stand at the same place of each of `results`."""
    first = results[0]
    if isinstance(first, dict):
        return {key: join([r[key] for r in results]) for key in first}
    found = [join([r[i] for r in results]) for i in range(len(first))]
    return type(first)(*found) if hasattr(first, "_fields") else type(first)(found)
