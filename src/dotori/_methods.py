"""The functions of `dotori.functions` as methods of `Tensor`: a name, nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dotori._later import Later
from dotori.dtypes import float32, float64, int64
from dotori.errors import ShapeError
from dotori.functions import (
    _lazy,
    activation,
    comparison,
    elementwise,
    extremes,
    inplace,
    join,
    linear,
    memory,
    reduce,
    shape,
    transcendental,
)

if TYPE_CHECKING:
    from dotori._tensor import Tensor


def _shift(direction: str, a: Any, b: Any) -> Tensor:
    """Bits moved: `bitwise_left_shift` or `bitwise_right_shift`."""
    found = _lazy.load(f"bitwise_{direction}_shift", _lazy.FUNCTIONS)
    return found(a, b)  # type: ignore[no-any-return]


class Elementwise:
    """Methods that work on each element, and the operators."""

    __slots__ = ()

    neg = elementwise.neg
    exp = transcendental.exp
    log = transcendental.log
    log1p = transcendental.log1p
    expm1 = transcendental.expm1
    sqrt = elementwise.sqrt
    square = elementwise.square
    tanh = transcendental.tanh
    sin = transcendental.sin
    cos = transcendental.cos
    abs = elementwise.abs
    sign = elementwise.sign
    sigmoid = transcendental.sigmoid
    isnan = comparison.isnan
    isfinite = comparison.isfinite
    add = elementwise.add
    sub = elementwise.sub
    mul = elementwise.mul
    div = elementwise.div
    pow = elementwise.pow
    maximum = elementwise.maximum
    minimum = elementwise.minimum
    clamp = elementwise.clamp
    clip = elementwise.clamp
    exp2 = transcendental.exp2
    log2 = transcendental.log2
    log10 = transcendental.log10
    sinh = transcendental.sinh
    cosh = transcendental.cosh
    tan = transcendental.tan
    asin = transcendental.asin
    acos = transcendental.acos
    atan = transcendental.atan
    asinh = transcendental.asinh
    acosh = transcendental.acosh
    atanh = transcendental.atanh
    atan2 = transcendental.atan2
    logaddexp = transcendental.logaddexp
    reciprocal = elementwise.reciprocal
    rsqrt = elementwise.rsqrt
    floor = elementwise.floor
    ceil = elementwise.ceil
    trunc = elementwise.trunc
    round = elementwise.round
    frac = elementwise.frac
    remainder = elementwise.remainder
    fmod = elementwise.fmod
    floor_divide = elementwise.floor_divide
    hypot = elementwise.hypot
    lerp = elementwise.lerp
    isinf = comparison.isinf
    logical_xor = comparison.logical_xor
    isclose = comparison.isclose
    allclose = comparison.allclose
    equal = comparison.equal
    ne = comparison.ne
    lt = comparison.lt
    le = comparison.le
    gt = comparison.gt
    ge = comparison.ge
    logical_not = comparison.logical_not
    logical_and = comparison.logical_and
    logical_or = comparison.logical_or
    eq = comparison.eq
    bitwise_and = comparison.bitwise_and
    bitwise_or = comparison.bitwise_or
    bitwise_xor = comparison.bitwise_xor
    bitwise_not = comparison.bitwise_not
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
    __mod__ = elementwise.remainder
    __floordiv__ = elementwise.floor_divide
    __lt__ = comparison.lt
    __le__ = comparison.le
    __gt__ = comparison.gt
    __ge__ = comparison.ge
    __and__ = comparison.bitwise_and
    __or__ = comparison.bitwise_or
    __xor__ = comparison.bitwise_xor
    __invert__ = comparison.bitwise_not

    def where(self, condition: Any, other: Any) -> Tensor:
        """Itself where the condition holds, else `other`."""
        return elementwise.where(condition, self, other)

    def __eq__(self, other: Any) -> Any:
        return comparison.eq(self, other)

    def __ne__(self, other: Any) -> Any:
        return comparison.ne(self, other)

    def __radd__(self, other: Any) -> Tensor:
        return elementwise.add(other, self)

    def __rsub__(self, other: Any) -> Tensor:
        return elementwise.sub(other, self)

    def __rtruediv__(self, other: Any) -> Tensor:
        return elementwise.div(other, self)

    def __rmod__(self, other: Any) -> Tensor:
        return elementwise.remainder(other, self)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return elementwise.floor_divide(other, self)

    def __pos__(self) -> Any:
        return self

    def __rpow__(self, other: Any) -> Tensor:
        return elementwise.pow(other, self)

    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return elementwise.floor_divide(self, other), elementwise.remainder(self, other)

    def __rdivmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return elementwise.floor_divide(other, self), elementwise.remainder(other, self)

    def __rand__(self, other: Any) -> Tensor:
        return comparison.bitwise_and(other, self)

    def __ror__(self, other: Any) -> Tensor:
        return comparison.bitwise_or(other, self)

    def __rxor__(self, other: Any) -> Tensor:
        return comparison.bitwise_xor(other, self)

    def __lshift__(self, other: Any) -> Tensor:
        return _shift("left", self, other)

    def __rlshift__(self, other: Any) -> Tensor:
        return _shift("left", other, self)

    def __rshift__(self, other: Any) -> Tensor:
        return _shift("right", self, other)

    def __rrshift__(self, other: Any) -> Tensor:
        return _shift("right", other, self)


class Reductions:
    """Methods that make one number of many."""

    __slots__ = ()

    sum = reduce.sum
    mean = reduce.mean
    var = reduce.var
    std = reduce.std
    prod = reduce.prod
    amax = extremes.amax
    amin = extremes.amin
    max = extremes.max
    min = extremes.min
    argmax = extremes.argmax
    argmin = extremes.argmin
    any = reduce.any
    all = reduce.all
    norm = reduce.norm
    cumsum = reduce.cumsum
    logsumexp = reduce.logsumexp
    count_nonzero = reduce.count_nonzero


class Shape:
    """Methods that change the shape, take parts, and multiply matrices."""

    __slots__ = ()

    reshape = shape.reshape
    flatten = shape.flatten
    permute = shape.permute
    transpose = shape.transpose
    swapaxes = shape.transpose
    movedim = shape.movedim
    squeeze = shape.squeeze
    unsqueeze = shape.unsqueeze
    expand = shape.expand
    broadcast_to = shape.broadcast_to
    flip = shape.flip
    tril = shape.tril
    triu = shape.triu
    clone = shape.clone
    contiguous = memory.contiguous
    is_contiguous = memory.is_contiguous
    chunk = join.chunk
    split = join.split
    unbind = join.unbind
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

    def float(self) -> Tensor:
        return shape.cast(self, float32)

    def double(self) -> Tensor:
        return shape.cast(self, float64)

    def long(self) -> Tensor:
        return shape.cast(self, int64)


class Parts:
    """Properties of complex numbers, and of matrices in the last two axes."""

    __slots__ = ()

    @property
    def real(self) -> Tensor:
        """The real part, a view; the tensor itself if it is real."""
        return _lazy.load("real", _lazy.FUNCTIONS)(self)  # type: ignore[no-any-return]

    @property
    def imag(self) -> Tensor:
        """The imaginary part, a view."""
        return _lazy.load("imag", _lazy.FUNCTIONS)(self)  # type: ignore[no-any-return]

    @property
    def mT(self) -> Tensor:
        """Matrices transposed."""
        return shape.transpose(self, -1, -2)

    @property
    def mH(self) -> Tensor:
        """Matrices transposed and conjugated."""
        return _lazy.load("conj", _lazy.FUNCTIONS)(self.mT)  # type: ignore[no-any-return]

    @property
    def H(self) -> Tensor:
        """A matrix transposed and conjugated."""
        if self.ndim != 2:  # type: ignore[attr-defined]
            raise ShapeError(
                f"H is for matrices, got shape {self.shape}; "  # type: ignore[attr-defined]
                "use mH for stacks of them"
            )
        return self.mH


class InPlace:
    """Methods that write into the tensor's own memory."""

    __slots__ = ()

    add_ = inplace.add_
    sub_ = inplace.sub_
    mul_ = inplace.mul_
    div_ = inplace.div_
    copy_ = inplace.copy_
    fill_ = inplace.fill_
    zero_ = inplace.zero_
    fill_diagonal_ = inplace.fill_diagonal_

    __iadd__ = inplace.add_
    __isub__ = inplace.sub_
    __imul__ = inplace.mul_
    __itruediv__ = inplace.div_
    __ipow__ = inplace.form("pow_")
    __imod__ = inplace.form("remainder_")
    __ifloordiv__ = inplace.form("floor_divide_")
    __iand__ = inplace.form("bitwise_and_")
    __ior__ = inplace.form("bitwise_or_")
    __ixor__ = inplace.form("bitwise_xor_")
    __ilshift__ = inplace.form("bitwise_left_shift_")
    __irshift__ = inplace.form("bitwise_right_shift_")
    __setitem__ = inplace.setitem


class Methods(Parts, Casting, InPlace, Elementwise, Reductions, Shape, Later):
    """All methods that are functions.

    Those that are loaded at their first use stand in `_later.pyi`, for type checkers.
    """

    __slots__ = ()
