"""The reference: a program run one instruction at a time, in plain NumPy.

Slow and plain. It says what each instruction means, and all else that runs programs is
compared with it. Constants are folded by it as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.compiler.ir import Instr, Operand, Program, Value
from dotori.compiler.primitives import REDUCTIONS, UFUNCS, filled, unpacked
from dotori.ops.error_function import Erf

Array = NDArray[Any]


def evaluate(
    program: Program, inputs: Sequence[Any], host: Sequence[Any] = ()
) -> list[Array]:
    """The outputs of a program; its states then hold their new values.

    Parameters
    ----------
    program : Program
    inputs : sequence of array
        As `program.inputs`.
    host : sequence of array or number
        As `program.host`.

    Returns
    -------
    list of array
        One for each of `program.outputs`, in memory of its own.

    Raises
    ------
    Exception
        What a ``require`` asks for; no state has changed then.

    Examples
    --------
    >>> x, y = Value((2,), np.dtype("f4"), "input"), Value((2,), np.dtype("f4"))
    >>> program = Program([x], [], [Instr("add", (x, 0.5), (y,))], [y])
    >>> evaluate(program, [np.float32([1, 2])])
    [array([1.5, 2.5], dtype=float32)]
    """
    known: dict[Operand, Any] = {}
    for x, given in zip(program.inputs + program.host, [*inputs, *host], strict=True):
        known[x] = np.asarray(given, x.dtype)

    with np.errstate(all="ignore"):
        for instr in program.instrs:
            made = perform(instr, [_found(known, x) for x in instr.inputs])
            known.update(zip(instr.outputs, made, strict=True))
        outputs = [np.array(_found(known, x)) for x in program.outputs]
        news = [np.array(_found(known, new)) for _, new in program.updates]
    for (state, _), new in zip(program.updates, news, strict=True):
        state.array[...] = new
    return outputs


def _found(known: Mapping[Operand, Any], x: Operand) -> Any:
    if not isinstance(x, Value):
        return x
    return known[x] if x in known else x.array


def perform(instr: Instr, arrays: Sequence[Any]) -> list[Array]:
    """The outputs of one instruction.

    Parameters
    ----------
    instr : Instr
    arrays : sequence of array or number
        In place of its inputs. None of them is changed.

    Returns
    -------
    list of array
        In the order of its outputs. Some may be views of what was given.
    """
    made = [np.asarray(y) for y in _PERFORM[instr.op](instr, *arrays)]
    for y, declared in zip(made, instr.outputs, strict=True):
        assert (y.shape, y.dtype) == (declared.shape, declared.dtype), (
            f"{instr.op} at {instr.where or 'an unknown line'} gives "
            f"{y.dtype}{list(y.shape)}, its output is declared as {declared}"
        )
    return made


def _ufunc(instr: Instr, *xs: Any) -> list[Any]:
    return [getattr(np, instr.op)(*xs)]


def _where(instr: Instr, condition: Any, x: Any, y: Any) -> list[Any]:
    return [np.where(condition, x, y)]


def _cast(instr: Instr, x: Any) -> list[Any]:
    return [np.asarray(x).astype(instr.output.dtype)]


def _erf(instr: Instr, x: Any) -> list[Any]:
    return [Erf.forward(np, x)]


def _reduction(instr: Instr, x: Any) -> list[Any]:
    attrs = instr.attrs
    reduce = getattr(np, instr.op)
    return [reduce(x, axis=attrs["axis"], keepdims=attrs.get("keepdims", False))]


def _matmul(instr: Instr, a: Any, b: Any) -> list[Any]:
    return [np.matmul(a, b)]


def _reshape(instr: Instr, x: Any) -> list[Any]:
    return [np.reshape(x, instr.output.shape)]


def _transpose(instr: Instr, x: Any) -> list[Any]:
    return [np.transpose(x, instr.attrs["axes"])]


def _slice(instr: Instr, x: Any) -> list[Any]:
    return [x[instr.attrs["index"]]]


def _broadcast_to(instr: Instr, x: Any) -> list[Any]:
    return [np.broadcast_to(x, instr.output.shape)]


def _copy(instr: Instr, x: Any) -> list[Any]:
    return [np.array(x)]


def _concatenate(instr: Instr, *xs: Any) -> list[Any]:
    return [np.concatenate(xs, axis=instr.attrs["axis"])]


def _take(instr: Instr, x: Any, index: Any) -> list[Any]:
    return [np.take(x, index, axis=instr.attrs["axis"])]


def _take_along_axis(instr: Instr, x: Any, index: Any) -> list[Any]:
    return [np.take_along_axis(x, index, axis=instr.attrs["axis"])]


def _update(instr: Instr, x: Any, part: Any) -> list[Any]:
    y = np.array(x)
    y[instr.attrs["index"]] = part
    return [y]


def _call(instr: Instr, *xs: Any) -> list[Any]:
    attrs = instr.attrs
    rule = getattr(attrs["op"], attrs["rule"])
    args, kwargs = filled(attrs["args"], xs), filled(attrs["kwargs"], xs)
    return unpacked(rule(np, *args, **kwargs), attrs["structure"])


def _kernel(instr: Instr, *xs: Any) -> list[Any]:
    """The twin runs on copies; numbers are Python's, as the optimisers give them."""
    attrs = instr.attrs
    given = [np.array(x, order="C") if np.ndim(x) else number(x) for x in xs]
    attrs["pair"].twin(*filled(attrs["args"], given))
    return [given[i] for i in attrs["writes"]]


def number(x: Any) -> Any:
    """A kernel's argument without axes, as a number of Python."""
    return x.item() if isinstance(x, np.ndarray | np.generic) else x


def _require(instr: Instr, holds: Any) -> list[Any]:
    if not holds:
        raise instr.attrs["error"]()
    return []


def _fused(instr: Instr, *xs: Any) -> list[Any]:
    """Its body reads the instruction's own inputs, by name of the same values."""
    known = {x: given for x, given in zip(instr.inputs, xs, strict=True)}
    for part in instr.attrs["body"]:
        made = perform(part, [_found(known, x) for x in part.inputs])
        known.update(zip(part.outputs, made, strict=True))
    return [known[y] for y in instr.outputs]


_PERFORM: dict[str, Callable[..., list[Any]]] = {
    **dict.fromkeys(UFUNCS, _ufunc),
    **dict.fromkeys(REDUCTIONS | {"argmax", "argmin"}, _reduction),
    "where": _where,
    "cast": _cast,
    "erf": _erf,
    "matmul": _matmul,
    "reshape": _reshape,
    "transpose": _transpose,
    "slice": _slice,
    "broadcast_to": _broadcast_to,
    "copy": _copy,
    "concatenate": _concatenate,
    "take": _take,
    "take_along_axis": _take_along_axis,
    "update": _update,
    "call": _call,
    "kernel": _kernel,
    "require": _require,
    "fused": _fused,
}
