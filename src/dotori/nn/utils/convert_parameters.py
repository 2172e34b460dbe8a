"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from dotori._tensor import Tensor
from dotori.errors import DTypeError, ShapeError
from dotori.functions.join import cat


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters in a row, a tensor of shape (n,) in their graph.

    Examples
    --------
    >>> from dotori import nn
    >>> parameters_to_vector(nn.Linear(2, 3).parameters()).shape
    (9,)
    """
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Make each parameter the next part of `vec`, on its memory.

    Raises
    ------
    ShapeError
        If `vec` is too short; then nothing is changed.

    Examples
    --------
    >>> import dotori
    >>> layer = dotori.nn.Linear(2, 1)
    >>> vector_to_parameters(dotori.tensor([1.0, 2.0, 3.0]), layer.parameters())
    >>> layer.weight.tolist(), layer.bias.tolist()
    ([[1.0, 2.0]], [3.0])
    """
    if not isinstance(vec, Tensor):
        raise DTypeError(
            f"vector_to_parameters: wanted a tensor, got {type(vec).__name__}"
        )
    given = list(parameters)
    wanted = sum(p.numel() for p in given)
    if vec.ndim != 1 or vec.numel() < wanted:
        raise ShapeError(
            f"vector_to_parameters: the parameters have {wanted} elements, the vector "
            f"has shape {vec.shape}"
        )
    start = 0
    for p in given:
        p.data = vec.array[start : start + p.numel()].reshape(p.shape)
        start += p.numel()
