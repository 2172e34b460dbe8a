"""Powers of matrices, their exponential, and powers of numbers as a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dotori.autograd import as_variable, wrap
from dotori.errors import ArgumentError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.elementwise import mul
from dotori.functions.join import stack
from dotori.functions.linear import matmul
from dotori.functions.shape import clone
from dotori.linalg.checks import identities, matrix, run
from dotori.linalg.systems import inv
from dotori.ops import linalg as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor


@implements(np.linalg.matrix_power)
def matrix_power(A: TensorLike, n: int) -> Tensor:
    """A multiplied by itself; of the inverse for negative n.

    Examples
    --------
    >>> matrix_power([[2.0, 0.0], [0.0, 3.0]], 2).tolist()
    [[4.0, 0.0], [0.0, 9.0]]
    """
    t = matrix("matrix_power", A)
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise ArgumentError(f"linalg.matrix_power: n must be an int, got {n!r}")
    if n < 0:
        t, n = inv(t), -n
    if not n:
        return identities(t)
    if n == 1:
        return clone(t)  # no product, but memory of its own as after one
    result = None
    while n:  # the binary digits of n, lowest first
        if n & 1:
            result = t if result is None else matmul(result, t)
        n >>= 1
        if n:
            t = matmul(t, t)
    assert result is not None
    return result


def matrix_exp(A: TensorLike) -> Tensor:
    """The exponential 1 + A + A^2/2 + A^3/6 + ... of each matrix.

    Examples
    --------
    >>> matrix_exp([[0.0, 1.0], [0.0, 0.0]]).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    result: Tensor = run("matrix_exp", op.MatrixExp, matrix("matrix_exp", A))
    return result


def vander(x: TensorLike, N: int | None = None) -> Tensor:
    """The powers 0, ..., N - 1 of each number, a row for each; as many as numbers.

    Examples
    --------
    >>> vander([2, 3], 3).tolist()
    [[1, 2, 4], [1, 3, 9]]
    """
    t = as_variable(x)
    n = (t.shape[-1] if t.ndim else 1) if N is None else N
    if n <= 1:
        raise ArgumentError(f"linalg.vander: N must be larger than 1, got {n}")
    if t.dtype.kind in "bui":
        t = t.to(np.int64)
    t = t if t.ndim else t.reshape(1)
    powers = [wrap(np.ones_like(t.array)), t]
    while len(powers) < n:
        powers.append(mul(powers[-1], t))
    return stack(powers, -1)
