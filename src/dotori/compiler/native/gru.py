"""GRU in native steps: see `dotori.compiler.native.recurrent`.

The gates stand in the order r, z, n, in memory as in the weights.
"""

from __future__ import annotations

from typing import Any

from dotori.compiler.native.language import (
    Array,
    barrier,
    compiled,
    matmul_add,
    sigmoid,
    tanh,
)
from dotori.compiler.native.library import Call, Routine
from dotori.compiler.native.recurrent import (
    Shapes,
    add_biases,
    add_gradient,
    begin_state,
    clear,
    copy_units,
    end_state,
    give_biases,
    note_before,
    pack_columns,
    pack_gates,
    send,
    suited,
    sum_rows,
)
from dotori.compiler.native.shared import multiply_in_pieces


@compiled
def gru_units(
    a: Array,
    sent: Array,
    bias: Array,
    b_hh: Any,
    old: Array,
    past: Array,
    y: Array,
    p: int,
) -> None:
    """The gates of a row, and h = n + z (h - n), for the units of a piece.

    `bias` is what is added to a; b_hn is added to W_hn h alone, in `past`.
    """
    size, width = y.shape[0], sent.shape[0] // 3
    at, end = p * width, (p + 1) * width
    for gate in range(2):
        units = a[gate * size + at : gate * size + end]
        b, from_h = bias[gate * size + at :], sent[gate * width :]
        for k in range(width):
            units[k] = sigmoid(units[k] + from_h[k] + b[k])
    seen, from_h = past[at:end], sent[2 * width :]
    if b_hh is None:
        for k in range(width):
            seen[k] = from_h[k]
    else:
        b = b_hh[2 * size + at :]
        for k in range(width):
            seen[k] = from_h[k] + b[k]
    r, z, n = a[at:end], a[size + at : size + end], a[2 * size + at : 2 * size + end]
    b = bias[2 * size + at :]
    for k in range(width):
        n[k] = tanh(n[k] + b[k] + r[k] * seen[k])
    before, h = old[at:end], y[at:end]
    for k in range(width):
        h[k] = (before[k] - n[k]) * z[k] + n[k]


@compiled
def gru_forward(
    x: Array,
    h0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Any,
    b_hh: Any,
    y: Array,
    h: Array,
    gates: Array,
    past: Array,
    packed: Any,
    sent: Array,
    bias: Array,
    steps: Array,
    table: Any,
    thread: int,
    threads: int,
) -> None:
    """All that `dotori.ops.gru.GRU` gives and saves."""
    size, pieces, width = h0.shape[1], sent.shape[0], sent.shape[2] // 3
    pack_gates(w_hh, packed, 0, thread, threads)
    add_biases(b_ih, b_hh, bias, 0, 2 * size, thread)
    multiply_in_pieces(x, w_ih.T, gates, thread, threads)
    barrier(table, thread, threads)
    for t in range(steps.shape[0]):
        first, n, before = steps[t, 0], steps[t, 1], steps[t, 2]
        seen, stays = steps[t, 3], steps[t, 4]
        for p in range(thread, pieces, threads):
            send(y, h0, w_hh, packed, 0, sent[p], n, before, seen, p)
            for j in range(n):
                old = y[before + j] if j < seen else h0[j]
                r = first + j
                gru_units(gates[r], sent[p, j], bias, b_hh, old, past[r], y[r], p)
            copy_units(y[first + stays : first + n], h[stays:n], p * width, width)
        barrier(table, thread, threads)


@compiled
def gru_slopes(
    a: Array, past: Array, old: Array, dh: Array, d: Array, dn: Array, begin: int
) -> None:
    """What goes back to W_hh h (d), and to what n is the tanh of (dn); dh = z dh.

    For the units of one row.
    """
    size, width = old.shape[0], dh.shape[0]
    end, one = begin + width, a.dtype.type(1)
    r, z, n = a[begin:end], a[size + begin : size + end], a[2 * size + begin :]
    to_r, to_z, to_past = d[begin:end], d[size + begin :], d[2 * size + begin :]
    seen, before, to_n = past[begin:end], old[begin:end], dn[begin:end]
    for k in range(width):
        to_n[k] = (one - n[k] * n[k]) * (one - z[k]) * dh[k]
    for k in range(width):
        to_z[k] = (before[k] - n[k]) * z[k] * (one - z[k]) * dh[k]
    for k in range(width):
        to_past[k] = to_n[k] * r[k]
    for k in range(width):
        to_r[k] = (one - r[k]) * to_past[k] * seen[k]
    for k in range(width):
        dh[k] *= z[k]


