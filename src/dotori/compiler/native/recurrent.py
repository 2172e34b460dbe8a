"""Recurrent layers in native steps: whole sequences, forward and backward.

As in `dotori.ops.recurrent`, whose notation and saved arrays these are: the products of
all steps with W_ih are one product, and so are the gradients of the weights. What is
left for a step is one small product, and its gates: a loop that reads everything once.

Hidden units are cut into pieces, as many as the shapes suggest. A piece has its own
columns of W_hh, packed one after another, and its own part of every gate; threads share
the pieces, and meet once in a step, where each needs the states of all.

Loops run from 0 over slices: where an index might be negative, which counts from the
end, LLVM makes no vectors.

Where a sequence begins and ends stands in `steps`, a table with a row for each step in
the order in which they are run:

    first   its first row in the packed batch
    n       its number of rows
    past    the first row of the step before
    seen    how many of its sequences were in that step; the others begin with it
    stays   how many of its sequences are in the step that follows
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.compiler.native.language import (
    Array,
    barrier,
    compiled,
    matmul,
    tanh,
)
from dotori.compiler.native.library import Call, Room, Routine, Table, lies
from dotori.compiler.native.shared import multiply_in_pieces

#: The fewest hidden units that are worth a piece of their own, and the most pieces.
UNITS, PIECES = 64, 8
#: So few rows are multiplied by the weights as they lie.
FEW = 4


def schedule(sizes: tuple[int, ...], reverse: bool) -> NDArray[np.int64]:
    """The table of steps.

    Examples
    --------
    >>> schedule((2, 2, 1), reverse=False)
    array([[0, 2, 0, 0, 2],
           [2, 2, 0, 2, 1],
           [4, 1, 2, 1, 0]])
    """
    runs, first = [], 0
    for n in sizes:
        runs.append((first, n))
        first += n
    if reverse:
        runs.reverse()
    rows = []
    for i, (first, n) in enumerate(runs):
        past, before = runs[i - 1] if i else (0, 0)
        after = runs[i + 1][1] if i + 1 < len(runs) else 0
        rows.append((first, n, past, min(before, n), min(after, n)))
    return np.array(rows, np.int64)


def pieces_of(size: int) -> int:
    """Into how many equal parts the hidden units are cut."""
    wanted = max(1, min(PIECES, size // UNITS))
    return next(p for p in range(wanted, 0, -1) if size % p == 0)


@compiled
def pack_columns(w: Array, packed: Array, thread: int, threads: int) -> None:
    """`w` (depth, size) as (pieces, depth, width): the columns of each piece."""
    pieces, depth, width = packed.shape
    for p in range(thread, pieces, threads):
        for i in range(depth):
            for k in range(width):
                packed[p, i, k] = w[i, p * width + k]


@compiled
def pack_gates(w: Array, packed: Any, turn: int, thread: int, threads: int) -> None:
    """`w` (gates * size, size), turned, as (pieces, size, gates * width).

    What a piece multiplies the state by: its units' rows of every gate, transposed.
    `turn` is the gate that comes first. Few rows are multiplied without: see `send`.
    """
    if packed is not None:
        pieces, depth, wide = packed.shape
        gates = w.shape[0] // depth
        width = wide // gates
        for p in range(thread, pieces, threads):
            for gate in range(gates):
                row = ((gate + turn) % gates * pieces + p) * width
                for k in range(width):
                    for i in range(depth):
                        packed[p, i, gate * width + k] = w[row + k, i]


@compiled
def copy_units(source: Array, target: Array, begin: int, width: int) -> None:
    """The same units of the same rows."""
    for j in range(source.shape[0]):
        a, b = source[j, begin : begin + width], target[j, begin : begin + width]
        for k in range(width):
            b[k] = a[k]


@compiled
def multiply_state(
    y: Array, h0: Array, w: Array, sent: Array, n: int, past: int, seen: int
) -> None:
    """sent = h W: h from the step before, or of the sequences that begin here."""
    if seen > 0:
        matmul(y[past : past + seen], w, sent[:seen])
    if seen < n:
        matmul(h0[seen:n], w, sent[seen:n])


@compiled
def send(
    y: Array,
    h0: Array,
    w_hh: Array,
    packed: Any,
    turn: int,
    sent: Array,
    n: int,
    past: int,
    seen: int,
    p: int,
) -> None:
    """What piece p of each gate gets from the state; `turn` is the first gate."""
    if packed is None:
        size = w_hh.shape[1]
        gates = w_hh.shape[0] // size
        width = sent.shape[1] // gates
        for gate in range(gates):
            row = (gate + turn) % gates * size + p * width
            part = sent[:, gate * width : (gate + 1) * width]
            multiply_state(y, h0, w_hh[row : row + width].T, part, n, past, seen)
    else:
        multiply_state(y, h0, packed[p], sent, n, past, seen)


@compiled
def note_before(
    y: Array,
    h0: Array,
    before: Array,
    first: int,
    n: int,
    past: int,
    seen: int,
    begin: int,
    width: int,
) -> None:
    """The states that a step began with, of some units, for the gradient of W_hh."""
    copy_units(y[past : past + seen], before[first : first + seen], begin, width)
    copy_units(h0[seen:n], before[first + seen : first + n], begin, width)


@compiled
def begin_state(given: Any, state: Array, p: int) -> None:
    """state (n, width) = the units of piece p of `given`; zeros for None."""
    n, width = state.shape
    for j in range(n):
        now = state[j]
        if given is None:
            for k in range(width):
                now[k] = 0
        else:
            units = given[j, p * width : (p + 1) * width]
            for k in range(width):
                now[k] = units[k]


@compiled
def end_state(state: Array, given: Any, p: int) -> None:
    """The way back from `begin_state`, where that is wanted."""
    if given is not None:
        n, width = state.shape
        for j in range(n):
            now, units = state[j], given[j, p * width : (p + 1) * width]
            for k in range(width):
                units[k] = now[k]


@compiled
def add_gradient(state: Array, dy: Any, first: int, n: int, p: int) -> None:
    """state[:n] += the units of piece p of a step's rows of dy."""
    if dy is not None:
        width = state.shape[1]
        for j in range(n):
            now, units = state[j], dy[first + j, p * width : (p + 1) * width]
            for k in range(width):
                now[k] += units[k]


