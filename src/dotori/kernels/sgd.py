"""One pass of stochastic gradient descent over rows, for linear models.

Each row changes the weights that the next one sees, so there is nothing to vectorise
but the columns. The weights are v times a scale, so that the L2 penalty costs one
number a row (Bottou, Stochastic gradient descent tricks (2012), section 5.1).

All that is a number goes through two vectors: `state`, which changes, and `numbers`,
which do not; the names of their places are below.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._compiler import inner
from dotori.kernels._pair import paired

Array = NDArray[Any]

# Places in `state`: the step t of the next row, the squared and the absolute norm of
# the weights, the L1 penalty so far, the learning rate, the objective summed over rows,
# the scale summed over the averaged steps, their count, and the averaged intercept.
INTERCEPT, T, SCALE, SQUARES, ABSOLUTES, U, ETA, OBJECTIVE, SUM, COUNT, MEAN = range(11)
# Places in `numbers`: the penalty's weight and its L1 share, the rate's parameters, the
# loss's margin or epsilon, weights of the two classes, the first step to be averaged,
# the share of a step that the intercept makes, and whether there is an L2 penalty.
ALPHA, RATIO, ETA0, POWER, FIRST, MARGIN, POSITIVE, NEGATIVE, AVERAGE, DECAY, L2 = (
    range(11)
)
# Losses, and learning rates.
HINGE, SQUARED_HINGE, LOG, MODIFIED_HUBER = 0, 1, 2, 3
SQUARED, HUBER, INSENSITIVE, SQUARED_INSENSITIVE = 4, 5, 6, 7
CONSTANT, OPTIMAL, INVSCALING, ADAPTIVE, PASSIVE1, PASSIVE2 = 0, 1, 2, 3, 4, 5

_SMALL_SCALE = 1e-9
_MOST_SLOPE = 1e12
_FEW = 16  # columns
_LISTED = 4096  # rows


@inner
def margin_loss(loss: int, margin: float, y: float, score: float) -> Any:
    """Loss and its derivative by the score, of a classifier with y in {-1, 1}."""
    z = y * score
    if loss == HINGE:
        if z <= margin:
            return margin - z, -y
        return 0.0, 0.0
    if loss == SQUARED_HINGE:
        rest = margin - z
        if rest > 0:
            return rest * rest, -2.0 * y * rest
        return 0.0, 0.0
    if loss == LOG:
        small = math.exp(-abs(z))
        if z > 0:
            return math.log1p(small), -y * small / (1.0 + small)
        return math.log1p(small) - z, -y / (1.0 + small)
    if z >= 1.0:
        return 0.0, 0.0
    if z >= -1.0:
        return (1.0 - z) * (1.0 - z), -2.0 * (1.0 - z) * y
    return -4.0 * z, -4.0 * y


@inner
def distance_loss(loss: int, epsilon: float, y: float, score: float) -> Any:
    """Loss and its derivative by the score, of an amount y."""
    rest = score - y
    size = abs(rest)
    if loss == SQUARED:
        return 0.5 * rest * rest, rest
    if loss == HUBER:
        if size <= epsilon:
            return 0.5 * rest * rest, rest
        slope = epsilon if rest > 0 else -epsilon
        return epsilon * (size - 0.5 * epsilon), slope
    beyond = size - epsilon
    if not beyond > 0:
        return 0.0, 0.0
    sign = 1.0 if rest > 0 else -1.0
    if loss == INSENSITIVE:
        return beyond, sign
    return beyond * beyond, 2.0 * sign * beyond


@inner
def learn(
    state: Any,
    numbers: Any,
    loss: int,
    rate: int,
    y: float,
    weight: float,
    product: float,
    square: float,
) -> float:
    """Work out a row's step: how much of x is added to the weights, which it returns.

    `product` is w . x and `square` x . x. `state` moves on: intercept, scale, norms.
    """
    score, t, alpha = product + state[INTERCEPT], state[T], numbers[ALPHA]
    ratio = numbers[RATIO]
    if loss <= MODIFIED_HUBER:
        value, slope = margin_loss(loss, numbers[MARGIN], y, score)
    else:
        value, slope = distance_loss(loss, numbers[MARGIN], y, score)
    state[OBJECTIVE] += value
    if rate < PASSIVE1 and (numbers[L2] > 0 or ratio > 0):
        penalty = (1.0 - ratio) * 0.5 * state[SQUARES] + ratio * state[ABSOLUTES]
        state[OBJECTIVE] += alpha * penalty
    if rate == OPTIMAL:
        state[ETA] = 1.0 / (alpha * (numbers[FIRST] + t - 1.0))
    elif rate == INVSCALING:
        state[ETA] = numbers[ETA0] / t ** numbers[POWER]
    eta = state[ETA]
    if rate < PASSIVE1:
        update = -eta * min(max(slope, -_MOST_SLOPE), _MOST_SLOPE)
    else:
        if rate == PASSIVE1:
            update = min(numbers[ETA0], value / square)
        else:
            update = value / (square + 0.5 / numbers[ETA0])
        if slope > 0:
            update = -update
    update *= (numbers[POSITIVE] if y > 0 else numbers[NEGATIVE]) * weight
    shrink = max(0.0, 1.0 - (1.0 - ratio) * eta * alpha) if numbers[L2] > 0 else 1.0
    state[SCALE] *= shrink
    state[ABSOLUTES] *= shrink
    state[SQUARES] = (
        shrink * shrink * state[SQUARES]
        + 2.0 * update * shrink * product
        + update * update * square
    )
    state[INTERCEPT] += update * numbers[DECAY]
    state[U] += ratio * eta * alpha
    if 0 < numbers[AVERAGE] <= t:
        state[COUNT] += 1.0
        state[MEAN] += (state[INTERCEPT] - state[MEAN]) / state[COUNT]
    state[T] = t + 1.0
    step: float = update
    return step


def _truncated(v: Array, q: Array, u: float, inverse: float) -> Array:
    """Weights of a row's columns after the L1 penalty that they have not had yet.

    Tsuruoka, Tsujii and Ananiadou (ACL 2009): u is what each weight should have lost by
    now, and -q what it has; `inverse` is one over the scale.
    """
    less, more = v - (u + q) * inverse, v + (u - q) * inverse
    positive = np.where(less > 0, less, 0.0)
    negative = np.where(more < 0, more, 0.0)
    return np.where(v > 0, positive, np.where(v < 0, negative, v))


def _row_numpy(
    row: Array,
    place: Any,
    v: Array,
    z: Array,
    q: Array,
    state: list[float],
    update: float,
    averaged: bool,
) -> None:
    """Put a row's step into the weights `place` of v."""
    if state[SCALE] < _SMALL_SCALE:
        if len(z):
            z -= state[SUM] * v
            state[SUM] = 0.0
        v *= state[SCALE]
        state[SCALE] = 1.0
    scale = state[SCALE]
    size = update / scale
    old = v[place]
    new = old + size * row
    if len(z):
        z[place] += size * row * state[SUM]
    if averaged:
        state[SUM] += scale
    if len(q):
        cut = _truncated(new, q[place], state[U], 1.0 / scale)
        q[place] += scale * (cut - new)
        squares = np.cumsum(cut * cut - new * new)
        absolutes = np.cumsum(np.abs(cut) - np.abs(old))
        if len(row):
            state[SQUARES] += scale * scale * float(squares[-1])
            state[ABSOLUTES] += scale * float(absolutes[-1])
        new = cut
    v[place] = new


