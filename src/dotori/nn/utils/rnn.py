"""Sequences of different lengths in one batch: padded, or packed without padding.

A packed batch holds the first step of all sequences, then the second step of those that
have one, and so on. With the sequences in order of falling length, each step is the
beginning of the one before, cut shorter::

    a b c                 data         a x p  b y  c
    x y        becomes    batch_sizes  3      2    1
    p

Names, arguments and results are those of `torch.nn.utils.rnn`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dotori.autograd import apply, as_variable, wrap
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions.join import cat
from dotori.ops.packing import PackRows, PlaceRows

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """A batch of sequences without padding, as the functions of this file make it.

    Recurrent layers take one in place of a padded batch, and give one.

    Attributes
    ----------
    data : Tensor, shape (sum of lengths, ...)
        The steps, one after the other.
    batch_sizes : Tensor of int64
        How many sequences have a first, a second ... step.
    sorted_indices : Tensor of int64, or None
        Which of the sequences that were given is the longest, the second ...
    unsorted_indices : Tensor of int64, or None
        The way back: where the sequences that were given stand.

    Examples
    --------
    >>> import dotori
    >>> packed = pack_sequence([dotori.tensor([1, 2, 3]), dotori.tensor([4, 5])])
    >>> packed.data.tolist(), packed.batch_sizes.tolist()
    ([1, 4, 2, 5, 3], [2, 2, 1])
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Tensor,
        batch_sizes: Tensor,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        sizes = as_variable(batch_sizes)
        return super().__new__(cls, data, sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with `data` of another type or on another device: `Tensor.to`."""
        return self._replace(data=self.data.to(*args, **kwargs))

    def double(self) -> PackedSequence:
        return self.to(np.float64)

    def float(self) -> PackedSequence:
        return self.to(np.float32)

    def half(self) -> PackedSequence:
        return self.to(np.float16)

    def long(self) -> PackedSequence:
        return self.to(np.int64)

    def int(self) -> PackedSequence:
        return self.to(np.int32)

    def cpu(self) -> PackedSequence:
        return self.to("cpu")

    def cuda(self) -> PackedSequence:
        return self.to("cuda")

    @property
    def is_cuda(self) -> bool:
        """Whether `data` lies on a CUDA device."""
        return self.data.is_cuda


def invert_permutation(permutation: TensorLike | None) -> Tensor | None:
    """Where each number stands in a permutation; None for None.

    Examples
    --------
    >>> invert_permutation([2, 0, 1]).tolist()
    [1, 2, 0]
    """
    if permutation is None:
        return None
    places = np.asarray(as_variable(permutation).array)
    inverse = np.empty_like(places)
    inverse[places] = np.arange(len(places))
    return wrap(inverse)


def pack_padded_sequence(
    input: TensorLike,
    lengths: TensorLike,
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """A padded batch without its padding.

    Parameters
    ----------
    input : Tensor, shape (time, batch, ...), or (batch, time, ...) with `batch_first`
    lengths : sequence of int, one for each sequence, from 1 to time
    enforce_sorted : bool
        Whether the lengths must fall already. With False, they are sorted here.

    Raises
    ------
    ShapeError
        If there is not one length for each sequence.
    ArgumentError
        If a length is below 1 or beyond time, or the lengths do not fall.

    Examples
    --------
    >>> packed = pack_padded_sequence(
    ...     [[4, 0, 0], [1, 2, 3]], [1, 3], batch_first=True, enforce_sorted=False
    ... )
    >>> packed.data.tolist(), packed.batch_sizes.tolist()
    ([1, 4, 2, 3], [2, 1, 1])
    >>> packed.sorted_indices.tolist()
    [1, 0]
    """
    x = as_variable(input)
    if x.ndim < 2:
        raise ShapeError(
            f"pack_padded_sequence: axes for time and batch are wanted, got {x.shape}"
        )
    batch, time = x.shape[:2] if batch_first else x.shape[1::-1]
    n_steps = _lengths("pack_padded_sequence", lengths, batch, time)
    order = np.argsort(-n_steps, kind="stable")
    if enforce_sorted and (np.diff(n_steps) > 0).any():
        raise ArgumentError(
            "pack_padded_sequence: the lengths must fall, got "
            f"{n_steps.tolist()}; pass enforce_sorted=False to have them sorted"
        )
    sizes, rows = _places(n_steps[order], order, time, batch_first)
    flat = x.reshape(batch * time, *x.shape[2:])
    data = apply(PackRows, flat, rows=rows, n=batch * time)
    found = None if enforce_sorted else wrap(order)
    return PackedSequence(data, wrap(sizes), found)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """A packed batch with padding, in the order in which the sequences were given.

    Parameters
    ----------
    sequence : PackedSequence
    total_length : int, optional
        The length of the result, at least that of the longest sequence.

    Returns
    -------
    padded : Tensor, shape (time, batch, ...), or (batch, time, ...) with `batch_first`
    lengths : Tensor of int64, shape (batch,)

    Raises
    ------
    ArgumentError
        If `total_length` is too short.

    Examples
    --------
    >>> packed = pack_sequence([[1, 2, 3], [4]])
    >>> padded, lengths = pad_packed_sequence(packed, batch_first=True)
    >>> padded.tolist(), lengths.tolist()
    ([[1, 2, 3], [4, 0, 0]], [3, 1])
    """
    sizes = sequence.batch_sizes.array
    batch, time = int(sizes[0]), len(sizes)
    if total_length is not None:
        if total_length < time:
            raise ArgumentError(
                f"pad_packed_sequence: total_length is {total_length}, but the "
                f"longest sequence has {time} steps"
            )
        time = total_length
    n_steps = (sizes[:, None] > np.arange(batch)).sum(axis=0)
    order = np.arange(batch)
    if sequence.sorted_indices is not None:
        order = sequence.sorted_indices.array
    _, rows = _places(n_steps, order, time, batch_first)
    padded = _placed(sequence.data, rows, batch, time, batch_first, padding_value)
    lengths = np.empty_like(n_steps)
    lengths[order] = n_steps
    return padded, wrap(lengths)


def pad_sequence(
    sequences: Iterable[TensorLike],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences of shape (length, ...) as one batch, the shorter ones filled up.

    Parameters
    ----------
    sequences : iterable of Tensor
    padding_side : {"right", "left"}
        Whether padding comes after a sequence or before it.

    Returns
    -------
    Tensor, shape (time, batch, ...), or (batch, time, ...) with `batch_first`

    Examples
    --------
    >>> pad_sequence([[1, 2, 3], [4]], batch_first=True, padding_value=9).tolist()
    [[1, 2, 3], [4, 9, 9]]
    >>> pad_sequence([[1, 2, 3], [4]], batch_first=True, padding_side="left").tolist()
    [[1, 2, 3], [0, 0, 4]]
    """
    if padding_side not in ("right", "left"):
        raise ArgumentError(
            f"pad_sequence: padding_side is 'right' or 'left', got {padding_side!r}"
        )
    parts = [as_variable(s) for s in sequences]
    shapes = [p.shape for p in parts]
    if not parts or any(s[1:] != shapes[0][1:] or not s for s in shapes):
        raise ShapeError(
            "pad_sequence: sequences of shapes (length, ...) are wanted, equal but for "
            f"the length, got {shapes}"
        )
    n_steps = np.array([s[0] for s in shapes])
    batch, time = len(parts), int(n_steps.max())
    sequence = np.repeat(np.arange(batch), n_steps)
    step = np.concatenate([np.arange(n) for n in n_steps])
    if padding_side == "left":
        step = step + (time - n_steps)[sequence]
    rows = sequence * time + step if batch_first else step * batch + sequence
    return _placed(cat(parts), rows, batch, time, batch_first, padding_value)


def unpad_sequence(
    padded_sequences: TensorLike, lengths: TensorLike, batch_first: bool = False
) -> list[Tensor]:
    """The sequences of a padded batch, each with its own length.

    Examples
    --------
    >>> [s.tolist() for s in unpad_sequence([[1, 2], [3, 0]], [2, 1], batch_first=True)]
    [[1, 2], [3]]
    """
    x = as_variable(padded_sequences)
    by_sequence = x if batch_first else x.transpose(0, 1)
    n_steps = as_variable(lengths).tolist()
    if len(n_steps) != by_sequence.shape[0]:
        raise ShapeError(
            f"unpad_sequence: {by_sequence.shape[0]} lengths are wanted for a batch of "
            f"shape {x.shape}, got {len(n_steps)}"
        )
    return [by_sequence[i, :n] for i, n in enumerate(n_steps)]


def pack_sequence(
    sequences: Iterable[TensorLike], enforce_sorted: bool = True
) -> PackedSequence:
    """Sequences of shape (length, ...), packed: see `pack_padded_sequence`.

    Examples
    --------
    >>> pack_sequence([[1, 2, 3], [4, 5], [6]]).data.tolist()
    [1, 4, 6, 2, 5, 3]
    """
    parts = [as_variable(s) for s in sequences]
    lengths = [p.shape[0] for p in parts]
    return pack_padded_sequence(
        pad_sequence(parts), lengths, enforce_sorted=enforce_sorted
    )


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences of a packed batch, in the order in which they were given.

    Examples
    --------
    >>> [s.tolist() for s in unpack_sequence(pack_sequence([[1, 2, 3], [4]]))]
    [[1, 2, 3], [4]]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


def _lengths(place: str, lengths: TensorLike, batch: int, time: int) -> Any:
    """The lengths as an array of integers, checked."""
    n_steps = np.asarray(as_variable(lengths).array)
    if n_steps.dtype.kind not in "iu" or n_steps.shape != (batch,):
        raise ShapeError(
            f"{place}: {batch} integer lengths are wanted, one for each sequence, got "
            f"{n_steps.dtype} of shape {n_steps.shape}"
        )
    if batch and not 1 <= n_steps.min() <= n_steps.max() <= time:
        raise ArgumentError(
            f"{place}: the lengths must be from 1 to {time}, the length of the padded "
            f"batch, got {n_steps.tolist()}"
        )
    return n_steps.astype(np.int64)


def _places(n_steps: Any, order: Any, time: int, batch_first: bool) -> tuple[Any, Any]:
    """How many sequences each step has, and which row of a padded batch each packed one
    is.

    `n_steps` fall; `order` says which sequences of the padded batch they belong to.
    """
    running = n_steps > np.arange(n_steps.max(initial=0))[:, None]
    step, place = np.nonzero(running)  # row by row: in the order of packing
    sequence = order[place]
    batch = len(order)
    rows = sequence * time + step if batch_first else step * batch + sequence
    return running.sum(axis=1), rows


def _placed(
    data: Tensor, rows: Any, batch: int, time: int, batch_first: bool, value: float
) -> Tensor:
    """`data` at `rows` of a padded batch that is otherwise `value`."""
    flat: Tensor = apply(PlaceRows, data, rows=rows, n=batch * time, value=value)
    lead = (batch, time) if batch_first else (time, batch)
    return flat.reshape(*lead, *data.shape[1:])