@compiled
def sum_rows(
    da: Array, db: Array, first: int, n: int, gates: int, p: int, width: int
) -> None:
    """db += the rows of a step, the units of piece p of each gate."""
    size = da.shape[1] // gates
    for gate in range(gates):
        begin = gate * size + p * width
        total = db[begin : begin + width]
        for j in range(first, first + n):
            d = da[j, begin : begin + width]
            for k in range(width):
                total[k] += d[k]


@compiled
def clear(db: Array, thread: int) -> None:
    """Zeros."""
    if thread == 0:
        for k in range(db.shape[0]):
            db[k] = 0


@compiled
def add_biases(
    b_ih: Any, b_hh: Any, bias: Array, turn: int, wanted: int, thread: int
) -> None:
    """bias = b_ih + the first `wanted` of b_hh, turned by `turn` places."""
    if thread == 0:
        n = bias.shape[0]
        for k in range(n):
            bias[k] = 0
        if b_ih is not None:
            for k in range(n):
                bias[k] += b_ih[(k + n - turn) % n]
        if b_hh is not None:
            for k in range(n):
                at = (k + n - turn) % n
                if at < wanted:
                    bias[k] += b_hh[at]


@compiled
def give_biases(db: Array, db_ih: Any, db_hh: Any, thread: int) -> None:
    """Both biases have the same gradient."""
    if thread == 0:
        if db_ih is not None:
            for k in range(db.shape[0]):
                db_ih[k] = db[k]
        if db_hh is not None:
            for k in range(db.shape[0]):
                db_hh[k] = db[k]


