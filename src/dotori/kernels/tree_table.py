"""For growing trees: what the kernels know of a table, and of the rules of growth.

Random numbers come from counters (Steele, Lea and Flood, "Fast splittable pseudorandom
number generators", 2014): each node has a key, and draws by purpose.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

GINI, ENTROPY, SQUARES, ABSOLUTE, POISSON = range(5)
PURE = float(np.finfo(np.float64).eps)
APART = np.float32(1e-7)  # values that are no further apart are one
_WORD = (1 << 64) - 1
_LN2 = math.log(2.0)


class Table(NamedTuple):
    """What is known of the samples besides `x`: n rows, q outputs, d columns."""

    y: Array  #: float64 (n, q): class numbers; else targets by weight; or as they are
    raw: Array  #: float64 (n, q): the targets as they are
    weight: Array  #: float64 (n,), or (0,) where all weights are 1
    categories: (
        Array  #: int64 (d,): how many categories a column has, 0 in numeric ones
    )
    monotonic: Array  #: int64 (d,): 1, 0 or -1
    logs: Array  #: float64: v log v for v = 0, 1, ...; empty if weights are not whole


class Rules(NamedTuple):
    """`Growth` in numbers."""

    criterion: int
    by_class: bool  #: targets are class numbers: more than two, or entropy
    best: bool  #: all thresholds, not random ones
    drawn: bool  #: columns are drawn at random
    presort: bool  #: whether the loop sorts columns once for the whole subtree
    only: bool  #: find the best split of the root, and stop
    bounded: bool  #: some column is monotonic
    simple: bool  #: squares of one output, best thresholds, no categories, not bounded
    max_depth: int
    min_split: int
    min_leaf: int
    most: int  #: columns to look at
    min_weight: float
    min_gain: float
    scale: float  #: what brings a gain to the share of all samples


def mix(z: int) -> int:
    """The last step of splitmix64."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _WORD
    return z ^ (z >> 31)


def draw(key: int, i: int) -> int:
    """A number in [0, 2^53) for a node and a purpose."""
    return mix((key + (i + 1) * 0x9E3779B97F4A7C15) & _WORD) >> 11


def log(v: Array) -> Array:
    """log(v), v > 0, in arithmetic alone: NumPy's and C's differ in their last bit."""
    m, e = np.frexp(v)
    small = m < 0.7071067811865476
    m, e = np.where(small, m * 2.0, m), np.where(small, e - 1, e)
    z = (m - 1.0) / (m + 1.0)
    t, s = z * z, np.zeros_like(z)
    for k in range(23, 0, -2):
        s = s * t + 1.0 / k
    return e * _LN2 + 2.0 * z * s
