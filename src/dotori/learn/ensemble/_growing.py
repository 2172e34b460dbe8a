"""The trees of a forest: their samples, and growing them on all threads."""

from __future__ import annotations

import numbers
import sys
import warnings
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from dotori.algorithms.tree.growth import grow
from dotori.algorithms.tree.pruning import pruned
from dotori.algorithms.tree.stacked import Stack
from dotori.algorithms.tree.tree import Tree
from dotori.kernels import in_parallel
from dotori.kernels import number as number_of_threads
from dotori.learn._callbacks import Tasks
from dotori.learn._random import generator
from dotori.learn.tree._rules import rules

Array = NDArray[Any]
_ROUND = 3  # trees that each thread grows before they are put to the others


def draws_of(
    max_samples: Any, n: int, sample_weight: Array | None, weight: Array | None
) -> int | None:
    """The size of a bootstrap sample; None leaves it to the weights.

    `weight` is `sample_weight` times the weights of classes, if there are any.
    """
    if max_samples is None:
        # weights that are whole numbers count as copies; those of classes do not
        counts = sample_weight is not None and weight is sample_weight
        return None if counts else n
    if isinstance(max_samples, numbers.Integral):
        return int(max_samples)
    draws = max(1, int(max_samples * (n if weight is None else weight.sum())))
    if draws < max(10, n ** (1 / 3)):
        warnings.warn(
            f"max_samples={max_samples} makes bootstrap samples of only {draws}; give "
            "a whole number for as many draws",
            UserWarning,
            stacklevel=4,
        )
    return draws


def grown(
    forest: Any, x: Array, y: Array, weight: Array | None, stack: Stack, tasks: Tasks
) -> Array:
    """Add the new trees to those that are in the stack; the seeds of all.

    The trees of a round grow at the same time. Callbacks hear of them once the round is
    over; if one asks to stop, there is no other.
    """
    count, first = forest.n_estimators, len(stack)
    seeds = generator(forest.random_state).integers(0, 2**31 - 1, (count,))
    if first:
        seeds[:first] = forest._seeds
    trees: dict[int, Tree] = {}

    def grow_some(base: int, start: int, stop: int) -> None:
        for t in range(base + start, base + stop):
            if forest.verbose > 1:
                sys.stdout.write(f"building tree {t - first + 1} of {count - first}\n")
            trees[t] = _one(forest, x, y, weight, int(seeds[t]), count - t)

    at_once = number_of_threads() * (1 if tasks.listened else _ROUND)
    while len(stack) < count:
        some = min(at_once, count - len(stack))
        in_parallel(some, partial(grow_some, len(stack)))
        for _ in range(some):
            stack.add(trees.pop(len(stack)))
        if tasks.listened and _told(tasks, some):
            break
    return seeds[: len(stack)]


def _told(tasks: Tasks, count: int) -> bool:
    """Tell callbacks of so many trees; whether one of them asks to stop."""
    stops = False
    for _ in range(count):
        tasks.begin()
        stops |= tasks.end()
    return stops


def _one(
    forest: Any, x: Array, y: Array, weight: Array | None, seed: int, left: int
) -> Tree:
    """The tree with this seed, on its sample; `left` trees are still to be grown."""
    if forest._bootstrap is not None:
        weight = forest._bootstrap.counts(seed)
        if forest.class_weight == "balanced_subsample":
            weight = weight * _balanced(y, weight)
    sizes = np.ones(y.shape[1], np.int64)
    if is_classifier(forest):
        sizes = forest.n_classes_
    growth = rules(forest, forest._splitter, x.shape, weight)
    tree = grow(x, y, weight, growth, sizes, seed, forest.is_categorical_, left)
    return pruned(tree, forest.ccp_alpha) if forest.ccp_alpha > 0 else tree


def _balanced(y: Array, counts: Array) -> Array:
    """Weights by which all classes that were drawn weigh the same, shape (n,)."""
    weights = np.ones(len(y))
    for target in y.T:
        drawn = np.bincount(target, counts)
        present = np.count_nonzero(drawn)
        with np.errstate(divide="ignore"):
            weights *= (counts.sum() / (present * drawn))[target]
    weights[counts == 0] = 0
    return weights
