"""The loss of logistic regression and its gradient, in one pass over the rows.

Rows go by blocks that stay in the cache: the products for the scores and for the
gradient read each block from memory once. Blocks and partial sums depend on shapes
alone, so that results are the same for any number of threads.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels import in_parallel, one_blas_thread

Array = NDArray[Any]
Float = NDArray[np.float64]

_BLOCK_BYTES = 1 << 22
_SMALL = 1 << 18  # multiplications that are not worth a second thread
_GROUPS = 8
_GROUP_NUMBERS = 1 << 21


class LogisticLoss:
    """sum_i w_i (-log p(y_i | x_i)) / sum_i w_i + l2/2 ||W||^2 and its gradient.

    Two classes have one row of weights, and p = sigmoid(W x + b); k > 2 classes have k,
    and p = softmax(W x + b). A point is the matrix (W, b) of shape (rows, d + 1) as one
    vector, or W alone where there is no intercept.

    Parameters
    ----------
    x : array or sparse CSR matrix of shape (n, d)
        float32 or float64; products are made in its type.
    y : int array of shape (n,)
        Class numbers.
    num_classes : int
    weight : array of shape (n,), optional
        Weights of the rows.
    l2 : float
        The weight of the penalty.
    intercept : bool
        Whether there is a b.
    intercept_l2 : float
        The weight of a penalty on b, which usually has none.

    Examples
    --------
    >>> loss = LogisticLoss(np.array([[0.0], [1.0]]), np.array([0, 1]), 2)
    >>> value, gradient = loss(np.zeros(2))
    >>> round(value, 4), gradient.tolist()
    (0.6931, [-0.25, 0.0])
    """

    def __init__(
        self,
        x: Any,
        y: NDArray[np.integer[Any]],
        num_classes: int,
        weight: Array | None = None,
        l2: float = 0.0,
        intercept: bool = True,
        intercept_l2: float = 0.0,
    ) -> None:
        self.x, self.weight = x, weight
        self.rows = 1 if num_classes == 2 else num_classes
        self.l2, self.intercept, self.intercept_l2 = l2, intercept, intercept_l2
        self.shape = (self.rows, x.shape[1] + intercept)
        self.total = float(len(y) if weight is None else weight.sum(dtype=np.float64))
        # two classes: -1 and 1, so that a margin is one product
        self.y = (2 * y - 1).astype(x.dtype) if num_classes == 2 else y
        self.blocks = _blocks(x)

    def sampled(self, step: int) -> LogisticLoss:
        """The loss of every `step`-th block of rows, which are not copied."""
        some = object.__new__(LogisticLoss)
        some.__dict__.update(self.__dict__)
        some.blocks = self.blocks[step // 2 :: step]
        some.total = float(sum(self._amount(part) for part in some.blocks))
        return some

    def _amount(self, part: slice) -> float:
        if self.weight is None:
            return float(part.stop - part.start)
        return float(self.weight[part].sum(dtype=np.float64))

    @property
    def count(self) -> int:
        """How many rows it goes over."""
        return sum(part.stop - part.start for part in self.blocks)

    def __call__(self, flat: Float) -> tuple[float, Float]:
        """The value and the gradient at a point of shape (rows * columns,)."""
        theta = flat.reshape(self.shape)
        value, gradient = self._sums(theta)
        value, gradient = value / self.total, gradient / self.total
        d = self.x.shape[1]
        value += self.l2 / 2 * float(np.square(theta[:, :d]).sum())
        gradient[:, :d] += self.l2 * theta[:, :d]
        if self.intercept_l2:
            value += self.intercept_l2 / 2 * float(np.square(theta[:, d:]).sum())
            gradient[:, d:] += self.intercept_l2 * theta[:, d:]
        return value, gradient.ravel()

    def _sums(self, theta: Float) -> tuple[float, Float]:
        """Loss and gradient summed over the rows, each group of blocks by itself."""
        work = theta.size * self.count
        groups = _groups(self.blocks, theta.size) if work > _SMALL else [self.blocks]
        values, gradients = np.zeros(len(groups)), np.zeros((len(groups), *self.shape))

        def run(first: int, last: int) -> None:
            for i in range(first, last):
                for part in groups[i]:
                    values[i] += self._add(part, theta, gradients[i])

        alone = contextlib.nullcontext() if len(groups) == 1 else one_blas_thread
        with alone:
            in_parallel(len(groups), run)
        total: Float = np.add.reduce(gradients, axis=0)
        if self.rows > 1:  # p - y of the classes add up to zero
            total[-1] = -np.add.reduce(total[:-1], axis=0)
        return float(np.add.reduce(values)), total

    def scores(self, part: slice, theta: Float) -> Array:
        """W x + b of a block, of shape (rows, block); for k > 2 less their mean.

        Softmax is the same for scores moved alike. With a mean of zero the last class's
        follow from the others': a product less.
        """
        x, d = self.x[part], self.x.shape[1]
        if self.rows > 1:
            theta = theta - theta.mean(axis=0)
        slopes = theta[:, :d].astype(x.dtype, copy=False)
        if not slopes.any():  # the start
            found = np.zeros((self.rows, x.shape[0]), x.dtype)
        elif self.rows == 1:
            found = (x @ slopes[0])[np.newaxis]
        elif isinstance(x, np.ndarray):
            found = np.empty((self.rows, len(x)), x.dtype)
            np.matmul(slopes[:-1], x.T, out=found[:-1])
            np.negative(np.add.reduce(found[:-1], axis=0, out=found[-1]), out=found[-1])
        else:
            found = np.ascontiguousarray((x @ slopes.T).T)
        if self.intercept:
            found += theta[:, d:].astype(x.dtype)
        return found

    def _add(self, part: slice, theta: Float, gradient: Float) -> float:
        """The loss of a block; its gradient is added to `gradient`."""
        scores = self.scores(part, theta)
        weight = None if self.weight is None else self.weight[part]
        value = self._residuals(scores, self.y[part], weight)
        x, d = self.x[part], self.x.shape[1]
        if self.rows == 1:
            gradient[0, :d] += x.T @ scores[0]
        elif isinstance(x, np.ndarray):
            gradient[:-1, :d] += scores[:-1] @ x
        else:
            gradient[:-1, :d] += (x.T @ scores[:-1].T).T
        if self.intercept:
            gradient[:, d] += scores.sum(axis=1, dtype=np.float64)
        return value

    def _residuals(self, scores: Array, y: Array, weight: Array | None) -> float:
        if self.rows == 1:
            return sigmoid_residuals(scores[0], y, weight)
        return softmax_residuals(scores, y, weight)


def sigmoid_residuals(scores: Array, sign: Array, weight: Array | None) -> float:
    """The loss of rows of two classes; `scores` become p - y, times the weights.

    Parameters
    ----------
    scores : array of shape (n,), written in place
    sign : array of shape (n,)
        1 for the second class, -1 for the first.
    weight : array of shape (n,) or None

    Examples
    --------
    >>> scores = np.array([0.0, 0.0])
    >>> value = sigmoid_residuals(scores, np.array([1.0, -1.0]), None)
    >>> round(value, 4), scores.tolist()
    (1.3863, [-0.5, 0.5])
    """
    scores *= sign
    small = np.abs(scores)
    np.exp(np.negative(small, out=small), out=small)  # exp(-|margin|) overflows nowhere
    losses = np.maximum(-scores, 0)
    if weight is None:
        value = float(losses.sum(dtype=np.float64)) + _sum_log1p(small)
    else:
        value = float(weight @ (losses + np.log1p(small)))
    # 1 / (1 + exp(margin)), from exp(-|margin|)
    np.divide(np.where(scores > 0, small, 1), 1 + small, out=scores)
    scores *= -sign
    if weight is not None:
        scores *= weight
    return value


def softmax_residuals(scores: Array, y: Array, weight: Array | None) -> float:
    """The loss of rows of k classes; `scores` become p - y, times the weights.

    Parameters
    ----------
    scores : array of shape (k, n), written in place
    y : int array of shape (n,)
    weight : array of shape (n,) or None

    Examples
    --------
    >>> scores = np.zeros((4, 1))
    >>> value = softmax_residuals(scores, np.array([2]), None)
    >>> round(value, 4), scores[:, 0].tolist()
    (1.3863, [0.25, 0.25, -0.75, 0.25])
    """
    n = scores.shape[1]
    flat, chosen = scores.reshape(-1), y * n + np.arange(n)
    scores -= scores.max(axis=0)
    right = flat[chosen]
    np.exp(scores, out=scores)
    total = scores.sum(axis=0)
    losses = np.log(total) - right
    if weight is None:
        scores *= 1 / total
        flat[chosen] -= 1
        return float(losses.sum(dtype=np.float64))
    scores *= weight / total
    flat[chosen] -= weight
    return float(losses.astype(np.float64, copy=False) @ weight)


def _sum_log1p(small: Array) -> float:
    """sum_i log(1 + e_i) for 0 <= e_i <= 1, with few logarithms.

    (1 + a)(1 + b) = 1 + (a + b + ab): products are formed without the 1, which would
    cost small losses their digits. 512 factors are at most 2^512.
    """
    small = small.astype(np.float64, copy=False)
    rest = 0.0
    for _ in range(9):
        half = len(small) // 2
        if not half:
            break
        if len(small) % 2:
            rest += float(np.log1p(small[-1]))
        a, b = small[:half], small[half : 2 * half]
        small = a * b
        small += a
        small += b
    return rest + float(np.log1p(small).sum())


def _blocks(x: Any) -> list[slice]:
    n, d = x.shape
    if not isinstance(x, np.ndarray):
        return [slice(0, n)]
    step = max(64, _BLOCK_BYTES // max(1, d * x.itemsize))
    return [slice(start, min(n, start + step)) for start in range(0, n, step)]


def _groups(blocks: Sequence[slice], numbers: int) -> list[Sequence[slice]]:
    """Neighbouring blocks whose gradients are added up in one place."""
    most = max(1, min(_GROUPS, _GROUP_NUMBERS // max(1, numbers), len(blocks)))
    bounds = [len(blocks) * i // most for i in range(most + 1)]
    return [blocks[bounds[i] : bounds[i + 1]] for i in range(most)]
