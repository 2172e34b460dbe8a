"""Gathers and searches as loops: take, take_along_axis, argmax and argmin."""

from __future__ import annotations

from collections.abc import Callable

from dotori.compiler.ir import Instr, Value
from dotori.compiler.native.expressions import CASTS, joined
from dotori.compiler.native.nest import Lying
from dotori.compiler.native.text import Array, Loop

_INDEX = "ijklmnopqrstuvw"
#: Lets LLVM see that an index is not negative.
_POSITIVE = "& 0x7FFFFFFF"

Lies = Callable[[Value], Lying]


def moved(instr: Instr, lies: Lies) -> Loop:
    """The function that runs one of these instructions."""
    return {
        "take": _take,
        "take_along_axis": _take_along_axis,
        "argmax": _search,
        "argmin": _search,
    }[instr.op](instr, lies)


def _take(instr: Instr, lies: Lies) -> Loop:
    _, index = instr.values()
    y, axis = instr.output, instr.attrs["axis"]
    names = list(_INDEX[: y.ndim])
    at = names[axis : axis + index.ndim]
    places = [*names[:axis], "at", *names[axis + index.ndim :]]
    return _gather(instr, lies, names, places, at, axis + index.ndim)


def _take_along_axis(instr: Instr, lies: Lies) -> Loop:
    y, axis = instr.output, instr.attrs["axis"]
    names = list(_INDEX[: y.ndim])
    places = [*names[:axis], "at", *names[axis + 1 :]]
    return _gather(instr, lies, names, places, names, y.ndim)


def _gather(
    instr: Instr,
    lies: Lies,
    names: list[str],
    places: list[str],
    at: list[str],
    depth: int,
) -> Loop:
    """``y[names] = x[places]``, where the index at `at` is read at this depth."""
    x, index = instr.values()
    y = instr.output
    lines = ["@apart", "def NAME(x, index, y):"]
    for k in range(y.ndim + 1):
        pad = "    " * (k + 1)
        if k == depth:
            read = f"i8(index[{_place(at, index.shape, lies(index))}])"
            lines.append(f"{pad}at = {read} {_POSITIVE}")
        if k < y.ndim:
            lines.append(f"{pad}for {names[k]} in range({y.shape[k]}):")
    source = _place(places, x.shape, lies(x), frozenset({"at"}))
    target = _place(names, y.shape, lies(y))
    lines.append(f"{pad}y[{target}] = x[{source}]")
    given = tuple(_array(v, lies) for v in (x, index, y))
    return Loop("\n".join(lines) + "\n", given)


def _search(instr: Instr, lies: Lies) -> Loop:
    """The first of the largest, or the first NaN.

    What it is becomes clear in one pass of vectors, where it stands in a second.
    """
    (x,) = instr.values()
    y, axis = instr.output, instr.attrs["axis"]
    names = list(_INDEX[: x.ndim])
    kept = [name for a, name in enumerate(names) if a != axis]
    lines = ["@apart", "def NAME(x, y):"]
    depth = 1
    for a, name in enumerate(names):
        if a != axis:
            lines.append("    " * depth + f"for {name} in range({x.shape[a]}):")
            depth += 1
    first = [name if a != axis else "0" for a, name in enumerate(names)]
    op = instr.op.removeprefix("arg")
    found = "v == best or v != v" if x.dtype.kind == "f" else "v == best"
    if instr.attrs.get("keepdims"):
        kept.insert(axis, "0")
    value = f"x[{_place(names, x.shape, lies(x))}]"
    body = [
        f"best = x[{_place(first, x.shape, lies(x))}]",
        f"for {names[axis]} in range({x.shape[axis]}):",
        f"    v = {value}",
        f"    best = {joined(op, 'best', 'v', x.dtype)}",
        "at = 0",
        f"for {names[axis]} in range({x.shape[axis]}):",
        f"    v = {value}",
        f"    if {found}:",
        f"        at = {names[axis]}",
        "        break",
        f"y[{_place(kept, y.shape, lies(y))}] = {CASTS[y.dtype.char]}(at)",
    ]
    lines += ["    " * depth + line for line in body]
    return Loop("\n".join(lines) + "\n", (_array(x, lies), _array(y, lies)))


def _place(
    names: list[str],
    shape: tuple[int, ...],
    lying: Lying,
    wide: frozenset[str] = frozenset(),
) -> str:
    """The place of an element in flat memory."""
    terms = []
    for name, n, stride in zip(names, shape, lying.strides, strict=True):
        if (n > 1 or name in wide) and stride and name != "0":
            terms.append(name if stride == 1 else f"{name} * {stride}")
    if lying.offset:
        terms.append(str(lying.offset))
    return " + ".join(terms) or "0"


def _array(x: Value, lies: Lies) -> Array:
    lying = lies(x)
    steps = zip(x.shape, lying.strides, strict=True)
    end = 1 + lying.offset + sum((n - 1) * s for n, s in steps if s > 0)
    return Array(lying.slot, x.dtype, max(end, 0))
