"""Convolution in native steps: which routine serves a call, and with what room.

3 x 3 kernels with enough channels go to `winograd`, in float32 only, kernels of one
place to plain products, all others of two axes to `gathered`. Kernels in groups and
pictures of one or three axes have no routine.
"""

from __future__ import annotations

from typing import Any

from dotori.compiler.native import gathered, winograd
from dotori.compiler.native.gathered import (
    add_bias,
    copy_numbers,
    gathered_correlate,
    gathered_kernels,
    gathered_spread,
    gathered_sums,
    join_parts,
    pack_kernels,
    sum_places,
)
from dotori.compiler.native.language import Array, barrier, compiled
from dotori.compiler.native.library import Call, Room, Routine, Table, Write, lies
from dotori.compiler.native.shared import multiply_in_pieces
from dotori.compiler.native.winograd import (
    set_filters,
    turn_kernels,
    winograd_correlate,
    winograd_kernels,
    winograd_sums,
)
from dotori.kernels.window import Window

LAST = (0, 2, 3, 1)


@compiled
def set_bias(bias: Any, rows: Array, thread: int) -> None:
    """rows = the bias, and zeros."""
    if thread == 0:
        rows[:] = 0
        if bias is not None:
            copy_numbers(bias, rows[0])


@compiled
def winograd_forward(
    x: Array,
    w: Array,
    b: Any,
    y: Array,
    gg: Array,
    kernels: Array,
    filters: Array,
    bias: Array,
    tiles: Array,
    products: Array,
    small_in: Array,
    small_out: Array,
    top: int,
    left: int,
    table: Any,
    thread: int,
    threads: int,
) -> None:
    """y = x * w + b."""
    turn_kernels(w, kernels, thread, threads)
    set_bias(b, bias, thread)
    barrier(table, thread, threads)
    set_filters(kernels, gg, filters, thread, threads)
    barrier(table, thread, threads)
    # fmt: off
    winograd_correlate(
        x, filters, bias[0], bias[1], y, tiles, products, small_in, small_out,
        top, left, thread, threads,
    )
    # fmt: on


@compiled
def winograd_backward(
    dy: Array,
    x: Array,
    w: Array,
    dx: Any,
    dw: Any,
    db: Any,
    gg: Array,
    gg_turned: Array,
    filters: Array,
    none: Array,
    tiles_x: Array,
    tiles_y: Array,
    small_x: Array,
    small_y: Array,
    sums: Array,
    bias_sums: Array,
    top: int,
    left: int,
    table: Any,
    thread: int,
    threads: int,
) -> None:
    """The gradients for x, w and b; None is not wanted."""
    if dx is not None:
        kernels = w.reshape(w.shape[0], w.shape[1], 9)
        set_filters(kernels, gg_turned, filters, thread, threads)
        set_bias(None, none, thread)
    if db is not None:
        sum_places(dy, bias_sums, thread, threads)
    # fmt: off
    if dw is not None:
        winograd_sums(
            x, dy, sums, tiles_x, tiles_y, small_x, small_y, top, left, thread, threads
        )
    barrier(table, thread, threads)
    if dx is not None:
        winograd_correlate(
            dy, filters, none[0], none[0], dx, tiles_y, tiles_x, small_y, small_x,
            2 - top, 2 - left, thread, threads,
        )
    # fmt: on
    if dw is not None:
        winograd_kernels(sums, gg, dw, table, thread, threads)
    if db is not None:
        join_parts(bias_sums, db, thread)


@compiled
def gathered_forward(
    x: Array,
    w: Array,
    b: Any,
    y: Array,
    packed: Array,
    room: Array,
    frame: Array,
    by_taps: bool,
    table: Any,
    thread: int,
    threads: int,
) -> None:
    """y = x * w + b."""
    pack_kernels(w, packed, thread, threads)
    barrier(table, thread, threads)
    gathered_correlate(x, packed, b, y, room, frame, by_taps, thread, threads)


