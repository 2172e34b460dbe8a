"""What ``np.linalg`` calls otherwise than PyTorch: the same with NumPy's arguments.

They stand in the table directly: some of them share their names with older functions
of NumPy that mean other axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import as_variable
from dotori.functions._numpy import TensorLike, table
from dotori.functions.linear import matmul
from dotori.functions.products import outer, tensordot
from dotori.functions.reduce import sum as _sum
from dotori.functions.shape import transpose
from dotori.linalg.norms import matrix_norm, vector_norm
from dotori.linalg.products import cross, diagonal, vecdot

if TYPE_CHECKING:
    from dotori._tensor import Tensor


def _cross(x1: TensorLike, x2: TensorLike, /, *, axis: int = -1) -> Tensor:
    return cross(x1, x2, dim=axis)


def _diagonal(x: TensorLike, /, *, offset: int = 0) -> Tensor:
    return diagonal(x, offset=offset)


def _trace(x: TensorLike, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    return _sum(diagonal(x, offset=offset), -1, dtype=dtype)


def _vecdot(x1: TensorLike, x2: TensorLike, /, *, axis: int = -1) -> Tensor:
    return vecdot(x1, x2, dim=axis)


def _tensordot(x1: TensorLike, x2: TensorLike, /, *, axes: Any = 2) -> Tensor:
    return tensordot(x1, x2, axes)


def _transposed(x: TensorLike, /) -> Tensor:
    return transpose(as_variable(x), -1, -2)


def _vector_norm(
    x: TensorLike, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2
) -> Tensor:
    return vector_norm(x, ord, axis, keepdims)


def _matrix_norm(
    x: TensorLike, /, *, keepdims: bool = False, ord: Any = "fro"
) -> Tensor:
    return matrix_norm(x, ord, (-2, -1), keepdims)


def _matvec(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    y = matmul(x1, as_variable(x2).unsqueeze(-1))
    return y.squeeze(-1)


def _vecmat(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    row = as_variable(x1).conj().unsqueeze(-2)
    return matmul(row, x2).squeeze(-2)


table.update(
    {
        np.linalg.cross: _cross,
        np.linalg.diagonal: _diagonal,
        np.linalg.trace: _trace,
        np.linalg.outer: outer,
        np.linalg.tensordot: _tensordot,
        np.linalg.vecdot: _vecdot,
        np.linalg.matmul: matmul,
        np.linalg.matrix_transpose: _transposed,
        np.linalg.vector_norm: _vector_norm,
        np.linalg.matrix_norm: _matrix_norm,
        np.matrix_transpose: _transposed,
        np.vecdot: vecdot,
    }
)
for _name, _ours in {"matvec": _matvec, "vecmat": _vecmat}.items():
    if hasattr(np, _name):  # since NumPy 2.2
        table[getattr(np, _name)] = _ours
