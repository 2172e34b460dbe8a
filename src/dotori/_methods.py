"""The functions of `dotori.functions` as methods of `Tensor`: a name, nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dotori.functions import elementwise

if TYPE_CHECKING:
    from dotori._tensor import Tensor


class Elementwise:
    """Methods that work on each element, and the operators."""

    __slots__ = ()

    exp = elementwise.exp
    neg = elementwise.neg
    add = elementwise.add
    mul = elementwise.mul

    __neg__ = elementwise.neg
    __add__ = elementwise.add
    __mul__ = elementwise.mul
    __rmul__ = elementwise.mul

    def __radd__(self, other: Any) -> Tensor:
        return elementwise.add(other, self)


class Methods(Elementwise):
    """All methods that are functions."""

    __slots__ = ()
