"""Tables of vectors that are learned: for words, categories, and bags of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import as_variable, wrap
from dotori.backend import to_device
from dotori.dtypes import get_default_dtype
from dotori.errors import ArgumentError, ShapeError
from dotori.nn import functional as F
from dotori.nn.functional.lookup import padding_row
from dotori.nn.module import Module
from dotori.nn.parameter import Parameter
from dotori.random import default_generator

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["Embedding", "EmbeddingBag"]


class _Table(Module):
    """A parameter `weight` of shape (num_embeddings, embedding_dim), and how it is
    used: what `Embedding` and `EmbeddingBag` share."""

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        weight: Any,
        device: str | None,
        dtype: DTypeLike | None,
    ) -> None:
        super().__init__()
        name, shape = type(self).__name__, (num_embeddings, embedding_dim)
        for n in shape:
            if isinstance(n, bool) or not hasattr(n, "__index__") or n < 0:
                raise ArgumentError(f"{name}: sizes must be ints of 0 or more, got {n}")
        self.num_embeddings, self.embedding_dim = shape
        self.padding_idx = padding_row(name, padding_idx, num_embeddings)
        if weight is None:
            chosen = get_default_dtype() if dtype is None else np.dtype(dtype)
            values = default_generator().normal(shape, dtype=chosen)
            if self.padding_idx is not None:
                values[self.padding_idx] = 0
            self.weight = Parameter(wrap(to_device(values, device or "cpu")))
        else:
            given = as_variable(weight)
            if given.shape != shape:
                raise ShapeError(
                    f"{name}: a weight of shape {shape} is wanted, got {given.shape}"
                )
            self.weight = Parameter(given.detach())


def _ready(name: str, embeddings: Any) -> Tensor:
    """`embeddings` as a table, whose memory the module will share."""
    table = as_variable(embeddings)
    if table.ndim != 2:
        raise ShapeError(
            f"{name}.from_pretrained: embeddings must have the shape "
            f"(num_embeddings, embedding_dim), got {table.shape}"
        )
    return table


class Embedding(_Table):
    """The rows of a table, by number.  x: integers -> (..., embedding_dim).

    Rows start from the standard normal distribution, that of `padding_idx` from 0.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        How many rows there are, and how long they are.
    padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse
        As for `dotori.nn.functional.embedding`.

    Attributes
    ----------
    weight : Parameter, shape (num_embeddings, embedding_dim)

    Examples
    --------
    >>> import dotori
    >>> Embedding(10, 3)(dotori.tensor([[1, 5], [5, 0]])).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(
            num_embeddings, embedding_dim, padding_idx, _weight, device, dtype
        )
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        if _freeze:
            self.weight.requires_grad_(False)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """A module with this table, which is not trained unless `freeze` is False.

        Examples
        --------
        >>> Embedding.from_pretrained([[1.0, 2.0], [3.0, 4.0]])([1]).tolist()
        [[3.0, 4.0]]
        """
        table = _ready(cls.__name__, embeddings)
        return cls(
            table.shape[0],
            table.shape[1],
            _weight=table,
            _freeze=freeze,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
        )

    def forward(self, input: Any) -> Tensor:
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        if self.padding_idx is not None:
            parts.append(f"padding_idx={self.padding_idx}")
        parts += _norm_repr(self)
        if self.sparse:
            parts.append("sparse=True")
        return ", ".join(parts)


class EmbeddingBag(_Table):
    """The mean, sum or maximum of rows of a table.  (bags, n) -> (bags, embedding_dim).

    Nothing is kept of the single rows.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
    mode : {"mean", "sum", "max"}
    max_norm, norm_type, scale_grad_by_freq, sparse, include_last_offset, padding_idx
        As for `dotori.nn.functional.embedding_bag`.

    Attributes
    ----------
    weight : Parameter, shape (num_embeddings, embedding_dim)

    Examples
    --------
    >>> import dotori
    >>> bags = EmbeddingBag(10, 3, mode="sum")
    >>> bags(dotori.tensor([1, 5, 5, 0]), dotori.tensor([0, 3])).shape
    (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(
            num_embeddings, embedding_dim, padding_idx, _weight, device, dtype
        )
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        self.mode, self.include_last_offset = mode, include_last_offset

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """A module with this table, which is not trained unless `freeze` is False.

        Examples
        --------
        >>> EmbeddingBag.from_pretrained([[1.0, 2.0], [3.0, 4.0]])([[0, 1]]).tolist()
        [[2.0, 3.0]]
        """
        table = _ready(cls.__name__, embeddings)
        made = cls(
            table.shape[0],
            table.shape[1],
            _weight=table,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            mode=mode,
            sparse=sparse,
            include_last_offset=include_last_offset,
            padding_idx=padding_idx,
        )
        made.weight.requires_grad_(not freeze)
        return made

    def forward(
        self, input: Any, offsets: Any = None, per_sample_weights: Any = None
    ) -> Tensor:
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}", *_norm_repr(self)]
        parts.append(f"mode={self.mode!r}")
        if self.padding_idx is not None:
            parts.append(f"padding_idx={self.padding_idx}")
        return ", ".join(parts)


def _norm_repr(module: Embedding | EmbeddingBag) -> list[str]:
    parts = []
    if module.max_norm is not None:
        parts.append(f"max_norm={module.max_norm}")
    if module.norm_type != 2:
        parts.append(f"norm_type={module.norm_type}")
    if module.scale_grad_by_freq:
        parts.append(f"scale_grad_by_freq={module.scale_grad_by_freq}")
    return parts