@compiled
def of_weights(
    da: Array,
    x: Array,
    before: Array,
    w_ih: Array,
    dx: Any,
    dw_ih: Any,
    dw_hh: Any,
    thread: int,
    threads: int,
) -> None:
    """dx = da W_ih, dW_ih = da^T x and dW_hh = da^T h, over all steps."""
    if dx is not None:
        multiply_in_pieces(da, w_ih, dx, thread, threads)
    if dw_ih is not None:
        multiply_in_pieces(da.T, x, dw_ih, thread, threads)
    if dw_hh is not None:
        multiply_in_pieces(da.T, before, dw_hh, thread, threads)


@compiled
def rnn_units(
    y: Array, sent: Array, bias: Array, first: int, n: int, p: int, relu: bool
) -> None:
    """y = f(y + sent + bias), for the units of a piece."""
    width, none = sent.shape[1], y.dtype.type(0)
    b = bias[p * width : (p + 1) * width]
    for j in range(n):
        now, from_h = y[first + j, p * width : (p + 1) * width], sent[j]
        if relu:
            for k in range(width):
                a = now[k] + from_h[k] + b[k]
                now[k] = none if a <= 0 else a
        else:
            for k in range(width):
                now[k] = tanh(now[k] + from_h[k] + b[k])


@compiled
def rnn_forward(
    x: Array,
    h0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Any,
    b_hh: Any,
    y: Array,
    h: Array,
    packed: Any,
    sent: Array,
    bias: Array,
    steps: Array,
    relu: bool,
    table: Any,
    thread: int,
    threads: int,
) -> None:
    """y and the last h, as `dotori.ops.recurrent.RNN`."""
    pieces, width = sent.shape[0], sent.shape[2]
    pack_gates(w_hh, packed, 0, thread, threads)
    add_biases(b_ih, b_hh, bias, 0, bias.shape[0], thread)
    multiply_in_pieces(x, w_ih.T, y, thread, threads)
    barrier(table, thread, threads)
    for t in range(steps.shape[0]):
        first, n, past = steps[t, 0], steps[t, 1], steps[t, 2]
        seen, stays = steps[t, 3], steps[t, 4]
        for p in range(thread, pieces, threads):
            send(y, h0, w_hh, packed, 0, sent[p], n, past, seen, p)
            rnn_units(y, sent[p], bias, first, n, p, relu)
            copy_units(y[first + stays : first + n], h[stays:n], p * width, width)
        barrier(table, thread, threads)


@compiled
def rnn_slopes(
    y: Array, dh: Array, da: Array, first: int, n: int, p: int, relu: bool
) -> None:
    """da = f' dh, where f' follows from y = f(a)."""
    width = dh.shape[1]
    one, none = y.dtype.type(1), y.dtype.type(0)
    for j in range(n):
        now = y[first + j, p * width : (p + 1) * width]
        d, to_h = da[first + j, p * width : (p + 1) * width], dh[j]
        if relu:
            for k in range(width):
                slope = none if now[k] <= 0 else one
                d[k] = slope * to_h[k]
        else:
            for k in range(width):
                d[k] = (one - now[k] * now[k]) * to_h[k]


