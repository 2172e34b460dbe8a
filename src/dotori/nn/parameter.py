"""`Parameter`: a tensor that a module trains."""

from __future__ import annotations

from typing import Any

from dotori._tensor import Tensor


class Parameter(Tensor):
    """A leaf tensor that a module registers when it is assigned to an attribute.

    Parameters
    ----------
    data : tensor, array or nested list of floats
        The memory of an array is shared.
    requires_grad : bool

    Examples
    --------
    >>> Parameter([1.0, 2.0]).requires_grad
    True
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad=requires_grad)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()
