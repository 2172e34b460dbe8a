"""The functions of `dotori.functions` as methods of `Tensor`: a name, nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dotori.dtypes import float32, float64, int64
from dotori.functions import activation, elementwise, linear, reduce, shape

if TYPE_CHECKING:
    from dotori._tensor import Tensor


class Elementwise:
    """Methods that work on each element, and the operators."""

    __slots__ = ()

    neg = elementwise.neg
    exp = elementwise.exp
    log = elementwise.log
    log1p = elementwise.log1p
    expm1 = elementwise.expm1
    sqrt = elementwise.sqrt
    square = elementwise.square
    tanh = elementwise.tanh
    sin = elementwise.sin
    cos = elementwise.cos
    abs = elementwise.abs
    sign = elementwise.sign
    sigmoid = elementwise.sigmoid
    isnan = elementwise.isnan
    isfinite = elementwise.isfinite
    add = elementwise.add
    sub = elementwise.sub
    mul = elementwise.mul
    div = elementwise.div
    pow = elementwise.pow
    maximum = elementwise.maximum
    minimum = elementwise.minimum
    clamp = elementwise.clamp
    eq = elementwise.eq
    relu = activation.relu
    softmax = activation.softmax
    log_softmax = activation.log_softmax

    __neg__ = elementwise.neg
    __abs__ = elementwise.abs
    __add__ = elementwise.add
    __mul__ = elementwise.mul
    __rmul__ = elementwise.mul
    __sub__ = elementwise.sub
    __truediv__ = elementwise.div
    __pow__ = elementwise.pow
    __lt__ = elementwise.lt
    __le__ = elementwise.le
    __gt__ = elementwise.gt
    __ge__ = elementwise.ge
    __and__ = elementwise.logical_and
    __or__ = elementwise.logical_or

    def __eq__(self, other: Any) -> Any:
        return elementwise.eq(self, other)

    def __ne__(self, other: Any) -> Any:
        return elementwise.ne(self, other)

    def __radd__(self, other: Any) -> Tensor:
        return elementwise.add(other, self)

    def __rsub__(self, other: Any) -> Tensor:
        return elementwise.sub(other, self)

    def __rtruediv__(self, other: Any) -> Tensor:
        return elementwise.div(other, self)

    def __rpow__(self, other: Any) -> Tensor:
        return elementwise.pow(other, self)


class Reductions:
    """Methods that make one number of many."""

    __slots__ = ()

    sum = reduce.sum
    mean = reduce.mean
    amax = reduce.amax
    amin = reduce.amin


class Shape:
    """Methods that change the shape, take parts, and multiply matrices."""

    __slots__ = ()

    reshape = shape.reshape
    view = shape.reshape
    flatten = shape.flatten
    permute = shape.permute
    transpose = shape.transpose
    __getitem__ = shape.getitem
    matmul = linear.matmul
    __matmul__ = linear.matmul

    def __rmatmul__(self, other: Any) -> Tensor:
        return linear.matmul(other, self)

    @property
    def T(self) -> Tensor:
        """The axes in reverse order."""
        return shape.permute(self, *range(self.ndim - 1, -1, -1))  # type: ignore[attr-defined]


class Casting:
    """Methods that change the type."""

    __slots__ = ()

    astype = shape.cast
    to = shape.cast

    def float(self) -> Tensor:
        return shape.cast(self, float32)

    def double(self) -> Tensor:
        return shape.cast(self, float64)

    def long(self) -> Tensor:
        return shape.cast(self, int64)


class Methods(Casting, Elementwise, Reductions, Shape):
    """All methods that are functions."""

    __slots__ = ()
