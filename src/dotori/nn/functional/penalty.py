"""Penalties on the size of parameters, to be added to a loss."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dotori.errors import ArgumentError

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["l1_penalty", "l2_penalty"]


def l1_penalty(parameters: Iterable[Tensor]) -> Tensor:
    """sum |w| over all `parameters`; its gradient sign(w) draws weights to zero.

    Examples
    --------
    >>> import dotori
    >>> l1_penalty([dotori.tensor([3.0, -4.0]), dotori.tensor([1.0])]).item()
    8.0
    """
    return _total("l1_penalty", [w.abs().sum() for w in parameters])


def l2_penalty(parameters: Iterable[Tensor]) -> Tensor:
    """sum w^2 over all `parameters`; its gradient is 2 w.

    Half of it, times lambda, is what ``weight_decay=lambda`` of `optim.SGD` descends.

    Examples
    --------
    >>> import dotori
    >>> l2_penalty([dotori.tensor([3.0, -4.0]), dotori.tensor([1.0])]).item()
    26.0
    """
    return _total("l2_penalty", [(w * w).sum() for w in parameters])


def _total(name: str, terms: list[Tensor]) -> Tensor:
    if not terms:
        raise ArgumentError(f"{name}: there are no parameters")
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
