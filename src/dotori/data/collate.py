"""Collating: a list of samples becomes one batch of the same structure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori._tensor import Tensor
from dotori.autograd import wrap
from dotori.errors import DTypeError, ShapeError

_NUMBERS = "fiub"  # kinds of dtype that a tensor holds


def default_collate(batch: Sequence[Any]) -> Any:
    """Stack samples along a new first axis, through any nesting, as PyTorch does.

    Tensors, arrays and numbers become tensors (Python floats float64, as in PyTorch);
    text and bytes stay a list; mappings, named tuples, tuples and lists keep their
    type, unlike in PyTorch, where a tuple becomes a list.

    Raises
    ------
    ShapeError
        If samples differ in shape or length.
    DTypeError
        For anything else: give the loader a `collate_fn`.

    Examples
    --------
    >>> x, name = default_collate([(1, "a"), (2, "b")])
    >>> x.tolist(), name
    ([1, 2], ['a', 'b'])
    >>> default_collate([{"x": np.zeros(3)}, {"x": np.ones(3)}])["x"].shape
    (2, 3)
    """
    return collate_samples(batch, range(len(batch)))


def collate_samples(batch: Sequence[Any], names: Sequence[Any]) -> Any:
    """`default_collate`, with the samples' indices for its messages."""
    if not batch:
        raise ShapeError("cannot collate a batch without samples")
    first = batch[0]
    if isinstance(first, (Tensor, np.ndarray, np.generic)):
        return _stack([getattr(x, "array", x) for x in batch], names)
    if isinstance(first, (bool, int, float)):
        return wrap(_from_numbers(batch))
    if isinstance(first, (str, bytes)):
        return list(batch)
    if isinstance(first, Mapping):
        return _collate_mappings(first, batch, names)
    if isinstance(first, (tuple, list)):
        return _collate_sequences(first, batch, names)
    raise DTypeError(
        f"default_collate cannot batch {type(first).__name__} (sample {names[0]}): it "
        "takes tensors, arrays, numbers, text, and mappings, tuples and lists of "
        "them; pass a collate_fn for other samples"
    )


def _from_numbers(batch: Sequence[Any]) -> NDArray[Any]:
    floats = isinstance(batch[0], float)
    return np.asarray(batch, dtype=np.float64 if floats else None)


def _stack(arrays: list[Any], names: Sequence[Any]) -> Any:
    shapes = {getattr(array, "shape", ()) for array in arrays}
    if len(shapes) > 1:
        _refuse_to_stack(arrays, names)
    stacked = np.array(arrays)
    if stacked.dtype.kind not in _NUMBERS:
        raise DTypeError(
            f"default_collate cannot batch arrays of dtype {stacked.dtype} (sample "
            f"{names[0]}); turn them into numbers or pass a collate_fn"
        )
    return wrap(stacked)


def _refuse_to_stack(arrays: list[Any], names: Sequence[Any]) -> None:
    first = np.shape(arrays[0])
    for name, array in zip(names, arrays, strict=True):
        if np.shape(array) != first:
            raise ShapeError(
                f"samples do not stack: sample {name} has shape {np.shape(array)}, "
                f"sample {names[0]} has shape {first}; make them equal in the dataset, "
                "or pass a collate_fn that pads them"
            )


def _collate_mappings(
    first: Mapping[Any, Any], batch: Sequence[Any], names: Sequence[Any]
) -> Any:
    try:
        columns = {key: [sample[key] for sample in batch] for key in first}
    except KeyError as error:
        raise ShapeError(
            f"samples do not stack: not every one has the key {error}, which sample "
            f"{names[0]} has"
        ) from error
    stacked = {key: collate_samples(column, names) for key, column in columns.items()}
    if type(first) is dict:
        return stacked
    try:
        return type(first)(stacked)  # type: ignore[call-arg]
    except TypeError:  # a mapping that cannot be made from one
        return stacked


def _collate_sequences(first: Any, batch: Sequence[Any], names: Sequence[Any]) -> Any:
    for name, sample in zip(names, batch, strict=True):
        if len(sample) != len(first):
            raise ShapeError(
                f"samples do not stack: sample {name} has {len(sample)} parts, sample "
                f"{names[0]} has {len(first)}"
            )
    parts = [collate_samples(part, names) for part in zip(*batch, strict=True)]
    if hasattr(first, "_fields"):
        return type(first)(*parts)
    return parts if isinstance(first, list) else tuple(parts)


def default_convert(sample: Any) -> Any:
    """Arrays and NumPy numbers in `sample` as tensors, through any nesting.

    Used where a loader does not make batches (``batch_size=None``).

    Examples
    --------
    >>> default_convert({"x": np.arange(3), "name": "a"})["x"].tolist()
    [0, 1, 2]
    """
    if isinstance(sample, (np.ndarray, np.generic)):
        array = np.asarray(sample)
        return wrap(array) if array.dtype.kind in _NUMBERS else sample
    if isinstance(sample, Mapping):
        return {key: default_convert(value) for key, value in sample.items()}
    if isinstance(sample, tuple) and hasattr(sample, "_fields"):
        return type(sample)(*map(default_convert, sample))
    if isinstance(sample, (tuple, list)):
        return type(sample)(map(default_convert, sample))
    return sample
