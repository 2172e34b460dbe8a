"""Programs written by hand: the same steps that capture makes, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dotori.compiler.interpret import _PERFORM
from dotori.compiler.ir import Instr, Operand, Program, Value
from dotori.compiler.primitives import Slot
from dotori.compiler.trace import _order


class Maker:
    """Collects instructions; `maker.add(x, y)` is one, and gives its output."""

    def __init__(self, dtype: str = "f4") -> None:
        self.dtype = np.dtype(dtype)
        self.inputs: list[Value] = []
        self.host: list[Value] = []
        self.instrs: list[Instr] = []
        self.updates: list[tuple[Value, Value]] = []

    def input(self, *shape: int, dtype: Any = None, name: str = "") -> Value:
        x = Value(shape, np.dtype(dtype or self.dtype), "input", name=name)
        self.inputs.append(x)
        return x

    def given(self, *shape: int, dtype: Any = None, name: str = "") -> Value:
        x = Value(shape, np.dtype(dtype or self.dtype), "host", name=name)
        self.host.append(x)
        return x

    def state(self, array: Any, name: str = "") -> Value:
        array = np.asarray(array)
        return Value(array.shape, array.dtype, "state", array, name)

    def constant(self, array: Any) -> Value:
        array = np.asarray(array)
        return Value(array.shape, array.dtype, "constant", array)

    def __getattr__(self, op: str) -> Any:
        def make(*inputs: Operand, **attrs: Any) -> Value:
            return self.make(op, inputs, attrs)

        return make

    def make(self, op: str, inputs: Sequence[Operand], attrs: dict[str, Any]) -> Value:
        """One instruction; what it makes is found by running it on ones."""
        to = attrs.pop("to", None)
        shape = attrs.pop("shape", None)
        like = [_ones(x) if isinstance(x, Value) else x for x in inputs]
        output = Value(shape or (), np.dtype(to or "f4"))
        trial = Instr(op, tuple(inputs), (output,), attrs)
        with np.errstate(all="ignore"):
            found = np.asarray(_PERFORM[op](trial, *like)[0])
        y = Value(found.shape, found.dtype, order=_order(found))
        self.instrs.append(Instr(op, tuple(inputs), (y,), attrs))
        return y

    def require(self, x: Value, error: Any) -> None:
        self.instrs.append(Instr("require", (x,), (), {"error": error}))

    def kernel(
        self, pair: Any, args: Sequence[Any], writes: Sequence[Value]
    ) -> list[Value]:
        """A kernel pair called with `args`; the new values of what it writes."""
        inputs = tuple(dict.fromkeys(x for x in args if isinstance(x, Value)))
        slots = tuple(
            Slot(inputs.index(x)) if isinstance(x, Value) else x for x in args
        )
        made = tuple(Value(x.shape, x.dtype) for x in writes)
        attrs = {
            "pair": pair,
            "args": slots,
            "writes": [inputs.index(x) for x in writes],
        }
        self.instrs.append(Instr("kernel", inputs, made, attrs))
        return list(made)

    def program(self, *outputs: Value) -> Program:
        return Program(self.inputs, self.host, self.instrs, list(outputs), self.updates)


def _ones(x: Value) -> Any:
    """An array that lies as a value does."""
    made = np.ones([x.shape[axis] for axis in x.order], x.dtype)
    return made.transpose(np.argsort(x.order)) if x.ndim else made


def softmax(m: Maker, x: Value) -> Value:
    """Along the last axis."""
    axis = (x.ndim - 1,)
    e = m.exp(m.subtract(x, m.max(x, axis=axis, keepdims=True)))
    return m.divide(e, m.sum(e, axis=axis, keepdims=True))


def layer_norm(m: Maker, x: Value, w: Value, b: Value) -> Value:
    axis, n = (x.ndim - 1,), x.shape[-1]
    mean = m.divide(m.sum(x, axis=axis, keepdims=True), float(n))
    d = m.subtract(x, mean)
    var = m.divide(m.sum(m.multiply(d, d), axis=axis, keepdims=True), float(n))
    y = m.multiply(d, m.divide(1.0, m.sqrt(m.add(var, 1e-5))))
    return m.add(m.multiply(y, w), b)