def sgd_dense_numpy(
    x: Array,
    y: Array,
    weight: Array,
    square: Array,
    order: Array,
    v: Array,
    z: Array,
    q: Array,
    state: Array,
    numbers: Array,
    loss: int,
    rate: int,
) -> None:
    """Learn from the rows `order` of x, one after the other.

    `x` has the shape (n, d); `y`, `weight` and `square`, the squared norms, are in the
    order of learning and of its length.
    `v`, of shape (d,), `state`, and what averaging and the L1 penalty keep, `z` and `q`
    of shape (d,) or (0,), are written in place. The weights are v * state[SCALE].
    """
    known, about, everywhere = state.tolist(), numbers.tolist(), slice(None)
    if not len(z) and not len(q) and len(v) <= _FEW:
        _few_columns(x, y, weight, square, order, v, known, about, loss, rate)
        state[:] = known
        return
    for at, i in enumerate(order.tolist()):
        row = x[i].astype(np.float64)
        product = known[SCALE] * float(np.cumsum(v * row)[-1]) if len(v) else 0.0
        averaged = 0 < about[AVERAGE] <= known[T]
        update = learn(
            known,
            about,
            loss,
            rate,
            float(y[at]),
            float(weight[at]),
            product,
            float(square[at]),
        )
        _row_numpy(row, everywhere, v, z, q, known, update, averaged)
    state[:] = known


def _few_columns(
    x: Array,
    y: Array,
    weight: Array,
    square: Array,
    order: Array,
    v: Array,
    known: list[float],
    about: list[float],
    loss: int,
    rate: int,
) -> None:
    """The same in plain Python: a call of NumPy costs more than some numbers do."""
    held = v.tolist()
    for start in range(0, len(order), _LISTED):
        part = slice(start, start + _LISTED)
        listed = [a[part].tolist() for a in (y, weight, square)]
        rows = x[order[part]].astype(np.float64).tolist()
        for row, target, share, size in zip(rows, *listed, strict=True):
            product = 0.0
            for a, b in zip(held, row, strict=True):
                product += a * b
            product *= known[SCALE]
            update = learn(known, about, loss, rate, target, share, product, size)
            if known[SCALE] < _SMALL_SCALE:
                held = [a * known[SCALE] for a in held]
                known[SCALE] = 1.0
            if update != 0:
                step = update / known[SCALE]
                held = [a + step * b for a, b in zip(held, row, strict=True)]
    v[:] = held


