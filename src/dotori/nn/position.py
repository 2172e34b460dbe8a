"""Where in a sequence an element stands, told to layers that do not see the order.

PyTorch has no modules for this; these are dotori's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import as_variable, wrap
from dotori.backend import to_device
from dotori.dtypes import get_default_dtype
from dotori.errors import ArgumentError, ShapeError
from dotori.functions.join import stack
from dotori.nn import functional as F
from dotori.nn.module import Module

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["RotaryPositionalEncoding", "SinusoidalPositionalEncoding"]


def _angles(length: int, dim: int, base: float) -> Any:
    """position / base^(2i/dim), shape (length, dim/2), in float64."""
    rates = base ** (-np.arange(0, dim, 2) / dim)
    return np.arange(length)[:, None] * rates


def _check(name: str, dim: int, max_len: int) -> None:
    if dim < 0 or dim % 2 or max_len < 0:
        raise ArgumentError(
            f"{name}: an even dim and a max_len, not negative, are wanted, got {dim} "
            f"and {max_len}"
        )


def _check_length(name: str, shape: tuple[int, ...], length: int, most: int) -> None:
    if length > most:
        raise ShapeError(
            f"{name}: x of shape {shape} has {length} positions, but max_len={most}; "
            "make the module with a larger max_len"
        )


class SinusoidalPositionalEncoding(Module):
    """y = x + PE: waves of many lengths are added.  (..., length, dim) -> the same.

    PE[p, 2i] = sin(p / base^(2i/dim)), PE[p, 2i+1] = cos(p / base^(2i/dim)): Vaswani
    and others, "Attention is all you need", 2017, section 3.5. The encoding of p + k
    is a rotation of that of p, whatever p is.

    Parameters
    ----------
    dim : int
        Even; the length of the last axis.
    max_len : int
        The longest sequence.
    dropout : float
        The probability with which elements of the sum are dropped while training
        (section 5.4 of the paper has 0.1).
    base : float
    batch_first : bool
        False: the sequence runs along the first axis, (length, batch, dim).

    Attributes
    ----------
    encoding : Tensor, shape (max_len, dim)
        A buffer that is not in the state dict.

    Examples
    --------
    >>> import dotori
    >>> y = SinusoidalPositionalEncoding(4)(dotori.zeros(1, 2, 4))
    >>> y[0, 0].tolist()
    [0.0, 1.0, 0.0, 1.0]
    """

    encoding: Tensor

    def __init__(
        self,
        dim: int,
        max_len: int = 5000,
        dropout: float = 0.0,
        base: float = 10_000.0,
        batch_first: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        _check(type(self).__name__, dim, max_len)
        self.dim, self.max_len, self.base = dim, max_len, base
        self.dropout, self.batch_first = dropout, batch_first
        angles = _angles(max_len, dim, base)
        waves = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
        chosen = get_default_dtype() if dtype is None else np.dtype(dtype)
        table = waves.reshape(max_len, dim).astype(chosen)
        placed = wrap(to_device(table, device or "cpu"))
        self.register_buffer("encoding", placed, persistent=False)

    def forward(self, input: Any) -> Tensor:
        x = as_variable(input)
        name = type(self).__name__
        if x.ndim < 2 or x.shape[-1] != self.dim:
            raise ShapeError(
                f"{name}: x of shape (..., length, {self.dim}) is wanted, got {x.shape}"
            )
        first = not self.batch_first and x.ndim > 2
        length = x.shape[0 if first else -2]
        _check_length(name, x.shape, length, self.max_len)
        waves = self.encoding[:length]
        if first:
            waves = waves.reshape(length, *(1,) * (x.ndim - 2), self.dim)
        return F.dropout(x + waves, self.dropout, self.training)

    def extra_repr(self) -> str:
        return f"{self.dim}, max_len={self.max_len}, dropout={self.dropout}"


class RotaryPositionalEncoding(Module):
    """Queries and keys turned by angles that grow with the position.

    Element 2i and 2i+1 of the last axis are a point of the plane, which is turned by
    p / base^(2i/dim) at position p: Su and others, "RoFormer: enhanced transformer with
    rotary position embedding", 2021, equation 34. The product of a query and a key then
    depends on how far apart they are, and not on where they stand.

    Apply it to queries and keys of shape (..., length, dim), before
    `dotori.nn.functional.scaled_dot_product_attention`.

    Parameters
    ----------
    dim : int
        Even; the length of the last axis, that of one head.
    max_len : int
        The longest sequence.
    base : float

    Attributes
    ----------
    cos, sin : Tensor, shape (max_len, dim/2)
        Buffers that are not in the state dict.

    Examples
    --------
    >>> import dotori
    >>> turn = RotaryPositionalEncoding(2)
    >>> turn(dotori.tensor([[1.0, 0.0], [1.0, 0.0]])).tolist()[0]
    [1.0, 0.0]
    """

    cos: Tensor
    sin: Tensor

    def __init__(
        self,
        dim: int,
        max_len: int = 5000,
        base: float = 10_000.0,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        _check(type(self).__name__, dim, max_len)
        self.dim, self.max_len, self.base = dim, max_len, base
        chosen = get_default_dtype() if dtype is None else np.dtype(dtype)
        angles = _angles(max_len, dim, base)
        for name, wave in (("cos", np.cos), ("sin", np.sin)):
            table = wave(angles).astype(chosen)
            placed = wrap(to_device(table, device or "cpu"))
            self.register_buffer(name, placed, persistent=False)

    def forward(self, input: Any, offset: int = 0) -> Tensor:
        """`input` with its positions counted from `offset`."""
        x = as_variable(input)
        name = type(self).__name__
        if x.ndim < 2 or x.shape[-1] != self.dim:
            raise ShapeError(
                f"{name}: x of shape (..., length, {self.dim}) is wanted, got {x.shape}"
            )
        end = offset + x.shape[-2]
        _check_length(name, x.shape, end, self.max_len)
        if offset < 0:
            raise ArgumentError(f"{name}: offset must not be negative, got {offset}")
        cos, sin = self.cos[offset:end], self.sin[offset:end]
        a, b = x[..., 0::2], x[..., 1::2]
        return stack([a * cos - b * sin, a * sin + b * cos], -1).reshape(x.shape)

    def extra_repr(self) -> str:
        return f"{self.dim}, max_len={self.max_len}, base={self.base}"
