"""Random programs for hypothesis: all primitives but calls and kernels.

A program is grown from a list of "genes", tuples of whole numbers, so that hypothesis
can shrink it: each gene chooses an operation and its operands among the values that are
there. As each value's numbers are known while it grows, operations are left out where
rounding would decide the result: a comparison, a sign, a cast to integers only reads
values that every order of summation gives exactly (small whole numbers), and what is not
exact stays of moderate size and away from poles.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from cases import Case, a_call, checked, close
from hypothesis import strategies as st

from dotori.compiler.ir import Instr, Program, Value

SMOOTH_1 = (
    "negative absolute square sqrt exp expm1 exp2 log log1p log2 log10 sin cos tanh "
    "arctan arcsinh reciprocal cbrt positive sinh cosh"
).split()
EXACT_1 = "sign floor ceil trunc rint isnan isfinite isinf signbit logical_not invert"
SMOOTH_2 = (
    "add subtract multiply add subtract multiply divide maximum minimum fmax fmin "
    "logaddexp hypot arctan2"
).split()
EXACT_2 = (
    "equal not_equal less less_equal greater greater_equal logical_and logical_or "
    "logical_xor bitwise_and bitwise_or bitwise_xor floor_divide remainder fmod "
    "copysign left_shift right_shift power"
).split()
POLES = {"sqrt", "log", "log2", "log10", "reciprocal", "cbrt", "log1p", "hypot"}
DTYPES = [np.dtype(t) for t in ("f4", "f8", "f4", "i8", "?", "i4")]
NUMBERS = [0.5, 2.0, -1.0, 3, -2, 1.0, 0.0, 0, True, 1, 0.25, -0.5]
EXACT_UP_TO = 4096.0
LARGEST = 100.0


def exact(array: Any) -> bool:
    """Whether all numbers are whole and small."""
    if array.dtype.kind != "f":
        return True
    small = np.abs(array) <= EXACT_UP_TO
    return bool(np.all(small) and np.all(array == np.rint(array)))


class Growing:
    """The values so far, with their numbers."""

    def __init__(self, dims: list[int], seed: int) -> None:
        self.dims = [*dims, 1]
        self.rng = np.random.default_rng(seed)
        self.values: list[Value] = []
        self.numbers: dict[Value, Any] = {}
        self.exact: dict[Value, bool] = {}
        self.instrs: list[Instr] = []

    def source(self, kind: str, gene: tuple[int, ...]) -> Value:
        """A value that no instruction makes."""
        g = list(gene)
        shape = tuple(self.dims[k % len(self.dims)] for k in g[1 : 1 + g[0] % 4])
        dtype = DTYPES[g[4] % len(DTYPES)]
        array = self.rng.integers(-3, 4, shape)
        array = np.asarray(np.abs(array) if g[4] % 2 else array).astype(dtype)
        if dtype.kind == "f" and g[0] % 3 == 0:
            array = np.asarray(array + self.rng.random(shape) - 0.5, dtype)
        held = array if kind in ("state", "constant") else None
        if kind == "state":
            held = _strangely_laid(array, g[3])
        value = Value(shape, dtype, kind, held)
        self.numbers[value], self.exact[value] = array, exact(array)
        self.values.append(value)
        return value

    def part_of_state(self, gene: int) -> None:
        """A state that lies in the memory of another one, as parameters do."""
        whole = self.pick(
            gene, lambda x: x.kind == "state" and x.size > 1 and x.ndim > 0
        )
        array = whole.array[: 1 + gene % whole.shape[0]]
        value = Value(array.shape, array.dtype, "state", array)
        self.numbers[value] = np.array(array)
        self.exact[value] = self.exact[whole]
        self.values.append(value)

    def pick(self, gene: int, where: Callable[[Value], bool] = lambda x: True) -> Value:
        """A value for which `where` holds, late ones more often."""
        found = [x for x in self.values if where(x)]
        if not found:
            raise LookupError
        back = gene % (2 * len(found))
        return found[-1 - back // 2] if back % 2 else found[-1 - back // 4]

    def add(self, op: str, inputs: tuple[Any, ...], shape: Any = None, **attrs: Any):
        """One more instruction, unless its numbers are not to be trusted."""
        given = [self.numbers[x] if isinstance(x, Value) else x for x in inputs]
        output = Value(shape or (), np.dtype(attrs.pop("to", float)))
        trial = Instr(op, inputs, (output,), attrs)
        made = _trial(trial, given)
        whole = all(self.exact[x] for x in inputs if isinstance(x, Value))
        if not _trustworthy(op, given, made, whole):
            raise LookupError
        y = Value(made.shape, made.dtype, order=self._order(op, made))
        self.instrs.append(Instr(op, inputs, (y,), attrs, f"net.py:{len(self.instrs)}"))
        self.numbers[y], self.exact[y] = made, whole and exact(made)
        self.values.append(y)

    def _order(self, op: str, made: Any) -> tuple[int, ...]:
        if op in ("reshape", "transpose", "slice", "broadcast_to"):
            return ()
        axes = tuple(range(made.ndim))
        return axes if self.rng.random() < 0.8 else tuple(self.rng.permutation(axes))


def _trial(instr: Instr, given: list[Any]) -> Any:
    """What an instruction makes, whatever its output is declared as."""
    from dotori.compiler import interpret

    with np.errstate(all="ignore"):
        return np.asarray(interpret._PERFORM[instr.op](instr, *given)[0])


def _strangely_laid(array: Any, gene: int) -> Any:
    """A copy, sometimes a transposed one, or a part of a larger one."""
    if gene % 3 == 0 or not array.ndim:
        return np.array(array)
    if gene % 3 == 1:
        return np.array(array.T, order="C").T
    larger = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    larger[..., ::2] = array
    return larger[..., ::2]


def _trustworthy(op: str, given: list[Any], made: Any, whole: bool) -> bool:
    if made.size > 600 or made.dtype.kind not in "bif" or made.dtype.itemsize == 2:
        return False
    if made.dtype.kind == "f" and not np.all(np.abs(made) <= LARGEST):
        if not (whole and exact(made)):
            return False
    arrays = [np.abs(np.asarray(x, float)) for x in given]
    if op in POLES and not all(np.all(np.asarray(x, float) > 0.2) for x in given):
        return False
    if op in ("divide", "arctan2", "floor_divide", "remainder", "fmod"):
        return bool(np.all(arrays[1] > 0.2))
    if op in ("left_shift", "right_shift"):
        return bool(np.all((np.asarray(given[1]) >= 0) & (arrays[1] < 8)))
    if op == "power":
        return bool(np.all((np.asarray(given[1]) >= 0) & (arrays[1] <= 3)))
    if op in ("sum", "prod", "matmul") and whole:
        # partial sums must be exact in float32 too
        return bool(np.prod([max(1.0, a.max(initial=0)) for a in arrays]) <= 2**12)
    return True


def _unary(g: Growing, gene: tuple[int, ...]) -> None:
    _, a, b, c, _ = gene
    names = EXACT_1.split() if c % 3 == 0 else SMOOTH_1
    op = names[b % len(names)]
    g.add(op, (g.pick(a, lambda x: c % 3 != 0 or g.exact[x]),))


def _binary(g: Growing, gene: tuple[int, ...]) -> None:
    _, a, b, c, d = gene
    needs = c % 3 == 0
    names = EXACT_2 if needs else SMOOTH_2
    x = g.pick(a, lambda x: not needs or g.exact[x])
    if d % 4 == 0:
        number = NUMBERS[b % len(NUMBERS)]
        given = (x, number) if d % 8 else (number, x)
        return g.add(names[d // 8 % len(names)], given)
    y = g.pick(b, lambda y: _broadcast(x, y) and (not needs or g.exact[y]))
    return g.add(names[d // 4 % len(names)], (x, y))


def _broadcast(*xs: Value) -> bool:
    try:
        np.broadcast_shapes(*(x.shape for x in xs))
    except ValueError:
        return False
    return True


def _where(g: Growing, gene: tuple[int, ...]) -> None:
    _, a, b, c, d = gene
    condition = g.pick(a, lambda x: x.dtype == bool)
    x = g.pick(b, lambda x: _broadcast(condition, x))
    if d % 3 == 0:
        return g.add("where", (condition, x, NUMBERS[c % len(NUMBERS)]))
    y = g.pick(c, lambda y: _broadcast(condition, x, y))
    return g.add("where", (condition, x, y))


def _cast(g: Growing, gene: tuple[int, ...]) -> None:
    _, a, b, _, _ = gene
    to = DTYPES[b % len(DTYPES)]
    x = g.pick(a, lambda x: to.kind == "f" or g.exact[x])
    g.add("cast", (x,), shape=x.shape, to=to)


def _erf(g: Growing, gene: tuple[int, ...]) -> None:
    g.add("erf", (g.pick(gene[1], lambda x: x.dtype.kind == "f"),))


def _reduction(g: Growing, gene: tuple[int, ...]) -> None:
    _, a, b, c, d = gene
    op = ("sum", "sum", "prod", "max", "min", "any", "all")[b % 7]
    x = g.pick(a, lambda x: op not in ("any", "all") or g.exact[x])
    axis = tuple(i for i in range(x.ndim) if c >> i & 1)
    if op in ("max", "min") and any(x.shape[i] == 0 for i in axis):
        raise LookupError
    g.add(op, (x,), axis=axis, keepdims=bool(d % 2))


def _arg_reduction(g: Growing, gene: tuple[int, ...]) -> None:
    _, a, b, c, d = gene
    x = g.pick(a, lambda x: g.exact[x] and x.ndim > 0 and x.size > 0)
    axis, keepdims = c % x.ndim, bool(d % 2)
    g.add(("argmax", "argmin")[b % 2], (x,), axis=axis, keepdims=keepdims)


def _matmul(g: Growing, gene: tuple[int, ...]) -> None:
    _, a, b, _, _ = gene
    x = g.pick(a, lambda x: x.ndim >= 2)
    g.add("matmul", (x, g.pick(b, lambda y: _multiply(x, y))))


def _multiply(x: Value, y: Value) -> bool:
    if y.ndim < 2 or x.shape[-1] != y.shape[-2]:
        return False
    try:
        np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    except ValueError:
        return False
    return True


def _reshape(g: Growing, gene: tuple[int, ...]) -> None:
    _, a, b, c, d = gene
    x = g.pick(a)
    left, shape = x.size, []
    for k in (b, c):
        divisors = [n for n in range(1, left + 1) if left % n == 0] or [1]
        shape.append(divisors[k % len(divisors)] if left else k % 3)
        left = left // shape[-1] if shape[-1] else 0
    shape = [*shape, left] if d % 2 or left != 1 else shape
    if int(np.prod(shape)) != x.size:
        shape = [*x.shape, 1]
    g.add("reshape", (x,), shape=tuple(shape))


def _transpose(g: Growing, gene: tuple[int, ...]) -> None:
    _, a, b, _, _ = gene
    x = g.pick(a)
    axes = tuple(int(i) for i in np.random.default_rng(b).permutation(x.ndim))
    g.add("transpose", (x,), axes=axes)


def _index(x: Value, genes: tuple[int, ...]) -> tuple[int | slice, ...]:
    index: list[int | slice] = []
    for n, k in zip(x.shape, genes, strict=False):
        start, stop = sorted((k % (n + 1), k // 7 % (n + 1)))
        if k % 5 == 0 and n:
            index.append(k // 5 % n)
        elif k % 5 == 1:
            index.append(slice(None, None, -1))
        elif k % 5 == 2:
            index.append(slice(start, stop, 2))
        else:
            index.append(slice(start, stop) if k % 2 else slice(None))
    return (*index, *[slice(None)] * (x.ndim - len(index)))


def _slice(g: Growing, gene: tuple[int, ...]) -> None:
    x = g.pick(gene[1])
    g.add("slice", (x,), index=_index(x, gene[2:]))


def _broadcast_to(g: Growing, gene: tuple[int, ...]) -> None:
    _, a, b, _, _ = gene
    x = g.pick(a)
    y = g.pick(b, lambda y: _broadcast(x, y) and x.ndim <= y.ndim)
    shape = np.broadcast_shapes(x.shape, y.shape)
    g.add("broadcast_to", (x,), shape=shape)


def _copy(g: Growing, gene: tuple[int, ...]) -> None:
    g.add("copy", (g.pick(gene[1]),))


def _concatenate(g: Growing, gene: tuple[int, ...]) -> None:
    _, a, b, c, d = gene
    x = g.pick(a, lambda x: x.ndim > 0)
    axis = d % x.ndim

    def fits(y: Value) -> bool:
        rest = [n for i, n in enumerate(x.shape) if i != axis]
        return y.ndim == x.ndim and rest == [
            n for i, n in enumerate(y.shape) if i != axis
        ]

    g.add("concatenate", (x, *(g.pick(k, fits) for k in (b, c)[: d % 3])), axis=axis)


def _indices(g: Growing, x: Value, gene: int, axis: int) -> Value:
    """Whole numbers that are places along an axis; a new constant if none is there."""
    n = x.shape[axis]

    def fits(y: Value) -> bool:
        array = g.numbers[y]
        inside = y.dtype.kind == "i" and y.kind != "state" and y.kind != "input"
        return inside and bool(np.all((array >= 0) & (array < n)))

    if n == 0:
        raise LookupError
    if gene % 2:
        return g.pick(gene // 2, fits)
    shape = (2, 3)[: gene // 2 % 3]
    array = np.asarray(g.rng.integers(0, n, shape))
    value = Value(shape, array.dtype, "constant", array)
    g.numbers[value], g.exact[value] = array, True
    return value


def _take(g: Growing, gene: tuple[int, ...]) -> None:
    _, a, b, c, _ = gene
    x = g.pick(a, lambda x: x.ndim > 0)
    axis = c % x.ndim
    g.add("take", (x, _indices(g, x, b, axis)), axis=axis)


def _take_along_axis(g: Growing, gene: tuple[int, ...]) -> None:
    _, a, b, c, _ = gene
    x = g.pick(a, lambda x: x.ndim > 0 and x.size > 0)
    axis = c % x.ndim
    shape = list(x.shape)
    shape[axis] = 1 + b % 3
    array = g.rng.integers(0, x.shape[axis], shape)
    index = Value(array.shape, array.dtype, "constant", array)
    g.numbers[index], g.exact[index] = array, True
    g.add("take_along_axis", (x, index), axis=axis)


def _update(g: Growing, gene: tuple[int, ...]) -> None:
    _, a, b, _, _ = gene
    x = g.pick(a)
    index = _index(x, gene[2:])
    inside = np.empty(x.shape)[index].shape
    part = g.pick(b, lambda y: y.shape == inside and y.dtype == x.dtype)
    g.add("update", (x, part), index=index)


def _renew(g: Growing, gene: tuple[int, ...]) -> None:
    """What a state may become: itself and something else."""
    _, a, b, c, _ = gene
    state = g.pick(a, lambda x: x.kind == "state")

    def fits(y: Value) -> bool:
        if not _broadcast(state, y) or y.dtype != state.dtype:
            return False
        return np.broadcast_shapes(state.shape, y.shape) == state.shape

    op = ("subtract", "add", "maximum", "multiply", "minimum")[c % 5]
    g.add(op, (state, g.pick(b, fits)))


def _require(g: Growing, gene: tuple[int, ...]) -> None:
    x = g.pick(gene[1], lambda x: x.dtype == bool and x.size == 1)
    if bool(g.numbers[x]):
        g.instrs.append(Instr("require", (x,), (), {"error": ArithmeticError}))


KINDS: list[Callable[[Growing, tuple[int, ...]], None]] = [
    _unary, _unary, _unary, _binary, _binary, _binary, _binary, _binary, _binary,
    _where, _cast, _erf, _reduction, _reduction, _arg_reduction, _matmul, _matmul, _reshape, _transpose,
    _slice, _broadcast_to, _copy, _concatenate, _concatenate, _take, _take_along_axis,
    _update, _update, _require, _renew, _renew, _renew,
]  # fmt: skip

_gene = st.tuples(*[st.integers(0, 9999)] * 5)


@st.composite
def programs(draw: Any, smallest: int = 7, largest: int = 30) -> Case:
    """A random program of so many genes, with numbers for its inputs and states."""
    dims = draw(st.lists(st.sampled_from([2, 3, 1, 0, 4, 5]), min_size=2, max_size=3))
    g = Growing(dims, draw(st.integers(0, 9999)))
    sources = draw(st.lists(_gene, min_size=3, max_size=7))
    kinds = ("input", "state", "input", "state", "host", "constant", "input")
    made = [g.source(kind, gene) for kind, gene in zip(kinds, sources, strict=False)]
    if draw(st.booleans()):
        with suppress(LookupError):
            g.part_of_state(draw(st.integers(0, 9999)))
    for gene in draw(st.lists(_gene, min_size=smallest, max_size=largest)):
        _grow(g, gene)
    ends = draw(st.lists(st.integers(0, 9999), min_size=2, max_size=8))
    return _case(g, made, ends)


def _grow(g: Growing, gene: tuple[int, ...]) -> None:
    """One more instruction; the gene changes until it makes sense."""
    for _ in range(20):
        try:
            return KINDS[gene[0] % len(KINDS)](g, gene)
        except (LookupError, TypeError, ValueError):  # no operands of that kind
            gene = tuple((7 * k + 3 * i + 1) % 10_000 for i, k in enumerate(gene))


def _case(g: Growing, sources: list[Value], ends: list[int]) -> Case:
    inputs, host, states = (
        [x for x in sources if x.kind == kind] for kind in ("input", "host", "state")
    )
    updates = []
    for state, k in zip(states, ends, strict=False):
        like = [
            x
            for x in g.values
            if x is not state and (x.shape, x.dtype) == (state.shape, state.dtype)
        ]
        like = [x for x in like if x.kind == "made" or k % 5 == 0]
        if like:
            updates.append((state, like[-1 - k % len(like)]))
    outputs = [g.pick(k) for k in ends[len(states) :]] or [g.values[-1]]
    program = Program(inputs, host, g.instrs, outputs, updates)
    return Case(
        program,
        [g.numbers[x] for x in inputs],
        [g.numbers[x] for x in host],
        [(x, np.array(x.array)) for x in states],
    )


__all__ = ["Case", "a_call", "checked", "close", "programs"]
