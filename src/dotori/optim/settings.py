"""The settings that optimisers are given: what is refused, in one form of message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dotori._tensor import Tensor
from dotori.errors import ArgumentError

#: A number, or a tensor with one element, which a schedule then changes in place.
Rate = float | Tensor


def check_settings(place: str, **settings: Any) -> None:
    """Each setting must be one number, at least 0."""
    for name, value in settings.items():
        if isinstance(value, Tensor) and value.numel() != 1:
            raise ArgumentError(
                f"{place}: {name} must be one number, got a tensor of shape "
                f"{value.shape}"
            )
        if not float(value) >= 0:
            raise ArgumentError(f"{place}: {name} must be at least 0, got {value}")


def check_betas(place: str, betas: Sequence[Any]) -> None:
    """Two shares of the past, each in [0, 1)."""
    if len(betas) != 2 or not all(0 <= float(b) < 1 for b in betas):
        raise ArgumentError(
            f"{place}: betas must be two numbers in [0, 1), got {betas}"
        )


def check_flags(
    place: str,
    *,
    foreach: bool | None = None,
    fused: bool | None = None,
    differentiable: bool = False,
) -> None:
    """PyTorch's flags for how to run, as far as they can be promised.

    Every update here is fused over flat memory, so `foreach`, `fused` and `capturable`
    change nothing; what contradicts itself is refused as PyTorch does.
    """
    if differentiable:
        raise ArgumentError(
            f"{place}: differentiable=True is not there, updates are no part of the "
            "graph; write the update with tensor operations to differentiate it"
        )
    if fused and foreach:
        raise ArgumentError(f"{place}: fused and foreach cannot both be True")
