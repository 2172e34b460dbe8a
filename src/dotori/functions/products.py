"""More products: of vectors, of matrices, of any axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import as_variable
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions import elementwise
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.complex import conj
from dotori.functions.einsum import contract
from dotori.functions.linear import matmul
from dotori.functions.reduce import sum as _sum
from dotori.functions.shape import axis_of, getitem, permute, reshape

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "bmm",
    "chain_matmul",
    "cross",
    "dot",
    "ger",
    "inner",
    "kron",
    "mm",
    "mv",
    "outer",
    "tensordot",
    "trace",
    "vdot",
]


def ranked(place: str, ranks: tuple[int, ...], *values: TensorLike) -> list[Tensor]:
    """Tensors with these numbers of axes, and of one type.

    Raises
    ------
    ShapeError
        If one has another number of axes.
    DTypeError
        If their types differ, as in PyTorch.
    """
    tensors = [as_variable(v) for v in values]
    if tuple(t.ndim for t in tensors) != ranks:
        shapes = " and ".join(str(t.shape) for t in tensors)
        wanted = " and ".join(map(str, ranks))
        raise ShapeError(f"{place}: {wanted} axes were wanted, got shapes {shapes}")
    if len({t.dtype for t in tensors}) > 1:
        given = " and ".join(str(t.dtype) for t in tensors)
        raise DTypeError(f"{place}: tensors of one type were wanted, got {given}")
    return tensors


def dot(x: TensorLike, tensor: TensorLike) -> Tensor:
    """The sum of the products of two vectors.

    Examples
    --------
    >>> dot([1.0, 2.0], [3.0, 4.0]).item()
    11.0
    """
    return matmul(*ranked("dot", (1, 1), x, tensor))


@implements(np.dot)
def _numpys_dot(a: TensorLike, b: TensorLike) -> Tensor:
    """NumPy's meaning: the last axis of a with the last but one of b."""
    x, y = as_variable(a), as_variable(b)
    if not x.ndim or not y.ndim:
        return elementwise.mul(x, y)
    return tensordot(x, y, ([-1], [-1 if y.ndim == 1 else -2]))


def vdot(x: TensorLike, other: TensorLike) -> Tensor:
    """The sum of the products of two vectors, the first one conjugated.

    Examples
    --------
    >>> vdot([1j], [1j]).item()
    (1+0j)
    """
    a, b = ranked("vdot", (1, 1), x, other)
    return matmul(conj(a), b)


@implements(np.vdot)
def _numpys_vdot(a: TensorLike, b: TensorLike) -> Tensor:
    return vdot(reshape(a, -1), reshape(b, -1))


def mv(x: TensorLike, vec: TensorLike) -> Tensor:
    """A matrix times a vector.

    Examples
    --------
    >>> mv([[1.0, 2.0]], [3.0, 4.0]).tolist()
    [11.0]
    """
    return matmul(*ranked("mv", (2, 1), x, vec))


def mm(x: TensorLike, mat2: TensorLike) -> Tensor:
    """The product of two matrices.

    Examples
    --------
    >>> mm([[1.0, 2.0]], [[3.0], [4.0]]).tolist()
    [[11.0]]
    """
    return matmul(*ranked("mm", (2, 2), x, mat2))


def bmm(x: TensorLike, mat2: TensorLike) -> Tensor:
    """The products of two stacks of matrices of equal length, one by one.

    Examples
    --------
    >>> bmm([[[1.0, 2.0]]], [[[3.0], [4.0]]]).tolist()
    [[[11.0]]]
    """
    a, b = ranked("bmm", (3, 3), x, mat2)
    if a.shape[0] != b.shape[0]:
        raise ShapeError(
            f"bmm: two stacks of equal length were wanted, got shapes {a.shape} and "
            f"{b.shape}; matmul broadcasts them"
        )
    return matmul(a, b)


