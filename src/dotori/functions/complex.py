"""Complex numbers under PyTorch's names: their parts, and what is made of parts.

Arithmetic, products, sums and indexing take complex tensors as they take real ones.
The gradient of a real L for a number a + ib is dL/da + i dL/db, as in PyTorch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dotori.autograd import apply, as_variable, unary, wrap
from dotori.backend import as_array
from dotori.dtypes import get_default_dtype
from dotori.errors import DTypeError, ShapeError
from dotori.functions import elementwise
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.shape import cast
from dotori.functions.transcendental import cos, sin
from dotori.ops import complex as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "angle",
    "complex",
    "conj",
    "conj_physical",
    "imag",
    "is_complex",
    "is_conj",
    "is_neg",
    "isreal",
    "polar",
    "real",
    "resolve_conj",
    "resolve_neg",
    "sgn",
    "view_as_complex",
    "view_as_real",
]


def is_complex(x: TensorLike) -> bool:
    """Whether the tensor holds complex numbers.

    Examples
    --------
    >>> is_complex([1j]), is_complex([1.0])
    (True, False)
    """
    return as_variable(x).dtype.kind == "c"


def _complex(place: str, x: TensorLike) -> Tensor:
    t = as_variable(x)
    if t.dtype.kind != "c":
        raise DTypeError(f"{place}: complex numbers were wanted, got {t.dtype}")
    return t


@implements(np.real)
def real(x: TensorLike) -> Tensor:
    """The real part, a view; a real tensor itself.

    Examples
    --------
    >>> real([1 + 2j]).tolist()
    [1.0]
    """
    t = as_variable(x)
    if t.dtype.kind != "c":
        return t
    result: Tensor = apply(op.Real, t)
    return result


def imag(x: TensorLike) -> Tensor:
    """The imaginary part, a view.

    Raises
    ------
    DTypeError
        For real numbers, as in PyTorch.

    Examples
    --------
    >>> imag([1 + 2j]).tolist()
    [2.0]
    """
    result: Tensor = apply(op.Imag, _complex("imag", x))
    return result


@implements(np.imag)
def _numpys_imag(val: TensorLike) -> Tensor:
    """NumPy's meaning: zeros of real numbers."""
    t = as_variable(val)
    return imag(t) if is_complex(t) else wrap(np.zeros_like(t.array))


@implements(np.conjugate)
def conj(x: TensorLike) -> Tensor:
    """a - ib of a + ib; a real tensor itself.

    Examples
    --------
    >>> conj([1 + 2j]).tolist()
    [(1-2j)]
    """
    t = as_variable(x)
    return unary(op.Conj, t) if t.dtype.kind == "c" else t


conj_physical = conj


def resolve_conj(x: TensorLike) -> Tensor:
    """Itself: conjugation is carried out at once here.

    Examples
    --------
    >>> resolve_conj([1.0]).tolist()
    [1.0]
    """
    return as_variable(x)


def resolve_neg(x: TensorLike) -> Tensor:
    """Itself: negation is carried out at once here.

    Examples
    --------
    >>> resolve_neg([1.0]).tolist()
    [1.0]
    """
    return as_variable(x)


def is_conj(x: TensorLike) -> bool:
    """False: no tensor waits for its conjugation here.

    Examples
    --------
    >>> is_conj([1j])
    False
    """
    return False


def is_neg(x: TensorLike) -> bool:
    """False: no tensor waits for its negation here.

    Examples
    --------
    >>> is_neg([1.0])
    False
    """
    return False


@implements(np.isreal)
def isreal(x: TensorLike) -> Tensor:
    """Whether the imaginary part is 0.

    Examples
    --------
    >>> isreal([1 + 0j, 1j]).tolist()
    [True, False]
    """
    return wrap(as_array(np.isreal(as_variable(x).array)))


def angle(x: TensorLike) -> Tensor:
    """The angle with the positive real axis: 0 or pi for real numbers.

    Examples
    --------
    >>> (angle([1.0, 1j, -1.0]).numpy() / np.pi).tolist()
    [0.0, 0.5, 1.0]
    """
    t = as_variable(x)
    if t.dtype.kind == "c":
        return unary(op.Angle, t)
    floats = t if t.dtype.kind == "f" else t.to(get_default_dtype())
    a = floats.array
    turned = np.where(np.isnan(a), a, np.where(a < 0, a.dtype.type(np.pi), 0))
    # Flat on both sides of 0: a gradient of zeros, also where x is infinite.
    flat = elementwise.mul(elementwise.sign(floats), 0)
    return elementwise.add(flat, wrap(turned.astype(a.dtype)))


@implements(np.angle)
def _numpys_angle(z: TensorLike, deg: bool = False) -> Tensor:
    return elementwise.mul(angle(z), 180 / np.pi) if deg else angle(z)


def complex(x: TensorLike, imag: TensorLike) -> Tensor:
    """x + i imag, of two real tensors of one type.

    Examples
    --------
    >>> complex([1.0], [2.0]).tolist()
    [(1+2j)]
    """
    a, b = as_variable(x), as_variable(imag)
    if a.dtype != b.dtype or a.dtype.kind != "f":
        raise DTypeError(
            f"complex: two tensors of the same float type were wanted, got {a.dtype} "
            f"and {b.dtype}"
        )
    result: Tensor = apply(op.Complex, a, b)
    return result


def polar(x: TensorLike, angle: TensorLike) -> Tensor:
    """x (cos angle + i sin angle): lengths and angles to complex numbers.

    Examples
    --------
    >>> polar([2.0], [0.0]).tolist()
    [(2+0j)]
    """
    length, turn = as_variable(x), as_variable(angle)
    if length.dtype != turn.dtype or length.dtype.kind != "f":
        raise DTypeError(
            "polar: two tensors of the same float type were wanted, got "
            f"{length.dtype} and {turn.dtype}"
        )
    return complex(length * cos(turn), length * sin(turn))


def view_as_real(x: TensorLike) -> Tensor:
    """The parts of complex numbers along a new last axis of length 2, a view.

    Examples
    --------
    >>> view_as_real([1 + 2j]).tolist()
    [[1.0, 2.0]]
    """
    result: Tensor = apply(op.ViewAsReal, _complex("view_as_real", x))
    return result


def view_as_complex(x: TensorLike) -> Tensor:
    """Complex numbers of pairs along the last axis, a view where memory allows.

    Examples
    --------
    >>> view_as_complex([[1.0, 2.0]]).tolist()
    [(1+2j)]
    """
    t = as_variable(x)
    if t.dtype.kind != "f" or t.dtype.itemsize < 4:
        raise DTypeError(
            f"view_as_complex: float32 or float64 is wanted, got {t.dtype}"
        )
    if not t.ndim or t.shape[-1] != 2:
        raise ShapeError(
            f"view_as_complex: the last axis must have length 2, got shape {t.shape}"
        )
    result: Tensor = apply(op.ViewAsComplex, t)
    return result


def sgn(x: TensorLike) -> Tensor:
    """x / |x|, and 0 at 0: the sign, for complex numbers too.

    Examples
    --------
    >>> sgn([-2.0]).tolist(), sgn([3 + 4j]).numpy().round(3).tolist()
    ([-1.0], [(0.6000000238418579+0.800000011920929j)])
    """
    t = as_variable(x)
    if t.dtype.kind != "c":
        return t if t.dtype.kind == "b" else elementwise.sign(t)
    zero = wrap(t.array == 0)
    length = elementwise.abs(elementwise.where(zero, 1.0, t))
    return elementwise.where(zero, 0.0, cast(t / length, t.dtype))
