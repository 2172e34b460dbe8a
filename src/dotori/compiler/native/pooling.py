"""Pooling in native steps: the largest number, or the sum, of each window.

As in `dotori.kernels.pooling`, for pictures with their channels last: loops go window
by window, by a table of the places of its taps, with all channels side by side. The tap
that won is saved as there. Threads share the pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from dotori.compiler.native.gathered import add_numbers, copy_numbers
from dotori.compiler.native.language import Array, apart, compiled
from dotori.compiler.native.library import Argument, Call, Routine, Table, Write, lies
from dotori.kernels.tiling import Tiling, places

#: The longest table of places: 8 MB.
LARGEST_TABLE = 1 << 20


@apart
def larger_of_two(
    x0: Array, x1: Array, k0: int, k1: int, y: Array, winners: Array
) -> None:
    """y = the larger number, the first of equals, the last NaN; and whose it is."""
    first, second = winners.dtype.type(k0), winners.dtype.type(k1)
    for c in range(y.shape[0]):
        best, v = x0[c], x1[c]
        better = (v > best) | (v != v)
        y[c] = v if better else best
        winners[c] = second if better else first


@apart
def larger_than_before(x: Array, k: int, y: Array, winners: Array) -> None:
    """The same, with what is in y so far."""
    tap = winners.dtype.type(k)
    for c in range(y.shape[0]):
        best, v = y[c], x[c]
        better = (v > best) | (v != v)
        y[c] = v if better else best
        winners[c] = tap if better else winners[c]


@apart
def largest_of_four(
    x0: Array, x1: Array, x2: Array, x3: Array, y: Array, winners: Array
) -> None:
    """A window of four taps, all of them inside."""
    kind = winners.dtype.type
    one, two, three = kind(1), kind(2), kind(3)
    for c in range(y.shape[0]):
        best, won = x0[c], kind(0)
        v = x1[c]
        better = (v > best) | (v != v)
        best, won = v if better else best, one if better else won
        v = x2[c]
        better = (v > best) | (v != v)
        best, won = v if better else best, two if better else won
        v = x3[c]
        better = (v > best) | (v != v)
        y[c] = v if better else best
        winners[c] = three if better else won


@compiled
def largest(x: Array, y: Array, winners: Array, where: Array) -> None:
    """One picture: y = the largest number of each window, and winners = its tap."""
    taps = where.shape[1]
    whole = taps == 4
    for o in range(where.shape[0]):
        best, won, at = y[o], winners[o], where[o]
        if whole and min(at[0], at[1], at[2], at[3]) >= 0:
            largest_of_four(x[at[0]], x[at[1]], x[at[2]], x[at[3]], best, won)
            continue
        first = 0
        while at[first] < 0:
            first += 1
        # a second tap, or the first once more, which changes nothing
        second = first + 1
        while second < taps and at[second] < 0:
            second += 1
        other = second if second < taps else first
        larger_of_two(x[at[first]], x[at[other]], first, other, best, won)
        for k in range(second + 1, taps):
            if at[k] >= 0:
                larger_than_before(x[at[k]], k, best, won)


@apart
def take_larger(x: Array, y: Array) -> None:
    """y = the larger number of the two; NaN where there is one."""
    for c in range(y.shape[0]):
        best, v = y[c], x[c]
        y[c] = v if (v > best) | (v != v) else best


@compiled
def max_only_forward(
    x: Array, y: Array, where: Array, table: Any, thread: int, threads: int
) -> None:
    """The largest number of each window, and no word of its tap."""
    batch, channels = x.shape[0], x.shape[x.ndim - 1]
    seen = x.reshape(batch, x.size // (batch * channels), channels)
    made = y.reshape(batch, y.size // (batch * channels), channels)
    windows, taps = where.shape
    for task in range(thread, batch * windows, threads):
        n, o = task // windows, task % windows
        first = 0
        while where[o, first] < 0:
            first += 1
        copy_numbers(seen[n, where[o, first]], made[n, o])
        for k in range(first + 1, taps):
            if where[o, k] >= 0:
                take_larger(seen[n, where[o, k]], made[n, o])


@apart
def put_where_won(dy: Array, winners: Array, k: int, dx: Array) -> None:
    """dx = dy where tap k won, else 0."""
    tap, none = winners.dtype.type(k), dx.dtype.type(0)
    for c in range(dx.shape[0]):
        dx[c] = dy[c] if winners[c] == tap else none


@apart
def add_where_won(dy: Array, winners: Array, k: int, dx: Array) -> None:
    """dx += dy where tap k won."""
    tap, none = winners.dtype.type(k), dx.dtype.type(0)
    for c in range(dx.shape[0]):
        dx[c] += dy[c] if winners[c] == tap else none


@compiled
def max_pool_forward(
    x: Array,
    y: Array,
    winners: Array,
    where: Array,
    table: Any,
    thread: int,
    threads: int,
) -> None:
    """The largest number of each window, and its tap (batch, windows, channels)."""
    batch, channels = x.shape[0], x.shape[x.ndim - 1]
    seen = x.reshape(batch, x.size // (batch * channels), channels)
    made = y.reshape(batch, y.size // (batch * channels), channels)
    for n in range(thread, batch, threads):
        largest(seen[n], made[n], winners[n], where)


@compiled
def max_pool_backward(
    dy: Array,
    winners: Array,
    dx: Array,
    where: Array,
    disjoint: bool,
    table: Any,
    thread: int,
    threads: int,
) -> None:
    """dx = dy at the places that won; windows that are `disjoint` cover all places."""
    batch, channels = dy.shape[0], dy.shape[dy.ndim - 1]
    given = dy.reshape(batch, dy.size // (batch * channels), channels)
    made = dx.reshape(batch, dx.size // (batch * channels), channels)
    for n in range(thread, batch, threads):
        target, source, won = made[n], given[n], winners[n]
        if not disjoint:
            target[:] = 0
        for o in range(where.shape[0]):
            for k in range(where.shape[1]):
                at = where[o, k]
                if at >= 0 and disjoint:
                    put_where_won(source[o], won[o], k, target[at])
                elif at >= 0:
                    add_where_won(source[o], won[o], k, target[at])


@compiled
def window_sum_forward(
    x: Array, y: Array, where: Array, table: Any, thread: int, threads: int
) -> None:
    """y = the sum of each window."""
    batch, channels = x.shape[0], x.shape[x.ndim - 1]
    seen = x.reshape(batch, x.size // (batch * channels), channels)
    made = y.reshape(batch, y.size // (batch * channels), channels)
    for n in range(thread, batch, threads):
        source, target = seen[n], made[n]
        target[:] = 0
        for o in range(where.shape[0]):
            for k in range(where.shape[1]):
                at = where[o, k]
                if at >= 0:
                    add_numbers(source[at], target[o])


@compiled
def spread_sum_forward(
    dy: Array, dx: Array, where: Array, table: Any, thread: int, threads: int
) -> None:
    """dx = for each place, dy of all windows that it is in."""
    batch, channels = dy.shape[0], dy.shape[dy.ndim - 1]
    given = dy.reshape(batch, dy.size // (batch * channels), channels)
    made = dx.reshape(batch, dx.size // (batch * channels), channels)
    for n in range(thread, batch, threads):
        source, target = given[n], made[n]
        target[:] = 0
        for o in range(where.shape[0]):
            for k in range(where.shape[1]):
                at = where[o, k]
                if at >= 0:
                    add_numbers(source[o], target[at])


#: The routine of each rule.
ROUTINES: dict[tuple[str, str], Callable[..., None]] = {
    ("MaxPool", "forward"): max_pool_forward,
    ("MaxPool", "backward"): max_pool_backward,
    ("MaxOnly", "forward"): max_only_forward,
    ("PutWinners", "forward"): max_pool_backward,
    ("WindowSum", "forward"): window_sum_forward,
    ("WindowSum", "backward"): spread_sum_forward,
    ("SpreadSum", "forward"): spread_sum_forward,
    ("SpreadSum", "backward"): window_sum_forward,
}


def plan(call: Call) -> Routine | None:
    """The routine for a call of pooling, if the channels of its pictures lie last."""
    function = ROUTINES.get((call.op, call.rule))
    tiling: Tiling = call.attrs["tiling"]
    pictures, made = call.value(call.args[0]), call.instr.outputs[0]
    if function is None or pictures is None or not call.plain():
        return None
    axes: int = call.attrs["axes"]
    if pictures.ndim != axes + 2 or pictures.shape[1] == 1:
        return None
    if prod((*tiling.out, *tiling.size)) > LARGEST_TABLE:
        return None
    order = (0, *range(2, axes + 2), 1)
    if not _fits(call, pictures, order) or not lies(made, order):
        return None
    table = places(tiling)
    read, write = call.read(call.args[0], order), Write(0, order)
    arguments: tuple[Argument, ...]
    if function is max_pool_forward:
        arguments = (read, write, Write(1, (0, 1, 2)), Table(table))
    elif function is max_pool_backward:
        winners = call.read(call.args[1])
        covering = tiling.disjoint() and np.unique(table).size == prod(tiling.shape)
        whole = covering and int(table.min()) >= 0
        arguments = (read, winners, write, Table(table), bool(whole))
    else:
        arguments = (read, write, Table(table))
    return Routine(function, arguments, float(pictures.size))


def _fits(call: Call, pictures: Any, order: tuple[int, ...]) -> bool:
    """Whether what is saved or asked for belongs to pictures with channels last."""
    if call.op in ("WindowSum", "SpreadSum"):
        return bool(call.attrs["last"])
    if call.op == "MaxOnly":
        return True
    if call.rule == "forward" and call.op == "MaxPool":
        winners = call.instr.outputs[1] if len(call.instr.outputs) == 2 else None
    else:
        winners = call.value(call.args[1])
    return winners is not None and winners.shape[::2] == pictures.shape[:2]
