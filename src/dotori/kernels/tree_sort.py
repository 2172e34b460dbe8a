"""For growing trees: sorting a column of a node, random numbers, and a logarithm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._compiler import borrowing
from dotori.kernels.tree_table import APART

Array = NDArray[Any]

FEW = 40  # samples that are sorted by insertion
MOST_BUCKETS = 2048
COUNTS = 3 * 2048  # of radix sort
LOW_HALF = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_LN2 = math.log(2.0)
#: An int64 from the start: with a literal 0 Numba compiles what is called twice.
_NONE: Any = np.int64(0)


# Random numbers from counters: Steele, Lea and Flood, "Fast splittable pseudorandom
# number generators", 2014.
@borrowing
def mixed(z: Any) -> Any:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@borrowing
def drawn(key: Any, i: int) -> Any:
    """A number in [0, 2^53) for a node and a purpose."""
    step = np.uint64(i + 1) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64(mixed(key + step) >> np.uint64(11))


@borrowing
def log_of(v: float) -> Any:
    """log(v) in arithmetic alone: NumPy's and C's differ in their last bit."""
    m, e = math.frexp(v)
    if m < 0.7071067811865476:
        m, e = m * 2.0, e - 1
    z = (m - 1.0) / (m + 1.0)
    t, s = z * z, 0.0
    for k in range(23, 0, -2):
        s = s * t + 1.0 / k
    return e * _LN2 + 2.0 * z * s


# ---------------------------------------------------------------------- sorting
@borrowing
def code(v: Any) -> Any:
    """The bits of a float32 as a number of the same order, in the upper half."""
    b = np.int64(np.float32(v + np.float32(0.0)).view(np.int32))
    if b < 0:
        b = -(b & 0x7FFFFFFF)
    return np.uint64(b + 0x80000000) << _HALF


@borrowing
def decode(key: Any) -> Any:
    b = np.int64(key >> _HALF) - 0x80000000
    if b < 0:
        b = -b - 0x80000000
    return np.int32(b).view(np.float32)


@borrowing
def insertion(keys: Array, m: int) -> None:
    for i in range(1, m):
        key = keys[i]
        j = i
        while j > 0 and keys[j - 1] > key:
            keys[j] = keys[j - 1]
            j -= 1
        keys[j] = key


@borrowing
def radix(keys: Array, spare: Array, m: int, count: Array) -> None:
    """Sort by the upper half: three passes over 11 bits each, from the lowest up."""
    low, middle, mask = np.uint64(32), np.uint64(43), np.uint64(2047)
    high = np.uint64(54)
    for c in range(3 * 2048):
        count[c] = 0
    for i in range(m):
        key = keys[i]
        count[np.int64((key >> low) & mask)] += 1
        count[2048 + np.int64((key >> middle) & mask)] += 1
        count[4096 + np.int64(key >> high)] += 1
    for begin in range(0, 3 * 2048, 2048):
        total = 0
        for c in range(begin, begin + 2048):
            total, count[c] = total + count[c], total
    for i in range(m):
        c = int((keys[i] >> low) & mask)
        spare[count[c]] = keys[i]
        count[c] += 1
    for i in range(m):
        c = 2048 + int((spare[i] >> middle) & mask)
        keys[count[c]] = spare[i]
        count[c] += 1
    for i in range(m):
        c = 4096 + int(keys[i] >> high)
        spare[count[c]] = keys[i]
        count[c] += 1
    for i in range(m):
        keys[i] = spare[i]


@borrowing
def buckets(
    keys: Array, spare: Array, p: int, count: Array, low: Any, high: Any
) -> Any:
    """Spread p keys evenly over buckets, then sort by insertion; False if uneven."""
    size = 64
    while size < p and size < MOST_BUCKETS:
        size *= 2
    scale, spread = np.float32(size - 1) / (high - low), high - low
    if not spread < np.float32(3e38) or not scale < np.float32(3e38):
        return False
    for c in range(size):
        count[c] = 0
    for i in range(p):
        spare[i] = keys[i]
        count[np.int64((decode(keys[i]) - low) * scale)] += 1
    total, uneven = 0, 0
    for c in range(size):
        uneven += count[c] * count[c]
        total, count[c] = total + count[c], total
    if uneven > 12 * p:
        return False
    for i in range(p):
        c = int((decode(spare[i]) - low) * scale)
        keys[count[c]] = spare[i]
        count[c] += 1
    insertion(keys, p)
    return True


@borrowing
def sort_keys(
    keys: Array, spare: Array, m: int, count: Array, low: Any, high: Any
) -> None:
    """Sort by the upper half, the value, which is between `low` and `high`; stable."""
    if m <= FEW:
        insertion(keys, m)
    elif m > 4 * MOST_BUCKETS or not buckets(keys, spare, m, count, low, high):
        radix(keys, spare, m, count)


@borrowing
def sort_column(
    values: Array,
    ids: Array,
    start: int,
    m: int,
    keys: Array,
    spare: Array,
    count: Array,
) -> Any:
    """Keys of values in order, missing ones last; how many there are of others.

    A key is a value and the number of its sample. -1 where nothing can be split: all
    are missing or equal.
    """
    p, missing = _NONE, _NONE
    low, high = np.float32(np.inf), np.float32(-np.inf)
    for i in range(m):
        v = values[i]
        if v != v:
            spare[missing] = np.uint64(ids[start + i])
            missing += 1
        else:
            low, high = min(low, v), max(high, v)
            keys[p] = code(v) | np.uint64(ids[start + i])
            p += 1
    if p == 0 or (missing == 0 and high <= low + APART):
        return -1
    for i in range(missing):
        keys[p + i] = spare[i]
    sort_keys(keys, spare, p, count, low, high)
    return p
