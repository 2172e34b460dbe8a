"""What a captured step does, operation by operation, as a script wants to tell it.

A program holds the instructions; `Telling` notes beside them which operation each
belongs to, whether to its value or its gradient rule, and which gradient is whose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dotori.compiler.capture import Capture
from dotori.compiler.ir import Instr, Value
from dotori.compiler.traced import Traced
from dotori.compiler.tree import leaves
from dotori.ops._op import Op


@dataclass(eq=False)
class Event:
    """An operation's value or gradient rule.

    Attributes
    ----------
    op : type of Op
    backward : bool
    args : tuple
        What it was called with; a `Value` stands for each array.
    attrs : dict
        Likewise.
    results : tuple
        What it gave: values, or None.
    instrs : list of Instr
        How it did it.
    forward : Event or None
        Of a gradient rule: the operation that it belongs to.
    """

    op: type[Op]
    backward: bool
    args: tuple[Any, ...]
    attrs: dict[str, Any]
    results: tuple[Any, ...]
    instrs: list[Instr]
    forward: Event | None = None

    @property
    def gradient(self) -> Any:
        """Of a gradient rule: the gradient that it is given."""
        return self.args[0]

    @property
    def inputs(self) -> tuple[Any, ...]:
        """Of an operation: its inputs; of a rule: those of its operation."""
        return self.args if self.forward is None else self.forward.args


class Telling(Capture):
    """A capture that also notes its operations: see `Event`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.events: list[Event] = []
        self._waiting: list[Event] = []  # operations whose rule has not run

    def _instructions(
        self, op: type[Op], rule: str, args: tuple[Any, ...], attrs: dict[str, Any]
    ) -> Any:
        if self.inside:
            return super()._instructions(op, rule, args, attrs)
        known_args, known_attrs = _values(args), _values(attrs)
        mark = len(self.instrs)
        result = super()._instructions(op, rule, args, attrs)
        given = result if isinstance(result, (tuple, list)) else (result,)
        event = Event(
            op,
            rule == "backward",
            known_args,
            known_attrs,
            tuple(_values(part) for part in given),
            self.instrs[mark:],
        )
        if event.backward:
            event.forward = self._forward_of(event)
        else:
            self._waiting.append(event)
        self.events.append(event)
        return result

    def _forward_of(self, rule: Event) -> Event | None:
        """The last operation of its class with these attributes and saved values."""
        gradients = values_in(rule.gradient)
        saved = set(values_in(rule.args[1:]))
        for i in range(len(self._waiting) - 1, -1, -1):
            found = self._waiting[i]
            if found.op is not rule.op:
                continue
            known = {*values_in(found.args), *values_in(found.results)}
            outputs = [y for y in found.results if isinstance(y, Value)]
            fits = all(any(g.shape == y.shape for y in outputs) for g in gradients)
            if not rule.op.several:  # others may be broadcast
                fits = fits and _shape(rule.results[0]) == _shape(found.args[0])
            if fits and saved <= known and _same(rule.attrs, found.attrs):
                del self._waiting[i]
                return found
        return None


def _values(x: Any) -> Any:
    """`x`, with values of the program in place of what stands for arrays."""
    if isinstance(x, Traced):
        return x.value
    if type(x) in (tuple, list):
        return type(x)(_values(part) for part in x)
    if type(x) is dict:
        return {key: _values(part) for key, part in x.items()}
    return x


def _shape(x: Any) -> tuple[int, ...] | None:
    return x.shape if isinstance(x, Value) else None


def _same(a: Any, b: Any) -> bool:
    """Whether two attributes are the same; arrays by identity."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, (tuple, list)) and type(a) is type(b):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, (Value, np.ndarray)) or isinstance(b, (Value, np.ndarray)):
        return a is b
    return bool(a == b)


def values_in(x: Any) -> list[Value]:
    """The values in a structure of tuples, lists and dicts."""
    return [leaf for leaf in leaves(x) if isinstance(leaf, Value)]
