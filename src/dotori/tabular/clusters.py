"""Clusters of a table's rows: how many there are, and how good they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dotori.errors import DataError
from dotori.random import Generator
from dotori.tabular.target import Target

if TYPE_CHECKING:
    from dotori.tabular.predictors import Predictor

Array = NDArray[Any]
Float = NDArray[np.float64]

#: The numbers of clusters that are tried where none is given.
TRIED = range(2, 11)
_SAMPLE = 2000  # rows for a silhouette, which takes the distances of all pairs
_SEARCHED = 10_000  # rows on which the number of clusters is searched


def judge_clusters(x: Array, predictor: Predictor) -> dict[str, Any]:
    """The figures of clusters on the rows of a matrix.

    Returns
    -------
    dict
        inertia, the sum of the squared distances to the nearest centre; inertia_a_row,
        its mean; silhouette, of at most 2,000 rows (None where there is one cluster
        only); sizes, the number of rows in each cluster.
    """
    distances = predictor.output(x, Target.clusters())
    labels = distances.argmin(axis=1)
    inertia = float(np.square(distances.min(axis=1)).sum())
    return {
        "inertia": inertia,
        "inertia_a_row": inertia / len(x),
        "silhouette": silhouette(x, labels),
        "sizes": np.bincount(labels, minlength=distances.shape[1]).tolist(),
    }


def silhouette(x: ArrayLike, labels: ArrayLike, most: int = _SAMPLE) -> float | None:
    """The mean of (b - a) / max(a, b) over rows: near 1 where clusters lie apart.

    a is a row's mean distance to the others of its cluster, b that to the rows of the
    nearest other cluster (Rousseeuw, Journal of Computational and Applied Mathematics
    20 (1987), 53-65). A row that is alone in its cluster counts 0.

    Parameters
    ----------
    x : array_like, shape (n, d)
    labels : array_like of int, shape (n,)
    most : int
        Of more rows a sample of this size is taken, always the same one.

    Returns
    -------
    float or None
        None where there are not at least two clusters, or as many as rows.

    Examples
    --------
    >>> round(silhouette([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1]), 4)
    0.8997
    """
    values, found = np.asarray(x, np.float64), np.asarray(labels)
    if len(values) > most:
        rows = np.sort(Generator(0).permutation(len(values))[:most])
        values, found = values[rows], found[rows]
    _, codes, sizes = np.unique(found, return_inverse=True, return_counts=True)
    if not 2 <= len(sizes) < len(values):
        return None
    member = np.eye(len(sizes))[codes]
    # The sum of each row's distances to the rows of each cluster, shape (n, k).
    sums = np.concatenate([_distances(row, values) @ member for row in _rows(values)])
    place = np.arange(len(values))
    alone = sizes[codes] == 1
    within = sums[place, codes] / np.maximum(sizes[codes] - 1, 1)
    means = sums / sizes
    means[place, codes] = np.inf
    nearest = means.min(axis=1)
    largest = np.maximum(within, nearest)
    apart = np.divide(
        nearest - within, largest, out=np.zeros_like(largest), where=largest > 0
    )
    return float(np.where(alone, 0.0, apart).mean())


def _rows(values: Float, size: int = 128) -> Iterable[Float]:
    return (values[i : i + size] for i in range(0, len(values), size))


def _distances(some: Float, values: Float) -> Float:
    squares = np.zeros((len(some), len(values)))
    for one, other in zip(some.T, values.T, strict=True):
        squares += np.square(one[:, np.newaxis] - other)
    distances: Float = np.sqrt(squares)
    return distances


def choose_number(
    x: Array,
    weight: Array | None,
    fit: Callable[[int, Array, Array | None], Predictor],
    watch: Callable[[int, dict[str, Any]], None],
    seed: Generator,
) -> tuple[int, list[dict[str, Any]]]:
    """The number of clusters with the highest silhouette, and what was tried.

    `fit(k, x, weight)` finds k clusters; `watch(k, figures)` hears of each. Of more
    than 10,000 rows a sample is taken.

    Raises
    ------
    DataError
        If there are not three different rows.
    """
    if len(x) > _SEARCHED:
        rows = np.sort(seed.permutation(len(x))[:_SEARCHED])
        x, weight = x[rows], None if weight is None else weight[rows]
    distinct = len(np.unique(x, axis=0))
    tried: list[dict[str, Any]] = []
    for k in TRIED:
        if k >= distinct:
            break
        found = judge_clusters(x, fit(k, x, weight))
        tried.append({"clusters": k, **found})
        watch(k, found)
    judged = [one for one in tried if one["silhouette"] is not None]
    if not judged:
        raise DataError(
            f"there are only {distinct} different rows to find clusters in; give "
            "their number with --clusters, or more rows"
        )
    best = max(judged, key=lambda one: float(one["silhouette"]))
    return int(best["clusters"]), tried
