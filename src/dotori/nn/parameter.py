"""`Parameter`: a tensor that a module trains, and tensors that wait for their shape."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from dotori._tensor import Tensor
from dotori.backend import device_of, to_device
from dotori.dtypes import get_default_dtype
from dotori.errors import ArgumentError


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


class Uninitialized(Tensor):
    """A tensor of a lazy module, which has a type and a device but no shape yet."""

    __slots__ = ()

    becomes: ClassVar[type[Tensor]] = Tensor

    def __init__(
        self,
        requires_grad: bool = False,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        empty = np.empty(0, get_default_dtype() if dtype is None else dtype)
        data = to_device(empty, device or "cpu")
        Tensor.__init__(self, data, requires_grad=requires_grad)

    def materialize(
        self,
        shape: tuple[int, ...],
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        """Become an ordinary tensor of zeros.

        Parameters
        ----------
        shape : tuple of int
        device, dtype : optional
            By default as they are.
        """
        array = np.zeros(shape, self.dtype if dtype is None else dtype)
        self.data = to_device(array, device or device_of(self.array))
        object.__setattr__(self, "__class__", self.becomes)

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise ArgumentError(
            "a tensor of a lazy module has no shape and no values yet; call the module "
            "once, or load a state into it"
        )

    shape = property(_refuse)
    ndim = property(_refuse)
    numel = _refuse
    size = _refuse
    numpy = _refuse
    item = _refuse
    tolist = _refuse
    __len__ = _refuse

    def detach(self) -> Tensor:
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(Uninitialized, Parameter):
    """A parameter that gets its shape at the first call of its lazy module.

    Examples
    --------
    >>> p = UninitializedParameter()
    >>> p.materialize((2, 3))
    >>> type(p).__name__, p.shape
    ('Parameter', (2, 3))
    """

    __slots__ = ()

    becomes = Parameter

    def __init__(
        self,
        requires_grad: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        Uninitialized.__init__(self, requires_grad, device, dtype)


class UninitializedBuffer(Uninitialized):
    """A buffer that gets its shape at the first call of its lazy module.

    Examples
    --------
    >>> UninitializedBuffer()
    <UninitializedBuffer>
    """

    __slots__ = ()


def is_lazy(value: Any) -> bool:
    """Whether `value` is a tensor that waits for its shape.

    Examples
    --------
    >>> is_lazy(UninitializedParameter())
    True
    """
    return isinstance(value, Uninitialized)