@compiled
def gru_backward(
    dy: Any,
    dh: Any,
    x: Array,
    h0: Array,
    w_ih: Array,
    w_hh: Array,
    y: Array,
    gates: Array,
    past: Array,
    dx: Any,
    dh0: Any,
    dw_ih: Any,
    dw_hh: Any,
    db_ih: Any,
    db_hh: Any,
    packed: Array,
    state: Array,
    da: Array,
    dn: Array,
    before: Array,
    db: Array,
    db_n: Array,
    steps: Array,
    table: Any,
    thread: int,
    threads: int,
) -> None:
    """The gradients for all that `gru_forward` reads; None is not wanted."""
    pieces, width = packed.shape[0], packed.shape[2]
    pack_columns(w_hh, packed, thread, threads)
    clear(db, thread)
    clear(db_n, thread)
    barrier(table, thread, threads)
    for p in range(thread, pieces, threads):
        begin_state(dh, state[p], p)
    for t in range(steps.shape[0] - 1, -1, -1):
        first, n, earlier, seen = steps[t, 0], steps[t, 1], steps[t, 2], steps[t, 3]
        for p in range(thread, pieces, threads):
            at = p * width
            add_gradient(state[p], dy, first, n, p)
            for j in range(n):
                old = y[earlier + j] if j < seen else h0[j]
                r = first + j
                gru_slopes(gates[r], past[r], old, state[p, j], da[r], dn[r], at)
            sum_rows(da, db, first, n, 3, p, width)
            sum_rows(dn, db_n, first, n, 1, p, width)
            note_before(y, h0, before, first, n, earlier, seen, at, width)
        barrier(table, thread, threads)
        for p in range(thread, pieces, threads):
            matmul_add(da[first : first + n], packed[p], state[p, :n])
    for p in range(thread, pieces, threads):
        end_state(state[p], dh0, p)
    give_both(db, db_n, db_ih, db_hh, thread)
    if dw_hh is not None:
        multiply_in_pieces(da.T, before, dw_hh, thread, threads)
    barrier(table, thread, threads)
    for r in range(thread, da.shape[0], threads):  # W_ih x was not multiplied by r
        put_last(da[r], dn[r])
    barrier(table, thread, threads)
    if dw_ih is not None:
        multiply_in_pieces(da.T, x, dw_ih, thread, threads)
    if dx is not None:
        multiply_in_pieces(da, w_ih, dx, thread, threads)


@compiled
def give_both(db: Array, db_n: Array, db_ih: Any, db_hh: Any, thread: int) -> None:
    """b_hn has the gradient of what n sees of the past, b_in that of n."""
    give_biases(db, db_ih, db_hh, thread)
    if thread == 0 and db_ih is not None:
        put_last(db_ih, db_n)


@compiled
def put_last(row: Array, end: Array) -> None:
    """The last numbers of `row` are those of `end`."""
    start = row.shape[0] - end.shape[0]
    for k in range(end.shape[0]):
        row[start + k] = end[k]


def plan(call: Call) -> Routine | None:
    """The routine for a call of GRU, if there is one."""
    if not suited(call):
        return None
    return _forward(call) if call.rule == "forward" else _backward(call)


def _forward(call: Call) -> Routine:
    at = Shapes(call, call.args[0], call.args[1], gates=3)
    rows, size = at.rows, at.size
    shapes = ((rows, size), (at.batch, size), (rows, 3 * size), (rows, size))
    arguments = (
        *(call.read(arg) for arg in call.args),
        *(call.write(i, at.dtype, shape) for i, shape in enumerate(shapes)),
        at.packed(),
        at.room(at.pieces, at.batch, 3 * at.width),
        at.room(3 * size),
        at.table,
    )
    return Routine(gru_forward, arguments, at.work)


def _backward(call: Call) -> Routine:
    (dy, dh), _, x, h0, w_ih, w_hh, _, _, *saved = call.args
    at = Shapes(call, x, h0, gates=3)
    arguments = (
        *(call.read(arg) for arg in (dy, dh, x, h0, w_ih, w_hh, *saved)),
        *(call.wanted(i) for i in range(6)),
        at.room(at.pieces, 3 * at.size, at.width),
        at.room(at.pieces, at.batch, at.width),
        at.room(at.rows, 3 * at.size),
        at.room(at.rows, at.size),
        at.room(at.rows, at.size),
        at.room(3 * at.size),
        at.room(at.size),
        at.table,
    )
    return Routine(gru_backward, arguments, 2 * at.work)