@compiled
def rnn_backward(
    dy: Any,
    dh: Any,
    x: Array,
    h0: Array,
    w_ih: Array,
    w_hh: Array,
    y: Array,
    dx: Any,
    dh0: Any,
    dw_ih: Any,
    dw_hh: Any,
    db_ih: Any,
    db_hh: Any,
    packed: Array,
    state: Array,
    da: Array,
    before: Array,
    db: Array,
    steps: Array,
    relu: bool,
    table: Any,
    thread: int,
    threads: int,
) -> None:
    """The gradients for all that `rnn_forward` reads; None is not wanted."""
    pieces, width = packed.shape[0], packed.shape[2]
    pack_columns(w_hh, packed, thread, threads)
    clear(db, thread)
    barrier(table, thread, threads)
    for p in range(thread, pieces, threads):
        begin_state(dh, state[p], p)
    for t in range(steps.shape[0] - 1, -1, -1):
        first, n, past, seen = steps[t, 0], steps[t, 1], steps[t, 2], steps[t, 3]
        for p in range(thread, pieces, threads):
            add_gradient(state[p], dy, first, n, p)
            rnn_slopes(y, state[p], da, first, n, p, relu)
            sum_rows(da, db, first, n, 1, p, width)
            note_before(y, h0, before, first, n, past, seen, p * width, width)
        barrier(table, thread, threads)
        for p in range(thread, pieces, threads):
            matmul(da[first : first + n], packed[p], state[p, :n])
    for p in range(thread, pieces, threads):
        end_state(state[p], dh0, p)
    give_biases(db, db_ih, db_hh, thread)
    of_weights(da, x, before, w_ih, dx, dw_ih, dw_hh, thread, threads)


def plan(call: Call) -> Routine | None:
    """The routine for a call of RNN, if there is one."""
    if not suited(call):
        return None
    return plan_forward(call) if call.rule == "forward" else plan_backward(call)


def suited(call: Call) -> bool:
    """Whether there are routines for numbers and batches like these."""
    in_order = all(lies(y, tuple(range(y.ndim))) for y in call.instr.outputs)
    return call.plain() and in_order and 0 not in call.attrs["sizes"]


class Shapes:
    """The lengths that the routines of the three layers have in common."""

    def __init__(self, call: Call, x: Any, h0: Any, gates: int) -> None:
        inputs, state = call.value(x), call.value(h0)
        assert inputs is not None and state is not None
        self.dtype = inputs.dtype
        self.rows, self.features = inputs.shape
        self.batch, self.size = state.shape
        self.gates = gates
        self.pieces = pieces_of(self.size)
        self.width = self.size // self.pieces
        self.table = Table(schedule(call.attrs["sizes"], call.attrs["reverse"]))
        depth = self.features + self.size
        self.work = float(self.rows * gates * self.size * depth)

    def room(self, *shape: int) -> Room:
        return Room(self.dtype.name, shape)

    def packed(self) -> Room | None:
        """For `pack_gates`: packing pays for itself from some rows on."""
        if self.batch < FEW:
            return None
        return self.room(self.pieces, self.size, self.gates * self.width)


def plan_forward(call: Call) -> Routine:
    """`rnn_forward` with its room."""
    x, h0 = call.args[:2]
    at = Shapes(call, x, h0, gates=1)
    arguments = (
        *(call.read(arg) for arg in call.args),
        call.write(0, at.dtype, (at.rows, at.size)),
        call.write(1, at.dtype, (at.batch, at.size)),
        at.packed(),
        at.room(at.pieces, at.batch, at.width),
        at.room(at.size),
        at.table,
        bool(call.attrs["relu"]),
    )
    return Routine(rnn_forward, arguments, at.work)


def plan_backward(call: Call) -> Routine:
    """`rnn_backward` with its room."""
    (dy, dh), _, *saved = call.args
    x, h0, w_ih, w_hh, _, _, y = saved
    at = Shapes(call, x, h0, gates=1)
    arguments = (
        *(call.read(arg) for arg in (dy, dh, x, h0, w_ih, w_hh, y)),
        *(call.wanted(i) for i in range(6)),
        at.room(at.pieces, at.size, at.width),
        at.room(at.pieces, at.batch, at.width),
        at.room(at.rows, at.size),
        at.room(at.rows, at.size),
        at.room(at.size),
        at.table,
        bool(call.attrs["relu"]),
    )
    return Routine(rnn_backward, arguments, 2 * at.work)
