"""LSTM in native steps: see `dotori.compiler.native.recurrent`.

The gates stand in memory in the order o, i, f, g, as `dotori.ops.lstm` saves them; what
is sent back through the weights has their order: i, f, g, o.
"""

from __future__ import annotations

from typing import Any

from dotori.compiler.native.language import (
    Array,
    barrier,
    compiled,
    matmul,
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
    of_weights,
    pack_columns,
    pack_gates,
    send,
    suited,
    sum_rows,
)
from dotori.compiler.native.shared import multiply_in_pieces


@compiled
def lstm_gates(
    gates: Array, sent: Array, bias: Array, first: int, n: int, p: int
) -> None:
    """o, i, f = s(gates + sent + bias) and g = tanh(...), for the units of a piece."""
    size, width = gates.shape[1] // 4, sent.shape[1] // 4
    for j in range(n):
        for gate in range(4):
            at = gate * size + p * width
            a, b = gates[first + j, at : at + width], bias[at : at + width]
            from_h = sent[j, gate * width : (gate + 1) * width]
            if gate < 3:
                for k in range(width):
                    a[k] = sigmoid(a[k] + from_h[k] + b[k])
            else:
                for k in range(width):
                    a[k] = tanh(a[k] + from_h[k] + b[k])


@compiled
def lstm_state(
    a: Array, old: Array, cell: Array, shown: Array, y: Array, at: int, width: int
) -> None:
    """c = f c + i g and h = o tanh(c), for some units of one row."""
    size, end = cell.shape[0], at + width
    o, i = a[at:end], a[size + at : size + end]
    f, g = a[2 * size + at : 2 * size + end], a[3 * size + at : 3 * size + end]
    before, now, seen, h = old[at:end], cell[at:end], shown[at:end], y[at:end]
    for k in range(width):
        now[k] = before[k] * f[k] + i[k] * g[k]
    for k in range(width):
        seen[k] = tanh(now[k])
    for k in range(width):
        h[k] = o[k] * seen[k]


@compiled
def lstm_forward(
    x: Array,
    h0: Array,
    c0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Any,
    b_hh: Any,
    y: Array,
    h: Array,
    c: Array,
    gates: Array,
    cells: Array,
    shown: Array,
    packed: Any,
    sent: Array,
    bias: Array,
    steps: Array,
    table: Any,
    thread: int,
    threads: int,
) -> None:
    """All that `dotori.ops.lstm.LSTM` gives and saves."""
    size, pieces, width = c0.shape[1], sent.shape[0], sent.shape[2] // 4
    pack_gates(w_hh, packed, 3, thread, threads)
    add_biases(b_ih, b_hh, bias, size, 4 * size, thread)
    three = 3 * size  # the weights of o stand last
    multiply_in_pieces(x, w_ih[three:].T, gates[:, :size], thread, threads)
    multiply_in_pieces(x, w_ih[:three].T, gates[:, size:], thread, threads)
    barrier(table, thread, threads)
    for t in range(steps.shape[0]):
        first, n, past = steps[t, 0], steps[t, 1], steps[t, 2]
        seen, stays = steps[t, 3], steps[t, 4]
        ends = first + n
        for p in range(thread, pieces, threads):
            at = p * width
            send(y, h0, w_hh, packed, 3, sent[p], n, past, seen, p)
            lstm_gates(gates, sent[p], bias, first, n, p)
            for j in range(n):
                old = cells[past + j] if j < seen else c0[j]
                r = first + j
                lstm_state(gates[r], old, cells[r], shown[r], y[r], at, width)
            copy_units(y[first + stays : ends], h[stays:n], at, width)
            copy_units(cells[first + stays : ends], c[stays:n], at, width)
        barrier(table, thread, threads)


@compiled
def lstm_slopes(
    a: Array, old: Array, shown: Array, dh: Array, dc: Array, d: Array, at: int
) -> None:
    """d = what goes back to the gates, and dc, for the units of one row.

    dc' = dc + o (1 - tanh^2(c)) dh; then the slope of each gate by its partner in
    c = f c + i g or h = o tanh(c), by dc' or dh; and dc = f dc'.
    """
    size, width = old.shape[0], dh.shape[0]
    end, one = at + width, a.dtype.type(1)
    o, i = a[at:end], a[size + at : size + end]
    f, g = a[2 * size + at : 2 * size + end], a[3 * size + at : 3 * size + end]
    to_i, to_f = d[at:end], d[size + at : size + end]
    to_g, to_o = d[2 * size + at : 2 * size + end], d[3 * size + at : 3 * size + end]
    seen, before = shown[at:end], old[at:end]
    for k in range(width):
        s = seen[k]
        dc[k] += (one - s * s) * o[k] * dh[k]
    for k in range(width):
        to_o[k] = (one - o[k]) * o[k] * seen[k] * dh[k]
    for k in range(width):
        to_i[k] = (one - i[k]) * i[k] * g[k] * dc[k]
    for k in range(width):
        to_g[k] = (one - g[k] * g[k]) * i[k] * dc[k]
    for k in range(width):
        to_f[k] = (one - f[k]) * f[k] * before[k] * dc[k]
        dc[k] *= f[k]


