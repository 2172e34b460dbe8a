"""Rows of a table by number: words, categories, users as vectors that are learned.

A row that is taken several times gets the sum of its gradients. PyTorch's ``sparse``
is accepted, and the gradient is dense all the same: it has the same values, and every
optimiser can use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import apply, as_variable, note_change
from dotori.backend import device_of, is_captured, to_device
from dotori.errors import ArgumentError, AxisError, DTypeError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.ops.embedding import AddRows, TakeRows

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["embedding", "embedding_bag"]


def embedding(
    input: TensorLike,
    weight: TensorLike,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of `weight` that `input` names.

    Parameters
    ----------
    input : Tensor of integers, any shape
    weight : Tensor, shape (num_embeddings, embedding_dim)
    padding_idx : int, optional
        A row that gets no gradient.
    max_norm : float, optional
        Rows that are taken and have a larger norm are first scaled down to it, in
        place, without a gradient.
    norm_type : float
        The p of that norm.
    scale_grad_by_freq : bool
        Divide the gradient of each row by how often it was taken.
    sparse : bool
        Accepted; the gradient is dense.

    Returns
    -------
    Tensor, shape (*input.shape, embedding_dim)

    Raises
    ------
    AxisError
        If a number is not that of a row.

    Examples
    --------
    >>> embedding([[2, 0]], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).tolist()
    [[[5.0, 6.0], [1.0, 2.0]]]
    """
    table = _table("embedding", weight)
    index = _numbers("embedding", input, table)
    padding = padding_row("embedding", padding_idx, table.shape[0])
    if max_norm is not None:
        _shorten("embedding", table, index, max_norm, norm_type)
    return _rows(table, index, padding, scale_grad_by_freq)


def _rows(table: Tensor, index: Any, padding: int | None, by_freq: bool) -> Tensor:
    rows, scale = table.shape[0], None
    if padding is not None or by_freq:
        ones = np.ones(rows)
        if by_freq:
            ones /= np.maximum(np.bincount(_on_host(index).ravel(), minlength=rows), 1)
        if padding is not None:
            ones[padding] = 0
        scale = to_device(ones, device_of(table.array))
    taken: Tensor = apply(TakeRows, table, index=index, rows=rows, scale=scale)
    return taken