@compiled
def gathered_backward(
    dy: Array,
    x: Array,
    w: Array,
    dx: Any,
    dw: Any,
    db: Any,
    packed: Array,
    room: Array,
    cells: Array,
    sums: Array,
    bias_sums: Array,
    frame: Array,
    by_taps: bool,
    table: Any,
    thread: int,
    threads: int,
) -> None:
    """The gradients for x, w and b; None is not wanted."""
    if dx is not None:
        pack_kernels(w, packed, thread, threads)
    if db is not None:
        sum_places(dy, bias_sums, thread, threads)
    if dw is not None:
        gathered_sums(x, dy, sums, room, frame, by_taps, thread, threads)
    barrier(table, thread, threads)
    if dx is not None:
        gathered_spread(dy, packed, dx, cells, frame, thread, threads)
    if dw is not None:
        gathered_kernels(sums, dw, table, thread, threads)
    if db is not None:
        join_parts(bias_sums, db, thread)


@compiled
def pointwise_forward(
    x: Array, w: Array, b: Any, y: Array, table: Any, thread: int, threads: int
) -> None:
    """y = x W^T + b, at each place."""
    n = x.shape[0] * x.shape[1] * x.shape[2]
    seen, made = x.reshape(n, x.shape[3]), y.reshape(n, y.shape[3])
    weights = w.reshape(w.shape[0], w.shape[1])
    multiply_in_pieces(seen, weights.T, made, thread, threads)
    if b is not None:
        barrier(table, thread, threads)
        add_bias(made[n * thread // threads : n * (thread + 1) // threads], b)


@compiled
def pointwise_backward(
    dy: Array,
    x: Array,
    w: Array,
    dx: Any,
    dw: Any,
    db: Any,
    bias_sums: Array,
    table: Any,
    thread: int,
    threads: int,
) -> None:
    """The gradients for x, w and b; None is not wanted."""
    n, n_in, n_out = x.shape[0] * x.shape[1] * x.shape[2], x.shape[3], dy.shape[3]
    given = dy.reshape(n, n_out)
    if dx is not None:
        weights = w.reshape(n_out, n_in)
        multiply_in_pieces(given, weights, dx.reshape(n, n_in), thread, threads)
    if dw is not None:
        seen, target = x.reshape(n, n_in), dw.reshape(n_out, n_in)
        multiply_in_pieces(given.T, seen, target, thread, threads)
    if db is not None:
        sum_places(dy, bias_sums, thread, threads)
        barrier(table, thread, threads)
        join_parts(bias_sums, db, thread)


def plan(call: Call) -> Routine | None:
    """The routine for a call of Convolution, with or without a bias."""
    window: Window = call.attrs["window"]
    if call.attrs["groups"] != 1 or len(window.kernel) != 2 or not call.plain():
        return None
    made = call.instr.outputs
    if not all(lies(y, LAST) for y in made if y.ndim == 4 and not _is_kernel(call, y)):
        return None
    return _forward(call) if call.rule == "forward" else _backward(call)


def _is_kernel(call: Call, y: Any) -> bool:
    """Whether an output is the gradient of the kernel, which lies in C order."""
    if call.rule == "forward" or call.results[1] is None:
        return False
    return call.instr.outputs[call.results[1]] is y and lies(y, (0, 1, 2, 3))


class Sizes:
    """The lengths that the routines need, and their rooms."""

    def __init__(self, call: Call, x: Any, w: Any) -> None:
        seen, kernel = call.value(x), call.value(w)
        assert seen is not None and kernel is not None
        self.window: Window = call.attrs["window"]
        self.dtype, self.threads = seen.dtype, call.threads
        self.n, self.n_in, *size = seen.shape
        self.n_out = kernel.shape[0]
        self.size = tuple(size)
        self.out = self.window.positions(self.size)
        self.depth = self.n_in * kernel.shape[2] * kernel.shape[3]
        self.places = self.n * self.out[0] * self.out[1]
        self.work = float(self.places * self.depth * self.n_out)
        self.by_taps = self.n_in * kernel.shape[3] < 16

    def room(self, *shape: int) -> Room:
        return Room(self.dtype.name, shape)

    def winograd(self) -> bool:
        """Whether both pictures gain by it."""
        if self.dtype.char != "f":
            return False
        return all(
            winograd.suits(self.n, size, self.n_in, self.n_out, self.window)
            for size in (self.out, self.size)
        )

    def pointwise(self) -> bool:
        """Whether each place is seen by itself."""
        window = self.window
        taken = (*window.kernel, *window.stride)
        return taken == (1, 1, 1, 1) and not any(n for p in window.padding for n in p)

    def tiles(self, channels: int) -> Room:
        rows = winograd.TILES + winograd.BETWEEN
        return self.room(self.threads, 36, rows, channels)

    def small(self, channels: int) -> Room:
        return self.room(self.threads, 2, 6, 6, channels)

    def block(self, by_taps: bool) -> Room:
        """What is gathered for some rows of the output."""
        rows = gathered.rows_of(self.out[1], self.depth, self.dtype.itemsize)
        shape = min(rows, self.n * self.out[0]) * self.out[1], self.depth
        return self.room(self.threads, *(shape[::-1] if by_taps else shape))


def _forward(call: Call) -> Routine:
    x, w, *rest = call.args
    b = rest[0] if rest else None
    at = Sizes(call, x, w)
    taken = call.read(x, LAST), call.read(w), call.read(b), Write(0, LAST)
    if at.pointwise():
        return Routine(pointwise_forward, taken, at.work)
    if not at.winograd():
        rooms = at.room(at.n_out, at.depth), at.block(at.by_taps)
        frame = Table(gathered.frame_of(at.window))
        return Routine(gathered_forward, (*taken, *rooms, frame, at.by_taps), at.work)
    (top, _), (left, _) = at.window.padding
    arguments = (
        *taken,
        Table(winograd.GG),
        at.room(at.n_in, at.n_out, 9),
        at.room(36, at.n_in, at.n_out),
        at.room(2, at.n_out),
        at.tiles(at.n_in),
        at.tiles(at.n_out),
        at.small(at.n_in),
        at.small(at.n_out),
        top,
        left,
    )
    return Routine(winograd_forward, arguments, at.work / 4)


def _backward(call: Call) -> Routine:
    dy, _, x, w = call.args
    at = Sizes(call, x, w)
    dx = None if call.results[0] is None else Write(call.results[0], LAST)
    db = call.wanted(2) if len(call.results) > 2 else None
    given = call.read(dy, LAST), call.read(x, LAST), call.read(w)
    taken = *given, dx, call.wanted(1), db
    bias_sums, work = at.room(winograd.PARTS, at.n_out), 2 * at.work
    if at.pointwise():
        return Routine(pointwise_backward, (*taken, bias_sums), work)
    if not at.winograd():
        rooms = (
            at.room(at.n_out, at.depth),
            at.block(at.by_taps),
            at.block(by_taps=False),
            at.room(winograd.PARTS, at.n_out, at.depth),
            bias_sums,
        )
        frame = Table(gathered.frame_of(at.window))
        return Routine(gathered_backward, (*taken, *rooms, frame, at.by_taps), work)
    (top, _), (left, _) = at.window.padding
    arguments = (
        *taken,
        Table(winograd.GG),
        Table(winograd.GG_TURNED),
        at.room(36, at.n_out, at.n_in),
        at.room(1, at.n_in),
        at.tiles(at.n_in),
        at.tiles(at.n_out),
        at.small(at.n_in),
        at.small(at.n_out),
        at.room(winograd.PARTS, 36, at.n_out, at.n_in),
        bias_sums,
        top,
        left,
    )
    return Routine(winograd_backward, arguments, work / 4)