@compiled
def lstm_backward(
    dy: Any,
    dh: Any,
    dc: Any,
    x: Array,
    h0: Array,
    c0: Array,
    w_ih: Array,
    w_hh: Array,
    y: Array,
    gates: Array,
    cells: Array,
    shown: Array,
    dx: Any,
    dh0: Any,
    dc0: Any,
    dw_ih: Any,
    dw_hh: Any,
    db_ih: Any,
    db_hh: Any,
    packed: Array,
    to_h: Array,
    to_c: Array,
    da: Array,
    before: Array,
    db: Array,
    steps: Array,
    table: Any,
    thread: int,
    threads: int,
) -> None:
    """The gradients for all that `lstm_forward` reads; None is not wanted."""
    pieces, width = packed.shape[0], packed.shape[2]
    pack_columns(w_hh, packed, thread, threads)
    clear(db, thread)
    barrier(table, thread, threads)
    for p in range(thread, pieces, threads):
        begin_state(dh, to_h[p], p)
        begin_state(dc, to_c[p], p)
    for t in range(steps.shape[0] - 1, -1, -1):
        first, n, past, seen = steps[t, 0], steps[t, 1], steps[t, 2], steps[t, 3]
        for p in range(thread, pieces, threads):
            at = p * width
            add_gradient(to_h[p], dy, first, n, p)
            for j in range(n):
                old = cells[past + j] if j < seen else c0[j]
                r = first + j
                lstm_slopes(gates[r], old, shown[r], to_h[p, j], to_c[p, j], da[r], at)
            sum_rows(da, db, first, n, 4, p, width)
            note_before(y, h0, before, first, n, past, seen, at, width)
        barrier(table, thread, threads)
        for p in range(thread, pieces, threads):
            matmul(da[first : first + n], packed[p], to_h[p, :n])
    for p in range(thread, pieces, threads):
        end_state(to_h[p], dh0, p)
        end_state(to_c[p], dc0, p)
    give_biases(db, db_ih, db_hh, thread)
    of_weights(da, x, before, w_ih, dx, dw_ih, dw_hh, thread, threads)


def plan(call: Call) -> Routine | None:
    """The routine for a call of LSTM, if there is one: not with projections."""
    w_hr = call.args[7] if call.rule == "forward" else call.args[9]
    if w_hr is not None or not suited(call):
        return None
    return _forward(call) if call.rule == "forward" else _backward(call)


def _forward(call: Call) -> Routine:
    at = Shapes(call, call.args[0], call.args[1], gates=4)
    state, saved = (at.batch, at.size), (at.rows, at.size)
    shapes = (saved, state, state, (at.rows, 4 * at.size), saved, saved)
    arguments = (
        *(call.read(arg) for arg in call.args[:7]),
        *(call.write(i, at.dtype, shape) for i, shape in enumerate(shapes)),
        at.packed(),
        at.room(at.pieces, at.batch, 4 * at.width),
        at.room(4 * at.size),
        at.table,
    )
    return Routine(lstm_forward, arguments, at.work)


def _backward(call: Call) -> Routine:
    (dy, dh, dc), _, x, h0, c0, w_ih, w_hh, _, _, _, *saved = call.args
    at = Shapes(call, x, h0, gates=4)
    arguments = (
        *(call.read(arg) for arg in (dy, dh, dc, x, h0, c0, w_ih, w_hh, *saved)),
        *(call.wanted(i) for i in range(7)),
        at.room(at.pieces, 4 * at.size, at.width),
        at.room(at.pieces, at.batch, at.width),
        at.room(at.pieces, at.batch, at.width),
        at.room(at.rows, 4 * at.size),
        at.room(at.rows, at.size),
        at.room(4 * at.size),
        at.table,
    )
    return Routine(lstm_backward, arguments, 2 * at.work)