def sgd_sparse_numpy(
    x: Array,
    columns: Array,
    starts: Array,
    y: Array,
    weight: Array,
    square: Array,
    order: Array,
    v: Array,
    z: Array,
    q: Array,
    state: Array,
    numbers: Array,
    loss: int,
    rate: int,
) -> None:
    """The same for a sparse matrix in the CSR format.

    Row i has the values x[starts[i] : starts[i + 1]] in `columns`, each of which stands
    there once.
    """
    known, about = state.tolist(), numbers.tolist()
    for at, i in enumerate(order.tolist()):
        part = slice(int(starts[i]), int(starts[i + 1]))
        row, place = x[part].astype(np.float64), columns[part]
        products = np.cumsum(v[place] * row)
        product = known[SCALE] * (float(products[-1]) if len(row) else 0.0)
        averaged = 0 < about[AVERAGE] <= known[T]
        update = learn(
            known,
            about,
            loss,
            rate,
            float(y[at]),
            float(weight[at]),
            product,
            float(square[at]),
        )
        _row_numpy(row, place, v, z, q, known, update, averaged)
    state[:] = known


@inner
def fold(v: Array, z: Array, state: Any) -> None:
    """Bring the scale into the weights, before it gets too small."""
    if state[SCALE] < _SMALL_SCALE:
        for j in range(len(v)):
            if len(z):
                z[j] -= state[SUM] * v[j]
            v[j] *= state[SCALE]
        if len(z):
            state[SUM] = 0.0
        state[SCALE] = 1.0


@inner
def truncated(new: float, q: float, u: float, inverse: float) -> float:
    """`_truncated` for one weight, without jumps, so that LLVM does four at a time."""
    less = new - (u + q) * inverse
    more = new + (u - q) * inverse
    less = less if less > 0 else 0.0
    more = more if more < 0 else 0.0
    negative = more if new < 0 else new
    return less if new > 0 else negative


@paired(sgd_dense_numpy)
def sgd_dense(
    x: Array,
    y: Array,
    weight: Array,
    square: Array,
    order: Array,
    v: Array,
    z: Array,
    q: Array,
    state: Array,
    numbers: Array,
    loss: int,
    rate: int,
) -> None:
    """Row after row, column after column."""
    squares, absolutes = np.empty(len(q)), np.empty(len(q))
    for at in range(len(order)):
        i = order[at]
        product = 0.0
        for j in range(len(v)):
            product += v[j] * x[i, j]
        product *= state[SCALE]
        averaged = 0 < numbers[AVERAGE] <= state[T]
        update = learn(
            state, numbers, loss, rate, y[at], weight[at], product, square[at]
        )
        fold(v, z, state)
        size = update / state[SCALE]
        if len(z):
            for j in range(len(v)):
                z[j] += size * x[i, j] * state[SUM]
        if averaged:
            state[SUM] += state[SCALE]
        if not len(q):
            if update != 0:
                for j in range(len(v)):
                    v[j] += size * x[i, j]
            continue
        u, scale = state[U], state[SCALE]
        inverse = 1.0 / scale
        for j in range(len(v)):
            old = v[j]
            new = old + size * x[i, j]
            cut = truncated(new, q[j], u, inverse)
            q[j] += scale * (cut - new)
            v[j] = cut
            squares[j] = cut * cut - new * new
            absolutes[j] = abs(cut) - abs(old)
        total, absolute = 0.0, 0.0
        for j in range(len(v)):
            total += squares[j]
            absolute += absolutes[j]
        state[SQUARES] += scale * scale * total
        state[ABSOLUTES] += scale * absolute


@paired(sgd_sparse_numpy)
def sgd_sparse(
    x: Array,
    columns: Array,
    starts: Array,
    y: Array,
    weight: Array,
    square: Array,
    order: Array,
    v: Array,
    z: Array,
    q: Array,
    state: Array,
    numbers: Array,
    loss: int,
    rate: int,
) -> None:
    """Row after row, over the columns that a row has."""
    for at in range(len(order)):
        i = order[at]
        product = 0.0
        for k in range(starts[i], starts[i + 1]):
            product += v[columns[k]] * x[k]
        product *= state[SCALE]
        averaged = 0 < numbers[AVERAGE] <= state[T]
        update = learn(
            state, numbers, loss, rate, y[at], weight[at], product, square[at]
        )
        fold(v, z, state)
        size = update / state[SCALE]
        if len(z):
            for k in range(starts[i], starts[i + 1]):
                z[columns[k]] += size * x[k] * state[SUM]
        if averaged:
            state[SUM] += state[SCALE]
        if not len(q):
            for k in range(starts[i], starts[i + 1]):
                v[columns[k]] += size * x[k]
            continue
        u, scale = state[U], state[SCALE]
        inverse = 1.0 / scale
        total, absolute = 0.0, 0.0
        for k in range(starts[i], starts[i + 1]):
            j = columns[k]
            old = v[j]
            new = old + size * x[k]
            cut = truncated(new, q[j], u, inverse)
            q[j] += scale * (cut - new)
            v[j] = cut
            total += cut * cut - new * new
            absolute += abs(cut) - abs(old)
        state[SQUARES] += scale * scale * total
        state[ABSOLUTES] += scale * absolute