def outer(x: TensorLike, vec2: TensorLike) -> Tensor:
    """Each element of one vector times each of another.

    Examples
    --------
    >>> outer([1.0, 2.0], [3.0, 4.0]).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    a, b = as_variable(x), as_variable(vec2)
    if a.ndim != 1 or b.ndim != 1:
        raise ShapeError(
            f"outer: two vectors were wanted, got shapes {a.shape} and {b.shape}"
        )
    return elementwise.mul(reshape(a, (-1, 1)), b)


ger = outer


@implements(np.outer)
def _numpys_outer(a: TensorLike, b: TensorLike) -> Tensor:
    return outer(reshape(a, -1), reshape(b, -1))


@implements(np.inner)
def inner(x: TensorLike, other: TensorLike) -> Tensor:
    """The sum of products along the last axes, of every pair of rows.

    Examples
    --------
    >>> inner([[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]).tolist()
    [[11.0, 17.0]]
    """
    a, b = as_variable(x), as_variable(other)
    if not a.ndim or not b.ndim:
        return elementwise.mul(a, b)
    if a.shape[-1] != b.shape[-1]:
        raise ShapeError(
            f"inner: the last axes must be equally long, got shapes {a.shape} and "
            f"{b.shape}"
        )
    return tensordot(a, b, ([-1], [-1]))


@implements(np.tensordot)
def tensordot(
    x: TensorLike, other: TensorLike, dims: Any = 2, *, axes: Any = None
) -> Tensor:
    """The sum of products along some axes of each.

    Parameters
    ----------
    dims : int, or a pair of lists
        The last so many axes of one with the first of the other; or the axes of each.

    Examples
    --------
    >>> tensordot([[1.0, 2.0]], [[3.0], [4.0]], 1).tolist()
    [[11.0]]
    """
    a, b = as_variable(x), as_variable(other)
    left, right = _axes_to_sum(a, b, dims if axes is None else axes)
    ours, theirs = list(map(str, range(a.ndim))), [f"b{j}" for j in range(b.ndim)]
    for i, j in zip(left, right, strict=True):
        if a.shape[i] != b.shape[j] and 1 not in (a.shape[i], b.shape[j]):
            raise ShapeError(
                f"tensordot: axis {i} of shape {a.shape} and axis {j} of shape "
                f"{b.shape} must be equally long"
            )
        theirs[j] = ours[i]
    free = [n for n in (*ours, *theirs) if (n in ours) != (n in theirs)]
    y, labels = contract((a, tuple(ours)), (b, tuple(theirs)), set(free))
    return permute(y, [labels.index(n) for n in free])


def _axes_to_sum(a: Tensor, b: Tensor, dims: Any) -> tuple[list[int], list[int]]:
    if hasattr(dims, "array"):
        dims = dims.tolist()
    if isinstance(dims, int):
        if not 0 <= dims <= min(a.ndim, b.ndim):
            raise ArgumentError(
                f"tensordot: dims must be from 0 to {min(a.ndim, b.ndim)} for shapes "
                f"{a.shape} and {b.shape}, got {dims}"
            )
        return list(range(a.ndim - dims, a.ndim)), list(range(dims))
    pair = [list(part) if np.ndim(part) else [part] for part in dims]
    if len(pair) != 2 or len(pair[0]) != len(pair[1]):
        raise ArgumentError(
            f"tensordot: dims must be an int or two lists of equal length, got {dims}"
        )
    left, right = (
        [axis_of("tensordot", int(i), t.ndim, t.shape) for i in part]
        for t, part in zip((a, b), pair, strict=True)
    )
    if len(set(left)) != len(left) or len(set(right)) != len(right):
        raise ArgumentError(f"tensordot: an axis occurs twice in {dims}")
    return left, right


@implements(np.kron)
def kron(x: TensorLike, other: TensorLike) -> Tensor:
    """Kronecker's product: each element of one times the whole of the other.

    Examples
    --------
    >>> kron([1.0, 10.0], [1.0, 2.0]).tolist()
    [1.0, 2.0, 10.0, 20.0]
    """
    a, b = as_variable(x), as_variable(other)
    n = max(a.ndim, b.ndim)
    p, q = ((1,) * (n - t.ndim) + t.shape for t in (a, b))
    a = reshape(a, [s for k in p for s in (k, 1)])
    b = reshape(b, [s for k in q for s in (1, k)])
    y = elementwise.mul(a, b)
    return reshape(y, [i * j for i, j in zip(p, q, strict=True)])


def cross(x: TensorLike, other: TensorLike, dim: int | None = None) -> Tensor:
    """The vector at right angles to both, as long as the area that they span.

    Parameters
    ----------
    dim : int, optional
        An axis of length 3; the first one by default. Other axes broadcast.

    Examples
    --------
    >>> cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).tolist()
    [0.0, 0.0, 1.0]
    """
    a, b = as_variable(x), as_variable(other)
    if a.ndim != b.ndim:
        raise ShapeError(
            "cross: tensors with equally many axes were wanted, got shapes "
            f"{a.shape} and {b.shape}"
        )
    if dim is None:
        if 3 not in a.shape:
            raise ShapeError(f"cross: no axis of shape {a.shape} has length 3")
        dim = a.shape.index(3)
    axis = axis_of("cross", dim, a.ndim, a.shape)
    if a.shape[axis] != 3 or b.shape[axis] != 3:
        raise ShapeError(
            f"cross: axis {dim} must have length 3, got shapes {a.shape} and {b.shape}"
        )
    before = (slice(None),) * axis
    ahead, behind = (*before, [1, 2, 0]), (*before, [2, 0, 1])
    return elementwise.sub(
        elementwise.mul(getitem(a, ahead), getitem(b, behind)),
        elementwise.mul(getitem(a, behind), getitem(b, ahead)),
    )


@implements(np.cross)
def _numpys_cross(a: TensorLike, b: TensorLike, axis: int = -1) -> Tensor:
    x, y = as_variable(a), as_variable(b)
    n = max(x.ndim, y.ndim)
    x, y = (reshape(t, (1,) * (n - t.ndim) + t.shape) for t in (x, y))
    return cross(x, y, axis)


def chain_matmul(*matrices: TensorLike) -> Tensor:
    """The product of matrices, in the cheapest order: see `linalg.multi_dot`.

    Examples
    --------
    >>> chain_matmul([[1.0, 2.0]], [[3.0], [4.0]], [[2.0]]).tolist()
    [[22.0]]
    """
    from dotori.linalg import multi_dot

    parts = [as_variable(m) for m in matrices]
    for m in parts:
        if m.ndim != 2:
            raise ShapeError(f"chain_matmul: matrices were wanted, got shape {m.shape}")
    return parts[0] if len(parts) == 1 else multi_dot(parts)


def trace(x: TensorLike) -> Tensor:
    """The sum of the diagonal of a matrix.

    Examples
    --------
    >>> trace([[1.0, 2.0], [3.0, 4.0]]).item()
    5.0
    """
    t = as_variable(x)
    if t.ndim != 2:
        raise ShapeError(f"trace: one matrix was wanted, got shape {t.shape}")
    return _numpys_trace(t)


@implements(np.trace)
def _numpys_trace(
    a: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1
) -> Tensor:
    """NumPy's meaning: of stacks, along any diagonal."""
    t = as_variable(a)
    i, j = (axis_of("trace", k, t.ndim, t.shape) for k in (axis1, axis2))
    rest = [k for k in range(t.ndim) if k not in (i, j)]
    rows = np.arange(max(0, -offset), max(0, min(t.shape[i], t.shape[j] - offset)))
    return _sum(getitem(permute(t, [i, j, *rest]), (rows, rows + offset)), 0)