def embedding_bag(
    input: TensorLike,
    weight: TensorLike,
    offsets: TensorLike | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: TensorLike | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or maximum of the rows in each bag of row numbers.

    Parameters
    ----------
    input : Tensor of integers, shape (bags, length) or (n,)
        One bag a row; or all bags behind one another, which `offsets` parts.
    weight : Tensor, shape (num_embeddings, embedding_dim)
    offsets : Tensor of integers, shape (bags,), optional
        Where in a one-dimensional `input` each bag starts; the first at 0. A bag may be
        empty: its result is 0.
    max_norm, norm_type, scale_grad_by_freq, sparse
        As for `embedding`.
    mode : {"mean", "sum", "max"}
    per_sample_weights : Tensor, the shape of `input`, optional
        Factors of the rows, for the mode ``"sum"``.
    include_last_offset : bool
        `offsets` has one element more, where the last bag ends.
    padding_idx : int, optional
        A row that does not count at all.

    Returns
    -------
    Tensor, shape (bags, embedding_dim)

    Examples
    --------
    >>> table = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    >>> embedding_bag([0, 1, 2], table, [0, 2]).tolist()
    [[2.0, 3.0], [5.0, 6.0]]
    >>> embedding_bag([[0, 1]], table, mode="max").tolist()
    [[3.0, 4.0]]
    """
    table = _table("embedding_bag", weight)
    if mode not in ("sum", "mean", "max"):
        raise ArgumentError(
            f"embedding_bag: mode must be 'sum', 'mean' or 'max', got {mode!r}"
        )
    if mode == "max" and (scale_grad_by_freq or sparse):
        raise ArgumentError(
            "embedding_bag: mode 'max' has no scale_grad_by_freq and no sparse gradient"
        )
    index = _on_host(_numbers("embedding_bag", input, table))
    factors = _factors(index, per_sample_weights, mode)
    bag, bags = _bag_of_each(index, offsets, include_last_offset)
    if max_norm is not None:
        _shorten("embedding_bag", table, index, max_norm, norm_type)
    index = index.reshape(-1)[: bag.size]
    factors = None if factors is None else factors.reshape(-1)[: bag.size]
    padding = padding_row("embedding_bag", padding_idx, table.shape[0])
    if padding is not None:
        kept = np.flatnonzero(index != padding)
        index, bag = index[kept], bag[kept]
        factors = None if factors is None else factors[kept]
    if mode == "max":
        return _maxima(table, index, bag, bags)
    rows = _rows(table, _beside(table, index), None, scale_grad_by_freq)
    if factors is not None:
        rows = rows * factors.reshape(-1, 1)
    y: Tensor = apply(AddRows, rows, index=_beside(table, bag), rows=bags)
    if mode == "mean":
        counts = np.maximum(np.bincount(bag, minlength=bags), 1)[:, None]
        y = y / as_variable(_beside(table, counts.astype(table.dtype)))
    return y


def _factors(index: Any, given: TensorLike | None, mode: str) -> Tensor | None:
    if given is None:
        return None
    factors = as_variable(given)
    if factors.shape != index.shape:
        raise ShapeError(
            f"embedding_bag: per_sample_weights has shape {factors.shape}, but must "
            f"have that of the input, {index.shape}"
        )
    if mode != "sum":
        raise ArgumentError(
            f"embedding_bag: per_sample_weights are for mode 'sum', got mode {mode!r}"
        )
    return factors


def _bag_of_each(
    index: Any, offsets: TensorLike | None, include_last: bool
) -> tuple[Any, int]:
    """The number of the bag that each element is in; and how many bags there are."""
    if index.ndim == 2:
        if offsets is not None:
            raise ArgumentError(
                f"embedding_bag: the input of shape {index.shape} has one bag a row; "
                "offsets are for an input with one axis"
            )
        bags, length = index.shape
        return np.repeat(np.arange(bags), length), bags
    if index.ndim != 1 or offsets is None:
        raise ShapeError(
            "embedding_bag: an input of shape (bags, length), or (n,) and offsets, is "
            f"wanted, got shape {index.shape}"
            + (" without offsets" if offsets is None else "")
        )
    starts = _on_host(as_variable(offsets).array)
    if starts.ndim != 1 or starts.dtype.kind not in "iu":
        raise ArgumentError(
            "embedding_bag: offsets must be integers along one axis, got "
            f"{starts.dtype} of shape {starts.shape}"
        )
    ends = starts if include_last else np.append(starts, index.size)
    lengths = np.diff(ends)
    if include_last and not starts.size:
        raise ArgumentError("embedding_bag: include_last_offset wants an offset")
    if starts.size and (starts[0] != 0 or ends[-1] > index.size or (lengths < 0).any()):
        raise ArgumentError(
            "embedding_bag: offsets must rise from 0 to at most the length of the "
            f"input, {index.size}, got {starts.tolist()}"
        )
    return np.repeat(np.arange(lengths.size), lengths), int(lengths.size)


def _maxima(table: Tensor, index: Any, bag: Any, bags: int) -> Tensor:
    """The largest of each column in each bag; the first one of equals."""
    columns = table.shape[1]
    if not index.size or not columns:
        chosen = table[np.zeros((0, columns), np.int64), np.arange(columns)]
        full = np.zeros(0, np.int64)
    else:
        starts = np.flatnonzero(np.diff(bag, prepend=-1))
        values = _on_host(table.array)[index]
        best = np.maximum.reduceat(values, starts, axis=0)
        lengths = np.diff(np.append(starts, index.size))
        won = (values == np.repeat(best, lengths, axis=0)) | np.isnan(values)
        places = np.where(won, np.arange(index.size)[:, None], index.size)
        first = np.minimum.reduceat(places, starts, axis=0)
        chosen = table[_beside(table, index[first]), np.arange(columns)]
        full = bag[starts]
    if full.size == bags:
        return chosen
    y: Tensor = apply(AddRows, chosen, index=_beside(table, full), rows=bags)
    return y


def _table(place: str, weight: TensorLike) -> Tensor:
    table = as_variable(weight)
    if table.ndim != 2:
        raise ShapeError(
            f"{place}: the weight must have the shape (num_embeddings, embedding_dim), "
            f"got {table.shape}"
        )
    return table


def _numbers(place: str, input: TensorLike, table: Tensor) -> Any:
    """`input` as an int64 array of numbers of rows of `table`."""
    index: Any = as_variable(input).array
    if index.dtype.kind not in "iu" and index.size:
        raise DTypeError(f"{place}: the input must be integers, got {index.dtype}")
    index = index.astype(np.int64, copy=False)
    rows = table.shape[0]
    if is_captured(index):  # looked at in each run, before weights change
        good = ((index >= 0) & (index < rows)).all()
        index.trace.require(good, lambda: AxisError(_no_row(place, table, "another")))
        return index
    # One comparison finds both ends: a negative number is huge without its sign.
    if index.size and int(index.view(np.uint64).max()) >= rows:
        wrong = index[(index < 0) | (index >= rows)][0]
        raise AxisError(_no_row(place, table, wrong))
    return index


def _no_row(place: str, table: Tensor, wrong: Any) -> str:
    return (
        f"{place}: the weight of shape {table.shape} has the rows 0 to "
        f"{table.shape[0] - 1}, the input asks for {wrong}"
    )


def padding_row(place: str, padding_idx: int | None, rows: int) -> int | None:
    """The row that `padding_idx` names, which may count from the end."""
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise ArgumentError(
            f"{place}: padding_idx={padding_idx} is no row of a table of {rows}"
        )
    return padding_idx % rows


def _shorten(place: str, table: Tensor, index: Any, most: float, p: float) -> None:
    """Scale the rows of `table` that are taken to a p-norm of at most `most`."""
    if most < 0 or p <= 0:
        raise ArgumentError(
            f"{place}: max_norm >= 0 and norm_type > 0 are wanted, got {most} and {p}"
        )
    array = table.array
    rows = _beside(table, np.unique(_on_host(index)))
    values = array[rows]
    # the small number is PyTorch's; it keeps the result just inside
    sizes = (abs(values) ** p).sum(axis=1, keepdims=True) ** (1 / p)
    if p == np.inf:
        sizes = abs(values).max(axis=1, keepdims=True, initial=0)
    long = (sizes > most)[:, 0]
    if long.any():
        array[rows[long]] = values[long] * (most / (sizes[long] + 1e-7))
        note_change(array, f"{place} with max_norm")


def _on_host(array: Any) -> Any:
    return array if isinstance(array, np.ndarray) else to_device(array, "cpu")


def _beside(table: Tensor, array: Any) -> Any:
    """`array` where the table lives."""
    return to_device(array, device_of(table.array))
